"""The search itself: ranges of candidates over threads, by the fastest path that the processor has."""

from collections.abc import Callable
from typing import Final

from keyfence.search.threads import ThreadedEngine, chosen

from . import frame, native
from .layout import LANE_BITS
from .problem import DesProblem
from .worker import Worker

PATHS: Final = tuple(path.name for path in frame.PATHS)
"""The fastest first; all find the same."""


class Engine(ThreadedEngine[DesProblem]):
    """Searches on one machine. `path` is one of PATHS; without it the fastest is taken. Raises NoSuchPath."""

    lane_bits = LANE_BITS

    def __init__(self, path: str | None = None) -> None:
        self._path: Final = chosen(native.usable_paths(), path, "DES keys")

    @property
    def path(self) -> str:
        """The path that is taken."""
        return self._path.name

    def workers(self, problem: DesProblem) -> Callable[[], Worker]:
        kernel = native.compiled(self._path, problem.layout.early, problem.complement is not None)
        return lambda: Worker(kernel, problem)
