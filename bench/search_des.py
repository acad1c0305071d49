#!/usr/bin/env python3
"""`keyfence search bench`, and what only work on the DES kernel asks: its circuits, and how much a set of bits matters.

bench/search_des.py [--against hashcat,john] [--rounds 3] [--seconds 2]
"""

import argparse
import sys
from typing import Final

from keyfence.search.bench import Options, run
from keyfence.search.bench.measured import engine_rate
from keyfence.search.bench.ours import des_problem
from keyfence.search.des import Engine
from keyfence.search.des.circuits import load

SETS: Final = 50
TRIES: Final = 3


def circuits() -> None:
    for name in ("lut3", "gate2"):
        counts = [len(circuit.gates) for circuit in load(name)]
        print(f"{name}: gates of S1 to S8 {counts}, {sum(counts) / 8:.1f} on average")
    print(f"{des_problem().layout.boxes_per_flip:.1f} boxes a vector outside the innermost loop")


def spread(seconds: float) -> float:
    """The slowest of 50 random sets of 32 unknown bits as a share of the fastest, in processor time, each the best of three."""
    engine, sets, best = Engine(), [des_problem(32, seed) for seed in range(SETS)], [0.0] * SETS
    for _ in range(TRIES):
        best = [max(rate, engine_rate(engine, it, seconds).processor or 0) for rate, it in zip(best, sets, strict=True)]
    return min(best) / max(best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", default="", help="hashcat,john")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    circuits()
    options = Options(tuple(filter(None, given.against.split(","))), given.rounds, given.seconds)
    run(options, print, lambda line: print(line, file=sys.stderr))
    print(f"the slowest of {SETS} sets of 32 unknown bits has {100 * spread(0.1):.0f} % of the fastest's rate (aim: 75)")


if __name__ == "__main__":
    main()
