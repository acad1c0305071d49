"""The order of searches: the cheapest of all, by trying all; and cases whose answer one can see."""

from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.plan import DES_PARITY, Plan, View, plan, within_reach
from keyfence.search.problem import BadProblem

AES = View(0, 16, cost=1.0, name="AES")
DES_HALVES = (View(0, 8, cost=0.1, hidden=DES_PARITY, name="DES"), View(8, 8, cost=0.1, hidden=DES_PARITY, name="DES"))
KEY_BITS = bytes([0xFE]) * 8


def names(chosen: Plan | None) -> list[tuple[str, int, int]]:
    """(name, offset, bits searched) of each step."""
    assert chosen is not None
    return [(step.view.name, step.view.offset, step.bits) for step in chosen.steps]


def told(chosen: Plan, known: bytes) -> int:
    """What is known after the plan, by following it; each step's mask has to be what is unknown then."""
    state = int.from_bytes(known)
    for step in chosen.steps:
        shown = step.view.shows(len(known))
        at = 8 * (len(known) - step.view.offset - step.view.length)
        assert int.from_bytes(step.unknown) << at == shown & ~state != 0
        state |= shown
    return state


class TestTwoHalves:
    def test_des_halves_then_the_parity(self) -> None:
        chosen = plan([AES, *DES_HALVES], bytes(16))
        assert names(chosen) == [("DES", 0, 56), ("DES", 8, 56), ("AES", 0, 16)]
        assert chosen is not None
        assert chosen.optimal
        assert chosen.steps[-1].unknown == bytes([1]) * 16
        assert chosen.steps[-1].expected_trials == (2**16 + 1) / 2
        assert chosen.largest == 2**56

    def test_a_half_already_known_is_not_searched(self) -> None:
        assert names(plan([AES, *DES_HALVES], b"\xff" * 8 + bytes(8))) == [("DES", 8, 56), ("AES", 0, 8)]

    def test_given_bits_are_not_searched(self) -> None:
        known = bytes([0xFE] * 4 + [0] * 4 + [0xFF] * 8)
        chosen = plan([AES, *DES_HALVES], known)
        assert names(chosen) == [("DES", 0, 28), ("AES", 0, 8)]
        assert chosen is not None
        assert chosen.steps[0].unknown == bytes([0] * 4 + [0xFE] * 4)

    def test_where_little_is_unknown_the_aes_key_itself_is_cheaper(self) -> None:
        known = b"\xff" * 6 + bytes([0xF0]) + b"\xff" * 9
        assert names(plan([AES, *(View(v.offset, 8, 0.1, DES_PARITY, setup=50.0) for v in DES_HALVES)], known)) == [
            ("AES", 0, 4)
        ]

    def test_chosen_blocks_halve_a_search_of_which_nothing_is_known(self) -> None:
        views = [AES, *(View(v.offset, 8, v.cost, DES_PARITY, complement=True) for v in DES_HALVES)]
        blank, told_a_bit = plan(views, bytes(16)), plan(views, bytes([0x80]) + bytes(15))
        assert blank is not None
        assert told_a_bit is not None
        assert [step.trials for step in blank.steps] == [2**55, 2**55, 2**16]
        assert [step.trials for step in told_a_bit.steps] == [2**55, 2**55, 2**16]
        assert blank.steps[0].bits == 56

    def test_nothing_unknown_nothing_to_do(self) -> None:
        chosen = plan([AES, *DES_HALVES], b"\xff" * 16)
        assert chosen == Plan((), 0.0)
        assert chosen.optimal

    def test_only_what_is_wanted(self) -> None:
        """Without the parity bits there is no need of the AES key."""
        assert names(plan([AES, *DES_HALVES], bytes(16), KEY_BITS + bytes(8))) == [("DES", 0, 56)]


class TestOverlaps:
    def test_five_bytes_and_then_two_at_a_time(self) -> None:
        """RC4 keys of five bytes at even offsets: one of 2^40, the rest of 2^16."""
        views = [View(at, 5, cost=1.0, name="RC4") for at in range(0, 12, 2)]
        chosen = plan(views, bytes(15))
        assert sorted(bits for _, _, bits in names(chosen)) == [16, 16, 16, 16, 16, 40]

    def test_the_cheaper_of_two_ways_in(self) -> None:
        """One byte short of five: the window with the known byte first, whichever side it is on."""
        views = [View(0, 5, 1.0, name="low"), View(3, 5, 1.0, name="high")]
        assert names(plan(views, bytes(7) + b"\xff")) == [("high", 3, 32), ("low", 0, 24)]
        assert names(plan(views, b"\xff" + bytes(7))) == [("low", 0, 32), ("high", 3, 24)]

    def test_a_dear_trial_can_be_worth_it(self) -> None:
        """A fast cipher over all eight bytes, a slow one over five of them: 2^40 slow ones and 2^21 beat 2^56."""
        fast, slow = View(0, 8, 1.0, DES_PARITY, name="fast"), View(0, 5, 10.0, name="slow")
        assert names(plan([fast, slow], bytes(8), KEY_BITS)) == [("slow", 0, 40), ("fast", 0, 21)]
        dearer = View(0, 5, 2.0**17, name="slow")
        assert names(plan([fast, dearer], bytes(8), KEY_BITS)) == [("fast", 0, 56)]

    def test_a_key_outside_the_target_that_makes_a_wanted_one_shorter(self) -> None:
        views = [View(0, 4, 1.0, name="wanted"), View(2, 3, 1.0, name="beside")]
        assert names(plan(views, bytes(5), b"\xff" * 4 + bytes(1))) == [("beside", 2, 24), ("wanted", 0, 16)]


