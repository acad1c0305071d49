"""TLS 1.3's key schedule as a table: what each secret makes under which label.

RFC 8446 sections 7.1 to 7.5 and 4.6.1. Whoever enforces it names the secrets as it likes:
`steps(names)` is the table in its names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Final, Generic, TypeVar

from . import hkdf
from .prf import PrfHash

HASHES: Final = (PrfHash.SHA256, PrfHash.SHA384)  # those of TLS 1.3's suites
IV_LENGTH: Final = 12


class Secret(Enum):
    """The schedule's secrets."""

    PSK = auto()
    EARLY = auto()
    HANDSHAKE_SALT = auto()
    HANDSHAKE = auto()
    MAIN_SALT = auto()
    MAIN = auto()
    TRAFFIC = auto()
    BINDER = auto()
    EXPORTER = auto()
    LABEL_EXPORTER = auto()
    RESUMPTION = auto()
    FINISHED = auto()


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


S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """A line of the schedule; `makes` is the next secret."""

    context: Context
    output: Output = Output.NEXT
    makes: S | None = None


def _secret(secret: Secret, context: Context = Context.HASH) -> Step[Secret]:
    return Step(context, makes=secret)


_FINISHED: Final = _secret(Secret.FINISHED, Context.EMPTY)
_ANY_LABEL: Final = _secret(Secret.LABEL_EXPORTER, Context.HASH_OF_NOTHING)
_STEPS: Final[Mapping[Secret, Mapping[bytes, Step[Secret]]]] = {
    Secret.EARLY: {
        b"ext binder": _secret(Secret.BINDER, Context.HASH_OF_NOTHING),
        b"res binder": _secret(Secret.BINDER, Context.HASH_OF_NOTHING),
        b"c e traffic": _secret(Secret.TRAFFIC),
        b"e exp master": _secret(Secret.EXPORTER),
        b"derived": _secret(Secret.HANDSHAKE_SALT, Context.HASH_OF_NOTHING),
    },
    Secret.HANDSHAKE: {
        b"c hs traffic": _secret(Secret.TRAFFIC),
        b"s hs traffic": _secret(Secret.TRAFFIC),
        b"derived": _secret(Secret.MAIN_SALT, Context.HASH_OF_NOTHING),
    },
    Secret.MAIN: {
        b"c ap traffic": _secret(Secret.TRAFFIC),
        b"s ap traffic": _secret(Secret.TRAFFIC),
        b"exp master": _secret(Secret.EXPORTER),
        b"res master": _secret(Secret.RESUMPTION),
    },
    Secret.TRAFFIC: {
        b"key": Step(Context.EMPTY, Output.KEY),
        b"iv": Step(Context.EMPTY, Output.IV),
        b"finished": _FINISHED,
        b"traffic upd": _secret(Secret.TRAFFIC, Context.EMPTY),
    },
    Secret.BINDER: {b"finished": _FINISHED},
    Secret.LABEL_EXPORTER: {b"exporter": Step(Context.HASH, Output.MATERIAL)},
    Secret.RESUMPTION: {b"resumption": _secret(Secret.PSK, Context.NONCE)},
}
"""Secret.EXPORTER takes any label: it is the application's (`any_label`)."""


def steps(names: Mapping[Secret, S]) -> Mapping[S, Mapping[bytes, Step[S]]]:
    """Secret to label to line, in the names that `names` gives the secrets."""
    return {names[secret]: {label: _named(line, names) for label, line in lines.items()} for secret, lines in _STEPS.items()}


def any_label(names: Mapping[Secret, S]) -> Step[S]:
    """What an exporter's main secret makes, whatever the label (RFC 8446 section 7.5)."""
    return _named(_ANY_LABEL, names)


def _named(line: Step[Secret], names: Mapping[Secret, S]) -> Step[S]:
    return Step(line.context, line.output, None if line.makes is None else names[line.makes])


def zeros(prf_hash: PrfHash) -> bytes:
    """What stands where there is no secret: no PSK, nothing to extract the main secret from."""
    return bytes(prf_hash.digest_size)


@cache
def early_without_psk(prf_hash: PrfHash) -> bytes:
    """A constant."""
    return hkdf.extract(prf_hash, b"", zeros(prf_hash))


@cache
def salt_without_psk(prf_hash: PrfHash) -> bytes:
    """The handshake secret's salt where there is no PSK: a constant, which an application may compute itself."""
    return hkdf.derive_secret(prf_hash, early_without_psk(prf_hash), b"derived", b"")
