"""A job's file: at every moment whole, private to its owner, worked on by one process at a time.

It holds blocks and known bits of a key, so its mode is 0600. It is written beside itself, synced and moved into place.
The lock is on the file itself: whoever saves locks the new one before it takes the old one's place. What a process that
was killed while it wrote left beside the job is gone when the job is opened again.
"""

import fcntl
import glob
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from .job import Job, from_text, to_text
from .problem import BadJob

MOST_BYTES: Final = 1 << 28  # of a job file: no search leaves so many gaps
_BESIDE: Final = ".unsaved"


def read(path: Path) -> Job:
    """The job as it was saved last, by whatever process. Raises BadJob."""
    with _told(path), open(_opened(path, os.O_RDONLY), "rb") as file:
        text = file.read(MOST_BYTES + 1)
    try:
        if len(text) > MOST_BYTES:
            raise BadJob("larger than any job file")
        return from_text(text)
    except BadJob as error:
        raise BadJob(f"{path}: {error}") from None


class JobFile:
    """A job's file while this process works on it. `create` and `open` raise BadJob; so does `save` where it cannot."""

    def __init__(self, path: Path, job: Job, descriptor: int) -> None:
        self.path, self.job, self._descriptor = path, job, descriptor

    @classmethod
    def create(cls, path: Path, job: Job) -> Self:
        """A new file; what is there already is left alone."""
        with _told(path):
            descriptor, beside = _written(path, job)
            try:
                os.link(beside, path)
            except FileExistsError:
                os.close(descriptor)
                raise BadJob(f"{path}: it is there already; if it is a job, --resume goes on with it") from None
            finally:
                os.unlink(beside)
        return cls(path, job, descriptor)

    @classmethod
    def open(cls, path: Path) -> Self:
        """A file that is there, unless another process works on it; a link's target, not the link, is what will be replaced."""
        with _told(path):
            path = Path(os.path.realpath(path))
            descriptor = _locked(path)
        try:
            job = read(path)
            _tidy(path)
            return cls(path, job, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def save(self, job: Job) -> None:
        """The whole file or none of it."""
        with _told(self.path):
            descriptor, beside = _written(self.path, job)
            try:
                os.replace(beside, self.path)
            finally:  # an interrupt may come when it is replaced already
                if os.path.exists(beside):
                    os.close(descriptor)
                    os.unlink(beside)
                else:
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
    descriptor, beside = tempfile.mkstemp(_BESIDE, f".{path.name}.", path.parent)
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


def _tidy(path: Path) -> None:
    """Removes what nobody writes any more."""
    for beside in path.parent.glob(f".{glob.escape(path.name)}.*{_BESIDE}"):
        with suppress(OSError), open(beside, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            beside.unlink()


def _opened(path: Path, how: int) -> int:
    """A descriptor of a file; a pipe or a device is refused, and not waited for."""
    descriptor = os.open(path, how | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadJob(f"{path}: a directory, a pipe or a device, and not a job file")
    return descriptor


def _locked(path: Path) -> int:
    """The file's descriptor, locked: of the file that lies there NOW, not of one that was replaced meanwhile."""
    while True:
        descriptor = _opened(path, os.O_RDWR)  # NFS locks only what is open for writing: flock(2)
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
