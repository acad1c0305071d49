"""Keys planted and found on every device of this machine, with every vector that a kernel computes with."""

import pickle
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.des import BadProblem, DesProblem, Hit, NoSuchPath, complemented, odd_parity
from keyfence.search.des import Engine as Native
from keyfence.search.opencl import Engine, devices, grid_worker
from keyfence.search.opencl.engine import VECTORS
from keyfence.search.registry import engine_for

from ..des.blocks import ALL_BITS, des, planted, planted_complement
from ..des.test_engine import SEMI_WEAK, WEAK, around

WEAK_KEYS = [bytes.fromhex(word) for word in (WEAK + SEMI_WEAK).split()]


RUNNABLE = [name for name in VECTORS if name != "uint-lop3"]  # NVIDIA's assembly: see test_kernels.py


@pytest.fixture(scope="module", params=RUNNABLE)
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(vector=request.param)


@pytest.fixture(autouse=True)
def small_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of few work-items, so that short ranges already give each of them several counts."""
    monkeypatch.setattr(grid_worker, "ITEMS_PER_UNIT", 16)


def test_planted_keys(engine: Engine) -> None:
    random = Random(20)
    for _ in range(200):
        key = random.randbytes(8)
        problem = planted(random, key, random.randrange(57))
        start, stop, at = around(random, problem, key, 3000)
        assert engine.search(problem, start, stop) == Hit(at, odd_parity(key))


def test_the_numbers_at_the_ends_of_a_range_are_searched_and_no_other(engine: Engine) -> None:
    random = Random(21)
    for _ in range(20):
        key = random.randbytes(8)
        problem = planted(random, key, random.randrange(12, 57))
        start, stop, at = around(random, problem, key, 3000)
        if start < at:
            assert engine.search(problem, start, at) is None
        if at + 1 < stop:
            assert engine.search(problem, at + 1, stop) is None
        assert engine.search(problem, at, at + 1) == Hit(at, odd_parity(key))


def test_a_range_of_many_counts(engine: Engine) -> None:
    random = Random(22)
    for unknown in (17, 20):
        key = random.randbytes(8)
        problem = planted(random, key, unknown)
        assert engine.search(problem) == Hit(problem.candidate(key), odd_parity(key))


def test_complemented_pairs(engine: Engine) -> None:
    random = Random(23)
    for key in (random.randbytes(8) for _ in range(20)):
        for planted_key in (key, complemented(key)):
            problem = planted_complement(random, planted_key)
            start, stop, at = around(random, problem, planted_key, 3000)
            assert engine.search(problem, start, stop) == Hit(at, odd_parity(planted_key))


def test_a_complemented_pair_that_another_key_made_is_no_hit(engine: Engine) -> None:
    random = Random(24)
    key = random.randbytes(8)
    problem = planted_complement(random, key)
    assert problem.complement is not None
    other = DesProblem(problem.pairs, complement=(problem.complement[0], random.randbytes(8)))
    start, stop, _ = around(random, other, key, 3000)
    assert engine.search(other, start, stop) is None


def test_weak_and_semi_weak_keys(engine: Engine) -> None:
    for key in WEAK_KEYS:
        problem = planted(Random(key), key, 16)
        assert engine.search(problem) == Hit(problem.candidate(key), key)


def test_every_pair_is_asked(engine: Engine) -> None:
    """The first pair alone has a hit; a second one that contradicts it takes it away."""
    random = Random(25)
    key = random.randbytes(8)
    problem = planted(random, key, 16, pairs=1)
    assert engine.search(problem) == Hit(problem.candidate(key), odd_parity(key))
    contradicted = DesProblem((*problem.pairs, (bytes(8), bytes(8))), problem.known_mask, problem.known_value)
    assert engine.search(contradicted) is None


def test_known_bits_alone_are_checked_too(engine: Engine) -> None:
    """Nothing unknown: one candidate, right or wrong."""
    key = bytes.fromhex("0123456789ABCDEF")
    pairs = ((bytes(8), des(key, bytes(8))),)
    assert engine.search(DesProblem(pairs, ALL_BITS, int.from_bytes(key))) == Hit(0, key)
    assert engine.search(DesProblem(pairs, ALL_BITS, int.from_bytes(key) ^ 2)) is None


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


def test_what_a_callback_raises_ends_the_search(engine: Engine) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.search(DesProblem(((bytes(8), bytes(8)),)), threads=2, progress=interrupt)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (5, 4), (-1, 3), (0, 2**16 + 1)])
def test_ranges_that_are_none(start: int, stop: int) -> None:
    with pytest.raises(BadProblem, match="range"):
        Engine().search(DesProblem(((bytes(8), bytes(8)),), ALL_BITS ^ 0x3FDFE, 0), start, stop)


def test_a_search_needs_a_thread() -> None:
    with pytest.raises(BadProblem, match="thread"):
        Engine().search(DesProblem(((bytes(8), bytes(8)),), ALL_BITS, 0), threads=0)


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
