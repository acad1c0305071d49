"""The search itself: ranges of candidates over threads, by the fastest path that the processor has."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from keyfence.search.problem import Hit, NoSuchPath, complete
from keyfence.search.threads import Search

from .layout import LANE_BITS
from .problem import ShortKeyProblem

PATHS: Final = ("generic",)


class _Worker:
    def __init__(self, problem: ShortKeyProblem) -> None:
        self._problem = problem

    def hits(self, first: int, stop: int) -> Iterator[Hit]:
        for candidate in range(first << LANE_BITS, min(stop << LANE_BITS, self._problem.candidates)):
            key = self._problem.key(candidate)
            if self._problem.fits(key):
                yield Hit(candidate, key)


class Engine:
    """Searches on one machine. `path` is one of PATHS; without it the fastest is taken. Raises NoSuchPath."""

    def __init__(self, path: str | None = None) -> None:
        if path not in (None, *PATHS):
            raise NoSuchPath(f"no path {path!r} for the search of short keys on this processor; it can run {', '.join(PATHS)}")
        self.path: Final = PATHS[0]

    def search(
        self,
        problem: ShortKeyProblem,
        start: int = 0,
        stop: int | None = None,
        *,
        threads: int = 1,
        stop_flag: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Hit | None:
        """The hit with the lowest number in [start, stop), or None; see keyfence.search.problem.Engine."""
        start, stop = complete(problem, start, stop)
        return Search(lambda: _Worker(problem), start, stop, LANE_BITS).run(threads, stop_flag, progress)

    def rate(self, problem: ShortKeyProblem, *, seconds: float = 0.25, threads: int = 1) -> float:
        """Keys per second, measured for about `seconds` on a problem like this one."""
        done = 0

        def count(candidate: int) -> None:
            nonlocal done
            done = candidate

        began = time.perf_counter()
        self.search(problem, threads=threads, progress=count, stop_flag=lambda: time.perf_counter() > began + seconds)
        return done / (time.perf_counter() - began)
