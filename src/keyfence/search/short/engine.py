"""The search itself: ranges of candidates over threads, by the fastest path that the processor has."""

from collections.abc import Callable
from typing import Final

from keyfence.search.problem import Hit, NoSuchPath, complete
from keyfence.search.threads import Search, measured

from . import native, paths
from .layout import LANE_BITS
from .problem import ShortKeyProblem
from .worker import Worker

PATHS: Final = tuple(path.name for path in paths.PATHS)
"""The fastest first; all find the same."""


class Engine:
    """Searches on one machine. `path` is one of PATHS; without it the fastest is taken. Raises NoSuchPath."""

    def __init__(self, path: str | None = None) -> None:
        usable = paths.usable_paths()
        chosen = [it for it in usable if path in (None, it.name)]
        if not chosen:
            known = ", ".join(it.name for it in usable)
            raise NoSuchPath(f"no path {path!r} for the search of short keys on this processor; it can run {known}")
        self._path: Final = chosen[0]

    @property
    def path(self) -> str:
        """The path that is taken."""
        return self._path.name

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
        compiled = native.compiled(self._path, problem)
        return Search(lambda: Worker(compiled, problem), start, stop, LANE_BITS).run(threads, stop_flag, progress)

    def rate(self, problem: ShortKeyProblem, *, seconds: float = 0.25, threads: int = 1) -> float:
        """Keys per second, measured for about `seconds` on a problem like this one."""
        native.compiled(self._path, problem)
        return measured(self, problem, seconds, threads)
