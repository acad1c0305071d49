"""What is asked: a DES key of which some bits are known, and the blocks that tell it from all others."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from keyfence.search.problem import BadProblem

from .layout import KEY_BITS, Layout, layout
from .reference import encrypt
from .tables import BLOCK_BITS, PARITY_MASK, PERMUTED_CHOICE_1

KEY_BYTES: Final = 8
ALL_BITS: Final = 0xFFFF_FFFF_FFFF_FFFF
KEY_MASK: Final = ALL_BITS ^ PARITY_MASK

Pair = tuple[bytes, bytes]
"""A plaintext block and its ciphertext block, 8 bytes each."""


@dataclass(frozen=True, repr=False)
class DesProblem:
    """Find the key K with E(K, P) = C for all `pairs`, K agreeing with `known_value` in the bits of `known_mask`.

    Both are 64-bit ints that read the key's eight bytes big-endian; parity bits (the least of each byte) are ignored.
    `complement`, for a key of which nothing is known, is the pair (¬P, C′) of the FIRST pair's complemented plaintext.
    Since E(¬K, ¬P) = ¬E(K, P), one encryption then tests K and ¬K.

    Candidates are numbered 0 to `candidates` − 1. The numbering depends on `known_mask` and on whether there is a
    `complement`, on nothing else: a range means the same on every machine and path. Raises BadProblem.
    """

    pairs: tuple[Pair, ...]
    known_mask: int = 0
    known_value: int = 0
    complement: Pair | None = None

    def __post_init__(self) -> None:
        if not self.pairs:
            raise BadProblem("a search needs at least one pair of plaintext and ciphertext")
        for pair in self.all_pairs:
            if {len(block) for block in pair} != {8}:
                raise BadProblem("DES blocks have 8 bytes")
        if not (0 <= self.known_mask <= ALL_BITS and 0 <= self.known_value <= ALL_BITS):
            raise BadProblem("the mask of known bits and their value have 64 bits")
        if self.known_value & KEY_MASK & ~self.known_mask:
            raise BadProblem("the known value has bits set that the mask calls unknown")
        if len(set(self.all_pairs)) != len(dict(self.all_pairs)):
            raise BadProblem("two pairs contradict each other: no key makes different ciphertexts from one plaintext")
        if self.complement is not None:
            self._check_complement(self.complement)

    def __repr__(self) -> str:
        unknown = f"{len(self.layout.order)} of {KEY_BITS} key bits unknown"
        return f"DesProblem({unknown}, {len(self.all_pairs)} pairs)"

    def _check_complement(self, pair: Pair) -> None:
        if self.known_mask & KEY_MASK:
            raise BadProblem("a complemented pair halves the search only where no key bit is known")
        if any(a ^ b != 0xFF for a, b in zip(pair[0], self.pairs[0][0], strict=True)):
            raise BadProblem("the complemented pair's plaintext is not the complement of the first pair's")

    @classmethod
    def unknown_bytes(cls, pairs: tuple[Pair, ...], known: bytes, unknown: frozenset[int]) -> Self:
        """The problem with whole bytes unknown (`unknown`: their indices in `known`, 0 to 7)."""
        mask = sum(0xFF << 8 * (7 - index) for index in range(KEY_BYTES) if index not in unknown)
        return cls(pairs, mask, int.from_bytes(known) & mask)

    @property
    def all_pairs(self) -> tuple[Pair, ...]:
        return self.pairs if self.complement is None else (*self.pairs, self.complement)

    @cached_property
    def layout(self) -> Layout:
        """Which unknown bit a candidate's number sets where; with a `complement` the last one stays clear."""
        whole = layout(frozenset(bit for bit in range(KEY_BITS) if not self.known_mask >> _shift(bit) & 1))
        return whole if self.complement is None else Layout(whole.order[:-1], whole.early)

    @property
    def candidates(self) -> int:
        """How many candidates there are; with a `complement` each stands for two keys."""
        return self.layout.candidates

    @property
    def keys(self) -> int:
        """How many keys the candidates stand for."""
        return self.candidates << (self.complement is not None)

    def key(self, candidate: int) -> bytes:
        """The key of that number, with odd parity."""
        unknown = sum(1 << _shift(bit) for bit in self.layout.bits(candidate))
        return odd_parity((self.known_value & KEY_MASK | unknown).to_bytes(KEY_BYTES))

    def candidate(self, key: bytes) -> int:
        """The number under which `key` (any parity) is tried. Raises BadProblem if it contradicts what is known."""
        number = int.from_bytes(key)
        if (number ^ self.known_value) & self.known_mask & KEY_MASK:
            raise BadProblem("that key contradicts the known bits")
        if number >> self._complemented_at & 1:
            number ^= ALL_BITS
        return self.layout.candidate(lambda bit: number >> _shift(bit) & 1)

    @property
    def _complemented_at(self) -> int:
        """Where the key has a bit that is clear in every candidate, the complement being tried with it; or nowhere."""
        if self.complement is None:
            return KEY_BYTES * 8
        return _shift(*frozenset(range(KEY_BITS)).difference(self.layout.order))

    @property
    def expected_false(self) -> float:
        """How many wrong keys are expected to fit all pairs: well below 1 means that a hit is the key."""
        return (self.keys - 1) * 2.0 ** (-BLOCK_BITS * len(set(self.all_pairs)))

    def fits(self, key: bytes) -> bool:
        """Whether the key turns every plaintext into its ciphertext."""
        return all(encrypt(key, plaintext) == ciphertext for plaintext, ciphertext in self.all_pairs)


def odd_parity(key: bytes) -> bytes:
    """The key with the least bit of each byte set so that the byte has an odd number of ones (FIPS 46-3)."""
    return bytes(byte & 0xFE | (~(byte >> 1).bit_count() & 1) for byte in key)


def complemented(key: bytes) -> bytes:
    """The key with every bit but parity inverted."""
    return odd_parity(bytes(byte ^ 0xFF for byte in key))


def _shift(bit: int) -> int:
    """How far left a bit of the key register stands in the key's 64 bits."""
    return 63 - PERMUTED_CHOICE_1[bit]
