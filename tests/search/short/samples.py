"""Keys, what they make, and problems for the tests of the search for short keys."""

import hashlib
import hmac
from collections.abc import Iterable
from random import Random

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from keyfence.search.short import Algorithm, ShortKeyProblem
from keyfence.search.short.reference import rc4_keystream

HASHES = {Algorithm.HMAC_SHA1: hashlib.sha1, Algorithm.HMAC_SHA256: hashlib.sha256}


def made(algorithm: Algorithm, key: bytes, data: bytes, skip: int = 0) -> bytes:
    """What the algorithm makes of data; for RC4 our own one-key implementation, tested in test_reference."""
    if algorithm == Algorithm.AES:
        encryptor = Cipher(AES(key), modes.ECB()).encryptor()
        return encryptor.update(data) + encryptor.finalize()
    if algorithm == Algorithm.RC4:
        return bytes(a ^ b for a, b in zip(data, rc4_keystream(key, skip, len(data)), strict=True))
    return hmac.new(key, data, HASHES[algorithm]).digest()


def masked(key: bytes, unknown: Iterable[int]) -> tuple[bytes, bytes]:
    """The mask of known bits and their value where these bits, counted from the first byte's highest, are unknown."""
    size = 8 * len(key)
    mask = 2**size - 1 - sum(1 << (size - 1 - bit) for bit in set(unknown))
    return mask.to_bytes(len(key)), (int.from_bytes(key) & mask).to_bytes(len(key))


def planted(
    random: Random, algorithm: Algorithm, key: bytes, unknown: Iterable[int], samples: int = 2, skip: int = 0
) -> ShortKeyProblem:
    """A problem whose answer is `key`, with random data of the smallest size that is sensible."""
    sizes = {Algorithm.AES: 16, Algorithm.RC4: 8}
    data = [random.randbytes(sizes.get(algorithm) or random.randrange(130)) for _ in range(samples)]
    pairs = tuple((it, made(algorithm, key, it, skip)) for it in data)
    return ShortKeyProblem(algorithm, pairs, *masked(key, unknown), skip)


def around(random: Random, problem: ShortKeyProblem, key: bytes, spread: int) -> tuple[int, int, int]:
    """A range that holds the key, and the key's number."""
    at = problem.candidate(key)
    start = max(0, at - random.randrange(spread))
    return start, min(problem.candidates, at + 1 + random.randrange(spread)), at
