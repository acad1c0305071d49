"""Estimates: the arithmetic, and what is told of whose figures they rest on."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.des.problem import DesProblem
from keyfence.search.estimate import Amount, by_gpu, by_rate, lines
from keyfence.search.gpus import GPUS, gpu
from keyfence.search.job import Job
from keyfence.search.problem import BadProblem
from keyfence.search.short.problem import Algorithm, ShortKeyProblem

ALL_UNKNOWN = Amount(2**55, keys_each=2)


def test_a_rate_in_keys_counts_both_keys_of_a_trial() -> None:
    estimate = by_rate(ALL_UNKNOWN, 2**31, threads=2, machines=4, price=0.5)
    assert estimate.worst == 2**56 / 2**31 / 4
    assert estimate.expected == estimate.worst / 2
    assert estimate.machine_hours(estimate.worst) == 2**25 / 3600
    assert estimate.cost(estimate.worst) == 2**24 / 3600


def test_a_published_rate_is_of_trials_so_a_chosen_pair_halves_the_work() -> None:
    plain, chosen = (by_gpu(amount, "RTX 4090") for amount in (Amount(2**56), ALL_UNKNOWN))
    assert plain.worst == pytest.approx(2**56 / 146.6e9)
    assert chosen.worst == plain.worst / 2
    assert any("halves the work" in line for line in lines(chosen))
    assert not any("halves the work" in line for line in lines(plain))


@given(st.integers(1, 2**56), st.floats(1, 1e12), st.integers(1, 10_000), st.floats(0, 1000))
@settings(max_examples=100)
def test_more_machines_take_less_time_and_as_many_hours(candidates: int, rate: float, machines: int, price: float) -> None:
    alone, together = (by_rate(Amount(candidates), rate, threads=1, machines=n, price=price) for n in (1, machines))
    assert together.worst * machines == pytest.approx(alone.worst)
    assert together.cost(together.worst) == pytest.approx(alone.cost(alone.worst))


def test_what_is_left_of_a_job_is_estimated() -> None:
    job = Job.of(DesProblem(((bytes(8), bytes(8)),), complement=(b"\xff" * 8, bytes(8)))).with_done(0, 2**54)
    assert Amount.of(job) == Amount(2**54, keys_each=2, kind="des")


def test_a_search_for_every_key_is_over_when_all_is_tried() -> None:
    estimate = by_rate(replace(ALL_UNKNOWN, every=True), 1e9, threads=2)
    assert estimate.expected == estimate.worst
    assert not any("expected" in line for line in lines(estimate))


def test_lines_say_whose_figures_they_are() -> None:
    assert list(lines(by_rate(ALL_UNKNOWN, 2.621e9, threads=2, machines=1000, price=0.03))) == [
        "2^55 trials of two keys each",
        "measured here: 2,621 M keys/s with 2 threads",
        "on 1,000 machines: 3.82 h expected, 7.64 h at worst",
        "machine-hours: 3,818 expected, 7,637 at worst",
        "to pay, at 0.03 an hour: 115 expected, 229 at worst",
    ]
    theirs = list(lines(by_gpu(Amount(2**40), "3090")))
    assert theirs[1].startswith("published, not measured by us: RTX 3090, 67,530 M keys/s (")
    assert theirs[2:] == ["on 1 GPU: 8.14 s expected, 16.3 s at worst", "GPU-hours: 0.00226 expected, 0.00452 at worst"]


def test_a_finished_job_takes_no_time() -> None:
    assert list(lines(by_rate(Amount(0), 1e9, threads=1)))[2] == "on 1 machine: 0 s expected, 0 s at worst"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"machines": 0}, "at least one machine, not 0"),
        ({"price": -1.0}, "a price is an amount"),
        ({"price": float("nan")}, "a price is an amount"),
        ({"rate": 0.0}, "above zero"),
        ({"rate": float("inf")}, "above zero"),
    ],
)
def test_nonsense_is_told_in_one_line(arguments: dict[str, float], expected: str) -> None:
    given_ = {"rate": 1e9, "threads": 1, **arguments}
    with pytest.raises(BadProblem, match=expected) as caught:
        by_rate(ALL_UNKNOWN, **given_)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["RTX 4090", "rtx4090", "4090", "NVIDIA GeForce RTX 4090"])
def test_a_gpu_is_found_however_its_name_is_written(name: str) -> None:
    assert gpu(name).name == "RTX 4090"


def test_a_whole_name_wins_over_one_that_has_it_as_a_part() -> None:
    assert gpu("GTX 1080").name == "GTX 1080"


@pytest.mark.parametrize(
    ("name", "expected"), [("Voodoo 2", "figures for RTX 5090, RTX 4090"), ("", "figures for"), ("rtx", "more than one")]
)
def test_an_unknown_gpu_is_answered_with_those_known(name: str, expected: str) -> None:
    with pytest.raises(BadProblem, match=expected):
        gpu(name)


def test_there_are_no_published_figures_for_short_keys() -> None:
    short = ShortKeyProblem.unknown_bytes(Algorithm.RC4, ((bytes(8), bytes(8)),), bytes(5), frozenset(range(5)))
    with pytest.raises(BadProblem, match="DES keys only"):
        by_gpu(Amount.of(Job.of(short)), "RTX 4090")


def test_every_figure_has_a_source_and_the_fastest_is_first() -> None:
    assert all(it.source and it.when for it in GPUS)
    assert all(faster.rate > slower.rate for faster, slower in pairwise(GPUS))
    assert len({it.name for it in GPUS}) == len(GPUS)
