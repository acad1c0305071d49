#!/usr/bin/env python3
"""The DES search on OpenCL devices beside the native one, and beside hashcat where it is installed: one run, in turns.

bench/search_opencl.py [--rounds 5] [--seconds 2] [--device NAME]

A processor's rates are told per second of processor time too, which other work on the machine changes little; a GPU's
own time nobody counts.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping

from keyfence.search.bench import Contender, Measured, NoProgram
from keyfence.search.bench.measured import engine_rate, in_turns
from keyfence.search.bench.ours import chosen_pair, des_problem
from keyfence.search.bench.programs import hashcat, program
from keyfence.search.des import DesProblem
from keyfence.search.des import Engine as Native
from keyfence.search.des.native import usable_paths
from keyfence.search.opencl import Engine
from keyfence.search.opencl.platforms import chosen
from keyfence.search.threads import processors

PROBLEMS = {"40 bits": des_problem(), "chosen pair": chosen_pair()}
NARROWER = {"avx2": "ulong4", "generic": "ulong2"}
"""Native paths and the vectors of the same width, both with gates of two inputs."""
HASHCAT_SECONDS = 10.0


def versions(device: str | None) -> bool:
    """Whether the device is a GPU."""
    described, handle = chosen(device)
    print(f"{described.name}, {described.units} compute units, {handle.version}; {processors()} processors")
    return described.kind == "gpu"


def compiled(engine: Native | Engine, problem: DesProblem) -> str:
    """How long it is until a first answer."""
    began = time.perf_counter()
    engine.search(problem, 0, 512)
    return f"{1000 * (time.perf_counter() - began):.0f} ms"


def contender(
    name: str, engine: Native | Engine, problem: DesProblem, seconds: float, count: int, clock: bool = False
) -> Contender:
    print(f"{compiled(engine, problem):>10}  until a first answer: {name}")

    def measure() -> Measured:
        found = engine_rate(engine, problem, seconds, count)
        return Measured(found.wall, None) if clock else found

    return Contender(name, measure)


def contenders(device: str | None, seconds: float, gpu: bool) -> Iterator[tuple[Contender, Contender]]:
    """An OpenCL contender, and what it is compared with."""
    for what, problem in PROBLEMS.items():
        for count in sorted({1, processors()}):
            name = f"{what}, {count} thread{'s' if count > 1 else ''}"
            native = contender(f"native, {name}", Native(), problem, seconds, count)
            yield contender(f"OpenCL, {name}", Engine(device), problem, seconds, count, gpu), native
    if not gpu:
        usable = {path.name for path in usable_paths()}
        for path, vector in NARROWER.items():
            if path in usable:
                native = contender(f"native {path}, 40 bits, 1 thread", Native(path), des_problem(), seconds, 1)
                ours = Engine(device, vector=vector)
                yield contender(f"OpenCL {vector}, 40 bits, 1 thread", ours, des_problem(), seconds, 1), native


def theirs(gpu: bool) -> Iterator[Contender]:
    try:
        print(program("hashcat").described())
    except NoProgram as missing:
        print(missing)
        return
    yield Contender("hashcat -m 14000", lambda: hashcat(HASHCAT_SECONDS, 2 if gpu else 1))


def ratio(found: Mapping[str, Measured], ours: str, other: str) -> None:
    (wall, processor), (their_wall, their_processor) = ((found[it].wall, found[it].processor) for it in (ours, other))
    of_processor = f"{processor / their_processor:8.2f}" if processor and their_processor else f"{'–':>8}"
    print(f"{wall / their_wall:8.2f} {of_processor} × {other} ({ours})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--device", help="a name or an index; without it a GPU if there is one")
    given = parser.parse_args()
    gpu = versions(given.device)
    pairs = list(contenders(given.device, given.seconds, gpu))
    others = list(theirs(gpu))
    running = [it for pair in pairs for it in pair] + others
    found = in_turns(running, given.rounds, lambda line: print(line, file=sys.stderr))
    print("M keys/s of the clock's time, of processor time:")
    for name, rate in found.items():
        print(f"{rate.wall / 1e6:10.1f} {(rate.processor or 0) / 1e6:8.1f}  {name}")
    print("Ratios, of the clock's time and of processor time:")
    for ours, native in pairs:
        ratio(found, ours.name, native.name)
    for other in others:
        for ours, _ in pairs:
            ratio(found, ours.name, other.name)


if __name__ == "__main__":
    main()
