"""Lengths: membership, listing, intersection and the z3 formula are four views of one set."""

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.model import ANY, Lengths

sets = st.builds(
    Lengths,
    st.integers(0, 12),
    st.none() | st.integers(0, 24),
    st.integers(1, 5),
    st.none() | st.frozensets(st.integers(0, 30), max_size=5),
)
RANGE = range(40)


@settings(max_examples=150, deadline=None)
@given(sets)
def test_listing_is_membership(lengths: Lengths) -> None:
    if lengths.bounded:
        assert list(lengths) == [value for value in RANGE if value in lengths]
    else:
        with pytest.raises(ValueError, match="unbounded"):
            list(lengths)


@settings(max_examples=150, deadline=None)
@given(sets, sets)
def test_intersection_is_both(one: Lengths, other: Lengths) -> None:
    assert [value for value in RANGE if value in one & other] == [value for value in RANGE if value in one and value in other]


@settings(max_examples=60, deadline=None)
@given(sets)
def test_the_formula_is_membership(lengths: Lengths) -> None:
    value = z3.Int("value")
    formula = lengths.constraint(value)
    for number in RANGE:
        decided = z3.simplify(z3.substitute(formula, (value, z3.IntVal(number))))
        assert z3.is_true(decided) == (number in lengths)
        assert z3.is_false(decided) == (number not in lengths)


def test_the_usual_ones() -> None:
    assert list(Lengths.exactly(32, 16)) == [16, 32]
    assert list(Lengths.up_to(3)) == [0, 1, 2, 3]
    assert list(Lengths.up_to(3, minimum=2)) == [2, 3]
    assert list(Lengths(minimum=5, maximum=20, multiple_of=8)) == [8, 16]
    assert 10**9 in ANY


@pytest.mark.parametrize("wrong", [{"minimum": -1}, {"multiple_of": 0}, {"allowed": frozenset({-1})}])
def test_lengths_are_not_negative(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        Lengths(**wrong)  # type: ignore[arg-type]
