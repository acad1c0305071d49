"""A job's file: private, whole at every moment, one process at a time."""

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
