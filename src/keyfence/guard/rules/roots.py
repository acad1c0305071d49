"""roots-born-tls: what comes of a key agreement or an RSA key exchange is a secret of TLS from birth, and whole."""

from typing import ClassVar

from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR
from keyfence.cryptoki.params import Ecdh1Derive, PublicValue

from ..births import MASTER_LENGTH
from ..call import Call, Objection, number
from ..mechanisms import AGREEMENTS
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
        if call.key is None or call.key.role != PRIVATE:
            return call
        if call.function == "C_DeriveKey" and call.mechanism_type in AGREEMENTS:
            return _agreed(call)
        return _unwrapped(call) if call.function == "C_UnwrapKey" else call


def _agreed(call: Call) -> Call:
    parameters = call.mechanism.parameters if call.mechanism else None
    if isinstance(parameters, Ecdh1Derive) and call.birth.length is None:
        raise Objection("an agreed secret comes without a KDF", CKR.MECHANISM_PARAM_INVALID)
    if isinstance(parameters, Ecdh1Derive) and parameters.shared_data:
        raise Objection("an agreed secret comes without a KDF", CKR.MECHANISM_PARAM_INVALID)
    if not isinstance(parameters, Ecdh1Derive | PublicValue):
        raise Objection("not the parameter of a key agreement", CKR.MECHANISM_PARAM_INVALID)
    _check_type(call)
    length = call.birth.length
    if call.mechanism_type == CKM.DH_PKCS_DERIVE and isinstance(parameters, PublicValue):
        length = None
        if number(call.template, CKA.VALUE_LEN) not in (None, _dh_length(parameters)):
            raise Objection("an agreed secret comes whole", CKR.TEMPLATE_INCONSISTENT)
    elif number(call.template, CKA.VALUE_LEN) not in (None, length):
        raise Objection("an agreed secret comes whole", CKR.TEMPLATE_INCONSISTENT)
    return call


def _dh_length(parameters: PublicValue) -> int:
    """A Diffie-Hellman group's size by the peer's value: primes of TLS are whole multiples of 64 bits (RFC 7919)."""
    significant = len(parameters.value.lstrip(b"\0"))
    return -(-significant // 8) * 8


def _unwrapped(call: Call) -> Call:
    """A pre-master secret has 48 bytes; CKA_VALUE_LEN is left out where the caller did, since modules differ in taking it."""
    if call.template.get(CKA.CLASS, CKO.SECRET_KEY) != CKO.SECRET_KEY:
        raise Objection("a key exchange carries a secret", CKR.TEMPLATE_INCONSISTENT)
    _check_type(call)
    if number(call.template, CKA.VALUE_LEN) not in (None, MASTER_LENGTH):
        raise Objection("a pre-master secret has 48 bytes", CKR.TEMPLATE_INCONSISTENT)
    return call


def _check_type(call: Call) -> None:
    if number(call.template, CKA.KEY_TYPE) not in (None, *_TYPES):
        raise Objection("a secret to derive from is of a generic type", CKR.TEMPLATE_INCONSISTENT)
