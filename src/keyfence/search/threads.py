"""A range of candidates over threads, in chunks of about a twentieth of a second; workers compute outside Python's lock."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import Any, Final, Generic, Protocol, TypeVar

from .problem import BadProblem, Engine, Hit, NoSuchPath, Problem, complete

CHUNK_SECONDS: Final = 0.05
FIRST_CHUNK: Final = 64  # later ones are as small as slow keys (the MAC of megabytes) make them


P = TypeVar("P", bound=Problem)


class Named(Protocol):
    """A way to compute."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


class Worker(Protocol):
    """One thread's share: its memory and a compiled kernel."""

    def hits(self, first: int, stop: int) -> Iterable[Hit]:
        """The keys that fit among counts [first, stop); a count is `2**lane_bits` candidates in order."""


class Search:
    """One search: a range that threads take chunks of, in order, until a chunk has a hit."""

    def __init__(self, make_worker: Callable[[], Worker], start: int, stop: int, lane_bits: int) -> None:
        self._make_worker, self._start, self._stop, self._lane_bits = make_worker, start, stop, lane_bits
        self._next, self._end = start >> lane_bits, -(-stop >> lane_bits)
        self._lock = Lock()
        self._running: set[int] = set()  # the first counts of the chunks being searched
        self._hit: Hit | None = None
        self._stopped = False
        self._failure: BaseException | None = None

    def run(self, threads: int, stop_flag: Callable[[], bool], progress: Callable[[int], None]) -> Hit | None:
        """Searches in the calling thread, which asks and tells after each of its chunks, and in others beside it."""
        if threads < 1:
            raise BadProblem("a search needs at least one thread")

        def tell() -> None:
            self._stopped = self._stopped or stop_flag()
            progress(self._searched())

        helpers = [Thread(target=self._help, daemon=True) for _ in range(threads - 1)]
        try:
            for helper in helpers:
                helper.start()
            self._work(tell)
        except BaseException:
            self._stopped = True
            raise
        finally:
            for helper in helpers:
                with suppress(RuntimeError):  # one that has not started: an interrupt came first
                    helper.join()
        if self._failure is not None:
            raise self._failure
        tell()
        return self._hit

    def _searched(self) -> int:
        """The number below which everything has been searched: where a search for further hits goes on."""
        with self._lock:
            count = min(self._running, default=self._next)
            end = self._stop if self._hit is None else self._hit.candidate + 1
        return max(self._start, min(end, count << self._lane_bits))

    def _help(self) -> None:
        try:
            self._work(lambda: None)
        except BaseException as error:  # raised again in the calling thread
            self._failure, self._stopped = error, True

    def _work(self, after_chunk: Callable[[], None]) -> None:
        worker, size = self._make_worker(), FIRST_CHUNK
        while (first := self._take(size)) is not None:
            began = time.perf_counter()
            hits = [hit for hit in worker.hits(first, min(first + size, self._end)) if self._inside(hit)]
            self._give(first, hits)
            after_chunk()
            took = time.perf_counter() - began
            size = max(1, min(2 * size, int(size * CHUNK_SECONDS / took)))

    def _inside(self, hit: Hit) -> bool:
        return self._start <= hit.candidate < self._stop

    def _take(self, size: int) -> int | None:
        """The first count of a chunk to search; None when there is no more to do."""
        with self._lock:
            if self._stopped or self._hit is not None or self._next >= self._end:
                return None
            first, self._next = self._next, min(self._next + size, self._end)
            self._running.add(first)
            return first

    def _give(self, first: int, hits: list[Hit]) -> None:
        with self._lock:
            self._running.discard(first)
            self._hit = min([*hits, *filter(None, [self._hit])], key=lambda hit: hit.candidate, default=None)


class ThreadedEngine(ABC, Generic[P]):
    """What engines have in common whose workers search counts: an `Engine` once `path` and `workers` are there."""

    lane_bits: int
    """The low bits of a candidate's number that vary inside a worker's vectors."""

    @property
    @abstractmethod
    def path(self) -> str:
        """What the way to compute is called."""

    @abstractmethod
    def workers(self, problem: P) -> Callable[[], Worker]:
        """What makes a thread's worker; a kernel that is not there yet is compiled before this returns."""

    def search(
        self,
        problem: P,
        start: int = 0,
        stop: int | None = None,
        *,
        threads: int = 1,
        stop_flag: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Hit | None:
        """The hit with the lowest number in [start, stop), or None; see keyfence.search.problem.Engine."""
        start, stop = complete(problem, start, stop)
        return Search(self.workers(problem), start, stop, self.lane_bits).run(threads, stop_flag, progress)

    def rate(self, problem: P, *, seconds: float = 0.25, threads: int = 1) -> float:
        """Keys per second, measured for about `seconds` on a problem like this one."""
        self.workers(problem)
        return measured(self, problem, seconds, threads)


def processors() -> int:
    """How many this process may use: the threads that a search has where nobody says how many."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chosen(usable: Sequence[N], path: str | None, what: str) -> N:
    """The path of that name, or the first. Raises NoSuchPath."""
    for one in usable:
        if path in (None, one.name):
            return one
    known = ", ".join(it.name for it in usable)
    raise NoSuchPath(f"no path {path!r} for the search of {what} on this processor; it can run {known}")


def measured(engine: Engine[Any], problem: Problem, seconds: float, threads: int) -> float:
    """Keys per second from the problem's first candidate on; hits are passed over, and a small problem begins again."""
    began, tried, at = time.perf_counter(), 0, 0

    def over() -> bool:
        return time.perf_counter() >= began + seconds

    while not over():
        first = at

        def told(below: int) -> None:
            nonlocal at
            at = below

        engine.search(problem, first, threads=threads, stop_flag=over, progress=told)
        tried += at - first
        at %= problem.candidates
    return tried * (problem.keys // problem.candidates) / (time.perf_counter() - began)
