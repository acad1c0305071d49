"""The search itself: ranges of candidates over threads, by the fastest path that the processor has."""

import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Final

from . import frame, native
from .layout import LANE_BITS
from .problem import BadProblem, DesProblem, Hit
from .worker import Worker

PATHS: Final = tuple(path.name for path in frame.PATHS)
"""The fastest first; all find the same."""
CHUNK_SECONDS: Final = 0.05
SMALLEST_CHUNK: Final = 64


class NoSuchPath(ValueError):
    """A path that is unknown, or that this processor cannot run."""


class Engine:
    """Searches on one machine. `path` is one of PATHS; without it the fastest is taken. Raises NoSuchPath."""

    def __init__(self, path: str | None = None) -> None:
        usable = native.usable_paths()
        chosen = [it for it in usable if path in (None, it.name)]
        if not chosen:
            known = ", ".join(it.name for it in usable)
            raise NoSuchPath(f"no path {path!r} for the DES search on this processor; it can run {known}")
        self._path: Final = chosen[0]

    @property
    def path(self) -> str:
        """The path that is taken."""
        return self._path.name

    def search(
        self,
        problem: DesProblem,
        start: int = 0,
        stop: int | None = None,
        *,
        threads: int = 1,
        stop_flag: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Hit | None:
        """The hit with the lowest number in [start, stop), or None.

        `stop` defaults to all candidates. `stop_flag` is asked about twenty times a second and ends the search when
        true: the answer is then None. `progress` is told, from the calling thread, the number below which everything
        from `start` on has been searched; what was passed last is where a later search can go on. What either raises
        ends the search and is raised here. Raises BadProblem for an empty range or one that goes past the end.
        """
        stop = problem.candidates if stop is None else stop
        if not 0 <= start < stop <= problem.candidates:
            raise BadProblem(f"the range {start}:{stop} is empty or goes beyond {problem.candidates} candidates")
        if threads < 1:
            raise BadProblem("a search needs at least one thread")
        return _Search(self._path, problem, start, stop).run(threads, stop_flag, progress)

    def rate(self, problem: DesProblem | None = None, *, seconds: float = 0.25, threads: int = 1) -> float:
        """Keys per second, measured for about `seconds` on a problem like this one (default: no bit known)."""
        shape = problem or DesProblem(((bytes(8), bytes(8)),))
        done = 0

        def count(candidate: int) -> None:
            nonlocal done
            done = candidate

        native.compiled(self._path, shape.layout.early, shape.complement is not None)
        began = time.perf_counter()
        self.search(shape, threads=threads, progress=count, stop_flag=lambda: time.perf_counter() > began + seconds)
        return done * (shape.keys // shape.candidates) / (time.perf_counter() - began)


class _Search:
    """One search: a range that threads take chunks of, in order, until a chunk has a hit."""

    def __init__(self, path: frame.Path, problem: DesProblem, start: int, stop: int) -> None:
        self._problem, self._start, self._stop = problem, start, stop
        self._kernel = native.compiled(path, problem.layout.early, problem.complement is not None)
        self._next, self._end = start >> LANE_BITS, -(-stop >> LANE_BITS)
        self._lock = Lock()
        self._running: set[int] = set()  # the first counts of the chunks being searched
        self._hit: Hit | None = None
        self._stopped = False
        self._failure: BaseException | None = None

    def run(self, threads: int, stop_flag: Callable[[], bool], progress: Callable[[int], None]) -> Hit | None:
        """Searches in the calling thread, which asks and tells after each of its chunks, and in others beside it."""

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
                helper.join()
        if self._failure is not None:
            raise self._failure
        tell()
        return self._hit

    def _searched(self) -> int:
        """The number below which everything has been searched."""
        with self._lock:
            count = min(self._running, default=self._next)
        return max(self._start, min(self._stop, count << LANE_BITS))

    def _help(self) -> None:
        try:
            self._work(lambda: None)
        except BaseException as error:  # raised again in the calling thread
            self._failure, self._stopped = error, True

    def _work(self, after_chunk: Callable[[], None]) -> None:
        worker, size = Worker(self._kernel, self._problem), SMALLEST_CHUNK
        while (first := self._take(size)) is not None:
            began = time.perf_counter()
            hits = [hit for hit in worker.hits(first, min(first + size, self._end)) if self._inside(hit)]
            self._give(first, hits)
            after_chunk()
            took = time.perf_counter() - began
            size = max(SMALLEST_CHUNK, min(2 * size, int(size * CHUNK_SECONDS / took)))

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
