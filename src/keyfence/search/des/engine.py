"""The search itself: ranges of candidates, by the fastest path that the processor has."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .problem import DesProblem, complemented

PATHS: Final = ("avx512", "avx2", "generic")
"""The fastest first; all find the same."""


class NoSuchPath(ValueError):
    """A path that is unknown, or that this processor cannot run."""


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """A key that fits every pair, with odd parity, and the number of the candidate that it is or complements."""

    candidate: int
    key: bytes

    def __repr__(self) -> str:
        return f"Hit(candidate={self.candidate}, key=…)"


class Engine:
    """Searches on one machine. `path` is one of PATHS; without it the fastest is taken. Raises NoSuchPath."""

    def __init__(self, path: str | None = None) -> None:
        if path not in (None, "generic"):
            raise NoSuchPath(f"no path {path!r} for the DES search here")
        self.path: Final = path or "generic"

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

        `stop` defaults to all candidates. `stop_flag` is asked several times a second and ends the search when true:
        the answer is then None. `progress` is told, from the calling thread, the number below which everything from
        `start` on has been searched; what was passed last is where a later search can go on.
        """
        for candidate in range(start, problem.candidates if stop is None else stop):
            if stop_flag():
                return None
            key = problem.key(candidate)
            for choice in (key, complemented(key)) if problem.complement else (key,):
                if problem.fits(choice):
                    return Hit(candidate, choice)
            progress(candidate + 1)
        return None

    def rate(self, problem: DesProblem | None = None, *, seconds: float = 0.25, threads: int = 1) -> float:
        """Keys per second, measured for about `seconds` on this problem's shape (default: 40 bits unknown)."""
        shape = problem or DesProblem(((bytes(8), bytes(8)),))
        began, done = time.perf_counter(), 0

        def count(candidate: int) -> None:
            nonlocal done
            done = candidate

        self.search(shape, threads=threads, progress=count, stop_flag=lambda: time.perf_counter() > began + seconds)
        return done * (shape.keys / shape.candidates) / (time.perf_counter() - began)
