"""What a measurement is, and how several take turns."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from keyfence.search.problem import Engine, Problem


@dataclass(frozen=True, slots=True)
class Measured:
    """Keys per second of the clock's time, and per second of processor time; None where that says nothing."""

    wall: float
    processor: float | None


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that tries keys: `measure` lets it work for a while."""

    name: str
    measure: Callable[[], Measured]


def engine_rate(engine: Engine[Any], problem: Problem, seconds: float, threads: int = 1) -> Measured:
    """What an engine of ours counts; its threads are this process's."""
    began, used = time.perf_counter(), time.process_time()
    rate = engine.rate(problem, seconds=seconds, threads=threads)
    share = (time.process_time() - used) / (time.perf_counter() - began)
    return Measured(rate, rate / share if share > 0 else None)


def in_turns(contenders: Sequence[Contender], rounds: int, told: Callable[[str], None]) -> Mapping[str, Measured]:
    """Medians by name, in the contenders' order. `told` hears of every round's end."""
    taken: dict[str, list[Measured]] = {contender.name: [] for contender in contenders}
    for number in range(1, rounds + 1):
        for contender in contenders:
            taken[contender.name].append(contender.measure())
        told(f"round {number} of {rounds} done")
    return {name: _medians(them) for name, them in taken.items()}


def _medians(them: Sequence[Measured]) -> Measured:
    processor = [it.processor for it in them if it.processor is not None]
    return Measured(median(it.wall for it in them), median(processor) if processor else None)
