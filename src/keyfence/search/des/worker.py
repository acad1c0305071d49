"""One thread's share of a search: the frame in memory that the compiled kernel works on."""

import ctypes
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from keyfence.search.problem import Hit

from .frame import COUNTERS, FIRST, KEY, MISS, ROW, SLOTS
from .layout import LANE_BITS, MEETING, Step, outer_steps, touched
from .native import Kernel
from .problem import DesProblem, complemented
from .reference import halves, key_register
from .tables import HALF, ROTATION

WORD: Final = 8
_UNUSED: Final = SLOTS - 1


class Worker:
    """Searches counts (candidates in steps of 512) of one problem; not to be shared between threads."""

    def __init__(self, kernel: Kernel, problem: DesProblem) -> None:
        self._kernel, self._problem = kernel, problem
        self._width = kernel.path.vector_bytes
        self._memory = ctypes.create_string_buffer(SLOTS * self._width + self._width)
        self._frame = -(-ctypes.addressof(self._memory) // self._width) * self._width
        self._heads = (ctypes.c_uint64 * (4 * COUNTERS))()
        self._steps: list[ctypes.Array[ctypes.c_uint64]] = []
        self._write_blocks()
        self._write_schedule(FIRST, (_UNUSED, _UNUSED), outer_steps(problem.layout.early))

    def hits(self, first: int, stop: int) -> Iterator[Hit]:
        """The keys that fit among counts [first, stop), not in order of their numbers."""
        self._write_schedules((first ^ (stop - 1)).bit_length())
        for part in range(2**LANE_BITS // self._kernel.path.lanes):
            at, flipping = first, FIRST
            self._write_key(first, part)
            while at < stop:
                at = self._kernel.run(self._frame, ctypes.addressof(self._heads), at, stop, flipping)
                if at < stop:
                    yield from self._confirmed(at, part)
                    at += 1
                    flipping = (at & -at).bit_length() - 1

    def _confirmed(self, count: int, part: int) -> Iterator[Hit]:
        lanes = self._kernel.path.lanes
        for index in range(1 + (self._problem.complement is not None)):
            clear = ~int.from_bytes(ctypes.string_at(self._slot(MISS + index), self._width), "little") & (2**lanes - 1)
            while clear:
                lane = (clear & -clear).bit_length() - 1
                clear &= clear - 1
                candidate = count << LANE_BITS | part * lanes | lane
                if candidate >= self._problem.candidates:  # fewer than nine unknown bits: lanes repeat
                    continue
                key = self._problem.key(candidate)
                choice = complemented(key) if index else key
                if self._problem.fits(choice):
                    yield Hit(candidate, choice)

    def _slot(self, slot: int) -> int:
        return self._frame + slot * self._width

    def _write(self, slot: int, vectors: Iterable[bytes]) -> None:
        data = b"".join(vectors)
        ctypes.memmove(self._slot(slot), data, len(data))

    def _same(self, bits: Iterable[int]) -> list[bytes]:
        """Each bit as a vector of lanes that all have it."""
        of = (bytes(self._width), b"\xff" * self._width)
        return [of[bit] for bit in bits]

    def _write_blocks(self) -> None:
        plaintext, ciphertext = self._problem.pairs[0]
        rows = dict(zip(("X-1", "X0", "X16", "X15"), (*halves(plaintext), *halves(ciphertext)), strict=True))
        if self._problem.complement is not None:
            inverted = bytes(byte ^ 0xFF for byte in self._problem.complement[1])
            rows |= dict(zip(("X16'", "X15'"), halves(inverted), strict=True))
        for row, bits in rows.items():
            self._write(ROW[row], self._same(bits))

    def _write_key(self, count: int, part: int) -> None:
        """The key register at this count, and in the lanes all values of the first nine unknown bits."""
        lanes = self._kernel.path.lanes
        register = self._same(key_register(self._problem.key(count << LANE_BITS)))
        for index, bit in enumerate(self._problem.layout.lanes):
            register[bit] = _pattern(index, part * lanes, lanes)
        c, d = register[:HALF], register[HALF:]
        self._write(KEY, [*c, *c, *d, *d])

    def _write_schedules(self, count: int) -> None:
        """What the kernel computes again when one of the first `count` counted bits flips."""
        layout = self._problem.layout
        for index in range(len(self._steps) - 1, count):
            bit = layout.counted[index]
            self._write_schedule(index, _key_slots(bit), touched(bit, layout.early))

    def _write_schedule(self, index: int, flipped: tuple[int, int], steps: Iterable[Step]) -> None:
        words = [word for step in steps for word in self._words(step)]
        array = (ctypes.c_uint64 * len(words))(*words)
        self._steps.append(array)
        begin = ctypes.addressof(array)
        self._heads[4 * index : 4 * index + 4] = [*map(self._slot, flipped), begin, begin + WORD * len(words)]

    def _words(self, step: Step) -> Iterator[int]:
        """A step as the kernel reads it; one from the ciphertext is there for the complemented pair's too."""
        out = "BACK" if step.out == MEETING and step.left > step.out else f"X{step.out}"
        twice = self._problem.complement is not None and step.left > step.out
        for mark in ("", "'") if twice else ("",):
            yield self._kernel.steps[step.box]
            yield from (self._slot(ROW[f"{row}{mark}"]) for row in (out, f"X{step.left}", f"X{step.right}"))
            yield self._slot(KEY + ROTATION[step.round - 1])


@cache
def _pattern(index: int, first: int, lanes: int) -> bytes:
    """Bit `index` of the numbers `first` to `first + lanes - 1`, a lane each."""
    return sum(1 << lane for lane in range(lanes) if (first + lane) >> index & 1).to_bytes(lanes // 8, "little")


def _key_slots(bit: int) -> tuple[int, int]:
    """The two places of a bit of the key register in the frame."""
    half, place = divmod(bit, HALF)
    first = KEY + 2 * HALF * half + place
    return first, first + HALF
