"""Which lengths a module accepts: a set of non-negative integers that can be listed and can be put to z3."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm
from typing import Any

import z3


@dataclass(frozen=True, slots=True)
class Lengths:
    """minimum ≤ n ≤ maximum, n a multiple of `multiple_of`, and n in `allowed` where that is given.

    The unit (bytes or bits) is the user's; this room uses bytes throughout. `maximum` None is unbounded: such lengths
    can be reasoned about (`constraint`) but not listed.
    """

    minimum: int = 0
    maximum: int | None = None
    multiple_of: int = 1
    allowed: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.minimum < 0 or self.multiple_of < 1 or min(self.allowed or {0}) < 0:
            raise ValueError(f"lengths are non-negative multiples of at least 1: {self}")

    @classmethod
    def exactly(cls, *values: int) -> "Lengths":
        """These lengths and no others."""
        return cls(allowed=frozenset(values))

    @classmethod
    def up_to(cls, maximum: int, minimum: int = 0) -> "Lengths":
        """Every length from `minimum` to `maximum`, both included."""
        return cls(minimum, maximum)

    def __contains__(self, value: int) -> bool:
        return (
            self.minimum <= value
            and (self.maximum is None or value <= self.maximum)
            and value % self.multiple_of == 0
            and (self.allowed is None or value in self.allowed)
        )

    def __and__(self, other: "Lengths") -> "Lengths":
        """The lengths both accept."""
        return Lengths(
            max(self.minimum, other.minimum),
            _smaller(self.maximum, other.maximum),
            lcm(self.multiple_of, other.multiple_of),
            _common(self.allowed, other.allowed),
        )

    def __iter__(self) -> Iterator[int]:
        """All lengths, ascending. Raises ValueError when there is no bound."""
        if self.allowed is not None:
            return (value for value in sorted(self.allowed) if value in self)
        if self.maximum is None:
            raise ValueError(f"unbounded lengths cannot be listed: {self}")
        first = -(-self.minimum // self.multiple_of) * self.multiple_of
        return iter(range(first, self.maximum + 1, self.multiple_of))

    @property
    def bounded(self) -> bool:
        """Whether the lengths can be listed."""
        return self.maximum is not None or self.allowed is not None

    def constraint(self, value: Any) -> Any:
        """The z3 formula "`value` is one of these", for an integer expression `value`."""
        terms = [value >= self.minimum]
        if self.maximum is not None:
            terms.append(value <= self.maximum)
        if self.multiple_of > 1:
            terms.append(value % self.multiple_of == 0)
        if self.allowed is not None:
            terms.append(z3.Or([value == length for length in sorted(self.allowed)]))
        return z3.And(terms)


ANY = Lengths()


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _common(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other
