"""TLS 1.3's key schedule as a table (RFC 8446 sections 7.1 to 7.5 and 4.6.1): what each secret makes under which label."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from keyfence.cryptoki.constants import CKK
from keyfence.schedule import BadHkdfLabel, CipherSuite, HkdfLabel, PrfHash, Version, hkdf

from .policy import Policy
from .roles import Kind

IV_LENGTH: Final = 12
HASHES: Final = (PrfHash.SHA256, PrfHash.SHA384)  # those of TLS 1.3's suites
FINGERPRINT_LABEL: Final = b"keyfence fingerprint"
"""An HkdfLabel that no caller may ask for."""


class Context(Enum):
    """What an HkdfLabel's context is."""

    EMPTY = "nothing"
    HASH_OF_NOTHING = "the hash of no messages"
    HASH = "a hash"
    NONCE = "a ticket's nonce"

    def holds(self, context: bytes, prf_hash: PrfHash) -> bool:
        """Whether `context` is such a thing."""
        match self:
            case Context.EMPTY:
                return context == b""
            case Context.HASH_OF_NOTHING:
                return context == prf_hash.digest(b"")
            case Context.HASH:
                return len(context) == prf_hash.digest_size
            case Context.NONCE:
                return True


class Output(Enum):
    """What an expansion makes."""

    NEXT = "the next secret, as long as the hash"
    KEY = "a record key"
    IV = "an IV, for the caller to read"
    MATERIAL = "keying material for an application"


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the schedule; `makes` is the next secret's kind."""

    context: Context
    output: Output = Output.NEXT
    makes: Kind | None = None


def _secret(kind: Kind, context: Context = Context.HASH) -> Step:
    return Step(context, makes=kind)


_FINISHED: Final = _secret(Kind.FINISHED, Context.EMPTY)
_ANY_LABEL: Final = _secret(Kind.LABEL_EXPORTER, Context.HASH_OF_NOTHING)

STEPS: Final[Mapping[Kind, Mapping[bytes, Step]]] = {
    Kind.EARLY: {
        b"ext binder": _secret(Kind.BINDER, Context.HASH_OF_NOTHING),
        b"res binder": _secret(Kind.BINDER, Context.HASH_OF_NOTHING),
        b"c e traffic": _secret(Kind.TRAFFIC),
        b"e exp master": _secret(Kind.EXPORTER),
        b"derived": _secret(Kind.HANDSHAKE_SALT, Context.HASH_OF_NOTHING),
    },
    Kind.HANDSHAKE: {
        b"c hs traffic": _secret(Kind.TRAFFIC),
        b"s hs traffic": _secret(Kind.TRAFFIC),
        b"derived": _secret(Kind.MAIN_SALT, Context.HASH_OF_NOTHING),
    },
    Kind.MAIN: {
        b"c ap traffic": _secret(Kind.TRAFFIC),
        b"s ap traffic": _secret(Kind.TRAFFIC),
        b"exp master": _secret(Kind.EXPORTER),
        b"res master": _secret(Kind.RESUMPTION),
    },
    Kind.TRAFFIC: {
        b"key": Step(Context.EMPTY, Output.KEY),
        b"iv": Step(Context.EMPTY, Output.IV),
        b"finished": _FINISHED,
        b"traffic upd": _secret(Kind.TRAFFIC, Context.EMPTY),
    },
    Kind.BINDER: {b"finished": _FINISHED},
    Kind.LABEL_EXPORTER: {b"exporter": Step(Context.HASH, Output.MATERIAL)},
    Kind.RESUMPTION: {b"resumption": _secret(Kind.PSK, Context.NONCE)},
}
"""Kind.EXPORTER takes any label: it is the application's."""

EXPANDED: Final = frozenset({*STEPS, Kind.EXPORTER})
"""The kinds of secret that are expanded."""

SALTS: Final[Mapping[Kind, Kind]] = {Kind.HANDSHAKE_SALT: Kind.HANDSHAKE, Kind.MAIN_SALT: Kind.MAIN}
"""A secret that is the salt of an extract, and what is extracted."""


def step(kind: Kind, label: HkdfLabel, prf_hash: PrfHash) -> Step | None:
    """What this secret makes under this label; None where RFC 8446 makes nothing of the kind."""
    found = _ANY_LABEL if kind is Kind.EXPORTER else STEPS.get(kind, {}).get(label.label)
    if found is None or label.label == FINGERPRINT_LABEL or not found.context.holds(label.context, prf_hash):
        return None
    fixed = {Output.NEXT: prf_hash.digest_size, Output.IV: IV_LENGTH}.get(found.output, label.length)
    return found if label.length == fixed else None


def parsed(info: bytes) -> HkdfLabel | None:
    """The HkdfLabel that `info` is, or None."""
    try:
        return HkdfLabel.parse(info)
    except BadHkdfLabel:
        return None


def extracted(prf_hash: PrfHash, salt: bytes | None) -> Kind | None:
    """What is extracted with a salt that the caller gives as bytes: with none or zeros the early secret, and with the constant
    that "derived" makes of an early secret without PSK, which an application may compute itself, the handshake secret."""
    if salt in (None, b"", bytes(prf_hash.digest_size)):
        return Kind.EARLY
    return Kind.HANDSHAKE if salt == _salt_without_psk(prf_hash) else None


@cache
def _salt_without_psk(prf_hash: PrfHash) -> bytes:
    early = hkdf.extract(prf_hash, b"", bytes(prf_hash.digest_size))
    return hkdf.derive_secret(prf_hash, early, b"derived", b"")


def record_suites(policy: Policy, prf_hash: PrfHash, key_type: int, length: int) -> tuple[CipherSuite, ...]:
    """The allowed suites of TLS 1.3 that have such a write key. A traffic secret's hash is its suite's."""
    if Version.TLS13 not in policy.versions:
        return ()
    return tuple(
        suite
        for suite in policy.suites
        if suite.supports(Version.TLS13) and (suite.prf_hash, suite.ckk, suite.cipher.key) == (prf_hash, key_type, length)
    )


def hash_named(function: str) -> PrfHash | None:
    """The hash of a role's function; None for functions that are none."""
    return PrfHash.__members__.get(function)


KEY_LENGTHS: Final = {int(CKK.CHACHA20): 32}
"""Key types of TLS 1.3 whose length need not be said."""
