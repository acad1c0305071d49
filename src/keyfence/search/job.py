"""A search as a job: what is asked, what of it is done, what was found; and the text that it survives as."""

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from .des.problem import complemented
from .problem import BadJob, BadProblem, Hit, Problem, complete
from .ranges import Range, Ranges
from .registry import from_plain, to_plain

FORMAT: Final = "keyfence search job 1"


@dataclass(frozen=True, slots=True, repr=False)
class Job:
    """`seconds` is the time worked on it so far, in all its runs. Without `every` one hit ends it."""

    problem: Problem
    start: int
    stop: int
    every: bool = False
    done: Ranges = Ranges()  # noqa: RUF009 - frozen
    hits: tuple[Hit, ...] = ()
    seconds: float = 0.0

    @classmethod
    def of(cls, problem: Problem, start: int = 0, stop: int | None = None, *, every: bool = False) -> "Job":
        """Nothing done yet. Raises BadProblem for a range that is empty or goes past the end."""
        return cls(problem, *complete(problem, start, stop), every)

    def __repr__(self) -> str:
        """Without what is done: that ends where the key was found."""
        return f"Job({self.problem!r}, {len(self.hits)} hits)"

    @property
    def missing(self) -> Ranges:
        """What is still to be searched; nothing once a hit ended it."""
        return Ranges() if self.hits and not self.every else self.done.missing(self.start, self.stop)

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def share(self) -> float:
        """Done of all, 0 to 1."""
        return self.done.total / (self.stop - self.start)

    @property
    def keys_each(self) -> int:
        """Keys that a candidate stands for."""
        return self.problem.keys // self.problem.candidates

    def with_done(self, start: int, stop: int) -> "Job":
        """Also searched: [start, stop)."""
        return replace(self, done=self.done.with_range(max(start, self.start), min(stop, self.stop)))

    def with_doubt(self, doubted: Ranges) -> "Job":
        """These are to be searched again."""
        return replace(self, done=self.done.without(doubted))

    def with_hit(self, hit: Hit) -> "Job":
        """A hit reported twice is there once."""
        known = {it.key: it for it in (*self.hits, hit)}
        return replace(self, hits=tuple(sorted(known.values(), key=lambda it: it.candidate)))

    def with_time(self, seconds: float) -> "Job":
        """Worked on for `seconds` more."""
        return replace(self, seconds=self.seconds + seconds)


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    """The file. Hits are stored as numbers: with the known bits, which are there anyway, they say as much as the key."""

    format: str
    problem: dict[str, Any]
    range: Range
    every: bool
    done: list[Range]
    hits: list[tuple[int, int]]  # the candidate's number, and which of the keys that it stands for
    seconds: float


def to_text(job: Job) -> bytes:
    hits = [(hit.candidate, _keys_of(job.problem, hit.candidate).index(hit.key)) for hit in job.hits]
    parts = (to_plain(job.problem), (job.start, job.stop), job.every, list(job.done), hits, job.seconds)
    return msgspec.json.format(msgspec.json.encode(_Content(FORMAT, *parts)), indent=1) + b"\n"


def from_text(text: bytes) -> Job:
    """Raises BadJob: what is wrong in one line."""
    try:
        content = msgspec.json.decode(text, type=_Content)
        if content.format != FORMAT:
            raise BadJob(f"its format is not {FORMAT!r}, which this version of keyfence reads")
        job = Job.of(from_plain(content.problem), *content.range, every=content.every)
        job = replace(job, done=Ranges(tuple(content.done)), seconds=content.seconds)
        for candidate, index in content.hits:
            job = job.with_hit(_hit(job.problem, candidate, index))
    except msgspec.DecodeError as error:
        raise BadJob(f"not a whole job file: {error}") from None
    except RecursionError:
        raise BadJob("not a job file: lists in lists without end") from None
    except BadJob:
        raise
    except BadProblem as error:
        raise BadJob(str(error)) from None
    except (ValueError, OverflowError) as error:
        raise BadJob(f"a job file that contradicts itself: {error}") from None
    _check(job)
    return job


def _check(job: Job) -> None:
    if job.done.missing(job.start, job.stop).total + job.done.total != job.stop - job.start:
        raise BadJob("a job file that contradicts itself: what is done lies outside its range")
    if not 0 <= job.seconds < float("inf"):
        raise BadJob("a job file that contradicts itself: the time worked on it is no time")


def proven(problem: Problem, hit: Hit) -> bool:
    """Whether a hit from elsewhere is one: its number stands for its key, which fits everything known."""
    return 0 <= hit.candidate < problem.candidates and hit.key in _keys_of(problem, hit.candidate) and problem.fits(hit.key)


def _hit(problem: Problem, candidate: int, index: int) -> Hit:
    """A hit is not believed: its key must fit."""
    keys = _keys_of(problem, candidate) if 0 <= candidate < problem.candidates else ()
    if not 0 <= index < len(keys) or not problem.fits(keys[index]):
        raise BadJob("a job file that contradicts itself: a hit that does not fit what is known of the key")
    return Hit(candidate, keys[index])


def _keys_of(problem: Problem, candidate: int) -> tuple[bytes, ...]:
    """What a number stands for: a key, and with a chosen pair of DES blocks its complement."""
    key = problem.key(candidate)
    return (key, complemented(key)) if problem.keys > problem.candidates else (key,)
