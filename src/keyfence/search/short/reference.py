"""The algorithms, one key at a time: what confirms the few keys that a kernel lets through."""

import hashlib
from hmac import digest
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

BLOCK_BYTES: Final = 16
DIGEST_BYTES: Final = {name: hashlib.new(name, usedforsecurity=False).digest_size for name in ("sha1", "sha256")}


def aes_ecb(key: bytes, plaintext: bytes) -> bytes:
    """Whole blocks, each enciphered alone (SP 800-38A section 6.1)."""
    encryptor = Cipher(AES(key), modes.ECB()).encryptor()  # noqa: S305  one block is what a key is told by
    return encryptor.update(plaintext) + encryptor.finalize()


def hmac(hash_name: str, key: bytes, message: bytes) -> bytes:
    """RFC 2104."""
    return digest(key, message, hash_name)


def rc4_keystream(key: bytes, skip: int, length: int) -> bytes:
    """RC4's keystream from byte `skip` on, for keys of any length (libraries know a few lengths only)."""
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, j = bytearray(), 0
    for step in range(1, skip + length + 1):
        i = step % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(state[(state[i] + state[j]) % 256])
    return bytes(out[skip:])
