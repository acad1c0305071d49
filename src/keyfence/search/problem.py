"""What all searches have in common: a problem numbers its candidates, and knows whether a key is the one.

SearchError        anything of the search that ends in one line
  BadProblem       what was given contradicts itself or has the wrong size
  NoSuchPath       a way to compute that is unknown, or that this machine does not have
  BadJob           a job file that cannot be read, written or used
  NoCluster        a scheduler that cannot be reached, or workers that cannot be used
  MissingExtra     an optional dependency that this kind of search needs
  NoProgram        bench/programs.py: a program to be measured that is not there, or that measures nothing
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from keyfence.cryptoki import KeyfenceError


class SearchError(KeyfenceError, ValueError):
    """The message says in one line what is wrong and what was expected, and never shows key bits."""


class BadProblem(SearchError):
    """What was given contradicts itself or has the wrong size."""


class NoSuchPath(SearchError):
    """A way to compute that is unknown, or that this machine does not have."""


class BadJob(SearchError):
    """A job file that cannot be read, written or used."""


class NoCluster(SearchError):
    """A scheduler that cannot be reached, or workers that cannot be used."""


class MissingExtra(SearchError):
    """An optional dependency that this kind of search needs is not installed."""


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """A key that fits everything known of it, and the number of the candidate that stands for it: as secret as the key."""

    candidate: int
    key: bytes

    def __repr__(self) -> str:
        return "Hit(…)"


class Problem(Protocol):
    """A key of which some bits are unknown, and what tells it from all others.

    Candidates are numbered 0 to `candidates` − 1, the same on every machine and path: a range of numbers can be given
    away and means the same there. Problems are immutable and can be pickled.
    """

    @property
    def candidates(self) -> int:
        """How many numbers there are."""

    @property
    def keys(self) -> int:
        """How many keys they stand for: more than `candidates` where a trial tests two keys."""

    @property
    def expected_false(self) -> float:
        """How many wrong keys are expected to fit everything known: well below 1 means that a hit is the key."""

    def key(self, candidate: int) -> bytes:
        """The key of that number."""

    def candidate(self, key: bytes) -> int:
        """The number under which `key` is tried. Raises BadProblem if it contradicts what is known."""

    def fits(self, key: bytes) -> bool:
        """Whether the key is right by everything that is known of it; by a plain implementation, one key at a time."""


P = TypeVar("P", bound=Problem, contravariant=True)


class Engine(Protocol[P]):
    """One way to compute: ranges of candidates to hits."""

    @property
    def path(self) -> str:
        """What the way is called: avx512, avx2, generic, opencl …"""

    def search(
        self,
        problem: P,
        start: int = 0,
        stop: int | None = None,
        *,
        threads: int = 1,
        stop_flag: Callable[[], bool] = ...,
        progress: Callable[[int], None] = ...,
    ) -> Hit | None:
        """The hit with the lowest number in [start, stop), or None.

        `stop` defaults to all candidates. `stop_flag` is asked about twenty times a second and ends the search when
        true: the answer is then None. `progress` is told, from the calling thread, the number below which everything
        from `start` on has been searched; what was passed last is where a later search can go on, behind the hit if
        there was one. What either raises ends the search and is raised here. Raises BadProblem for an empty range or
        one that goes past the end.
        """

    def rate(self, problem: P, *, seconds: float = ..., threads: int = 1) -> float:
        """Keys per second, measured for about `seconds` on a problem like this one."""


def complete(problem: Problem, start: int, stop: int | None) -> tuple[int, int]:
    """The range with its default filled in. Raises BadProblem if it is empty or goes past the end."""
    stop = problem.candidates if stop is None else stop
    if not 0 <= start < stop <= problem.candidates:
        raise BadProblem(f"the range {start}:{stop} is empty or goes beyond {problem.candidates} candidates")
    return start, stop
