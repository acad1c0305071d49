"""One thread's share of a search: the frame in memory that the compiled kernel works on."""

import ctypes
import sys
from array import array
from collections.abc import Iterator
from typing import Final

from keyfence.search.numbering import COUNTERS, fitting
from keyfence.search.problem import Hit

from .counting import BASE, HITS
from .layout import LANE_BITS
from .native import Compiled
from .problem import ShortKeyProblem

ALIGNMENT: Final = 64


class Worker:
    """Searches counts (candidates in steps of 16) of one problem; not to be shared between threads."""

    def __init__(self, compiled: Compiled, problem: ShortKeyProblem) -> None:
        self._kernel, self._compiled, self._problem = compiled.kernel, compiled, problem
        self._memory = ctypes.create_string_buffer(self._kernel.frame_bytes(problem) + ALIGNMENT)
        self._frame = -(-ctypes.addressof(self._memory) // ALIGNMENT) * ALIGNMENT
        for offset, content in self._kernel.contents(problem, self._frame):
            self._write(offset, content)
        self._flips = array("Q", [0] * (2 * COUNTERS))
        for index, bit in enumerate(problem.layout.counted):
            self._flips[2 * index : 2 * index + 2] = array("Q", self._flip(bit))

    def hits(self, first: int, stop: int) -> Iterator[Hit]:
        """The keys that fit among counts [first, stop), not in order of their numbers."""
        for part in range(2**LANE_BITS // self._kernel.lanes):
            self._write_key(first, part)
            for count in fitting(self._run, first, stop):
                yield from self._confirmed(count, part)

    def _run(self, first: int, stop: int, bit: int) -> int:
        """The counter FIRST is as slow as a bit can be: everything is computed."""
        flips, fast = self._flips.buffer_info()[0], self._problem.layout.kept
        return self._compiled.run(self._frame, flips, fast, first, stop, bit)

    def _confirmed(self, count: int, part: int) -> Iterator[Hit]:
        hits = int.from_bytes(ctypes.string_at(self._frame + HITS, 8), sys.byteorder)
        for lane in range(self._kernel.lanes):
            candidate = count << LANE_BITS | part * self._kernel.lanes | lane
            if hits >> lane & 1 and candidate < self._problem.candidates:  # with few unknown bits lanes repeat
                key = self._problem.key(candidate)
                if self._problem.fits(key):
                    yield Hit(candidate, key)

    def _write(self, offset: int, content: bytes) -> None:
        ctypes.memmove(self._frame + offset, content, len(content))

    def _write_key(self, count: int, part: int) -> None:
        """The key at this count, and in the lanes all values of the first four unknown bits."""
        kernel, lanes = self._kernel, self._kernel.lanes
        self._write(BASE, kernel.image(self._problem.key(count << LANE_BITS)))
        images = [kernel.image(self._lane_bits(part * lanes + lane)) for lane in range(lanes)]
        for offset, content in kernel.lane_contents(images):
            self._write(offset, content)

    def _lane_bits(self, lane: int) -> bytes:
        """A key of zeros but for what that lane sets."""
        return _key_of([bit for index, bit in enumerate(self._problem.layout.lanes) if lane >> index & 1], self._problem)

    def _flip(self, bit: int) -> tuple[int, int]:
        """Where a bit of the key lies in BASE: the offset of its word of 32 bits, and its mask there."""
        words = array("I", self._kernel.image(_key_of([bit], self._problem)))
        place = next(index for index, word in enumerate(words) if word)
        return BASE + 4 * place, words[place]


def _key_of(bits: list[int], problem: ShortKeyProblem) -> bytes:
    """A key of zeros but for these bits, counted from the first byte's highest."""
    size = problem.key_bytes
    return sum(1 << (8 * size - 1 - bit) for bit in bits).to_bytes(size)
