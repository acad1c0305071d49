"""A search from the command line: begun, gone on with, shown; and how each of them ends."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from keyfence.cli.ending import complain, could_not_run, one_clear_line

from . import inputs
from .options import How

if TYPE_CHECKING:
    from keyfence.search.files import JobFile
    from keyfence.search.job import Job
    from keyfence.search.problem import Problem
    from keyfence.search.work import Work


class Found(IntEnum):
    """What a search's exit code says, beside usage (2) and could not run (3): as grep does."""

    YES = 0
    NO = 1


def new(make: "Callable[[], Problem]", how: How) -> None:
    """A search that has not begun. What contradicts itself in the question is a usage error."""
    with one_clear_line():
        from keyfence.search.job import Job
        from keyfence.search.problem import BadProblem

        start, stop = inputs.bounds("--range", how.range) if how.range is not None else (0, None)
        try:
            job = Job.of(make(), start, stop, every=how.every)
        except BadProblem as error:
            raise typer.BadParameter(str(error)) from None
        _estimate(job, how) if how.estimate else _search(_Keeper(job, how.job), how)


def go_on(path: Path, how: How) -> None:
    """A search that was saved."""
    with one_clear_line():
        from keyfence.search.files import JobFile, read

        if how.estimate:
            _estimate(read(path), how)
        else:
            opened = JobFile.open(path)
            _search(_Keeper(opened.job, path, opened), how)


def show(path: Path, how: How) -> None:
    """How far a job is."""
    with one_clear_line():
        from keyfence.search.files import read

        from .showing import result, standing

        job = read(path)
        for line in (*standing(job), *(result(job, how.reveal) if job.complete or job.hits else ())):
            print(line)


def estimate_blank(how: How) -> None:
    """What a DES key takes of which nothing is known, from a chosen pair."""
    with one_clear_line():
        from keyfence.search.des.problem import DesProblem
        from keyfence.search.job import Job

        block = bytes(8)
        _estimate(Job.of(DesProblem(((block, block),), complement=(b"\xff" * 8, block))), how)


def _estimate(job: "Job", how: How) -> None:
    from .estimating import lines

    for line in lines(job, how):
        print(line)


def _search(keeper: "_Keeper", how: How) -> NoReturn:
    from keyfence.search.problem import SearchError
    from keyfence.search.work import Work

    from .showing import progress, result, unsure

    with progress(keeper.job) as shown:
        work = Work(keeper.job, keeper.save, shown)
        try:
            interrupted = _worked(work, how)
        except SearchError as error:  # a scheduler or a device that was lost on the way
            if work.unsaved is not None or work.job.done == keeper.job.done:
                raise
            could_not_run(f"{error}; keyfence search --resume {keeper.path} goes on")
        if not work.job.complete or keeper.saved:
            work.save()
    for line in result(work.job, how.reveal) if work.job.complete or work.job.hits else ():
        print(line)
    for line in unsure(work.job):
        print(line, file=sys.stderr)
    if not work.job.complete and work.unsaved is not None:
        could_not_run(f"interrupted, and the job could not be saved: {work.unsaved}")
    if not work.job.complete and interrupted:
        could_not_run(f"interrupted; keyfence search --resume {keeper.path} goes on")
    raise typer.Exit(Found.YES if work.job.hits else Found.NO)


def _worked(work: "Work", how: How) -> bool:
    """Searches until nothing is missing; whether it was interrupted. What was done until an error is saved."""
    try:
        with _terminated_is_interrupted():
            if how.cluster is not None:
                from keyfence.search import cluster

                cluster.run(work, how.cluster)
            else:
                from keyfence.search.registry import engine_for
                from keyfence.search.work import run

                run(work, engine_for(work.job.problem, how.way), how.thread_count)
    except KeyboardInterrupt:
        return True
    except BaseException:
        if work.job.done or work.job.hits:
            work.save()
        raise
    return False


@contextmanager
def _terminated_is_interrupted() -> Iterator[None]:
    """SIGTERM is treated as Ctrl-C is: the job is saved."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Keeper:
    """Where a job is saved: the file it came from or that was named, else a new one here once it takes longer."""

    def __init__(self, job: "Job", path: Path | None, file: "JobFile | None" = None) -> None:
        from keyfence.search.files import JobFile

        self.job, self._complained = job, False
        self.path = path or Path(f"keyfence-search-{datetime.now():%Y%m%d-%H%M%S}-{time.time_ns() % 1000:03}.job")
        self._file = JobFile.create(self.path, job) if path is not None and file is None else file

    @property
    def saved(self) -> bool:
        """Whether there is a file."""
        return self._file is not None

    def save(self, job: "Job") -> None:
        """Raises BadJob, and says so at once: a search of hours is not to end before anybody knows that it was not saved."""
        from keyfence.search.problem import BadJob

        try:
            self._save(job)
        except BadJob as error:
            if not self._complained:
                complain(f"the job cannot be saved: {error}")
            self._complained = True
            raise
        self._complained = False

    def _save(self, job: "Job") -> None:
        from keyfence.search.files import JobFile

        if self._file is not None:
            self._file.save(job)
        elif not job.complete:  # what ends before it is saved once needs no file
            self._file = JobFile.create(self.path, job)
