"""roots-born-tls: what comes of a key agreement or an RSA key exchange is a secret of TLS from birth, and whole."""

from dataclasses import replace
from typing import ClassVar, Final

from keyfence.cryptoki.constants import CKA, CKD, CKK, CKO, CKR
from keyfence.cryptoki.params import Ecdh1Derive, PublicValue

from ..call import Call, Objection, number
from ..mechanisms import AGREEMENTS, DH_MASTERS, RSA_MASTERS
from ..policy import Policy
from ..roles import PRIVATE, Kind
from ..ways import Left, Reading, Terms, Way
from .base import Rule, World

MASTER_LENGTH: Final = 48
"""Bytes of a master secret, and of a pre-master secret that a key exchange carries."""

_TYPES: Final = frozenset({CKK.GENERIC_SECRET, CKK.HKDF})
_FIELDS: Final = frozenset({28, 32, 48, 64, 66})  # P-224 to P-521, Brainpool
_MONTGOMERY: Final = frozenset({32, 56})  # X25519, X448
_BORN = frozenset({Kind.PREMASTER, Kind.SHARED, Kind.MASTER})


class RootsBornTls(Rule):
    """All keys follow from the first secret, and it can be made again: the same private key with the peer's recorded point, or
    a recorded ClientKeyExchange unwrapped once more, as a key that can be read, or cut to a byte that can be searched. A KDF
    inside the agreement or another type makes of it something that no later rule would know."""

    id: ClassVar[str] = "roots-born-tls"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey", "C_UnwrapKey"})

    def judge(self, call: Call, world: World) -> Call:
        if call.function == "C_UnwrapKey":
            return _unwrapped(call, world.policy)
        if call.mechanism_type in (*RSA_MASTERS, *DH_MASTERS):
            return _whole(call, MASTER_LENGTH)
        if call.mechanism_type in AGREEMENTS and call.role == PRIVATE:
            return _agreed(call)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        if not isinstance(way, Reading) or way.born.kind not in _BORN:
            return (way,)
        if way.whole is None or way.key_type not in _TYPES:
            return ()
        return (replace(way, length=_lengths(way.whole)),)


def _unwrapped(call: Call, policy: Policy) -> Call:
    if call.role == PRIVATE:
        if number(call.template, CKA.KEY_TYPE) not in (None, CKK.GENERIC_SECRET):
            raise Objection("a pre-master secret is a generic one", CKR.TEMPLATE_INCONSISTENT)
        return _whole(call, MASTER_LENGTH)
    if call.birth.role == PRIVATE and any(name.matches(call.template) for name in policy.outside_tls):
        raise Objection("a private key that comes wrapped is not taken out of TLS by a name", CKR.TEMPLATE_INCONSISTENT)
    return call


def _agreed(call: Call) -> Call:
    match call.mechanism.parameters if call.mechanism else None:
        case Ecdh1Derive(kdf=kdf, public_data=point, shared_data=shared):
            length = field_length(point)
            if kdf != CKD.NULL or shared or length is None:
                raise Objection("a point of a curve of TLS, and no KDF", CKR.MECHANISM_PARAM_INVALID)
            return _whole(call, length)
        case PublicValue(value=value):
            return _whole(call, _dh_length(value), exact=False)
        case _:
            raise Objection("not the parameter of a key agreement", CKR.MECHANISM_PARAM_INVALID)


def field_length(point: bytes) -> int | None:
    """Bytes of a coordinate, by a peer's public point: bare, or as some modules want it in an OCTET STRING of DER.

    None for what no curve of TLS has. No curve's bare point is as long as another's in DER, so that the length decides, and
    no byte of a coordinate is taken for a header.
    """
    for header in (0, 2, 3):
        bare = point[header:]
        if header and point[:1] != b"\x04":
            break
        if bare[:1] == b"\x04" and len(bare) % 2 and len(bare) // 2 in _FIELDS:
            return len(bare) // 2
        if bare[:1] in (b"\x02", b"\x03") and len(bare) - 1 in _FIELDS:
            return len(bare) - 1
    return len(point) if len(point) in _MONTGOMERY else None


def _dh_length(value: bytes) -> int:
    """A Diffie-Hellman group's size by the peer's value: primes of TLS are whole multiples of 64 bits (RFC 7919)."""
    return -(-len(value.lstrip(b"\0")) // 8) * 8


def _whole(call: Call, length: int, *, exact: bool = True) -> Call:
    """CKA_VALUE_LEN may be left out, since modules differ in taking it; said, it is the whole, and so is what comes of it.

    `exact` False: modules may leave out leading zeros, as TLS does of Diffie-Hellman's (RFC 5246 section 8.1.2).
    """
    if call.template.get(CKA.CLASS, CKO.SECRET_KEY) != CKO.SECRET_KEY:
        raise Objection("what is exchanged is a secret", CKR.TEMPLATE_INCONSISTENT)
    said = number(call.template, CKA.VALUE_LEN)
    if said is not None and said not in _lengths(length):
        raise Objection(f"it comes whole, with {length} bytes", CKR.TEMPLATE_INCONSISTENT)
    if number(call.template, CKA.KEY_TYPE) not in (None, *_TYPES):
        raise Objection("a secret to derive from is of a generic type", CKR.TEMPLATE_INCONSISTENT)
    return replace(call, birth=replace(call.birth, length=length if exact else None))


def _lengths(whole: int) -> frozenset[int]:
    """The lengths that may be asked for."""
    return frozenset({whole})
