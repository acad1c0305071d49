#!/usr/bin/env python3
"""Short and partly known keys per second beside a hashlib loop and hashcat, in one run: turns, medians, ratios.

    bench/search_short.py [--rounds 3] [--seconds 1] [--hashcat-seconds 12]

hashcat (Debian's, with pocl-opencl-icd) is left out where it is not installed; it uses all processors. On a machine that
others use too only rates per second of processor time mean something: those are what the ratios are of.
"""

import argparse
import hmac
import shutil
import sys
import time
from collections.abc import Iterator
from random import Random
from typing import Final

from keyfence.search.bench.measured import Contender, Measured, engine_rate, in_turns
from keyfence.search.bench.programs import hashcat_attack
from keyfence.search.short import Algorithm, Engine, ShortKeyProblem
from keyfence.search.short.paths import usable_paths

UNKNOWN: Final = 5  # bytes
MESSAGE: Final = b"21217"
OUTPUT_BYTES: Final = {Algorithm.HMAC_SHA256: 32, Algorithm.HMAC_SHA1: 20, Algorithm.AES: 16, Algorithm.RC4: 16}
KEY_BYTES: Final = {Algorithm.HMAC_SHA256: (16,), Algorithm.HMAC_SHA1: (16,), Algorithm.AES: (16, 24, 32), Algorithm.RC4: (5,)}
HASHCAT: Final = {Algorithm.HMAC_SHA256: 1450, Algorithm.HMAC_SHA1: 150, Algorithm.AES: 26401}
BAR: Final = 12e6  # HMAC-SHA256 keys per second of processor time


def sample(algorithm: Algorithm) -> tuple[bytes, bytes]:
    """An output that no key is known to make."""
    size = OUTPUT_BYTES[algorithm]
    return (MESSAGE if algorithm.startswith("hmac") else bytes(size)), Random(1).randbytes(size)  # noqa: S311


def problem(algorithm: Algorithm, size: int) -> ShortKeyProblem:
    return ShortKeyProblem.unknown_bytes(algorithm, (sample(algorithm),), b"k" * size, frozenset(range(size - UNKNOWN, size)))


def name_of(algorithm: Algorithm, size: int) -> str:
    return f"{algorithm}, {size}-byte key"


def engines(seconds: float) -> Iterator[Contender]:
    for algorithm, sizes in KEY_BYTES.items():
        for size in sizes:
            asked = problem(algorithm, size)
            for path, threads in [*((path.name, 1) for path in usable_paths()), (Engine().path, 2)]:
                Engine(path).search(asked, 0, 1)  # compiles
                yield Contender(
                    f"{name_of(algorithm, size)}: {path}, {threads} thread{'s' * (threads > 1)}",
                    lambda path=path, asked=asked, threads=threads: engine_rate(Engine(path), asked, seconds, threads),
                )


def hashlib_loop(seconds: float, name: str) -> Measured:
    """A key after the other through Python's own HMAC, one call each."""
    target, known, done = bytes(32), b"k" * (16 - UNKNOWN), 0
    began, used = time.perf_counter(), time.process_time()
    while time.perf_counter() < began + seconds:
        for number in range(done, done + 1000):
            if hmac.digest(known + number.to_bytes(UNKNOWN), MESSAGE, name) == target:
                raise AssertionError
        done += 1000
    return Measured(done / (time.perf_counter() - began), done / (time.process_time() - used))


def hashcat(algorithm: Algorithm, seconds: int) -> Measured:
    """The unknown bytes are the first ones, its fastest way."""
    data, output = sample(algorithm)
    line = f"{output.hex()}:{data.hex() if algorithm == Algorithm.AES else data.decode()}"
    return hashcat_attack(seconds, f"-m {HASHCAT[algorithm]} -O {line} {'?b' * UNKNOWN + 'k' * (16 - UNKNOWN)}")


def others(seconds: float, hashcat_seconds: int) -> Iterator[Contender]:
    for name in ("sha256", "sha1"):
        yield Contender(f"hmac-{name}, 16-byte key: hashlib loop", lambda name=name: hashlib_loop(seconds, name))
    if shutil.which("hashcat"):
        for algorithm, mode in HASHCAT.items():
            name = f"{name_of(algorithm, 16)}: hashcat -m {mode}"
            yield Contender(name, lambda it=algorithm: hashcat(it, hashcat_seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description="Short keys per second beside hashlib and hashcat.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--hashcat-seconds", type=int, default=12)
    options = parser.parse_args()
    theirs = list(others(options.seconds, options.hashcat_seconds))
    found = in_turns([*engines(options.seconds), *theirs], options.rounds, lambda line: print(line, file=sys.stderr))
    print(f"{UNKNOWN} bytes unknown; M keys/s of wall-clock time, of processor time:")
    for name, it in found.items():
        print(f"{it.wall / 1e6:10.2f} {(it.processor or 0) / 1e6:8.2f}  {name}")
    print("Ratios of processor time, our fastest path on one thread to:")
    fastest = f"{Engine().path}, 1 thread"
    for their in theirs:
        ours = found[f"{their.name.partition(':')[0]}: {fastest}"]
        print(f"{(ours.processor or 0) / (found[their.name].processor or 1):10.2f} × {their.name}")
    bar = (found[f"{name_of(Algorithm.HMAC_SHA256, 16)}: {fastest}"].processor or 0) / BAR
    print(f"{bar:10.2f} × the bar of {BAR / 1e6:.0f} M keys/s for HMAC-SHA256")


if __name__ == "__main__":
    main()
