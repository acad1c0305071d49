"""The kernel for AES as LLVM IR with the processor's AES instructions: a key in every 128 bits of a vector.

The key schedule runs beside the rounds, for all keys of a vector at once: with a column repeated four times
AESENCLAST does SubWord and adds the round constant (its ShiftRows then moves nothing).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from keyfence.search.code import Code, attributes, function

from .counting import BASE, OWN, RUN
from .kernel import Kernel
from .layout import LANE_BITS
from .problem import ShortKeyProblem
from .reference import BLOCK_BYTES

LANES: Final = 2**LANE_BITS
STREAMS: Final = 4
"""Vectors at a time, so that one's instructions fill the other ones' latencies."""
LONGEST: Final = 32
PLAINTEXT: Final = OWN
CIPHERTEXT: Final = OWN + BLOCK_BYTES
DELTAS: Final = OWN + 64  # 16 keys' first halves, then their second halves
FRAME: Final = DELTAS + LANES * LONGEST
ROUNDS: Final = {16: 10, 24: 12, 32: 14}
ROTATED, LAST_ROTATED, LAST = (13, 14, 15, 12), (5, 6, 7, 4), (12, 13, 14, 15)
"""The bytes of a word in a block: the last word after RotWord; of 192 bits' second half; the last word as it is."""


def round_constants(count: int) -> list[int]:
    """FIPS 197 section 5.2: powers of x."""
    constants = [1]
    while len(constants) < count:
        constants.append(constants[-1] << 1 ^ (0x11B if constants[-1] & 0x80 else 0))
    return constants


def features(blocks: int) -> tuple[str, ...]:
    """What the processor must have for AES on vectors of so many blocks."""
    return ("aes",) if blocks == 1 else ("aes", "vaes")


