"""A Dask scheduler and workers, each a process, as on a cluster."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from keyfence.search.ranges import Ranges

HERE = Path(__file__).parent
SECONDS = 60  # until a process that says nothing is taken for dead


@dataclass(frozen=True)
class Process:
    """A process and the file that its output goes to."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def text(self) -> str:
        return self.output.read_text()

    def says(self, words: str) -> None:
        """Waits for that."""
        until = time.monotonic() + SECONDS
        while words not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < until, self.text
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(SECONDS)


@dataclass(frozen=True)
class Worker(Process):
    """A recorder."""

    log: Path

    def logged(self, word: str) -> list[tuple[int, int]]:
        lines = [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return [(int(start), int(stop)) for first, start, stop in lines if first == word]

    @property
    def searched(self) -> Ranges:
        return Ranges.of(*self.logged("end"))

    @property
    def busy(self) -> bool:
        return len(self.logged("begin")) > len(self.logged("end"))


@contextmanager
def started(output: Path, *arguments: str | Path, **variables: str) -> Iterator[Process]:
    """A Python process; killed at the end if it is still there."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | variables,
        )
    try:
        yield Process(process, output)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def scheduler(directory: Path, *options: str | Path) -> Iterator[tuple[str, Process]]:
    """Its address, and the process."""
    file = directory / "scheduler.json"
    command = ("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    with started(directory / "scheduler.log", *command, "--scheduler-file", file, *options) as process:
        process.says("Scheduler at:")
        until = time.monotonic() + SECONDS
        while not (file.exists() and file.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        yield json.loads(file.read_text())["address"], process


@contextmanager
def worker(
    directory: Path, address: str, name: str, *wrong: str, device: str = "generic", **variables: str
) -> Iterator[Worker]:
    """One that may not have joined yet: it `says("searching")` when it has."""
    log = directory / f"{name}.chunks"
    script = ("-W", "error", HERE / "recorder.py", address, log, device, *wrong)
    with started(directory / f"{name}.log", *script, **variables) as process:
        yield Worker(process.process, process.output, log)
