"""roots-born-tls: what comes of a key agreement or an RSA key exchange is a secret of TLS from birth, and whole."""

from typing import ClassVar

from keyfence.cryptoki.constants import CKA, CKD, CKK, CKO, CKR
from keyfence.cryptoki.params import Ecdh1Derive, PublicValue

from ..births import MASTER_LENGTH
from ..call import Call, Objection, number
from ..mechanisms import AGREEMENTS, DH_MASTERS, RSA_MASTERS
from ..policy import Policy
from ..roles import PRIVATE
from .base import Rule, World

_TYPES = frozenset({CKK.GENERIC_SECRET, CKK.HKDF})


class RootsBornTls(Rule):
    """All keys follow from the first secret, and it can be made again: the same private key with the peer's recorded point, or
    a recorded ClientKeyExchange unwrapped once more, as a key that can be read, or cut to a byte that can be searched. A KDF
    inside the agreement or another type makes of it something that no later rule would know."""

    id: ClassVar[str] = "roots-born-tls"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey", "C_UnwrapKey"})

    def judge(self, call: Call, world: World) -> Call:
        if call.function == "C_UnwrapKey":
            _check_unwrapping(call, world.policy)
        elif call.mechanism_type in (*RSA_MASTERS, *DH_MASTERS):
            _check_whole(call, MASTER_LENGTH)
        elif call.mechanism_type in AGREEMENTS and call.role == PRIVATE:
            _check_agreement(call)
        return call


def _check_unwrapping(call: Call, policy: Policy) -> None:
    if call.role == PRIVATE:
        _check_whole(call, MASTER_LENGTH)
    elif call.birth.role == PRIVATE and any(name.matches(call.template) for name in policy.outside_tls):
        raise Objection("a private key that comes wrapped is not taken out of TLS by a name", CKR.TEMPLATE_INCONSISTENT)


def _check_agreement(call: Call) -> None:
    match call.mechanism.parameters if call.mechanism else None:
        case Ecdh1Derive(kdf=kdf, shared_data=shared):
            if kdf != CKD.NULL or shared:
                raise Objection("an agreed secret comes without a KDF", CKR.MECHANISM_PARAM_INVALID)
            if call.birth.length is None:
                raise Objection("not a point of a curve of TLS", CKR.MECHANISM_PARAM_INVALID)
            _check_whole(call, call.birth.length)
        case PublicValue(value=value):
            _check_whole(call, _dh_length(value))
        case _:
            raise Objection("not the parameter of a key agreement", CKR.MECHANISM_PARAM_INVALID)


def _dh_length(value: bytes) -> int:
    """A Diffie-Hellman group's size by the peer's value: primes of TLS are whole multiples of 64 bits (RFC 7919)."""
    return -(-len(value.lstrip(b"\0")) // 8) * 8


def _check_whole(call: Call, length: int) -> None:
    """CKA_VALUE_LEN may be left out, since modules differ in taking it; said, it is the whole."""
    if call.template.get(CKA.CLASS, CKO.SECRET_KEY) != CKO.SECRET_KEY:
        raise Objection("what is exchanged is a secret", CKR.TEMPLATE_INCONSISTENT)
    if number(call.template, CKA.VALUE_LEN) not in (None, length):
        raise Objection(f"it comes whole, with {length} bytes", CKR.TEMPLATE_INCONSISTENT)
    if number(call.template, CKA.KEY_TYPE) not in (None, *_TYPES):
        raise Objection("a secret to derive from is of a generic type", CKR.TEMPLATE_INCONSISTENT)
