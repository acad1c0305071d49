#!/usr/bin/env python3
"""weak-algorithm end to end: a TLS 1.2 victim's AES-128-GCM keys by DES, all but some bits of each DES half given.

bench/weak_algorithm.py [token|nss] [--unknown 40] [--searchable des,aes]

Every search is shown with the trials it took and what of the machine's time. 2^34 takes seconds, 2^40 minutes.
"""

import argparse
import time
from collections.abc import Callable

from keyfence.audit import Audit, Opened, Options, Target
from keyfence.audit.demonstration import Demonstration
from keyfence.cryptoki.isolation import IsolatedModule
from keyfence.presets import find_slot, preset
from keyfence.search.problem import Problem
from keyfence.search.threads import processors
from keyfence.token import SoftToken

SUITE = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
TECHNIQUE = "weak-algorithm"


def target(name: str) -> Target:
    if name == "token":
        return Target("software token, classic", SoftToken)
    facts = preset(name)
    return Target(
        name, lambda: IsolatedModule(facts.factory()), lambda module: find_slot(module, facts.slot)[0], gcm_layout=facts.gcm
    )


def shown(search: Callable[[Problem], bytes]) -> Callable[[Problem], bytes]:
    """The same search, that says what it took. A question that was answered before takes nothing, and is not shown."""
    answered: set[Problem] = set()

    def searched(wanted: Problem) -> bytes:
        wall, processor = time.perf_counter(), time.process_time()
        key = search(wanted)
        if wanted not in answered:
            answered.add(wanted)
            tell(wanted, key, time.perf_counter() - wall, time.process_time() - processor)
        return key

    return searched


def tell(wanted: Problem, key: bytes, wall: float, processor: float) -> None:
    bits, tried = wanted.candidates.bit_length() - 1, wanted.candidate(key) + 1
    rate = f"{tried / wall / 1e6:,.0f} M keys/s, {tried / processor / 1e6:,.0f} M per second of processor time"
    print(f"  2^{bits} candidates, found after {tried:.3g}: {wall:.1f} s, {rate if bits > 30 else 'mostly set-up'}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", nargs="?", choices=("token", "nss"), default="token")
    parser.add_argument("--unknown", type=int, default=40, help="bits of every eight bytes that are searched")
    parser.add_argument("--searchable", default="des,aes", help="ciphers to search; with rc4 its keys of five bytes come first")
    options = parser.parse_args()
    demonstration = Demonstration(options.unknown)
    wanted = Options(techniques=(TECHNIQUE,), suites=(SUITE,))
    print(f"{options.module}: {options.unknown} of 56 bits unknown, on {processors()} processors", flush=True)
    opened = Opened(
        target(options.module),
        max_search_bits=options.unknown,
        searchable=options.searchable.split(","),
        demonstration=demonstration,
    )
    opened.bench.search = shown(opened.bench.search)  # type: ignore[assignment]
    began = time.perf_counter()
    try:
        report = Audit(opened, wanted).run()
    finally:
        opened.close()
    for finding in report.findings:
        print(
            f"{finding.mechanism}: {finding.verdict}, {finding.recovered_bytes} of {finding.total_bytes} bytes; {finding.why}"
        )
        for step in finding.steps:
            print(f"    {step}")
    print(f"{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
