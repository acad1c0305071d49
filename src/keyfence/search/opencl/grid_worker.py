"""One thread's share of a search with the unrolled kernel: a queue, and launches of as many work-items as fill the device."""

from collections.abc import Iterator
from typing import Final

from keyfence.search.des.lanes import confirmed, given_rows
from keyfence.search.des.layout import KEY_BITS
from keyfence.search.des.problem import DesProblem
from keyfence.search.des.reference import Bits, key_register
from keyfence.search.problem import Hit

from .platforms import binding
from .program import Program, packed, u64
from .unrolled import BLOCKS, CAPACITY, PART_BITS, RECORD, schedule

ITEMS_PER_UNIT: Final = 2048
"""Work-items that a compute unit should have to choose from: eight times what fits, with the registers each needs."""
DEEPEST: Final = 8
"""A work-item goes through up to 256 counts: what it does before the first is then nothing, and a launch still short."""
NEVER: Final = 63  # a bit of `chosen` that is always clear
LANE_PATTERNS: Final = (0xAAAAAAAA, 0xCCCCCCCC, 0xF0F0F0F0, 0xFF00FF00, 0xFFFF0000)
ALL_LANES: Final = 0xFFFFFFFF


class GridWorker:
    """Searches counts (candidates in steps of 512) of one problem; not to be shared between threads."""

    def __init__(self, program: Program, problem: DesProblem) -> None:
        self._cl: Final = binding()
        self._problem: Final = problem
        self._queue: Final = self._cl.CommandQueue(program.context)
        self._kernel: Final = program.kernel()
        self._group, self._items = program.group, program.units * ITEMS_PER_UNIT
        tables = (_blocks(problem), *_register(problem), *_schedules(problem))
        self._tables: Final = tuple(program.buffer(packed(words)) for words in tables)
        self._found: Final = program.buffer(bytes(4 + 4 * RECORD * CAPACITY))

    def hits(self, first: int, stop: int) -> Iterator[Hit]:
        """The keys that fit among counts [first, stop), not in order of their numbers."""
        records = self._records(first, stop)
        if records is None:  # more than a launch can tell: two launches
            middle = (first + stop) // 2
            yield from self.hits(first, middle)
            yield from self.hits(middle, stop)
            return
        for low, high, lane, fitting in records:
            count = high << 32 | low
            if first <= count < stop:
                yield from confirmed(self._problem, count, lane & ~1, fitting, bool(lane & 1))

    def _records(self, first: int, stop: int) -> list[tuple[int, ...]] | None:
        """What the kernel reports of these counts, and of others in their blocks; None if it was too much."""
        depth = self._depth(stop - first)
        block, end = first >> depth, -(-stop >> depth)
        items = (end - block) << PART_BITS
        self._cl.enqueue_fill_buffer(self._queue, self._found, bytes(4), 0, 4)
        self._kernel.set_args(*self._tables, u64(block), u64(end), depth.to_bytes(4, "little"), self._found)
        self._cl.enqueue_nd_range_kernel(self._queue, self._kernel, (-(-items // self._group) * self._group,), (self._group,))
        number = self._words(0, 1)[0]
        if number > CAPACITY:
            return None
        words = self._words(1, RECORD * number) if number else []
        return [tuple(words[at : at + RECORD]) for at in range(0, len(words), RECORD)]

    def _depth(self, counts: int) -> int:
        """Counts of a work-item, as an exponent: as many as leave enough work-items for the device."""
        each = (counts << PART_BITS) // self._items
        return min(max(each.bit_length() - 1, 0), DEEPEST, len(self._problem.layout.counted))

    def _words(self, first: int, number: int) -> list[int]:
        content = bytearray(4 * number)
        self._cl.enqueue_copy(self._queue, content, self._found, src_offset=4 * first)
        return [int.from_bytes(content[at : at + 4], "little") for at in range(0, len(content), 4)]


def _spread(bits: Bits) -> list[int]:
    return [ALL_LANES if bit else 0 for bit in bits]


def _blocks(problem: DesProblem) -> list[int]:
    """The half blocks that are given, in the order of unrolled.BLOCKS."""
    rows = given_rows(problem)
    return [word for row in BLOCKS if row in rows for word in _spread(rows[row])]


def _register(problem: DesProblem) -> tuple[list[int], list[int]]:
    """Of each bit of the key register what is fixed of it, and which bit of the number chosen turns it."""
    fixed, moving = _spread(key_register(problem.key(0))), [NEVER] * KEY_BITS
    for index, bit in enumerate(problem.layout.order):
        if index < len(LANE_PATTERNS):
            fixed[bit] = LANE_PATTERNS[index]
        else:
            moving[bit] = index
    return fixed, moving


def _schedules(problem: DesProblem) -> tuple[list[int], list[int]]:
    """Where the steps of each flip begin, the first being that of everything, and the steps."""
    heads, steps = [0], list[int]()
    for bit in (None, *problem.layout.counted[:DEEPEST]):
        steps += schedule(bit)
        heads.append(len(steps))
    return heads, steps
