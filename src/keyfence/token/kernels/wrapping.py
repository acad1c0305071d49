"""Secret values wrapped and unwrapped: by a cipher, by AES key wrap, by RSA.

    wrapped = wrap(Mechanism(CKM.AES_KEY_WRAP), CKK.AES, key, value)

Faults are C_WrapKey's and C_UnwrapKey's own: CKR_WRAPPING_KEY_TYPE_INCONSISTENT, CKR_WRAPPED_KEY_LEN_RANGE and so on. Values
come back as long as the mechanism keeps them: whole blocks for ECB and CBC without padding, the modulus's width for
CKM_RSA_X_509. Cutting them to CKA_VALUE_LEN is the caller's (from the leading end for RSA, from the trailing end for blocks).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.padding import PKCS7

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKK, CKM, CKR
from keyfence.cryptoki.params import Iv

from . import ciphers, rsa
from .blocks import AES
from .refusals import check_key, refuse

_SEMIBLOCK: Final = 8


@dataclass(frozen=True, slots=True)
class KeyWrap:
    """A form of AES key wrap: its initial value, which values it takes (in bytes), and both ways."""

    iv: bytes
    least: int
    multiple: int
    wrap: Callable[[bytes, bytes], bytes]
    unwrap: Callable[[bytes, bytes], bytes]


def wrap(mechanism: Mechanism, key_type: int, key: bytes | Template, value: bytes, *, function: str = "C_WrapKey") -> bytes:
    """`value` wrapped by a secret key's bytes or an RSA public key's attributes."""
    if mechanism.type in rsa.ENCRYPTIONS:
        return rsa.encrypt(mechanism, _pair(key_type, key, function), value, function=function)
    secret = _secret(key, function)
    if (form := KEY_WRAPS.get(mechanism.type)) is not None:
        _check(form, mechanism, key_type, secret, function)
        if len(value) < form.least or len(value) % form.multiple:
            raise refuse(CKR.DATA_LEN_RANGE, function, f"{len(value)} bytes to wrap")
        return form.wrap(secret, value)
    row = _cipher(mechanism, function)
    return ciphers.encrypt(mechanism, key_type, secret, value + bytes(-len(value) % row.block), function=function)


def unwrap(
    mechanism: Mechanism, key_type: int, key: bytes | Template, wrapped: bytes, *, function: str = "C_UnwrapKey"
) -> bytes:
    """The value in `wrapped`, by a secret key's bytes or an RSA private key's attributes."""
    if mechanism.type in rsa.ENCRYPTIONS:
        return rsa.decrypt(mechanism, _pair(key_type, key, function), wrapped, function=function)
    secret = _secret(key, function)
    if (form := KEY_WRAPS.get(mechanism.type)) is not None:
        _check(form, mechanism, key_type, secret, function)
        if len(wrapped) < _SEMIBLOCK + max(form.least, _SEMIBLOCK) or len(wrapped) % _SEMIBLOCK:
            raise refuse(CKR.ENCRYPTED_DATA_LEN_RANGE, function)
        try:
            return form.unwrap(secret, wrapped)
        except (keywrap.InvalidUnwrap, ValueError):
            raise refuse(CKR.ENCRYPTED_DATA_INVALID, function) from None
    _cipher(mechanism, function)
    return ciphers.decrypt(mechanism, key_type, secret, wrapped, function=function)


def _check(form: KeyWrap, mechanism: Mechanism, key_type: int, key: bytes, function: str) -> None:
    """Initial values other than the RFCs' own are refused: the library has no others."""
    if mechanism.parameters not in (None, Iv(form.iv)):
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "only the standard's initial value")
    check_key(key_type, key, AES.key_types, AES.key_sizes, function)


def _cipher(mechanism: Mechanism, function: str) -> ciphers.CipherMechanism:
    row = ciphers.MECHANISMS.get(mechanism.type)
    if row is None or not row.wraps:
        raise refuse(CKR.MECHANISM_INVALID, function, mechanism.name)
    return row


def _secret(key: bytes | Template, function: str) -> bytes:
    if not isinstance(key, bytes):
        raise refuse(CKR.KEY_TYPE_INCONSISTENT, function, "not a secret key")
    return key


def _pair(key_type: int, key: bytes | Template, function: str) -> Template:
    if key_type != CKK.RSA or isinstance(key, bytes):
        raise refuse(CKR.KEY_TYPE_INCONSISTENT, function, "not an RSA key")
    return key


def _wrap_padded(key: bytes, value: bytes) -> bytes:
    """PKCS #7 padding to semiblocks of 64 bits, then RFC 3394 (PKCS#11 3.1's CKM_AES_KEY_WRAP_PKCS7)."""
    padder = PKCS7(_SEMIBLOCK * 8).padder()
    return keywrap.aes_key_wrap(key, padder.update(value) + padder.finalize())


def _unwrap_padded(key: bytes, wrapped: bytes) -> bytes:
    unpadder = PKCS7(_SEMIBLOCK * 8).unpadder()
    return unpadder.update(keywrap.aes_key_unwrap(key, wrapped)) + unpadder.finalize()


_RFC_3394: Final = KeyWrap(b"\xa6" * 8, 16, _SEMIBLOCK, keywrap.aes_key_wrap, keywrap.aes_key_unwrap)
_RFC_5649: Final = KeyWrap(
    bytes.fromhex("a65959a6"), 1, 1, keywrap.aes_key_wrap_with_padding, keywrap.aes_key_unwrap_with_padding
)
_PKCS7: Final = KeyWrap(_RFC_3394.iv, 8, 1, _wrap_padded, _unwrap_padded)

KEY_WRAPS: Final[Mapping[int, KeyWrap]] = {
    CKM.AES_KEY_WRAP: _RFC_3394,
    CKM.AES_KEY_WRAP_PAD: _RFC_5649,
    CKM.AES_KEY_WRAP_KWP: _RFC_5649,
    CKM.AES_KEY_WRAP_PKCS7: _PKCS7,
}

MECHANISMS: Final = frozenset({*KEY_WRAPS, *rsa.ENCRYPTIONS, *(n for n, row in ciphers.MECHANISMS.items() if row.wraps)})
"""Every mechanism that wraps."""
