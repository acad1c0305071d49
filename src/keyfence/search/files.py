"""A job's file: at every moment whole, private to its owner, worked on by one process at a time.

It holds blocks and known bits of a key, so its mode is 0600. It is written beside itself, synced and moved into place.
The lock is on the file itself: whoever saves locks the new one before it takes the old one's place.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from .job import Job, from_text, to_text
from .problem import BadJob


def read(path: Path) -> Job:
    """The job as it was saved last, by whatever process. Raises BadJob."""
    with _told(path):
        text = path.read_bytes()
    try:
        return from_text(text)
    except BadJob as error:
        raise BadJob(f"{path}: {error}") from None


class JobFile:
    """A job's file while this process works on it. `create` and `open` raise BadJob; so does `save` where it cannot."""

    def __init__(self, path: Path, job: Job, descriptor: int) -> None:
        self.path, self.job, self._descriptor = path, job, descriptor

    @classmethod
    def create(cls, path: Path, job: Job) -> Self:
        """A new file; one that is there is left alone."""
        with _told(path):
            descriptor, beside = _written(path, job)
            try:
                os.link(beside, path)
            except FileExistsError:
                os.close(descriptor)
                raise BadJob(f"{path}: a job is there already; --resume goes on with it") from None
            finally:
                os.unlink(beside)
        return cls(path, job, descriptor)

    @classmethod
    def open(cls, path: Path) -> Self:
        """A file that is there, unless another process works on it."""
        with _told(path):
            descriptor = _locked(path)
        try:
            return cls(path, read(path), descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def save(self, job: Job) -> None:
        """The whole file or none of it."""
        with _told(self.path):
            descriptor, beside = _written(self.path, job)
            try:
                os.replace(beside, self.path)
            except BaseException:
                os.close(descriptor)
                os.unlink(beside)
                raise
        os.close(self._descriptor)
        self.job, self._descriptor = job, descriptor

    def close(self) -> None:
        """Another process may go on."""
        os.close(self._descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the operating system says against a file, as BadJob."""
    try:
        yield
    except OSError as error:
        raise BadJob(f"{path}: {error.strerror or 'cannot be used'}") from None


def _written(path: Path, job: Job) -> tuple[int, str]:
    """The job in a new file beside `path`: its descriptor, locked, and its name."""
    text = to_text(job)
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(text)
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    return descriptor, beside


def _locked(path: Path) -> int:
    """The file's descriptor, locked: of the file that lies there NOW, not of one that was replaced meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise BadJob(f"{path}: another process is working on this job") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
