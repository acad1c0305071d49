"""The record ciphers, outside any module, by pyca/cryptography.

ARIA, Camellia in GCM and the GOST ciphers are not in it: UnsupportedCipher.
"""

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers import Cipher as PycaCipher
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from .ciphers import Cipher, Mode
from .pieces import BadRecordMac


class UnsupportedCipher(ValueError):
    """This installation cannot run a suite's record cipher outside a module."""


_BLOCK_CIPHERS: Final[dict[str, Callable[[bytes], BlockCipherAlgorithm]]] = {
    "AES": algorithms.AES,
    "CAMELLIA": decrepit.Camellia,
    "3DES_EDE": decrepit.TripleDES,
    "DES": lambda key: decrepit.TripleDES(3 * key),
    "DES40": lambda key: decrepit.TripleDES(3 * key),
    "IDEA": decrepit.IDEA,
    "SEED": decrepit.SEED,
    "RC2": decrepit.RC2,
}


def cbc_encrypt(cipher: Cipher, key: bytes, iv: bytes, data: bytes) -> bytes:
    """`data`, whole blocks, encrypted in CBC."""
    return _run(_cbc(cipher, key, iv).encryptor(), data)


def cbc_decrypt(cipher: Cipher, key: bytes, iv: bytes, data: bytes) -> bytes:
    """`data` decrypted; BadRecordMac where it is not at least one whole block."""
    if not data or len(data) % cipher.block:
        raise BadRecordMac
    return _run(_cbc(cipher, key, iv).decryptor(), data)


def rc4(key: bytes, position: int, data: bytes) -> bytes:
    """`data` XOR the key stream after its first `position` bytes: encryption and decryption alike."""
    return _run(PycaCipher(decrepit.ARC4(key), mode=None).encryptor(), bytes(position) + data)[position:]


def aead_encrypt(cipher: Cipher, key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    """Ciphertext and tag."""
    return _aead(cipher, key).encrypt(nonce, data, aad)


def aead_decrypt(cipher: Cipher, key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    """The plaintext of ciphertext and tag; BadRecordMac where the tag is wrong."""
    try:
        return _aead(cipher, key).decrypt(nonce, data, aad)
    except InvalidTag:
        raise BadRecordMac from None


def _cbc(cipher: Cipher, key: bytes, iv: bytes) -> PycaCipher[modes.CBC]:
    if cipher.algorithm not in _BLOCK_CIPHERS:
        raise UnsupportedCipher(f"no {cipher.name} outside a module")
    return PycaCipher(_BLOCK_CIPHERS[cipher.algorithm](key), modes.CBC(iv))


def _aead(cipher: Cipher, key: bytes) -> AESGCM | AESCCM | ChaCha20Poly1305:
    if cipher.mode is Mode.POLY1305:
        return ChaCha20Poly1305(key)
    if cipher.algorithm != "AES":
        raise UnsupportedCipher(f"no {cipher.name} outside a module")
    return AESGCM(key) if cipher.mode is Mode.GCM else AESCCM(key, tag_length=cipher.tag)


def _run(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()
