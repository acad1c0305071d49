"""What a derivation is to the token: a function from a request to the objects it makes and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from keyfence.cryptoki import Derived, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.params import Parameters
from keyfence.schedule import PrfHash, Version

from ..attributes import Act
from ..kernels.digests import BY_HMAC, Digest
from ..objects import StoredObject
from ..quirks import Keep, Quirks, Randoms
from ..refused import Refused
from ..templates import Inheritance, NewKey, derived_shape, secret_key

P = TypeVar("P", bound=Parameters)

GENERIC_ONLY = frozenset({CKK.GENERIC_SECRET})
RANDOM_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Request:
    """One C_DeriveKey: the base key already found and allowed; `operand` finds and allows a handle inside the parameter."""

    mechanism: Mechanism
    base: StoredObject
    template: Template
    quirks: Quirks
    operand: Callable[[int], StoredObject]

    @property
    def secret(self) -> bytes:
        """The base key's value."""
        return self.base.value.reveal()

    def parameters(self, cls: type[P]) -> P:
        """The mechanism's parameter, which has to be a `cls`."""
        if not isinstance(self.mechanism.parameters, cls):
            raise Refused(CKR.MECHANISM_PARAM_INVALID, f"{self.mechanism.name} takes {cls.__name__}")
        return self.mechanism.parameters


@dataclass(frozen=True, slots=True)
class Outcome:
    """The objects to admit, and the answer once they have handles."""

    objects: tuple[StoredObject, ...]
    answer: Callable[[tuple[int, ...]], Derived]


Derive = Callable[[Request], Outcome]


@dataclass(frozen=True, slots=True)
class Derivation:
    """A derivation mechanism: the base keys it takes (sizes in bytes) and how it derives."""

    base_types: frozenset[int]
    derive: Derive
    min_size: int = 1
    max_size: int = 1 << 16
    takes_data: bool = False
    """A data object may stand for the base key (HKDF, section 6.62.3)."""


def one_key(request: Request, new: NewKey, version: tuple[int, int] | None = None) -> Outcome:
    """The usual outcome: a single secret key."""
    key = secret_key(new, request.template, Act.DERIVE, request.quirks)
    return Outcome((key,), lambda handles: Derived(handles[0], version=version))


def cut_key(
    request: Request,
    available: bytes,
    inheritance: Inheritance,
    *ancestors: StoredObject,
    natural_type: int = CKK.GENERIC_SECRET,
    standard: Keep = Keep.FIRST,
) -> Outcome:
    """A key cut from a value of fixed length, as long as the template says; `standard`: which bytes the standard keeps."""
    key_type, length = derived_shape(request.template, len(available), natural_type)
    value = cut(available, length, request.quirks, standard)
    return one_key(request, NewKey(value, key_type, (request.base, *ancestors), inheritance))


def cut(available: bytes, length: int, quirks: Quirks, standard: Keep = Keep.FIRST) -> bytes:
    """`length` bytes of a derived value, from the end that the standard or a quirk says. KEY_SIZE_RANGE for too many."""
    if length > len(available) or length < quirks.min_derived or (quirks.full_length_only and length < len(available)):
        raise Refused(CKR.KEY_SIZE_RANGE, f"{length} bytes of {len(available)}")
    keep = standard if quirks.keep is Keep.STANDARD else quirks.keep
    return available[:length] if keep is Keep.FIRST else available[len(available) - length :]


def stream_shape(template: Template, quirks: Quirks, natural_type: int = CKK.GENERIC_SECRET) -> tuple[int, int]:
    """(type, length) of a key cut from a stream without end, whose start it always is."""
    key_type, length = derived_shape(template, None, natural_type)
    if length < quirks.min_derived:
        raise Refused(CKR.KEY_SIZE_RANGE, f"{length} bytes")
    return key_type, length


def hash_of(number: int) -> PrfHash:
    """The hash of a parameter that names one of TLS's."""
    try:
        return PrfHash.of_mechanism(number)
    except ValueError:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "no hash of TLS") from None


def hmac_hash(number: int) -> Digest:
    """The hash of a parameter that names an HMAC mechanism."""
    row = BY_HMAC.get(number)
    if row is None:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "no HMAC mechanism")
    return row


def randoms(quirks: Quirks, client: bytes, server: bytes) -> tuple[bytes, bytes]:
    """The two randoms, as the quirks take such as are not 32 bytes long."""
    if quirks.randoms is Randoms.TRUNCATE:
        return client[:RANDOM_LENGTH], server[:RANDOM_LENGTH]
    if quirks.randoms is Randoms.EXACT and {len(client), len(server)} != {RANDOM_LENGTH}:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "randoms have 32 bytes")
    return client, server


def tls_function(number: int) -> tuple[Version, PrfHash | None]:
    """The PRF that `prfHashMechanism` names: a hash's TLS 1.2 PRF, or TLS 1.0's for CKM_TLS_PRF (section 6.40.9)."""
    if number == CKM.TLS_PRF:
        return Version.TLS10, None
    return Version.TLS12, hash_of(number)


def asks_readable(template: Template) -> bool:
    """Whether a template asks for a key that can be read or wrapped."""
    return template.get(CKA.SENSITIVE) is False or template.get(CKA.EXTRACTABLE) is True
