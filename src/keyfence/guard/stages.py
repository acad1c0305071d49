"""TLS 1.3's key schedule in the guard's terms: what a secret of each kind makes under which label."""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKK
from keyfence.schedule import BadHkdfLabel, CipherSuite, HkdfLabel, PrfHash, Version, tls13
from keyfence.schedule.tls13 import IV_LENGTH, Output

from .policy import Policy
from .roles import Kind

FINGERPRINT_LABEL: Final = b"keyfence fingerprint"
"""An HkdfLabel that no caller may ask for."""


Step = tls13.Step[Kind]
_KINDS: Final = {secret: Kind[secret.name] for secret in tls13.Secret}
_ANY_LABEL: Final = tls13.any_label(_KINDS)
STEPS: Final[Mapping[Kind, Mapping[bytes, Step]]] = tls13.steps(_KINDS)
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
    if salt in (None, b"", tls13.zeros(prf_hash)):
        return Kind.EARLY
    return Kind.HANDSHAKE if salt == tls13.salt_without_psk(prf_hash) else None


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
