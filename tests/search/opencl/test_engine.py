"""Keys planted and found on every device of this machine, with every vector that a kernel computes with."""

import pickle
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.des import DesProblem, Hit, NoSuchPath, odd_parity
from keyfence.search.des import Engine as Native
from keyfence.search.opencl import Engine, devices, grid_worker
from keyfence.search.opencl.engine import VECTORS
from keyfence.search.registry import engine_for

from ..des.answers import DesAnswers, around
from ..des.blocks import planted, planted_complement
from ..des.test_engine import SEMI_WEAK, WEAK

WEAK_KEYS = [bytes.fromhex(word) for word in (WEAK + SEMI_WEAK).split()]


RUNNABLE = [name for name in VECTORS if name != "uint-lop3"]  # NVIDIA's assembly: see test_kernels.py


@pytest.fixture(scope="module", params=RUNNABLE)
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(vector=request.param)


@pytest.fixture(autouse=True)
def small_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of few work-items, so that short ranges already give each of them several counts."""
    monkeypatch.setattr(grid_worker, "ITEMS_PER_UNIT", 16)


class TestAnswers(DesAnswers):
    times = 20


def test_planted_keys(engine: Engine) -> None:
    random = Random(20)
    for _ in range(200):
        key = random.randbytes(8)
        problem = planted(random, key, random.randrange(57))
        start, stop, at = around(random, problem, key, 3000)
        assert engine.search(problem, start, stop) == Hit(at, odd_parity(key))


def test_a_range_of_many_counts(engine: Engine) -> None:
    random = Random(22)
    for unknown in (17, 20):
        key = random.randbytes(8)
        problem = planted(random, key, unknown)
        assert engine.search(problem) == Hit(problem.candidate(key), odd_parity(key))


def test_weak_and_semi_weak_keys(engine: Engine) -> None:
    for key in WEAK_KEYS:
        problem = planted(Random(key), key, 16)
        assert engine.search(problem) == Hit(problem.candidate(key), key)


@given(seed=st.integers(0, 2**32), unknown=st.integers(9, 56))
@settings(max_examples=25)
def test_all_vectors_answer_what_the_native_path_does(seed: int, unknown: int) -> None:
    random = Random(seed)
    key = random.randbytes(8)
    problem = planted(random, key, unknown, pairs=1)
    start, stop, _ = around(random, problem, key, 5000)
    wanted = Native().search(problem, start, stop)
    assert wanted is not None
    assert [Engine(vector=name).search(problem, start, stop) for name in RUNNABLE] == [wanted] * len(RUNNABLE)


def test_two_threads_find_the_same_and_tell_how_far_they_are(engine: Engine) -> None:
    random = Random(26)
    key = random.randbytes(8)
    problem = planted(random, key, 20)
    at = problem.candidate(key)
    told: list[int] = []
    assert engine.search(problem, threads=2, progress=told.append) == Hit(at, odd_parity(key))
    assert told == sorted(told)
    assert told[-1] <= at + 1
    assert engine.search(problem, 0, at, threads=2, progress=told.append) is None
    assert told[-1] == at


def test_a_stopped_search_goes_on_where_it_was(engine: Engine) -> None:
    random = Random(27)
    key = random.randbytes(8)
    problem = planted(random, key, 40)
    told = [0]
    answer = engine.search(problem, stop_flag=lambda: told[-1] > 0, progress=told.append)
    assert answer is None or answer.key == odd_parity(key)
    assert 0 < told[-1] < problem.candidates
    at = problem.candidate(key)
    assert engine.search(problem, max(told[-1] - 1, at - 10**4), at + 1) == Hit(at, odd_parity(key))


def test_a_problem_that_came_over_a_wire_is_searched_alike() -> None:
    key = bytes.fromhex("0123456789ABCDEF")
    problem = planted(Random(28), key, 14)
    assert Engine().search(pickle.loads(pickle.dumps(problem))) == Hit(problem.candidate(key), key)


def test_a_rate_is_measured_with_and_without_a_pair(engine: Engine) -> None:
    assert engine.rate(planted(Random(29), bytes(8), 40), seconds=0.01) > 0
    assert engine.rate(planted_complement(Random(29), bytes(8)), seconds=0.01) > 0


def test_a_vector_is_known_or_refused() -> None:
    with pytest.raises(NoSuchPath, match="float3"):
        Engine(vector="float3")


def test_the_path_names_the_device_and_leads_to_it_again() -> None:
    path = Engine(0).path
    assert path == f"opencl:{devices()[0].name}"
    problem = DesProblem(((bytes(8), bytes(8)),))
    assert engine_for(problem, path).path == path
    with pytest.raises(NoSuchPath, match="no OpenCL device ''"):  # a variable of a shell that is not set
        engine_for(problem, "opencl:")
    assert engine_for(problem, "opencl").path in {Engine(index).path for index in range(len(devices()))}
