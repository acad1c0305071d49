"""One thread's share of a search with the rolled kernel: a frame on the device, and one work-item at a time that runs on it."""

import struct
from collections.abc import Iterator
from typing import Any, Final

from keyfence.search.des.frame import HALF_BLOCK, KEY, MISS, ROW, SLOTS
from keyfence.search.des.lanes import confirmed, given_rows, key_slots, key_vectors, spread
from keyfence.search.des.layout import LANE_BITS, MEETING, Step, backward, forward, outer_steps, touched
from keyfence.search.des.problem import DesProblem
from keyfence.search.des.tables import BOXES, ROTATION
from keyfence.search.numbering import FIRST, fitting
from keyfence.search.problem import Hit

from .boxes import EARLY, OTHERS
from .platforms import binding
from .program import Program, packed, u64
from .rolled import CLOSER, HEAD_WORDS, HEADS

_UNUSED: Final = SLOTS - 1
Words = list[int]


class FrameWorker:
    """Searches counts (candidates in steps of 512) of one problem; not to be shared between threads."""

    def __init__(self, program: Program, problem: DesProblem) -> None:
        self._cl: Final = binding()
        self._problem, self._vector = problem, program.vector
        self._queue: Final = self._cl.CommandQueue(program.context)
        self._kernel: Final = program.kernel()
        heads, steps = _schedules(problem)
        self._frame: Final = program.buffer(self._blocks())
        self._found: Final = program.buffer(bytes(8))
        self._fixed: Final = (self._frame, program.buffer(packed(heads)), program.buffer(packed(steps)))

    def hits(self, first: int, stop: int) -> Iterator[Hit]:
        """The keys that fit among counts [first, stop), not in order of their numbers."""
        for lane in range(0, 2**LANE_BITS, self._vector.lanes):
            self._write(KEY, b"".join(key_vectors(self._problem, first, lane, self._vector.lanes)))
            for count in fitting(self._run, first, stop):
                yield from self._confirmed(count, lane)

    def _run(self, first: int, stop: int, bit: int) -> int:
        """The first count with a lane that fits, or `stop`."""
        arguments = (*map(u64, (first, stop)), struct.pack("<I", bit), self._found)
        self._kernel.set_args(*self._fixed, *arguments)
        self._cl.enqueue_nd_range_kernel(self._queue, self._kernel, (1,), (1,))
        return int.from_bytes(self._read(self._found, 0, 8), "little")

    def _confirmed(self, count: int, lane: int) -> Iterator[Hit]:
        width = self._vector.bytes
        for index in range(1 + (self._problem.complement is not None)):
            missed = int.from_bytes(self._read(self._frame, (MISS + index) * width, width), "little")
            yield from confirmed(self._problem, count, lane, missed ^ (1 << self._vector.lanes) - 1, index == 1)

    def _write(self, slot: int, content: bytes) -> None:
        self._cl.enqueue_copy(self._queue, self._frame, content, dst_offset=slot * self._vector.bytes)

    def _read(self, buffer: Any, offset: int, size: int) -> bytes:
        content = bytearray(size)
        self._cl.enqueue_copy(self._queue, content, buffer, src_offset=offset)
        return bytes(content)

    def _blocks(self) -> bytes:
        """A frame with nothing in it but the half blocks that are given."""
        width = self._vector.bytes
        frame = bytearray(SLOTS * width)
        for row, bits in given_rows(self._problem).items():
            frame[ROW[row] * width : (ROW[row] + HALF_BLOCK) * width] = b"".join(spread(bits, self._vector.lanes))
        return bytes(frame)


def _schedules(problem: DesProblem) -> tuple[Words, Words]:
    """Heads and steps: see rolled.py."""
    heads, steps = [0] * (HEAD_WORDS * HEADS), Words()

    def write(head: int, flipped: tuple[int, int], words: Words) -> None:
        begin = len(steps)
        steps.extend(words)
        heads[HEAD_WORDS * head : HEAD_WORDS * (head + 1)] = [*flipped, begin, len(steps)]

    twice = problem.complement is not None
    for index, bit in enumerate(problem.layout.counted):
        write(index, key_slots(bit), [word for step in touched(bit, EARLY) for word in _words(step, twice)])
    write(FIRST, (_UNUSED, _UNUSED), [word for step in outer_steps(EARLY) for word in _words(step, twice)])
    for index, box in enumerate(OTHERS):
        closer = [forward(MEETING, box), backward(MEETING + 2, box)]
        if index == 0:
            closer = [*(forward(MEETING - 1, number) for number in range(BOXES)), *closer]
        write(CLOSER + index, (_UNUSED, _UNUSED), [word for step in closer for word in _words(step, twice)])
    return heads, steps


_ROW_OF: Final = {11: "B", 10: "A"}
"""Where X[10] and X[11] are after the rounds."""


def _words(step: Step, twice: bool) -> Iterator[int]:
    """A step as the kernel reads it; one from the ciphertext is there for the complemented pair's too."""
    back = step.left > step.out
    out = ("BACK" if back else "FORTH") if step.out == MEETING else f"X{step.out}"
    for mark in ("", "'") if back and twice else ("",):
        names = (out + mark, *(_ROW_OF.get(number, f"X{number}{mark}") for number in (step.left, step.right)))
        yield from (step.box, *(ROW[name] for name in names), KEY + ROTATION[step.round - 1])
