"""A job's file: private, whole at every moment, one process at a time."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from keyfence.search import files
from keyfence.search.files import JobFile, read
from keyfence.search.job import Job
from keyfence.search.problem import BadJob

from .des.blocks import planted

JOB = Job.of(planted(Random(1), bytes(8), 20))
LATER = JOB.with_done(0, 512)


def test_created_saved_and_read(tmp_path: Path) -> None:
    path = tmp_path / "x.job"
    file = JobFile.create(path, JOB)
    assert read(path) == JOB
    file.save(LATER)
    assert read(path) == LATER
    file.close()
    assert JobFile.open(path).job == LATER
    assert os.listdir(tmp_path) == ["x.job"]


def test_private(tmp_path: Path) -> None:
    file = JobFile.create(tmp_path / "x.job", JOB)
    assert (tmp_path / "x.job").stat().st_mode & 0o777 == 0o600
    file.save(LATER)
    assert (tmp_path / "x.job").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.job"
    path.write_text("mine")
    with pytest.raises(BadJob, match="there already"):
        JobFile.create(path, JOB)
    assert path.read_text() == "mine"
    assert os.listdir(tmp_path) == ["x.job"]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "x.job"
    file = JobFile.create(path, JOB)
    program = f"from pathlib import Path; from keyfence.search.files import JobFile; JobFile.open(Path({str(path)!r}))"

    def other() -> str:
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stderr

    assert "another process is working on this job" in other()
    file.save(LATER)
    assert "another process is working on this job" in other()
    file.close()
    assert other() == ""


def test_what_cannot_be_saved_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.job"
    file = JobFile.create(path, JOB)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(BadJob, match=r"x\.job: No space left on device"):
        file.save(LATER)
    monkeypatch.undo()
    assert read(path) == JOB
    assert os.listdir(tmp_path) == ["x.job"]
    file.save(LATER)
    assert read(path) == LATER


def test_no_file_no_directory_no_job(tmp_path: Path) -> None:
    with pytest.raises(BadJob, match="No such file"):
        JobFile.open(tmp_path / "none")
    with pytest.raises(BadJob, match="No such file"):
        JobFile.create(tmp_path / "none" / "x.job", JOB)
    with pytest.raises(BadJob, match="directory"):
        read(tmp_path)
    (tmp_path / "x").write_text("{")
    with pytest.raises(BadJob, match="not a whole job file"):
        JobFile.open(tmp_path / "x")


def test_an_interrupt_right_after_the_file_was_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file is this process's, and locked: neither the interrupt nor the job is lost."""
    path = tmp_path / "x.job"
    file = JobFile.create(path, JOB)
    replace = os.replace

    def interrupted(source: str, target: Path) -> None:
        replace(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        file.save(LATER)
    monkeypatch.undo()
    assert read(path) == file.job == LATER
    with pytest.raises(BadJob, match="another process"):
        JobFile.open(path)
    file.save(JOB)
    file.close()
    assert JobFile.open(path).job == JOB


def test_a_link_to_a_job_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "x.job", tmp_path / "link"
    JobFile.create(path, JOB).close()
    link.symlink_to(path.name)
    file = JobFile.open(link)
    file.save(LATER)
    assert link.is_symlink()
    assert read(path) == LATER
    with pytest.raises(BadJob, match="another process"):
        JobFile.open(path)


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        for use in (read, JobFile.open):
            with pytest.raises(BadJob, match=r"not a job file|Is a directory"):
                use(path)


def test_what_no_search_writes_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    JobFile.create(tmp_path / "x.job", JOB).close()
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    with pytest.raises(BadJob, match="larger than any"):
        read(tmp_path / "x.job")


def test_a_lock_is_on_what_is_open_for_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As NFS wants it (flock(2)); a lock on what is open for reading is refused there with EBADF."""
    JobFile.create(tmp_path / "x.job", JOB).close()
    lock = fcntl.flock

    def as_on_nfs(descriptor: int, operation: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", as_on_nfs)
    file = JobFile.open(tmp_path / "x.job")
    file.save(LATER)
    with pytest.raises(BadJob, match="another process"):
        JobFile.open(tmp_path / "x.job")


KILLED = """
import os, sys
from pathlib import Path
from keyfence.search import files
file = files.JobFile.open(Path(sys.argv[1]))
files.os.replace = lambda *_: os.kill(os.getpid(), 9)
file.save(file.job)
"""


def test_what_a_killed_process_left_is_tidied(tmp_path: Path) -> None:
    path = tmp_path / "[x].job"
    JobFile.create(path, JOB).close()
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False).returncode == -9
    assert len(os.listdir(tmp_path)) == 2
    assert JobFile.open(path).job == JOB
    assert os.listdir(tmp_path) == ["[x].job"]
