"""Keys planted and found, by every path that this processor has."""

from random import Random
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.des import PATHS, DesProblem, Engine, Hit, NoSuchPath, odd_parity
from keyfence.search.des.native import usable_paths

from .answers import DesAnswers, around
from .blocks import ALL_BITS, KEY_POSITIONS, des, planted, planted_complement
from .sp500_20 import ALL as PUBLISHED

USABLE = [path.name for path in usable_paths()]

WEAK = "0101010101010101 FEFEFEFEFEFEFEFE E0E0E0E0F1F1F1F1 1F1F1F1F0E0E0E0E"
SEMI_WEAK = """
    011F011F010E010E 1F011F010E010E01 01E001E001F101F1 E001E001F101F101 01FE01FE01FE01FE FE01FE01FE01FE01
    1FE01FE00EF10EF1 E01FE01FF10EF10E 1FFE1FFE0EFE0EFE FE1FFE1FFE0EFE0E E0FEE0FEF1FEF1FE FEE0FEE0FEF1FEF1"""


@pytest.fixture(params=USABLE)
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


class TestAnswers(DesAnswers):
    times = 50


def test_a_thousand_planted_keys(engine: Engine) -> None:
    random = Random(engine.path)
    for _ in range(1000):
        key = random.randbytes(8)
        problem = planted(random, key, random.randrange(57))
        start, stop, at = around(random, problem, key, 3000)
        assert engine.search(problem, start, stop) == Hit(at, odd_parity(key))


BLOCKS = 100_000


def test_a_hundred_thousand_random_blocks(engine: Engine) -> None:
    """All paths together: each block's key is found among the 512 of one vector, so the path, and the plain DES that has the
    last word, made of that block what pyca/cryptography made of it."""
    random = Random(engine.path)
    share = -(-BLOCKS // len(USABLE))
    for index in range(share):
        if index % 1000 == 0:
            mask = ALL_BITS ^ sum(1 << (63 - position) for position in random.sample(KEY_POSITIONS, 9))
        key, plaintext = random.randbytes(8), random.randbytes(8)
        problem = DesProblem(((plaintext, des(key, plaintext)),), mask, int.from_bytes(key) & mask)
        assert engine.search(problem) == Hit(problem.candidate(key), odd_parity(key))


def test_published_vectors(engine: Engine) -> None:
    random = Random(engine.path)
    for key, plaintext, ciphertext in PUBLISHED:
        mask = ALL_BITS ^ sum(1 << (63 - position) for position in random.sample(KEY_POSITIONS, 12))
        problem = DesProblem(((plaintext, ciphertext),), mask, int.from_bytes(key) & mask)
        assert engine.search(problem) == Hit(problem.candidate(key), odd_parity(key))


@pytest.mark.parametrize("key", [bytes.fromhex(word) for word in (WEAK + SEMI_WEAK).split()])
def test_weak_and_semi_weak_keys(engine: Engine, key: bytes) -> None:
    random = Random(key)
    problem = planted(random, key, 18)
    assert engine.search(problem) == Hit(problem.candidate(key), key)


def test_all_256_parity_variants_are_one_key(engine: Engine) -> None:
    random = Random(8)
    key = random.randbytes(8)
    pair = (bytes(8), des(key, bytes(8)))
    for parity in range(256):
        bits = bytes(byte & 0xFE | (parity >> index & 1) for index, byte in enumerate(key))
        mask = ALL_BITS ^ 0xFFFF
        hit = engine.search(DesProblem((pair, (key, des(key, key))), mask, int.from_bytes(bits) & mask))
        assert hit is not None
        assert hit.key == odd_parity(key)


@given(seed=st.integers(0, 2**32), unknown=st.integers(9, 56))
@settings(max_examples=25, deadline=None)
def test_all_paths_answer_the_same(seed: int, unknown: int) -> None:
    random = Random(seed)
    key = random.randbytes(8)
    problem = planted(random, key, unknown, pairs=1)
    start, stop, _ = around(random, problem, key, 5000)
    answers = {(hit.candidate, hit.key) for hit in (Engine(path).search(problem, start, stop) for path in USABLE) if hit}
    assert len(answers) == 1


def test_an_interrupt_while_threads_are_started_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Thread] = []
    start = Thread.start

    def interrupted(thread: Thread) -> None:
        if started:
            raise KeyboardInterrupt
        started.append(thread)
        start(thread)

    monkeypatch.setattr(Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Engine().search(planted(Random(13), bytes(8), 40), threads=4)
    assert not started[0].is_alive()


def test_two_threads_find_the_same_and_tell_how_far_they_are() -> None:
    random = Random(10)
    key = random.randbytes(8)
    problem = planted(random, key, 24)
    told: list[int] = []
    hit = Engine().search(problem, threads=2, progress=told.append)
    assert hit == Hit(problem.candidate(key), odd_parity(key))
    assert told == sorted(told)
    assert Engine().search(problem, threads=2, stop=hit.candidate or 1, progress=told.append) is None or hit.candidate == 0
    assert told[-1] == (hit.candidate or 1)


def test_a_stopped_search_goes_on_where_it_was() -> None:
    random = Random(11)
    key = random.randbytes(8)
    problem = planted(random, key, 30)
    at = problem.candidate(key)
    told = [0]
    answer = Engine().search(problem, stop_flag=lambda: told[-1] > 0, progress=told.append)
    assert answer is None or answer.candidate == at
    assert told[-1] > 0
    assert told[-1] <= at or answer is not None
    start = max(told[-1], at - 10**6) if answer is None else at
    rest = Engine().search(problem, start)
    assert rest == Hit(at, odd_parity(key))


def test_a_path_is_known_or_refused() -> None:
    assert Engine().path == USABLE[0]
    assert set(USABLE) <= set(PATHS)
    with pytest.raises(NoSuchPath, match="mmx"):
        Engine("mmx")


def test_a_rate_is_measured_past_a_hit_and_past_the_end() -> None:
    """The first candidate is the key, the problem small, and the rate is of more candidates than it has."""
    problem = planted(Random(12), bytes(8), 12)
    assert problem.candidate(bytes(8)) == 0
    assert Engine().rate(problem, seconds=0.1) > problem.candidates
    assert Engine("generic").rate(planted_complement(Random(12), bytes(8)), seconds=0.1) > 0


def test_a_hit_shows_neither_its_key_nor_the_number_that_tells_it() -> None:
    shown = repr(Hit(3573, bytes.fromhex("12ab" * 4))).lower()
    assert "12ab" not in shown
    assert "3573" not in shown
