"""What is asked: a key of which some bits are known, and what it made of known data."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, Self

from keyfence.search.problem import BadProblem

from .layout import Layout, layout
from .reference import BLOCK_BYTES, DIGEST_BYTES, aes_ecb, hmac, rc4_keystream


class Algorithm(StrEnum):
    """What the key is for."""

    AES = "aes"
    RC4 = "rc4"
    HMAC_SHA1 = "hmac-sha1"
    HMAC_SHA256 = "hmac-sha256"


KEY_BYTES: Final = {
    Algorithm.AES: (16, 24, 32),
    Algorithm.RC4: tuple(range(1, 33)),
    Algorithm.HMAC_SHA1: tuple(range(1, 65)),
    Algorithm.HMAC_SHA256: tuple(range(1, 65)),
}
"""How long keys may be. A longer HMAC key is hashed first (RFC 2104 section 2), so the short one is what to look for."""
HMACS: Final = {Algorithm.HMAC_SHA1: "sha1", Algorithm.HMAC_SHA256: "sha256"}
LEAST_BYTES: Final = 4  # what the kernels compare
MOST_UNKNOWN: Final = 63
MOST_SKIPPED: Final = 4096

Sample = tuple[bytes, bytes]
"""What went in and what came out."""


@dataclass(frozen=True, repr=False)
class ShortKeyProblem:
    """Find the key that makes the outputs of all `samples` from their inputs and agrees with the bits that are known.

    `known_mask` and `known_value` are as long as the key, bit by bit; a set bit of the mask says that the value's is
    right. Any set of at most 63 bits may be unknown. Samples are, by algorithm:

        aes          plaintext and ciphertext of the same length, whole blocks of 16 bytes, each enciphered alone (ECB)
        rc4          plaintext and ciphertext of the same length, at least 4 bytes; before them `skip` bytes of keystream
                     (0 to 4096) were thrown away
        hmac-sha1, hmac-sha256   a message of any length and its MAC, perhaps truncated: 4 bytes at least (RFC 2104
                     section 5: the leading ones)

    Searches compare the first sample of every key, and with the others only keys that survive that. Candidates are
    numbered by `known_mask` alone (layout.py). Raises BadProblem.
    """

    algorithm: Algorithm
    samples: tuple[Sample, ...]
    known_mask: bytes
    known_value: bytes
    skip: int = 0

    def __post_init__(self) -> None:
        if self.algorithm not in set(Algorithm):
            raise BadProblem(f"no search for keys of that algorithm; there is one for {', '.join(Algorithm)}")
        self._check_key()
        if not self.samples:
            raise BadProblem("a search needs at least one sample of what the key made of what")
        for sample in self.samples:
            self._check_sample(*sample)
        if not 0 <= self.skip <= (MOST_SKIPPED if self.algorithm == Algorithm.RC4 else 0):
            raise BadProblem(f"only RC4 skips keystream, and at most {MOST_SKIPPED} bytes")
        _ = self._facts

    def _check_key(self) -> None:
        size, sizes = len(self.known_mask), KEY_BYTES[self.algorithm]
        if size != len(self.known_value):
            raise BadProblem(f"the mask of known bits has {size} bytes and their value {len(self.known_value)}")
        if size not in sizes:
            expected = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 3 else ", ".join(map(str, sizes))
            raise BadProblem(f"{self.algorithm} keys have {expected} bytes here, not {size}")
        if int.from_bytes(self.known_value) & ~int.from_bytes(self.known_mask):
            raise BadProblem("the known value has bits set that the mask calls unknown")
        if len(self.layout.order) > MOST_UNKNOWN:
            raise BadProblem(f"{len(self.layout.order)} bits of the key are unknown; at most {MOST_UNKNOWN} can be searched")

    def _check_sample(self, data: bytes, result: bytes) -> None:
        if self.algorithm in HMACS:
            most = DIGEST_BYTES[HMACS[self.algorithm]]
            if not LEAST_BYTES <= len(result) <= most:
                raise BadProblem(f"{self.algorithm} gives MACs of {LEAST_BYTES} to {most} bytes, not {len(result)}")
        elif len(data) != len(result):
            raise BadProblem(f"a plaintext has {len(data)} bytes and its ciphertext {len(result)}")
        elif self.algorithm == Algorithm.AES and (not data or len(data) % BLOCK_BYTES):
            raise BadProblem(f"AES samples are whole blocks of {BLOCK_BYTES} bytes, not {len(data)} bytes")
        elif len(data) < LEAST_BYTES:
            raise BadProblem(f"a sample needs at least {LEAST_BYTES} bytes, not {len(data)}")

    @classmethod
    def unknown_bytes(
        cls, algorithm: Algorithm, samples: tuple[Sample, ...], known: bytes, unknown: frozenset[int], skip: int = 0
    ) -> Self:
        """The problem with whole bytes unknown (`unknown`: their indices in `known`, whose bytes there do not matter)."""
        mask = bytes(0 if index in unknown else 0xFF for index in range(len(known)))
        return cls(algorithm, samples, mask, bytes(byte & kept for byte, kept in zip(known, mask, strict=True)), skip)

    def __repr__(self) -> str:
        unknown = f"{len(self.layout.order)} of {8 * self.key_bytes} key bits unknown"
        return f"ShortKeyProblem({self.algorithm}, {unknown}, {len(self.samples)} samples)"

    @property
    def key_bytes(self) -> int:
        """The length of the key."""
        return len(self.known_mask)

    @cached_property
    def layout(self) -> Layout:
        """Which unknown bit a candidate's number sets where."""
        return layout(self.known_mask)

    @property
    def candidates(self) -> int:
        """How many candidates there are, each one key."""
        return self.layout.candidates

    @property
    def keys(self) -> int:
        """The same as `candidates`."""
        return self.candidates

    def key(self, candidate: int) -> bytes:
        """The key of that number."""
        unknown = sum(1 << self._shift(bit) for bit in self.layout.bits(candidate))
        return (int.from_bytes(self.known_value) | unknown).to_bytes(self.key_bytes)

    def candidate(self, key: bytes) -> int:
        """The number under which `key` is tried. Raises BadProblem if it contradicts what is known."""
        if not self._agrees(key):
            raise BadProblem("that key contradicts what is known of it: its length or its known bits")
        number = int.from_bytes(key)
        return self.layout.candidate(lambda bit: number >> self._shift(bit) & 1)

    def _shift(self, bit: int) -> int:
        return 8 * self.key_bytes - 1 - bit

    def _agrees(self, key: bytes) -> bool:
        return len(key) == self.key_bytes and not (
            (int.from_bytes(key) ^ int.from_bytes(self.known_value)) & int.from_bytes(self.known_mask)
        )

    def fits(self, key: bytes) -> bool:
        """Whether the key agrees with the known bits and makes every sample's output from its input."""
        return self._agrees(key) and all(self._makes(key, *sample) for sample in self.samples)

    def _makes(self, key: bytes, data: bytes, result: bytes) -> bool:
        if self.algorithm == Algorithm.AES:
            return aes_ecb(key, data) == result
        if self.algorithm == Algorithm.RC4:
            return rc4_keystream(key, self.skip, len(data)) == keystream(data, result)
        return hmac(HMACS[self.algorithm], key, data)[: len(result)] == result

    @property
    def expected_false(self) -> float:
        """How many wrong keys are expected to fit all samples: well below 1 means that a hit is the key."""
        informative = 8 * sum(len(result) for result in self._facts.values())
        return (self.keys - 1) * 2.0**-informative

    @cached_property
    def _facts(self) -> dict[bytes | int, bytes]:
        """What the samples say, each thing once: samples that repeat tell nothing new, and ones that differ lie."""
        facts: dict[bytes | int, bytes] = {}
        for about, result in (fact for sample in self.samples for fact in self._said(*sample)):
            known = facts.get(about, b"")
            shorter, longer = sorted((known, result), key=len)
            if not longer.startswith(shorter):
                raise BadProblem("two samples contradict each other: no key makes different outputs from one input")
            facts[about] = longer
        return facts

    def _said(self, data: bytes, result: bytes) -> Iterator[tuple[bytes | int, bytes]]:
        if self.algorithm == Algorithm.AES:
            for start in range(0, len(data), BLOCK_BYTES):
                yield data[start : start + BLOCK_BYTES], result[start : start + BLOCK_BYTES]
        elif self.algorithm == Algorithm.RC4:
            yield 0, keystream(data, result)
        else:
            yield data, result


def keystream(plaintext: bytes, ciphertext: bytes) -> bytes:
    """What a stream cipher added."""
    return bytes(a ^ b for a, b in zip(plaintext, ciphertext, strict=True))
