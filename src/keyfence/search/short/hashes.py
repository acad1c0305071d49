"""The compression functions of SHA-1 and SHA-256 (FIPS 180-4), in whatever computes with words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final, Protocol

from .staged import MASK, Staged, Value

BLOCK_WORDS: Final = 16
Terms = Callable[[int], Sequence[Value]]
"""What a round adds for its message word and its constant."""


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _cube_root(number: int) -> int:
    """Rounded down, bit by bit."""
    root = 0
    for bit in reversed(range(number.bit_length() // 3 + 1)):
        if (root | 1 << bit) ** 3 <= number:
            root |= 1 << bit
    return root


@dataclass(frozen=True, slots=True)
class Early:
    """Where a word of the digest can be told first: after `rounds` rounds in register `register`, turned left by `turn`."""

    word: int
    rounds: int
    register: int
    turn: int = 0


class Hash(Protocol):
    """A compression function, without the final addition of the old state."""

    name: str
    rounds: int
    initial: tuple[int, ...]

    def constant(self, number: int) -> int:
        """The round's constant."""

    def word(self, code: Staged, words: Sequence[Value], number: int) -> Value:
        """Message word `number` from the ones before it; 16 or more."""

    def round(self, code: Staged, number: int, state: Sequence[Value], terms: Iterable[Value]) -> list[Value]:
        """One round."""

    def early(self, words: int) -> Early:
        """The word to compare when the first `words` of the digest are known."""


class Sha256:
    """FIPS 180-4 section 6.2."""

    name: str = "sha256"
    rounds: int = 64
    initial: tuple[int, ...] = tuple(isqrt(prime << 64) & MASK for prime in _primes(8))
    _constants = tuple(_cube_root(prime << 96) & MASK for prime in _primes(64))

    def constant(self, number: int) -> int:
        return self._constants[number]

    def word(self, code: Staged, words: Sequence[Value], number: int) -> Value:
        small0 = self._sigma(code, words[number - 15], 25, 14, 3)
        small1 = self._sigma(code, words[number - 2], 15, 13, 10)
        return code.add(words[number - 16], words[number - 7], small0, small1)

    def _sigma(self, code: Staged, value: Value, first: int, second: int, shift: int) -> Value:
        return code.xor(code.rotate(value, first), code.rotate(value, second), code.shift_right(value, shift))

    def round(self, code: Staged, number: int, state: Sequence[Value], terms: Iterable[Value]) -> list[Value]:
        a, b, c, d, e, f, g, h = state
        big1 = code.xor(*(code.rotate(e, left) for left in (26, 21, 7)))
        big0 = code.xor(*(code.rotate(a, left) for left in (30, 19, 10)))
        first = code.add(h, *terms, code.choose(e, f, g), big1)
        return [code.add(code.add(big0, code.majority(a, b, c)), first), a, b, c, code.add(d, first), e, f, g]

    def early(self, words: int) -> Early:
        if words == len(self.initial):
            return Early(7, self.rounds - 3, 4)
        back = min(words, 4) - 1
        return Early(back, self.rounds - back, 0)


class Sha1:
    """FIPS 180-4 section 6.1."""

    name: str = "sha1"
    rounds: int = 80
    initial: tuple[int, ...] = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)

    def constant(self, number: int) -> int:
        return (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)[number // 20]

    def word(self, code: Staged, words: Sequence[Value], number: int) -> Value:
        first = code.xor(words[number - 16], words[number - 14], words[number - 8])
        return code.rotate(code.xor(first, words[number - 3]), 1)

    def round(self, code: Staged, number: int, state: Sequence[Value], terms: Iterable[Value]) -> list[Value]:
        a, b, c, d, e = state
        mixed = (code.choose, code.xor, code.majority, code.xor)[number // 20](b, c, d)
        return [code.add(e, *terms, mixed, code.rotate(a, 5)), a, code.rotate(b, 30), c, d]

    def early(self, words: int) -> Early:
        back = words - 1
        return Early(back, self.rounds - back, 0, 30 if back >= 2 else 0)


HASHES: Final[dict[str, Hash]] = {"sha1": Sha1(), "sha256": Sha256()}


def expanded(kind: Hash, code: Staged, block: Sequence[Value]) -> Terms:
    """The terms of a message block, each word worked out when its round comes."""
    words = list(block)

    def terms(number: int) -> Sequence[Value]:
        while len(words) <= number:
            words.append(kind.word(code, words, len(words)))
        return words[number], kind.constant(number)

    return terms


def compress(kind: Hash, code: Staged, state: Sequence[Value], terms: Terms, rounds: int | None = None) -> list[Value]:
    """The registers after that many rounds (all of them by default)."""
    registers = list(state)
    for number in range(kind.rounds if rounds is None else rounds):
        registers = kind.round(code, number, registers, terms(number))
    return registers
