"""Sets of numbers as ranges: against Python's own sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.search.ranges import Ranges

SMALL = st.tuples(st.integers(0, 30), st.integers(0, 30))


def numbers(ranges: Ranges) -> set[int]:
    return {number for start, stop in ranges for number in range(start, stop)}


@given(st.lists(SMALL))
def test_the_union_of_any_ranges(given_ranges: list[tuple[int, int]]) -> None:
    union = Ranges.of(*given_ranges)
    assert numbers(union) == {number for start, stop in given_ranges for number in range(start, stop)}
    assert union.total == len(numbers(union))
    assert union == Ranges(union.parts)  # in order, apart, none empty


@given(st.lists(SMALL), SMALL)
def test_what_is_missing(given_ranges: list[tuple[int, int]], window: tuple[int, int]) -> None:
    union = Ranges.of(*given_ranges)
    assert numbers(union.missing(*window)) == set(range(*window)) - numbers(union)


@given(st.lists(SMALL), SMALL)
def test_one_more(given_ranges: list[tuple[int, int]], added: tuple[int, int]) -> None:
    union = Ranges.of(*given_ranges)
    assert numbers(union.with_range(*added)) == numbers(union) | set(range(*added))


@given(st.lists(SMALL), st.lists(SMALL))
def test_what_others_do_not_hold(given_ranges: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    union, taken = Ranges.of(*given_ranges), Ranges.of(*others)
    assert numbers(union.without(taken)) == numbers(union) - numbers(taken)


@pytest.mark.parametrize("parts", [((3, 3),), ((5, 4),), ((0, 2), (2, 3)), ((4, 5), (0, 1)), ((0, 5), (3, 8))])
def test_parts_that_are_no_set(parts: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="overlap"):
        Ranges(parts)


def test_none_is_false() -> None:
    assert not Ranges()
    assert Ranges.of((1, 2))
