"""The block ciphers that the library computes, each with its key types and key sizes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.decrepit.ciphers.modes import CFB, CFB8, OFB
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, ECB

from keyfence.cryptoki.constants import CKK

Mode = ECB | CBC | CTR | CFB | CFB8 | OFB
"""A mode without a tag."""


@dataclass(frozen=True, slots=True)
class BlockCipher:
    """A block cipher. `key_sizes` and `block` are in bytes."""

    key_types: tuple[CKK, ...]
    key_sizes: range | tuple[int, ...]
    block: int
    algorithm: Callable[[bytes], BlockCipherAlgorithm]

    def run(self, key: bytes, mode: Mode, data: bytes, encrypting: bool) -> bytes:
        """`data` through `mode`; whole blocks where the mode wants them."""
        cipher = Cipher(self.algorithm(key), mode)
        context = cipher.encryptor() if encrypting else cipher.decryptor()
        return context.update(data) + context.finalize()

    def cbc_mac(self, key: bytes, data: bytes) -> bytes:
        """The whole last block of CBC under a zero IV, the data padded with zeros (FIPS 113, ISO 9797-1 method 1)."""
        padded = data + bytes(-len(data) % self.block)
        return self.run(key, CBC(bytes(self.block)), padded, True)[-self.block :]


def _single(key: bytes) -> BlockCipherAlgorithm:
    """DES: what triple DES is when its three keys are one."""
    return decrepit.TripleDES(key * 3)


def _triple(key: bytes) -> BlockCipherAlgorithm:
    """Triple DES with three keys, or with two of which the first comes back as the third."""
    return decrepit.TripleDES((key + key)[:24])


AES: Final = BlockCipher((CKK.AES,), (16, 24, 32), 16, algorithms.AES)
DES: Final = BlockCipher((CKK.DES,), (8,), 8, _single)
DES3: Final = BlockCipher((CKK.DES2, CKK.DES3), (16, 24), 8, _triple)
CAMELLIA: Final = BlockCipher((CKK.CAMELLIA,), (16, 24, 32), 16, decrepit.Camellia)
SEED: Final = BlockCipher((CKK.SEED,), (16,), 16, decrepit.SEED)
IDEA: Final = BlockCipher((CKK.IDEA,), (16,), 8, decrepit.IDEA)
CAST128: Final = BlockCipher((CKK.CAST128,), range(5, 17), 8, decrepit.CAST5)
BLOWFISH: Final = BlockCipher((CKK.BLOWFISH,), range(4, 57), 8, decrepit.Blowfish)
