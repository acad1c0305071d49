"""Keys, blocks and problems for the tests of the DES search."""

from random import Random

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from keyfence.search.des import DesProblem

ALL_BITS = 2**64 - 1
KEY_POSITIONS = [position for position in range(64) if position % 8 != 7]


def des(key: bytes, plaintext: bytes) -> bytes:
    """What pyca/cryptography says: single DES is Triple DES with one key three times."""
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return encryptor.update(plaintext) + encryptor.finalize()


def inverted(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


def planted(random: Random, key: bytes, unknown: int, pairs: int = 2) -> DesProblem:
    """A problem whose answer is `key`, with that many unknown bits at random positions."""
    mask = ALL_BITS ^ sum(1 << (63 - position) for position in random.sample(KEY_POSITIONS, unknown))
    plaintexts = [random.randbytes(8) for _ in range(pairs)]
    return DesProblem(tuple((p, des(key, p)) for p in plaintexts), mask, int.from_bytes(key) & mask)


def planted_complement(random: Random, key: bytes) -> DesProblem:
    """A problem with every bit unknown and a chosen pair of complemented plaintexts."""
    plaintext = random.randbytes(8)
    pair = (inverted(plaintext), des(key, inverted(plaintext)))
    return DesProblem(((plaintext, des(key, plaintext)),), complement=pair)
