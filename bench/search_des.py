#!/usr/bin/env python3
"""DES keys per second beside hashcat and John the Ripper, in one run: rounds that take turns, medians, ratios.

    bench/search_des.py [--rounds 5] [--seconds 2]

Needs Debian's hashcat with pocl-opencl-icd, and john; what is not installed is left out. All use both processors where
they say so. On a machine that others use too, only the ratios mean something; rates are
given per second of processor time as well, which a busy machine changes little.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median

from keyfence.search.des import DesProblem, Engine
from keyfence.search.des.circuits import load
from keyfence.search.des.native import usable_paths

UNKNOWN_BITS = 40
SETS = 50
HASHCAT_SECONDS = 20
CHARSET = "/usr/share/hashcat/charsets/DES_full.hcchr"  # the 128 bytes that differ in more than parity
Measured = tuple[float, float]
"""Keys per second of wall-clock time, and per second of processor time."""
Rate = Callable[[], Measured]


def problem(unknown: int, seed: int = 0) -> DesProblem:
    """Random unknown positions, and blocks that no key is known to fit."""
    random = Random(seed)  # noqa: S311
    positions = random.sample([position for position in range(64) if position % 8 != 7], unknown)
    mask = 2**64 - 1 - sum(1 << (63 - position) for position in positions)
    return DesProblem(((random.randbytes(8), random.randbytes(8)),) * 2, mask, 0)


def complemented_problem() -> DesProblem:
    random = Random(1)  # noqa: S311
    return DesProblem(((bytes(8), random.randbytes(8)),), complement=(b"\xff" * 8, random.randbytes(8)))


def hashcat() -> Measured:
    """-m 14000 (DES, known plaintext) at work on all processors: what a mask attack got done after its warm-up.

    hashcat's own benchmark times one short call; on a busy machine that says little, and not per processor second.
    """
    command = ["hashcat", "-m", "14000", "-a", "3", "--quiet", "--potfile-disable", "--self-test-disable", "-w", "3"]
    command += ["--status", "--status-timer=1", "--machine-readable", f"--runtime={HASHCAT_SECONDS}", "-1", CHARSET]
    command += ["a28bc61d44bb815c:1172383839353938", "?1" * 8]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:  # noqa: S603
        samples = [
            (time.monotonic(), int(found[1]), processor_seconds(process.pid))
            for line in process.stdout or ()
            if (found := re.search(r"PROGRESS\t(\d+)", line))
        ]
    first, last = samples[len(samples) // 4], samples[-1]
    wall, done, processor = (after - before for before, after in zip(first, last, strict=True))
    return done / wall, done / processor


def processor_seconds(pid: int) -> float:
    """User and system time of a process and its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def john(threads: int) -> Measured:
    """LM, a DES encryption of a constant under each candidate: john's own benchmark, candidates per second."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [shutil.which("john") or "/usr/sbin/john", "--test=2", "--format=LM"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout  # noqa: S603
    rates = re.findall(r"(\d+)([KM]?) c/s (?:real|virtual)", shown)
    wall, processor = (int(digits) * {"": 1, "K": 10**3, "M": 10**6}[unit] for digits, unit in rates)
    return float(wall), float(processor)


def ours(engine: Engine, searched: DesProblem, seconds: float, threads: int = 1) -> Measured:
    """What the engine counts, and the same per second of processor time that its threads got."""
    began, used = time.perf_counter(), time.process_time()
    rate = engine.rate(searched, seconds=seconds, threads=threads)
    return rate, rate * (time.perf_counter() - began) / (time.process_time() - used)


def contenders(seconds: float) -> dict[str, Rate]:
    some, all_unknown = problem(UNKNOWN_BITS), complemented_problem()
    rates: dict[str, Rate] = {}
    for path in usable_paths():
        rates[f"{path.name}, 1 thread"] = lambda name=path.name: ours(Engine(name), some, seconds)
    rates["best path, 2 threads"] = lambda: ours(Engine(), some, seconds, 2)
    rates["complemented pair, 1 thread"] = lambda: ours(Engine(), all_unknown, seconds)
    rates["complemented pair, 2 threads"] = lambda: ours(Engine(), all_unknown, seconds, 2)
    if shutil.which("hashcat"):
        rates["hashcat -m 14000, all processors"] = hashcat
    if shutil.which("john") or os.path.exists("/usr/sbin/john"):
        rates["john LM, 1 thread"] = lambda: john(1)
        rates["john LM, 2 threads"] = lambda: john(2)
    return rates


def medians(rates: dict[str, Rate], rounds: int) -> dict[str, Measured]:
    taken: dict[str, list[Measured]] = {name: [] for name in rates}
    for number in range(rounds):
        for name, rate in rates.items():
            taken[name].append(rate())
        print(f"round {number + 1} of {rounds} done", file=sys.stderr)
    return {name: (median(w for w, _ in them), median(p for _, p in them)) for name, them in taken.items()}


def ratio(found: dict[str, Measured], our_name: str, their_name: str, bar: float) -> None:
    if their_name not in found:
        return
    (wall, processor), (their_wall, their_processor) = found[our_name], found[their_name]
    print(f"{wall / their_wall:8.2f} {processor / their_processor:8.2f} × {their_name:34} ({our_name}; bar {bar})")


def spread(seconds: float) -> float:
    """The slowest of 50 random sets of 32 unknown bits as a share of the fastest, in processor time, each the best of three."""
    engine, sets, best = Engine(), [problem(32, seed) for seed in range(SETS)], [0.0] * SETS
    for _ in range(3):
        best = [max(rate, ours(engine, it, seconds)[1]) for rate, it in zip(best, sets, strict=True)]
    return min(best) / max(best)


def versions() -> None:
    for command in (["hashcat", "--version"], ["dpkg-query", "-W", "hashcat", "john", "pocl-opencl-icd"]):
        if shutil.which(command[0]):
            print(subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip())  # noqa: S603


def main() -> None:
    parser = argparse.ArgumentParser(description="DES keys per second beside hashcat and john.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    versions()
    for name in ("lut3", "gate2"):
        counts = [len(circuit.gates) for circuit in load(name)]
        print(f"{name}: gates of S1 to S8 {counts}, {sum(counts) / 8:.1f} on average")
    shape = problem(UNKNOWN_BITS).layout
    print(f"{shape.boxes_per_flip:.1f} boxes a vector outside the innermost loop")
    found = medians(contenders(options.seconds), options.rounds)
    print("M keys/s of wall-clock time, of processor time:")
    for name, (wall, processor) in found.items():
        print(f"{wall / 1e6:10.1f} {processor / 1e6:8.1f}  {name}")
    print("Ratios, of wall-clock time and of processor time (two threads at best have 1.00 there):")
    ratio(found, "best path, 2 threads", "hashcat -m 14000, all processors", 16)
    ratio(found, "complemented pair, 2 threads", "hashcat -m 14000, all processors", 33)
    ratio(found, f"{Engine().path}, 1 thread", "john LM, 1 thread", 6)
    ratio(found, "best path, 2 threads", "john LM, 2 threads", 6)
    ratio(found, "complemented pair, 1 thread", "john LM, 1 thread", 12)
    ratio(found, "best path, 2 threads", f"{Engine().path}, 1 thread", 1.9)
    print(f"{2**32 / found['best path, 2 threads'][0]:8.1f} s for 2^32 keys on two threads (aim: under 10)")
    print(f"{100 * spread(0.1):8.0f} % of the fastest of {SETS} sets of 32 unknown bits is the slowest (bar: 75)")


if __name__ == "__main__":
    main()
