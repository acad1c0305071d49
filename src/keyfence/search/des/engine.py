"""The search itself: ranges of candidates over threads, by the fastest path that the processor has."""

from collections.abc import Callable
from typing import Final

from keyfence.search.problem import Hit, NoSuchPath, complete
from keyfence.search.threads import Search, measured

from . import frame, native
from .layout import LANE_BITS
from .problem import DesProblem
from .worker import Worker

PATHS: Final = tuple(path.name for path in frame.PATHS)
"""The fastest first; all find the same."""


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
        """The hit with the lowest number in [start, stop), or None; see keyfence.search.problem.Engine."""
        start, stop = complete(problem, start, stop)
        kernel = native.compiled(self._path, problem.layout.early, problem.complement is not None)
        return Search(lambda: Worker(kernel, problem), start, stop, LANE_BITS).run(threads, stop_flag, progress)

    def rate(self, problem: DesProblem | None = None, *, seconds: float = 0.25, threads: int = 1) -> float:
        """Keys per second, measured for about `seconds` on a problem like this one (default: no bit known)."""
        shape = problem or DesProblem(((bytes(8), bytes(8)),))
        native.compiled(self._path, shape.layout.early, shape.complement is not None)
        return measured(self, shape, seconds, threads)
