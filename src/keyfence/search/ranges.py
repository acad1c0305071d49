"""Sets of candidate numbers as ranges [start, stop), apart from each other and in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ranges:
    """Neither empty nor touching ranges, lowest first. Raises ValueError for others; `of` makes them so."""

    parts: tuple[Range, ...] = ()

    def __post_init__(self) -> None:
        ends = [end for part in self.parts for end in part]
        if any(low >= high for low, high in pairwise(ends)):
            raise ValueError("ranges are empty, overlap or are out of order")

    @classmethod
    def of(cls, *ranges: Range) -> Self:
        """The union of any ranges, empty ones among them."""
        merged: list[Range] = []
        for start, stop in sorted(it for it in ranges if it[0] < it[1]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
            else:
                merged.append((start, stop))
        return cls(tuple(merged))

    def __iter__(self) -> Iterator[Range]:
        return iter(self.parts)

    def __bool__(self) -> bool:
        return bool(self.parts)

    @property
    def total(self) -> int:
        """How many numbers they hold."""
        return sum(stop - start for start, stop in self.parts)

    def with_range(self, start: int, stop: int) -> "Ranges":
        return Ranges.of(*self.parts, (start, stop))

    def missing(self, start: int, stop: int) -> "Ranges":
        """What of [start, stop) is not among them."""
        gaps, at = [], start
        for low, high in self.parts:
            gaps.append((at, min(low, stop)))
            at = max(at, high)
        return Ranges.of(*gaps, (at, stop))

    def without(self, others: "Ranges") -> "Ranges":
        """What of these is not among the others."""
        return Ranges.of(*(gap for part in self.parts for gap in others.missing(*part)))
