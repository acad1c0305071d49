#!/usr/bin/env python3
"""What a cluster costs: the same range of DES keys searched by this process and by workers of a Dask scheduler, in turns.

    bench/search_cluster.py [--rounds 3] [--bits 33]

All on this machine: a scheduler, and one or two workers of one thread each. The whole run is measured from connecting to
the last report; the share of the time that workers searched, from the first chunk's beginning to the last one's end,
is what is left of it in a search of hours. Processor time changes little where others use the machine as well: in chunks,
and what the job's side and the scheduler needed beside them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from statistics import median

import psutil

from keyfence.search import cluster
from keyfence.search.des import DesProblem, Engine
from keyfence.search.job import Job
from keyfence.search.work import Work, run

WORKER = """
import sys, time
from keyfence.search import cluster
from keyfence.search.cluster import remote

log, search = open(sys.argv[2], "a", buffering=1), remote.search

def timed(*chunk):
    began, used = time.time(), time.process_time()
    report = search(*chunk)
    print(began, time.time(), time.process_time() - used, file=log)
    return report

remote.search = timed
cluster.work_for(sys.argv[1], 1)
"""


@contextmanager
def started(*arguments: str) -> Iterator[int]:
    """A Python process: its id."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, *arguments], **quiet) as process:  # noqa: S603
        try:
            yield process.pid
        finally:
            process.terminate()


@contextmanager
def scheduler(directory: Path) -> Iterator[tuple[str, int]]:
    """Its address and process id."""
    file = directory / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    with started("-m", "distributed.cli.dask_scheduler", *options) as pid:
        while not (file.exists() and file.read_text()):
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], pid


def used_by(pid: int) -> float:
    """Processor seconds of another process."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def job(bits: int) -> Work:
    random = Random(0)  # noqa: S311
    pair = (random.randbytes(8), random.randbytes(8))  # no key is known to fit
    return Work(Job.of(DesProblem((pair, pair)), 0, 1 << bits), lambda _: None)


def alone(bits: int, threads: int) -> dict[str, float]:
    work, began, used = job(bits), time.perf_counter(), time.process_time()
    run(work, Engine(), threads)
    return {"seconds": time.perf_counter() - began, "processor seconds": time.process_time() - used}


def together(bits: int, workers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name, scheduler(Path(name)) as (address, pid):
        logs = [Path(name) / str(number) for number in range(workers)]
        with ExitStack() as stack:
            for log in logs:
                stack.enter_context(started("-c", WORKER, address, str(log)))
            time.sleep(5)  # they start, and join
            work, began, used = job(bits), time.perf_counter(), time.process_time() + used_by(pid)
            cluster.run(work, address, said=lambda _: None)
            seconds, beside = time.perf_counter() - began, time.process_time() + used_by(pid) - used
        chunks = [tuple(map(float, line.split())) for log in logs for line in log.read_text().splitlines()]
    span = max(end for _, end, _ in chunks) - min(begin for begin, _, _ in chunks)
    return {
        "seconds": seconds,
        "share of the time that workers searched": sum(end - begin for begin, end, _ in chunks) / span / workers,
        "processor seconds in chunks": sum(used for *_, used in chunks),
        "processor seconds of the job's side and the scheduler": beside,
        "chunks": len(chunks),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="A cluster on this machine beside this process alone.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bits", type=int, default=33, help="numbers of candidates for two, half of them for one")
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    for number in range(options.rounds):
        for count in (1, 2):
            bits = options.bits - 2 + count
            for who, measured in (("threads alone", alone(bits, count)), ("workers", together(bits, count))):
                for name, value in measured.items():
                    found.setdefault(f"{count} {who}, 2^{bits} keys: {name}", []).append(value)
        print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
    for name, values in found.items():
        print(f"{median(values):9.3f}  {name}   ({', '.join(f'{it:.3f}' for it in values)})")


if __name__ == "__main__":
    main()
