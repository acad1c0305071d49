"""The job's side alone, its workers functions that answer whatever they like: what a processor would have to be broken for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest

import keyfence
from keyfence.search.cluster import client, remote, settings
from keyfence.search.cluster.remote import Greeting, Refusal, Report
from keyfence.search.des import odd_parity
from keyfence.search.job import Job
from keyfence.search.problem import Hit, NoCluster
from keyfence.search.ranges import Ranges
from keyfence.search.work import Work

from ..des.blocks import planted

KEY = odd_parity(Random("foreman").randbytes(8))
PROBLEM = planted(Random(3), KEY, 24)
AT = PROBLEM.candidate(KEY)
HELLO = Greeting(keyfence.__version__, "generic", 1, 1e7)
ALL = Ranges(((0, PROBLEM.candidates),))

Answer = Callable[..., object]


@dataclass
class Future:
    answer: Callable[[], object]

    async def result(self) -> object:
        await asyncio.sleep(0.001)
        return self.answer()

    def release(self) -> None: ...


@dataclass
class Dask:
    """Dask's client as the job's side sees it."""

    workers: dict[str, Answer]
    status: str = "running"
    told_to_stop: list[str] = field(default_factory=list)

    async def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(self.workers, 1)

    def submit(self, function: Answer, *what: Any, workers: list[str], **_: object) -> Future:
        return Future(lambda: HELLO if function is remote.greet else self.workers[workers[0]](*what))

    async def run(self, function: Answer, _: str, *, workers: list[str], on_error: str) -> None:
        assert function is remote.stop
        self.told_to_stop += workers


class Honest:
    """Searches nothing, but knows where the key is."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.searched = at, Ranges()

    def __call__(self, _: object, run: str, start: int, stop: int, every: bool, seconds: float) -> Report:
        self.searched = self.searched.with_range(start, stop)
        if self.at is None or not start <= self.at < stop:
            return Report(stop, (), 0.01, False)
        return Report(stop if every else self.at + 1, (Hit(self.at, KEY),), 0.01, False)


def run(dask: Dask, job: Job | None = None, patience: float = 10.0) -> tuple[Job, list[str]]:
    work, said = Work(job or Job.of(PROBLEM), lambda _: None), list[str]()
    asyncio.run(client._Foreman(dask, "tcp://h:1", work, said.append, patience).run(lambda: False))
    return work.job, said


def wrong(**changes: object) -> Answer:
    """A worker that reports all of its chunk, but for what is wrong with that."""
    return lambda _, run, start, stop, *rest: replace(Report(stop, (), 0.01, False), **changes)


class Report2(Report):
    """Of another checkout."""


def raises(error: type[BaseException]) -> Answer:
    def worker(*_: object) -> None:
        raise error(KEY.hex())

    return worker


