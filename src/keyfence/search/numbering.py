"""How candidates are numbered and counted: a few bits vary inside a vector, the others outside it in Gray code.

From one count to the next ONE bit of the key flips, so that a kernel computes again only what that bit reaches.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

COUNTERS: Final = 64
FIRST: Final = COUNTERS - 1
"""The counter "bit" that flips nothing and has everything computed: how a range begins."""


@dataclass(frozen=True, slots=True)
class Order:
    """The unknown bits of a key in the order in which a candidate's number sets them, the first `lane_bits` in the lanes."""

    order: tuple[int, ...]
    lane_bits: ClassVar[int]

    @property
    def lanes(self) -> tuple[int, ...]:
        """The bits that vary inside a vector."""
        return self.order[: self.lane_bits]

    @property
    def counted(self) -> tuple[int, ...]:
        """The others, the one that flips every second time first."""
        return self.order[self.lane_bits :]

    @property
    def candidates(self) -> int:
        """How many numbers there are."""
        return 1 << len(self.order)

    def bits(self, candidate: int) -> Iterator[int]:
        """The unknown bits that are set in the key of that number."""
        chosen = gray(candidate >> self.lane_bits) << self.lane_bits | candidate % (1 << self.lane_bits)
        return (bit for index, bit in enumerate(self.order) if chosen >> index & 1)

    def candidate(self, is_set: Callable[[int], int]) -> int:
        """The number of the key in which `is_set` tells 1 of a set bit, 0 of a clear one."""
        chosen = sum(is_set(bit) << index for index, bit in enumerate(self.order))
        return ungray(chosen >> self.lane_bits) << self.lane_bits | chosen % (1 << self.lane_bits)


def gray(count: int) -> int:
    """The Gray code of a number: that of the next number differs in one bit."""
    return count ^ count >> 1


def ungray(code: int) -> int:
    """The number whose Gray code this is."""
    count = 0
    while code:
        count, code = count ^ code, code >> 1
    return count


def fitting(run: Callable[[int, int, int], int], first: int, stop: int) -> Iterator[int]:
    """The counts in [first, stop) at which a kernel stops: `run` is told where to begin and end and which bit flips before,
    and answers with the count at which a lane fits, or with `stop`. What a lane holds is to be read before the next one."""
    at, flipping = first, FIRST
    while (at := run(at, stop, flipping)) < stop:
        yield at
        at += 1
        if at == stop:
            return
        flipping = (at & -at).bit_length() - 1
