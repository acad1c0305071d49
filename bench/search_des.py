#!/usr/bin/env python3
"""DES keys per second beside hashcat and John the Ripper, in one run: rounds that take turns, medians, ratios.

    bench/search_des.py [--rounds 5] [--seconds 2]

Needs Debian's hashcat with pocl-opencl-icd, and john; what is not installed is left out. All use both processors where
they say so. Every number is wall-clock time on a machine that others may use too: only the ratios mean something.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from random import Random

from keyfence.search.des import DesProblem, Engine
from keyfence.search.des.circuits import load
from keyfence.search.des.native import usable_paths

UNKNOWN_BITS = 40
SETS = 50
Rate = Callable[[], float]


def problem(unknown: int, seed: int = 0) -> DesProblem:
    """Random unknown positions, and blocks that no key is known to fit."""
    random = Random(seed)  # noqa: S311
    positions = random.sample([position for position in range(64) if position % 8 != 7], unknown)
    mask = 2**64 - 1 - sum(1 << (63 - position) for position in positions)
    return DesProblem(((random.randbytes(8), random.randbytes(8)),) * 2, mask, 0)


def complemented_problem() -> DesProblem:
    random = Random(1)  # noqa: S311
    return DesProblem(((bytes(8), random.randbytes(8)),), complement=(b"\xff" * 8, random.randbytes(8)))


def hashcat() -> float:
    """-m 14000 (DES, known plaintext), hashcat's own benchmark with its optimised kernel, all processors."""
    command = ["hashcat", "-b", "-m", "14000", "--machine-readable", "--quiet"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
    lines = [line.split(":") for line in shown.splitlines() if re.match(r"\d+:14000:", line)]
    return sum(float(line[-1]) for line in lines)


def john(threads: int) -> float:
    """LM, a DES encryption of a constant under each candidate: john's own benchmark, candidates per second."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [shutil.which("john") or "/usr/sbin/john", "--test=2", "--format=LM"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout  # noqa: S603
    found = re.search(r"(\d+)([KM]?) c/s real", shown)
    return int(found[1]) * {"": 1, "K": 10**3, "M": 10**6}[found[2]] if found else 0.0


def contenders(seconds: float) -> dict[str, Rate]:
    some, all_unknown = problem(UNKNOWN_BITS), complemented_problem()
    rates: dict[str, Rate] = {}
    for path in usable_paths():
        rates[f"{path.name}, 1 thread"] = lambda name=path.name: Engine(name).rate(some, seconds=seconds)
    rates["best path, 2 threads"] = lambda: Engine().rate(some, seconds=seconds, threads=2)
    rates["complemented pair, 1 thread"] = lambda: Engine().rate(all_unknown, seconds=seconds)
    rates["complemented pair, 2 threads"] = lambda: Engine().rate(all_unknown, seconds=seconds, threads=2)
    if shutil.which("hashcat"):
        rates["hashcat -m 14000, all processors"] = hashcat
    if shutil.which("john") or os.path.exists("/usr/sbin/john"):
        rates["john LM, 1 thread"] = lambda: john(1)
        rates["john LM, 2 threads"] = lambda: john(2)
    return rates


def medians(rates: dict[str, Rate], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in rates}
    for number in range(rounds):
        for name, rate in rates.items():
            taken[name].append(rate())
        print(f"round {number + 1} of {rounds} done", file=sys.stderr)
    return {name: statistics.median(values) for name, values in taken.items()}


def ratio(found: dict[str, float], ours: str, theirs: str, bar: float) -> None:
    if found.get(theirs):
        print(f"{found[ours] / found[theirs]:8.2f} × {theirs:34} ({ours}; bar {bar})")


def spread(seconds: float) -> float:
    """The slowest of 50 random sets of 32 unknown bits as a share of the fastest, each the best of three turns."""
    sets = [problem(32, seed) for seed in range(SETS)]
    best = [0.0] * SETS
    for _ in range(3):
        best = [max(rate, Engine().rate(it, seconds=seconds)) for rate, it in zip(best, sets, strict=True)]
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
    for name, rate in found.items():
        print(f"{rate / 1e6:10.1f} M keys/s  {name}")
    print("Ratios:")
    ratio(found, "best path, 2 threads", "hashcat -m 14000, all processors", 16)
    ratio(found, "complemented pair, 2 threads", "hashcat -m 14000, all processors", 33)
    ratio(found, f"{Engine().path}, 1 thread", "john LM, 1 thread", 6)
    ratio(found, "best path, 2 threads", "john LM, 2 threads", 6)
    ratio(found, "complemented pair, 1 thread", "john LM, 1 thread", 12)
    ratio(found, "best path, 2 threads", f"{Engine().path}, 1 thread", 1.9)
    print(f"{2**32 / found['best path, 2 threads']:8.1f} s for 2^32 keys on two threads (aim: under 10)")
    print(f"{100 * spread(0.1):8.0f} % of the fastest of {SETS} sets of 32 unknown bits is the slowest (bar: 75)")


if __name__ == "__main__":
    main()
