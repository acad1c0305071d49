"""A job being worked on: what is told of it, when it is saved, and the work itself on this machine alone."""

import time
from collections.abc import Callable
from typing import Any, Final

from .job import Job
from .problem import BadJob, Engine, Hit
from .ranges import Range, Ranges

SAVE_SECONDS: Final = 5.0  # a process that dies loses no more than this, and what it takes to write the file


class Work:
    """Is told what was searched and found, in any order and twice if need be; saves now and then.

    `save` may raise BadJob (a full disk): the search goes on, tries again, and `unsaved` says what was wrong last.
    `shown` is told the job after every change. Not for several threads at once.
    """

    def __init__(self, job: Job, save: Callable[[Job], None], shown: Callable[[Job], None] = lambda _: None) -> None:
        self.job = job
        self.unsaved: BadJob | None = None
        self._save, self._shown = save, shown
        self._noted = self._saved = time.monotonic()

    def searched(self, start: int, stop: int) -> None:
        """All of [start, stop) has been searched."""
        self._become(self.job.with_done(start, stop) if start < stop else self.job)

    def doubted(self, ranges: Ranges) -> None:
        """What was told of these is not believed any more."""
        self._become(self.job.with_doubt(ranges))

    def found(self, hit: Hit) -> None:
        """A hit is saved at once."""
        self._become(self.job.with_hit(hit))
        self.save()

    def save(self) -> None:
        """Now, whenever it was saved last."""
        self._saved = time.monotonic()
        try:
            self._save(self.job)
            self.unsaved = None
        except BadJob as error:
            self.unsaved = error

    def _become(self, job: Job) -> None:
        now = time.monotonic()
        self.job, self._noted = job.with_time(now - self._noted), now
        self._shown(self.job)
        if now - self._saved >= SAVE_SECONDS:
            self.save()


def run(work: Work, engine: Engine[Any], threads: int, stop_flag: Callable[[], bool] = lambda: False) -> None:
    """Searches what is missing, lowest first, until nothing is or `stop_flag` says so. What interrupts it is raised."""
    while (gaps := work.job.missing) and not stop_flag():
        _run_gap(work, engine, gaps.parts[0], threads, stop_flag)


def _run_gap(work: Work, engine: Engine[Any], gap: Range, threads: int, stop_flag: Callable[[], bool]) -> None:
    """Engines tell how far they are before they hand over a hit, which may be the last candidate of that. So the last one
    counts as searched only afterwards: whatever ends this process in between, the hit is not lost."""
    start, stop = gap
    below = start

    def told(number: int) -> None:
        nonlocal below
        below = number
        work.searched(start, below - 1)

    hit = engine.search(work.job.problem, start, stop, threads=threads, stop_flag=stop_flag, progress=told)
    if hit is not None:
        work.found(hit)
    work.searched(start, below)
