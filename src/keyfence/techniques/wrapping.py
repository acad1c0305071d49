"""C_WrapKey under a key of the caller's own, and the way back outside the module: how an extractable key comes out.

The wrapping key is the caller's: imported, so that its value is known, or generated, and then C_Decrypt under it does what
is done outside otherwise. Lengths are in bytes.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Final

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKG, CKK, CKM, CKO
from keyfence.cryptoki.params import Iv, Parameters, RsaOaep
from keyfence.cryptoki.session import secret_key
from keyfence.cryptoki.values import AttributeValue

from .base import Bench, Inconclusive, preparing

_IV: Final = bytes(16)
_KEK_BYTES: Final = 16
_RSA_BITS: Final = 2048

Unwrap = Callable[[bytes, bytes], bytes]
"""(the wrapping key's value, what C_WrapKey returned) to the key's value."""


@dataclass(frozen=True, slots=True)
class Wrapping:
    """One way to wrap: under an AES key of the caller's, or its RSA key (`unwrap` is None then)."""

    mechanism: CKM
    parameters: Parameters | None = None
    unwrap: Unwrap | None = None


def _ecb(key: bytes, wrapped: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 - what C_WrapKey was asked for
    return decryptor.update(wrapped) + decryptor.finalize()


def _cbc(key: bytes, wrapped: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(_IV)).decryptor()
    return decryptor.update(wrapped) + decryptor.finalize()


def _unpadded(data: bytes) -> bytes:
    """PKCS #7 padding removed, to whatever block it was (8 bytes below RFC 3394 in some modules). ValueError without it."""
    count = data[-1] if data else 0
    if not 1 <= count <= 16 or data[-count:] != bytes([count]) * count:
        raise ValueError("not padded")
    return data[:-count]


def _key_wrap_pad(key: bytes, wrapped: bytes) -> bytes:
    """RFC 5649, or PKCS #7 padding below RFC 3394: 2.40 left open which of the two CKM_AES_KEY_WRAP_PAD is."""
    try:
        return keywrap.aes_key_unwrap_with_padding(key, wrapped)
    except keywrap.InvalidUnwrap:
        return _unpadded(keywrap.aes_key_unwrap(key, wrapped))


WRAPPINGS: Final = (
    Wrapping(CKM.AES_CBC_PAD, Iv(_IV), lambda key, wrapped: _unpadded(_cbc(key, wrapped))),
    Wrapping(CKM.AES_CBC, Iv(_IV), _cbc),
    Wrapping(CKM.AES_ECB, None, _ecb),
    Wrapping(CKM.AES_KEY_WRAP, None, keywrap.aes_key_unwrap),
    Wrapping(CKM.AES_KEY_WRAP_PAD, None, _key_wrap_pad),
    Wrapping(CKM.AES_KEY_WRAP_KWP, None, keywrap.aes_key_unwrap_with_padding),
    Wrapping(CKM.RSA_PKCS),
    Wrapping(CKM.RSA_PKCS_OAEP, RsaOaep(int(CKM.SHA_1), int(CKG.MGF1_SHA1))),
)
"""Common ones first: a caller in search of any takes the first that the token lists."""


def take_out(bench: Bench, wrapping: Wrapping, handle: int) -> bytes:
    """The key's value, wrapped in the module and unwrapped outside. Raises the module's refusal, Unprepared or Inconclusive."""
    if wrapping.unwrap is None:
        return _by_rsa(bench, wrapping, handle)
    mechanism = Mechanism(wrapping.mechanism, wrapping.parameters)
    kek, value = _own_aes(bench)
    wrapped = bench.session.wrap(mechanism, kek, handle)
    if value is None:
        with preparing():  # that it was wrapped is the refusal that did not come
            return bench.session.decrypt(mechanism, kek, wrapped)
    try:
        return wrapping.unwrap(value, wrapped)
    except (ValueError, keywrap.InvalidUnwrap):
        raise Inconclusive("what C_WrapKey returned is no key wrapped as its mechanism says") from None


def _own_aes(bench: Bench) -> tuple[int, bytes | None]:
    """An AES key to wrap with and its value; of unknown value, and fit to decrypt, where nothing can be imported."""
    uses = {"wrap": True, "unwrap": True, "encrypt": True, "decrypt": True}
    value = os.urandom(_KEK_BYTES)
    try:
        return bench.import_key(CKK.AES, value, **uses), value
    except CryptokiError:
        template = secret_key(CKK.AES, _KEK_BYTES, **uses)
        with preparing():
            return bench.session.generate(Mechanism(CKM.AES_KEY_GEN), template), None


@cache
def _own_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, _RSA_BITS)


def _by_rsa(bench: Bench, wrapping: Wrapping, handle: int) -> bytes:
    numbers = _own_rsa().public_key().public_numbers()
    template: dict[int, AttributeValue] = {
        CKA.CLASS: int(CKO.PUBLIC_KEY),
        CKA.KEY_TYPE: int(CKK.RSA),
        CKA.MODULUS: numbers.n.to_bytes(_RSA_BITS // 8, "big"),
        CKA.PUBLIC_EXPONENT: numbers.e.to_bytes(3, "big"),
        CKA.WRAP: True,
        CKA.ENCRYPT: True,
    }
    with preparing():
        public = bench.session.create(template)
    wrapped = bench.session.wrap(Mechanism(wrapping.mechanism, wrapping.parameters), public, handle)
    scheme = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None) if wrapping.parameters else padding.PKCS1v15()  # noqa: S303
    try:
        return _own_rsa().decrypt(wrapped, scheme)
    except ValueError:
        raise Inconclusive("what C_WrapKey returned is no message for our RSA key") from None


def available(bench: Bench) -> Iterator[Wrapping]:
    """The ways to wrap that the token lists."""
    return (wrapping for wrapping in WRAPPINGS if bench.has(wrapping.mechanism))


def read(bench: Bench, handle: int) -> bytes:
    """A key's value by C_GetAttributeValue; where it is sensitive and yet extractable, by C_WrapKey under a key of our own.

    Raises the module's first refusal.
    """
    try:
        return bench.session.value(handle)
    except CryptokiError:
        for wrapping in available(bench) if _may_leave(bench, handle) else ():
            with suppress(CryptokiError, Inconclusive):
                return take_out(bench, wrapping, handle)
        raise


def _may_leave(bench: Bench, handle: int) -> bool:
    try:
        return bench.session.attribute(handle, CKA.EXTRACTABLE) is True
    except CryptokiError:
        return True  # nobody says no
