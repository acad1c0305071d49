"""One thread's share of a search: the frame in memory that the compiled kernel works on."""

import ctypes
from collections.abc import Iterable, Iterator
from typing import Final

from keyfence.search.numbering import COUNTERS, FIRST, fitting
from keyfence.search.problem import Hit

from .frame import KEY, MISS, ROW, SLOTS
from .lanes import confirmed, given_rows, key_slots, key_vectors, spread
from .layout import LANE_BITS, MEETING, Step, outer_steps, touched
from .native import Kernel
from .problem import DesProblem
from .tables import ROTATION

WORD: Final = 8
_UNUSED: Final = SLOTS - 1


class Worker:
    """Searches counts (candidates in steps of 512) of one problem; not to be shared between threads."""

    def __init__(self, kernel: Kernel, problem: DesProblem) -> None:
        self._kernel, self._problem = kernel, problem
        self._width, self._lanes = kernel.path.vector_bytes, kernel.path.lanes
        self._memory = ctypes.create_string_buffer(SLOTS * self._width + self._width)
        self._frame = -(-ctypes.addressof(self._memory) // self._width) * self._width
        self._heads = (ctypes.c_uint64 * (4 * COUNTERS))()
        self._steps: list[ctypes.Array[ctypes.c_uint64]] = []
        for row, bits in given_rows(problem).items():
            self._write(ROW[row], spread(bits, self._lanes))
        self._write_schedule(FIRST, (_UNUSED, _UNUSED), outer_steps(problem.layout.early))

    def hits(self, first: int, stop: int) -> Iterator[Hit]:
        """The keys that fit among counts [first, stop), not in order of their numbers."""
        self._write_schedules((first ^ (stop - 1)).bit_length())
        for lane in range(0, 2**LANE_BITS, self._lanes):
            self._write(KEY, key_vectors(self._problem, first, lane, self._lanes))
            for count in fitting(self._run, first, stop):
                yield from self._confirmed(count, lane)

    def _run(self, first: int, stop: int, bit: int) -> int:
        return self._kernel.run(self._frame, ctypes.addressof(self._heads), first, stop, bit)

    def _confirmed(self, count: int, lane: int) -> Iterator[Hit]:
        for index in range(1 + (self._problem.complement is not None)):
            missed = int.from_bytes(ctypes.string_at(self._slot(MISS + index), self._width), "little")
            yield from confirmed(self._problem, count, lane, missed ^ (1 << self._lanes) - 1, index == 1)

    def _slot(self, slot: int) -> int:
        return self._frame + slot * self._width

    def _write(self, slot: int, vectors: Iterable[bytes]) -> None:
        data = b"".join(vectors)
        ctypes.memmove(self._slot(slot), data, len(data))

    def _write_schedules(self, count: int) -> None:
        """What the kernel computes again when one of the first `count` counted bits flips."""
        layout = self._problem.layout
        for index in range(len(self._steps) - 1, count):
            bit = layout.counted[index]
            self._write_schedule(index, key_slots(bit), touched(bit, layout.early))

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
