"""Who searches what: whatever workers do, no number is lost and none is given to two that are counted on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from keyfence.search.cluster.planner import FIRST_SECONDS, LEAST_SECONDS, MOST_SECONDS, Chunk, Crew
from keyfence.search.ranges import Ranges

ALL = 1_000_000
rates = st.floats(1, 1e7)


class Searching(RuleBasedStateMachine):
    """Workers come, search all or part of their chunks, die, hang and come back."""

    workers = Bundle("workers")

    def __init__(self) -> None:
        super().__init__()
        self.crew, self.done, self.names = Crew(), Ranges(), 0
        self.chunks: dict[str, Chunk] = {}  # what each was given and has not reported
        self.late: set[str] = set()

    @property
    def missing(self) -> Ranges:
        return self.done.missing(0, ALL)

    @rule(target=workers, rate=rates)
    def joins(self, rate: float) -> str:
        self.names += 1
        self.crew.joined(str(self.names), rate)
        return str(self.names)

    @rule(worker=workers)
    def gets(self, worker: str) -> None:
        if worker in self.chunks:
            assert self.crew.next_chunk(worker, self.missing) is None
            return
        held = Ranges.of(*((it.start, it.stop) for name, it in self.chunks.items() if name not in self.late))
        free = self.missing.without(held)
        chunk = self.crew.next_chunk(worker, self.missing)
        assert (chunk is None) == (not free)
        if chunk is not None:
            assert chunk.start == free.parts[0][0]
            assert not Ranges.of((chunk.start, chunk.stop)).without(free)
            self.chunks[worker] = chunk

    @rule(worker=workers, share=st.floats(0, 1), seconds=st.floats(0, 20))
    def reports(self, worker: str, share: float, seconds: float) -> None:
        if chunk := self.chunks.pop(worker, None):
            below = chunk.start + int(share * (chunk.stop - chunk.start))
            self.done = self.done.with_range(chunk.start, below) if below > chunk.start else self.done
            self.crew.reported(worker, below - chunk.start, seconds)
            self.late.discard(worker)

    @rule(worker=workers)
    def hangs(self, worker: str) -> None:
        if worker in self.chunks:
            self.crew.late(worker)
            self.late.add(worker)

    @rule(target=workers, worker=consumes(workers))
    def dies(self, worker: str) -> object:
        self.crew.left(worker)
        self.chunks.pop(worker, None)
        self.late.discard(worker)
        return multiple()

    @invariant()
    def nobody_searches_what_another_does(self) -> None:
        parts = [(it.start, it.stop) for name, it in self.chunks.items() if name not in self.late]
        assert sum(stop - start for start, stop in parts) == Ranges.of(*parts).total
        assert self.crew.held == Ranges.of(*parts)

    def teardown(self) -> None:
        """Whatever happened: with all others gone, one that lives gets everything that is missing."""
        for name in map(str, range(1, self.names + 1)):
            self.crew.left(name)
        self.crew.joined("last", 1e5)
        while chunk := self.crew.next_chunk("last", self.missing):
            self.done = self.done.with_range(chunk.start, chunk.stop)
            self.crew.reported("last", chunk.stop - chunk.start, chunk.seconds)
        assert self.done == Ranges(((0, ALL),))


Searching.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSearching = Searching.TestCase


def chunks_of(rate: float, total: int) -> list[Chunk]:
    """All chunks of a worker alone that is exactly as fast as it was measured."""
    crew, done, given = Crew(), Ranges(), []
    crew.joined("worker", rate)
    while chunk := crew.next_chunk("worker", done.missing(0, total)):
        given.append(chunk)
        done = done.with_range(chunk.start, chunk.stop)
        crew.reported("worker", chunk.stop - chunk.start, (chunk.stop - chunk.start) / rate)
    return given


def test_chunks_grow_at_first_and_shrink_at_the_end() -> None:
    seconds = [it.seconds for it in chunks_of(1e6, 100_000_000)]
    assert seconds[:4] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS, MOST_SECONDS]
    most = [index for index, it in enumerate(seconds) if it == MOST_SECONDS]
    assert len(most) > 10
    assert seconds[most[-1] :] == sorted(seconds[most[-1] :], reverse=True)
    assert seconds[-1] <= 2 * LEAST_SECONDS


def test_a_worker_gets_seconds_of_its_own_rate() -> None:
    crew = Crew()
    crew.joined("gpu", 1e9)
    crew.joined("cpu", 1e6)
    missing = Ranges(((0, 1 << 40),))
    sizes = {name: chunk.stop - chunk.start for name in ("gpu", "cpu") if (chunk := crew.next_chunk(name, missing))}
    assert 0.85e9 * FIRST_SECONDS < sizes["gpu"] <= 1e9 * FIRST_SECONDS
    assert 0.85e6 * FIRST_SECONDS < sizes["cpu"] <= 1e6 * FIRST_SECONDS


def test_a_rate_that_falls_makes_chunks_smaller() -> None:
    crew, missing = Crew(), Ranges(((0, 1 << 40),))
    crew.joined("worker", 1e9)
    for _ in range(60):
        chunk = crew.next_chunk("worker", missing)
        assert chunk is not None
        crew.reported("worker", int(1000 * chunk.seconds), chunk.seconds)
    assert crew.rate == pytest.approx(1000, rel=0.01)


def test_a_worker_that_gets_nowhere_is_tried_with_one_number() -> None:
    crew, missing = Crew(), Ranges(((0, 1 << 40),))
    crew.joined("worker", 0)
    crew.next_chunk("worker", missing)
    crew.reported("worker", 0, 5.0)
    chunk = crew.next_chunk("worker", missing)
    assert chunk is not None
    assert chunk.stop - chunk.start == 1


@given(rate=rates, total=st.integers(1, 10**6))
def test_chunks_end_at_round_numbers_and_leave_no_crumbs(rate: float, total: int) -> None:
    given_away = chunks_of(rate, total)
    for chunk in given_away[:-1]:
        size = chunk.stop - chunk.start
        assert chunk.stop % (1 << max(0, size.bit_length() - 4)) == 0
    assert given_away[-1].stop == total


def test_the_limit_is_behind_the_time_planned() -> None:
    assert Chunk(0, 1, 4.0).limit == 8.5