class TestNoPlan:
    def test_a_bit_that_no_view_shows(self) -> None:
        assert plan(DES_HALVES, bytes(16)) is None

    def test_a_search_out_of_reach(self) -> None:
        assert plan([AES, *DES_HALVES], bytes(16), most_trials=2**56 - 1) is None
        assert plan([AES, *DES_HALVES], bytes(16), most_trials=2**56) is not None

    def test_a_search_within_reach_once_another_is_done(self) -> None:
        views = [View(0, 2, 1.0), View(0, 4, 1.0)]
        assert plan(views, bytes(4), most_trials=2**16) is not None
        assert plan(views[1:], bytes(4), most_trials=2**16) is None


@st.composite
def tasks(draw: st.DrawFn) -> tuple[list[View], bytes, bytes, int | None]:
    total = draw(st.integers(1, 4))
    views = []
    for _ in range(draw(st.integers(1, 5))):
        offset = draw(st.integers(0, total - 1))
        length = draw(st.integers(1, total - offset))
        cost, setup = draw(st.sampled_from((0.01, 0.5, 1.0, 3.0, 300.0))), draw(st.sampled_from((0.0, 1.0, 1000.0)))
        views.append(View(offset, length, cost, draw(st.sampled_from((0, 0, 1, 0x0F))), draw(st.booleans()), setup))
    masks = (draw(st.binary(min_size=total, max_size=total)) for _ in range(2))
    return views, *masks, draw(st.sampled_from((None, None, 2**8, 2**16)))


def by_trying_all(views: list[View], known: bytes, wanted: bytes, most: int | None) -> float | None:
    """The least price over all orders of all sets of views."""
    prices = []
    for size in range(len(views) + 1):
        for order in permutations(views, size):
            state, price, within = int.from_bytes(known), 0.0, True
            for view in order:
                unknown = (view.shows(len(known)) & ~state).bit_count()
                if unknown:
                    within = within and (most is None or view.trials(unknown) <= most)
                    price += view.price(unknown)
                state |= view.shows(len(known))
            if within and not int.from_bytes(wanted) & ~state:
                prices.append(price)
    return min(prices, default=None)


@given(tasks())
@settings(max_examples=300, deadline=None)
def test_no_order_of_any_searches_is_cheaper(task: tuple[list[View], bytes, bytes, int | None]) -> None:
    views, known, wanted, most = task
    chosen, least = plan(views, known, wanted, most_trials=most), by_trying_all(views, known, wanted, most)
    assert within_reach(views, known, wanted, most_trials=most) == (least is not None)
    if least is None:
        assert chosen is None
        return
    assert chosen is not None
    assert chosen.price == pytest.approx(least)
    assert chosen.optimal
    assert not int.from_bytes(wanted) & ~told(chosen, known)
    assert most is None or chosen.largest <= most


@given(tasks())
@settings(max_examples=100, deadline=None)
def test_without_effort_the_bound_still_holds(task: tuple[list[View], bytes, bytes, int | None]) -> None:
    views, known, wanted, most = task
    chosen, least = plan(views, known, wanted, most_trials=most, effort=0), by_trying_all(views, known, wanted, most)
    if least is None:
        assert chosen is None
        return
    assert chosen is not None
    assert not int.from_bytes(wanted) & ~told(chosen, known)
    assert chosen.at_least <= least * (1 + 1e-9)
    assert chosen.price <= len(views) * chosen.at_least * (1 + 1e-9)


def test_a_hundred_views_are_planned_with_a_bound() -> None:
    """A key block under every cut a module makes: every even offset, three kinds of key."""
    random = Random(3)
    kinds = (("RC4-40", 5, 1e-6, 0), ("RC4-56", 7, 1e-6, 0), ("DES", 8, 1e-9, DES_PARITY), ("AES", 16, 1e-8, 0))
    views = [View(at, n, cost, hidden, name=name) for name, n, cost, hidden in kinds for at in range(33 - n)]
    known = bytes(random.getrandbits(8) & random.getrandbits(8) & 0xFE for _ in range(32))
    chosen = plan(views, known)
    assert chosen is not None
    assert told(chosen, known) == 2**256 - 1
    assert 0 < chosen.at_least <= chosen.price <= len(chosen.steps) * chosen.at_least


def test_a_view_too_long_for_a_float_is_a_last_resort() -> None:
    """A whole key block: 2^1088 keys."""
    whole, pieces = View(0, 136, 1e9), [View(at, 8, 1.0) for at in range(0, 136, 8)]
    chosen = plan([whole, *pieces], bytes(136))
    assert chosen is not None
    assert {step.view.length for step in chosen.steps} == {8}
    alone = plan([whole], bytes(136))
    assert alone is not None
    assert (alone.price, alone.steps[0].expected_trials, alone.largest) == (float("inf"), float("inf"), 2**1088)
    assert plan([whole], bytes(136), most_trials=2**40) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: View(-1, 8, 1.0), "starts at 0"),
        (lambda: View(0, 0, 1.0), "at least one byte"),
        (lambda: View(0, 8, 0.0), "more than nothing"),
        (lambda: View(0, 8, 1.0, hidden=0xFF), "not all"),
        (lambda: View(0, 8, 1.0, setup=float("inf")), "infinitely"),
        (lambda: plan([View(9, 8, 1.0)], bytes(16)), "beyond the target's 16 bytes"),
        (lambda: plan([AES], bytes(16), bytes(8)), "16 and 8 bytes"),
    ],
)
def test_contradictions_are_told(make: object, message: str) -> None:
    with pytest.raises(BadProblem, match=message) as raised:
        make()  # type: ignore[operator]
    assert "\n" not in str(raised.value)