@dataclass(frozen=True)
class AesKernel(Kernel):
    """AES for one length of key, with `blocks` of 128 bits in a vector: 1 (AES-NI), 2 or 4 (VAES)."""

    key_bytes: int
    blocks: int

    @property
    def features(self) -> tuple[str, ...]:
        """What the processor must have."""
        return (*self.path.features, *features(self.blocks))

    def frame_bytes(self, problem: ShortKeyProblem) -> int:
        return FRAME

    def contents(self, problem: ShortKeyProblem, frame: int) -> Iterator[tuple[int, bytes]]:
        plaintext, ciphertext = problem.samples[0]
        yield PLAINTEXT, plaintext[:BLOCK_BYTES]
        yield CIPHERTEXT, ciphertext[:BLOCK_BYTES]

    def lane_contents(self, images: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
        for half in range(2):
            rows = (image[BLOCK_BYTES * half : BLOCK_BYTES * (half + 1)] for image in images)
            yield DELTAS + LANES * BLOCK_BYTES * half, b"".join(rows)

    def module(self) -> str:
        code, result = Code(), "0"
        for first in range(0, LANES, STREAMS * self.blocks):
            for lane, hit in self._group(code, first):
                result = code.let(f"or i64 {result}, {code.let(f'shl i64 {hit}, {lane}')}")
        outer = function("void @outer(ptr %frame)", [])
        test = function("i64 @test(ptr noalias %frame)", code.lines, f"i64 {result}")
        return "\n".join([outer, test, _Vectors(code, self.blocks).declarations(), RUN, attributes(128 * self.blocks)])

    def _group(self, code: Code, first: int) -> Iterator[tuple[int, str]]:
        """Some vectors side by side: their lanes that fit."""
        on = _Vectors(code, self.blocks)
        plaintext, ciphertext = on.everywhere(PLAINTEXT), on.everywhere(CIPHERTEXT)
        starts = range(first, min(first + STREAMS * self.blocks, LANES), self.blocks)
        schedules = [_schedule(on, self._halves(on, start), self.key_bytes) for start in starts]
        states = [on.xor(plaintext, next(keys)) for keys in schedules]
        for _ in range(1, ROUNDS[self.key_bytes]):
            states = [on.aes("aesenc", state, next(keys)) for state, keys in zip(states, schedules, strict=True)]
        states = [on.aes("aesenclast", state, next(keys)) for state, keys in zip(states, schedules, strict=True)]
        for start, state in zip(starts, states, strict=True):
            yield start, on.same(state, ciphertext)

    def _halves(self, on: "_Vectors", start: int) -> list[str]:
        """The first 128 bits of each lane's key, and the others."""
        return [
            on.xor(on.everywhere(BASE + BLOCK_BYTES * half), on.load(DELTAS + BLOCK_BYTES * (LANES * half + start)))
            for half in range(1 if self.key_bytes == BLOCK_BYTES else 2)
        ]


class _Vectors:
    """Operations on vectors of so many blocks."""

    def __init__(self, code: Code, blocks: int) -> None:
        self.code, self.blocks = code, blocks
        self.kind, self.bytes = f"<{2 * blocks} x i64>", f"<{16 * blocks} x i8>"
        self._suffix = {1: "", 2: ".256", 4: ".512"}[blocks]

    def declarations(self) -> str:
        names = ("aesenc", "aesenclast")
        return "\n".join(
            f"declare {self.kind} @llvm.x86.aesni.{name}{self._suffix}({self.kind}, {self.kind})" for name in names
        )

    def load(self, offset: int) -> str:
        return self.code.load(self.kind, "%frame", offset, 16)

    def everywhere(self, offset: int) -> str:
        """A block of the frame in all blocks of a vector."""
        block = self.code.load("<2 x i64>", "%frame", offset, 16)
        pattern = ", ".join(f"i32 {index % 2}" for index in range(2 * self.blocks))
        return self.code.let(f"shufflevector <2 x i64> {block}, <2 x i64> poison, <{2 * self.blocks} x i32> <{pattern}>")

    def xor(self, a: str, b: str) -> str:
        return self.code.let(f"xor {self.kind} {a}, {b}")

    def aes(self, name: str, state: str, key: str) -> str:
        arguments = f"{self.kind} {state}, {self.kind} {key}"
        return self.code.let(f"call {self.kind} @llvm.x86.aesni.{name}{self._suffix}({arguments})")

    def shuffle(self, a: str, b: str, places: Sequence[int]) -> str:
        """In every block the bytes at these places of the two, b's counted from 16 on."""
        a, b = (value if value == "zeroinitializer" else self._cast(value, self.kind, self.bytes) for value in (a, b))
        size = 16 * self.blocks
        picked = [
            f"i32 {place % 16 + 16 * block + (size if place >= 16 else 0)}" for block in range(self.blocks) for place in places
        ]
        shuffled = self.code.let(f"shufflevector {self.bytes} {a}, {self.bytes} {b}, <{size} x i32> <{', '.join(picked)}>")
        return self._cast(shuffled, self.bytes, self.kind)

    def _cast(self, value: str, old: str, new: str) -> str:
        return self.code.let(f"bitcast {old} {value} to {new}")

    def up(self, value: str, places: int) -> str:
        """Every block moved up by bytes, zeros below."""
        return self.shuffle(value, "zeroinitializer", [*[16] * places, *range(16 - places)])

    def sums(self, value: str) -> str:
        """Every word with the words before it added."""
        two = self.xor(value, self.up(value, 4))
        return self.xor(two, self.up(two, 8))

    def substituted(self, value: str, word: Sequence[int], constant: int = 0) -> str:
        """SubWord of the bytes at four places plus a round constant, in all four words."""
        key = "<" + ", ".join([f"i64 {constant << 32 | constant}"] * (2 * self.blocks)) + ">"
        return self.aes("aesenclast", self.shuffle(value, value, tuple(word) * 4), key)

    def same(self, a: str, b: str) -> str:
        """The blocks in which two values are the same, as a word of 64 bits."""
        halves = 2 * self.blocks
        equal = self.code.let(f"icmp eq {self.kind} {a}, {b}")
        bits = self.code.let(f"bitcast <{halves} x i1> {equal} to i{halves}")
        wide = self.code.let(f"zext i{halves} {bits} to i64")
        both = self.code.let(f"and i64 {wide}, {self.code.let(f'lshr i64 {wide}, 1')}")
        lanes = self.code.let(f"and i64 {both}, 1")
        for block in range(1, self.blocks):
            moved = self.code.let(f"lshr i64 {both}, {block}")
            lanes = self.code.let(f"or i64 {lanes}, {self.code.let(f'and i64 {moved}, {1 << block}')}")
        return lanes


def _schedule(on: _Vectors, halves: list[str], key_bytes: int) -> Iterator[str]:
    """The round keys one after the other, each made when it is asked for (FIPS 197 section 5.2)."""
    return {16: _schedule_128, 24: _schedule_192, 32: _schedule_256}[key_bytes](on, halves)


def _schedule_128(on: _Vectors, halves: list[str]) -> Iterator[str]:
    key = halves[0]
    yield key
    for constant in round_constants(10):
        key = on.xor(on.sums(key), on.substituted(key, ROTATED, constant))
        yield key


def _schedule_192(on: _Vectors, halves: list[str]) -> Iterator[str]:
    """Six words at a time: four in `low`, two in the lower half of `high`; three of their vectors make two round keys."""
    low, high = halves
    constants = round_constants(8)
    yield low
    for first, second in zip(constants[::2], constants[1::2], strict=True):
        before, (low, high) = high, _six_words(on, low, high, first)
        yield on.shuffle(before, low, [*range(8), *range(16, 24)])
        yield on.shuffle(low, high, [*range(8, 16), *range(16, 24)])
        low, high = _six_words(on, low, high, second)
        yield low


def _six_words(on: _Vectors, low: str, high: str, constant: int) -> tuple[str, str]:
    """The next six words of a schedule for 192 bits."""
    after = on.xor(on.sums(low), on.substituted(high, LAST_ROTATED, constant))
    return after, on.xor(on.xor(high, on.up(high, 4)), on.shuffle(after, after, LAST * 4))


def _schedule_256(on: _Vectors, halves: list[str]) -> Iterator[str]:
    low, high = halves
    yield low
    yield high
    for index, constant in enumerate(round_constants(7)):
        low = on.xor(on.sums(low), on.substituted(high, ROTATED, constant))
        yield low
        if index < 6:
            high = on.xor(on.sums(high), on.substituted(low, LAST))
            yield high