WRONG = {
    "an error": raises(ValueError),
    "what ends a generator": raises(GeneratorExit),
    "nothing": lambda *_: None,
    "another class": lambda *chunk: Report2(chunk[3], (), 0.01, False),
    "a class that is ours without its fields": lambda *_: object.__new__(Report),
    "below: text": wrong(below="9"),
    "below: between two numbers": lambda *chunk: Report(chunk[3] - 0.5, (), 0.01, False),  # type: ignore[arg-type]
    "below: a number as another type": lambda *chunk: Report(float(chunk[3]), (), 0.01, False),  # type: ignore[arg-type]
    "below: huge": wrong(below=1 << 200),
    "below: negative": wrong(below=-1),
    "below: before its chunk": lambda *chunk: Report(chunk[2] - 1, (), 0.01, False),
    "below: behind its chunk": lambda *chunk: Report(chunk[3] + 1, (), 0.01, False),
    "hits: none": wrong(hits=None),
    "hits: no hits": wrong(hits=(AT,)),
    "hits: no number": wrong(hits=(Hit("0", KEY),)),  # type: ignore[arg-type]
    "hits: a broken number": wrong(hits=(Hit(float(AT), KEY),)),  # type: ignore[arg-type]
    "hits: a number without end": wrong(hits=(Hit(float("inf"), KEY),)),  # type: ignore[arg-type]
    "hits: no key": wrong(hits=(Hit(AT, None),)),  # type: ignore[arg-type]
    "hits: negative": wrong(hits=(Hit(-1, KEY),)),
    "hits: beyond": wrong(hits=(Hit(PROBLEM.candidates, KEY),)),
    "hits: another key": wrong(hits=(Hit(AT, bytes(8)),)),
    "hits: another number": wrong(hits=(Hit(AT ^ 1, KEY),)),
    "seconds: text": wrong(seconds="x"),
    "seconds: no number": wrong(seconds=float("nan")),
    "a screen and more": lambda *_: Refusal(keyfence.__version__, "x" * 100_000),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_counts_for_nothing(name: str) -> None:
    """Its numbers are searched by somebody else, and the job can be saved."""
    honest = Honest()
    job, said = run(Dask({"wrong": WRONG[name], "honest": honest}))
    assert job.done == honest.searched == ALL
    assert {type(number) for part in job.done for number in part} == {int}
    assert job.hits == ()
    assert [line for line in said if line.startswith("worker wrong is not used: ")], said
    assert not [line for line in said if KEY.hex() in line]
    assert max(map(len, said)) < 1000


@pytest.mark.parametrize("seconds", [0.0, -1.0, 5e-324, 1e308])
def test_a_clock_that_is_wrong_is_borne(seconds: float) -> None:
    """A report's time only sizes chunks."""
    assert run(Dask({"odd": lambda *chunk: Report(chunk[3], (), seconds, False)}))[0].done == ALL


@pytest.mark.parametrize(
    "greeting",
    [None, HELLO.version, *(replace(HELLO, rate=rate) for rate in (float("nan"), float("inf"), "fast", None))],
)
def test_greetings_that_are_none(greeting: object) -> None:
    class Strange(Dask):
        def submit(self, *_: object, **__: object) -> Future:
            return Future(lambda: greeting)

    with pytest.raises(NoCluster, match=r"^no worker at tcp://h:1 can be used: worker odd: its answer is not understood$"):
        run(Strange({"odd": Honest()}))


def test_what_a_worker_says_of_itself_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    settings.say("worker \x1b]0;x\x07 is not used: \x1b[2Jgone\nkeyfence: found")
    assert capsys.readouterr().err == "keyfence: worker  ]0;x  is not used:  [2Jgone keyfence: found\n"


def test_who_found_the_key_is_told_to_forget_the_problem() -> None:
    """It has nothing to do any more by then; so has everybody else who was asked."""
    dask = Dask({"finder": Honest(AT), "refused": WRONG["hits: another key"]})
    assert run(dask)[0].hits == (Hit(AT, KEY),)
    assert sorted(dask.told_to_stop) == ["finder", "refused"]


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("behind", [0, 1, 1000])
def test_a_hit_at_the_end_of_a_range(every: bool, behind: int) -> None:
    job, _ = run(Dask({"one": Honest(AT), "two": Honest(AT)}), Job.of(PROBLEM, AT - 1000, AT + 1 + behind, every=every))
    assert job.hits == (Hit(AT, KEY),)
    assert not job.missing
    assert (job.done == Ranges(((job.start, job.stop),))) or not every


def test_an_interrupt_is_not_lost_in_the_moment_of_an_answer() -> None:
    """asyncio.wait_for of Python 3.11 returns what has just come, and forgets that it was cancelled."""

    class Interrupting(Dask):
        asked = 0

        async def nthreads(self) -> dict[str, int]:
            self.asked += 1
            if self.asked == 2:
                main.cancel()  # what Ctrl-C does
            assert self.asked < 3, "it went on"
            return await super().nthreads()

    async def interrupted() -> None:
        nonlocal main
        main = asyncio.current_task()
        work = Work(Job.of(PROBLEM), lambda _: None)
        dask = Interrupting({"idle": lambda *chunk: Report(chunk[2], (), 0.01, False)})
        await client._Foreman(dask, "tcp://h:1", work, lambda _: None, 10.0).run(lambda: False)

    main: Any = None
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())


def test_a_client_that_is_closed_is_a_lost_scheduler() -> None:
    class Closed(Dask):
        def submit(self, *_: object, **__: object) -> Future:
            self.status = "closed"
            raise RuntimeError("client closed")

    with pytest.raises(NoCluster, match=r"^the scheduler at tcp://h:1 does not answer any more; what was searched is kept$"):
        run(Closed({"one": Honest()}))
