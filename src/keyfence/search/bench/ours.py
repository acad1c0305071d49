"""The ways to compute that this machine has, each with a problem that it can work on for as long as it is asked to."""

from collections.abc import Iterator
from random import Random
from typing import Final

from keyfence.search.des.native import usable_paths
from keyfence.search.des.problem import DesProblem
from keyfence.search.opencl import devices
from keyfence.search.problem import MissingExtra, NoSuchPath, Problem
from keyfence.search.registry import engine_for
from keyfence.search.short.problem import Algorithm, ShortKeyProblem
from keyfence.search.threads import processors

from .measured import Contender, Measured, engine_rate

UNKNOWN_BITS: Final = 40
WARM_UP: Final = 0.01  # seconds: a kernel is compiled when it is first asked for


def des_problem(unknown: int = UNKNOWN_BITS, seed: int = 0) -> DesProblem:
    """Random unknown positions, and blocks that no key is known to fit."""
    random = Random(seed)  # noqa: S311
    positions = random.sample([position for position in range(64) if position % 8 != 7], unknown)
    mask = 2**64 - 1 - sum(1 << (63 - position) for position in positions)
    return DesProblem(((random.randbytes(8), random.randbytes(8)),) * 2, mask, 0)


def chosen_pair() -> DesProblem:
    """All 56 bits unknown, P and its complement known."""
    random = Random(1)  # noqa: S311
    return DesProblem(((bytes(8), random.randbytes(8)),), complement=(b"\xff" * 8, random.randbytes(8)))


SHORT: Final = {Algorithm.HMAC_SHA256: (16, 32), Algorithm.HMAC_SHA1: (16, 20), Algorithm.RC4: (5, 16), Algorithm.AES: (16, 16)}
"""Bytes of the key and of what it made."""


def short_problem(algorithm: Algorithm) -> ShortKeyProblem:
    """Five bytes of the key unknown, at its end: RC4-40, or the rest of a longer key."""
    random, (size, length) = Random(2), SHORT[algorithm]  # noqa: S311
    sample = random.randbytes(length), random.randbytes(length)
    return ShortKeyProblem.unknown_bytes(algorithm, (sample,), bytes(size), frozenset(range(size - 5, size)))


def des_names() -> tuple[str, str, str, str]:
    """One thread, all threads; the same with a chosen pair."""
    return (
        "DES, 1 thread",
        f"DES, {processors()} threads",
        "DES chosen pair, 1 thread",
        f"DES chosen pair, {processors()} threads",
    )


def contenders(seconds: float) -> Iterator[Contender]:
    """All of ours, the fastest path of DES first; their kernels are compiled on the way. Raises MissingExtra."""
    one, every, pair_one, pair_every = des_names()
    yield from _on_threads(one, every, des_problem(), seconds)
    yield from _on_threads(pair_one, pair_every, chosen_pair(), seconds)
    for path in usable_paths()[1:]:
        yield _contender(f"DES {path.name}, 1 thread", des_problem(), seconds, path=path.name)
    yield from opencl(seconds)
    for algorithm in SHORT:
        problem = short_problem(algorithm)
        yield from _on_threads(f"{algorithm}, 1 thread", f"{algorithm}, {processors()} threads", problem, seconds)


def opencl(seconds: float) -> Iterator[Contender]:
    """Every OpenCL device, with and without a chosen pair; none without pyopencl, or where there is no device."""
    for index, (name, is_gpu) in enumerate(opencl_devices()):
        for mark, problem in (("", des_problem()), (" chosen pair", chosen_pair())):
            found = _contender(f"DES{mark}, OpenCL on {name}", problem, seconds, path=f"opencl:{index}")
            yield _on_the_clock(found) if is_gpu else found


def opencl_devices() -> list[tuple[str, bool]]:
    """Names, and whether each is a GPU, whose work this process's processor time says nothing about."""
    try:
        return [(device.name, device.kind == "gpu") for device in devices()]
    except (MissingExtra, NoSuchPath):
        return []


def _on_threads(one: str, every: str, problem: Problem, seconds: float) -> Iterator[Contender]:
    yield _contender(one, problem, seconds)
    if processors() > 1:
        yield _contender(every, problem, seconds, processors())


def _on_the_clock(contender: Contender) -> Contender:
    """Without processor time."""
    return Contender(contender.name, lambda: Measured(contender.measure().wall, None))


def _contender(name: str, problem: Problem, seconds: float, count: int = 1, path: str | None = None) -> Contender:
    engine = engine_for(problem, path)
    engine.rate(problem, seconds=WARM_UP, threads=count)
    return Contender(name, lambda: engine_rate(engine, problem, seconds, count))
