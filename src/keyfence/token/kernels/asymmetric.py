"""Public key cryptography under one roof: signatures and encryption by mechanism, keys as PKCS#11 attributes.

    public, private = generate_rsa(2048)
    signature = sign(Mechanism(CKM.SHA256_RSA_PKCS), private, message)
    shared = ecdh(private, point)

A key without the attributes a mechanism needs is refused with CKR_KEY_TYPE_INCONSISTENT: an EC key has no modulus, a public
key no private exponent.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKR

from . import elliptic, rsa
from .diffie_hellman import derive as dh
from .diffie_hellman import generate as generate_dh
from .elliptic import check_public as check_ec_public
from .elliptic import ecdh, ecdh_kdf
from .elliptic import generate as generate_ec
from .elliptic import public_attributes as ec_public_of
from .refusals import refuse
from .rsa import ENCRYPTIONS, decrypt, encrypt
from .rsa_keys import complete_private as complete_rsa
from .rsa_keys import generate as generate_rsa

T = TypeVar("T")

__all__ = [
    "ENCRYPTIONS",
    "SIGNATURES",
    "check_ec_public",
    "complete_rsa",
    "decrypt",
    "dh",
    "ec_public_of",
    "ecdh",
    "ecdh_kdf",
    "encrypt",
    "generate_dh",
    "generate_ec",
    "generate_rsa",
    "sign",
    "verify",
]

_SIGN: Final[Mapping[int, Callable[..., bytes]]] = {
    **dict.fromkeys(rsa.SIGNATURES, rsa.sign),
    **dict.fromkeys(elliptic.SIGNATURES, elliptic.sign),
}
_VERIFY: Final[Mapping[int, Callable[..., None]]] = {
    **dict.fromkeys(rsa.SIGNATURES, rsa.verify),
    **dict.fromkeys(elliptic.SIGNATURES, elliptic.verify),
}

SIGNATURES: Final = frozenset(_SIGN)
"""Every signature mechanism with a key pair; ENCRYPTIONS are those that encrypt."""


def sign(mechanism: Mechanism, key: Template, data: bytes, *, function: str = "C_Sign") -> bytes:
    """The signature, of an RSA or EC private key."""
    return _of(_SIGN, mechanism, function)(mechanism, key, data, function=function)


def verify(mechanism: Mechanism, key: Template, data: bytes, signature: bytes, *, function: str = "C_Verify") -> None:
    """Return where `signature` is one of `data`; CKR_SIGNATURE_LEN_RANGE or CKR_SIGNATURE_INVALID where it is not."""
    _of(_VERIFY, mechanism, function)(mechanism, key, data, signature, function=function)


def _of(table: Mapping[int, T], mechanism: Mechanism, function: str) -> T:
    entry = table.get(mechanism.type)
    if entry is None:
        raise refuse(CKR.MECHANISM_INVALID, function, mechanism.name)
    return entry
