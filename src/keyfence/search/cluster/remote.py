"""What runs at a worker: Dask calls `greet` and `search` in its one thread, and `stop` beside it.

They answer with data, errors included: Dask would log an exception together with the task's arguments. What could be
logged of those shows nothing of the problem.
"""

import os
import time
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from typing import Annotated, Any

import msgspec

import keyfence
from keyfence.cryptoki import KeyfenceError
from keyfence.search.problem import Engine, Hit, Problem
from keyfence.search.registry import engine_for, from_plain, to_plain

MEASURED_SECONDS = 0.25
Words = Annotated[str, msgspec.Meta(max_length=2000)]
"""What a worker says of itself, and what is shown of it: no more than a screen."""


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """A problem as plain data; it holds known bits of a key and shows none."""

    text: bytes

    @classmethod
    def of(cls, problem: Problem) -> "Asked":
        return cls(msgspec.json.encode(to_plain(problem)))

    def __repr__(self) -> str:
        return "Asked(…)"


@dataclass(frozen=True, slots=True)
class Node:
    """How this process computes: the engine's path (None: the fastest) and its threads (None: as many as Dask's)."""

    path: str | None = None
    threads: int | None = None

    def __str__(self) -> str:
        return f"{self.path or 'the fastest path'}, threads: {self.threads}"

    @classmethod
    def from_environment(cls) -> "Node":
        """For workers that Dask started: KEYFENCE_DEVICE and KEYFENCE_THREADS."""
        threads = os.environ.get("KEYFENCE_THREADS", "")
        return cls(os.environ.get("KEYFENCE_DEVICE") or None, int(threads) if threads.isdecimal() else None)


@dataclass(frozen=True, slots=True)
class Greeting:
    """A worker that can search this problem, at `rate` candidates per second."""

    version: Words
    path: Words
    threads: int
    rate: float


@dataclass(frozen=True, slots=True)
class Report:
    """All of the chunk below `below` has been searched, in `seconds`. A worker that is `leaving` wants no other one.

    Behind a hit `below` is the number of the key and one: it shows as little as the hit does.
    """

    below: int = field(repr=False)
    hits: tuple[Hit, ...]
    seconds: float
    leaving: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why this worker cannot search this problem."""

    version: Words
    reason: Words


Answer = Greeting | Report | Refusal


def understood(answer: object) -> Answer | None:
    """The answer, if it is one of ours and all that is in it has its type; a worker may have other classes by these names."""
    kind: type[Any] = type(answer)
    if kind not in (Greeting, Report, Refusal):
        return None
    try:
        found: Answer = msgspec.convert(msgspec.to_builtins(answer), kind)
    except Exception:  # whatever a stranger's object does when it is looked at
        return None
    measured = {Greeting: "rate", Report: "seconds"}.get(type(found))
    return found if measured is None or isfinite(getattr(found, measured)) else None


class Here:
    """This process as a worker: what it is, and which runs it was told to stop."""

    node = Node.from_environment()
    stopped: set[str] = set()  # noqa: RUF012  one for the process
    leaving = False


def greet(asked: Asked) -> Greeting | Refusal:
    """What this worker is, with its rate as measured on this problem."""
    try:
        problem, engine = _prepared(asked)
        rate = engine.rate(problem, seconds=MEASURED_SECONDS, threads=_threads())
    except Exception as error:
        return _refusal(error)
    keys_each = problem.keys / problem.candidates
    return Greeting(keyfence.__version__, engine.path, _threads(), rate / keys_each)


def search(asked: Asked, run: str, start: int, stop: int, every: bool, seconds: float) -> Report | Refusal:
    """The chunk, or as much of it as `seconds` are enough for; without `every` up to its first hit."""
    began, below, hits = time.perf_counter(), start, list[Hit]()

    def told(number: int) -> None:
        nonlocal below
        below = number

    def enough() -> bool:
        return Here.leaving or run in Here.stopped or time.perf_counter() >= began + seconds

    try:
        if enough():  # told to stop before it began
            return Report(start, (), 0.0, Here.leaving)
        problem, engine = _prepared(asked)
        while below < stop and not enough() and (every or not hits):
            hit = engine.search(problem, below, stop, threads=_threads(), stop_flag=enough, progress=told)
            hits += [hit] if hit is not None else []
    except Exception as error:
        return _refusal(error)
    return Report(below, tuple(hits), time.perf_counter() - began, Here.leaving)


def stop(run: str) -> None:
    """Ends what this worker searches for that run, and what it would; nothing of the problem is kept."""
    Here.stopped.add(run)
    _prepared.cache_clear()


@lru_cache(maxsize=4)
def _prepared(asked: Asked) -> tuple[Problem, Engine[Any]]:
    """A GPU's engine compiles: it is made once for a problem. Raises BadProblem where numbers mean another thing here."""
    problem = from_plain(msgspec.json.decode(asked.text))
    return problem, engine_for(problem, Here.node.path)


def _threads() -> int:
    if Here.node.threads is not None:
        return Here.node.threads
    from distributed import get_worker

    return int(get_worker().state.nthreads)


def _refusal(error: Exception) -> Refusal:
    """Our own errors speak for themselves and hold no secrets; of others, whose text could, the kind is enough."""
    reason = str(error) if isinstance(error, KeyfenceError) else f"it failed with {type(error).__name__}"
    return Refusal(keyfence.__version__, reason)
