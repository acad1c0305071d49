"""What a search takes: time, machine-hours and money, from a measured rate or a published one. Only arithmetic.

    left = Amount.of(job)
    by_rate(left, engine.rate(job.problem, threads=2), threads=2, machines=40, price=0.03)
    by_gpu(left, "RTX 4090", machines=8)
    lines(either)                           a few plain lines, with who measured what

At worst every candidate is tried, on average half of them are: a key lies anywhere, and the search ends with it. Machines
share the candidates without loss; what the parts of a cluster lose by waiting for each other is not in here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .gpus import gpu
from .job import Job
from .problem import BadProblem
from .registry import kind_of
from .words import HOUR, duration, few_digits, many, power


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is to search: candidates, the keys that one trial tests, of which kind, and whether a hit ends it."""

    candidates: int
    keys_each: int = 1
    kind: str = "des"
    every: bool = False

    @classmethod
    def of(cls, job: Job) -> "Amount":
        """What is left of a job."""
        return cls(job.missing.total, job.keys_each, kind_of(job.problem).name, job.every)

    @property
    def keys(self) -> int:
        return self.candidates * self.keys_each


@dataclass(frozen=True, slots=True)
class Estimate:
    """`trials` per second are what `machines` of them make together; `price` is of one of them for an hour.

    `basis` says whose figure the rate is, and `measured` whether it is our own.
    """

    amount: Amount
    trials: float
    machines: int
    price: float | None
    basis: str
    measured: bool

    @property
    def worst(self) -> float:
        """Seconds until every candidate has been tried."""
        return self.amount.candidates / self.trials

    @property
    def expected(self) -> float:
        """Seconds until the key is found, on average; all of them where a hit does not end the search."""
        return self.worst if self.amount.every else self.worst / 2

    def machine_hours(self, seconds: float) -> float:
        """Of all machines together."""
        return self.machines * seconds / HOUR

    def cost(self, seconds: float) -> float | None:
        """In the price's currency; None without a price."""
        return None if self.price is None else self.machine_hours(seconds) * self.price


def by_rate(amount: Amount, rate: float, *, threads: int, machines: int = 1, price: float | None = None) -> Estimate:
    """On machines like this one. `rate` is this machine's, in keys per second (Engine.rate). Raises BadProblem."""
    _check(rate, machines, price)
    ours = f"measured here: {few_digits(rate / 1e6)} M keys/s with {many(threads, 'thread')}"
    return Estimate(amount, machines * rate / amount.keys_each, machines, price, ours, True)


def by_gpu(amount: Amount, name: str, *, machines: int = 1, price: float | None = None) -> Estimate:
    """On so many of one GPU, by somebody's published figure. Raises BadProblem: no such figure, or none for this kind.

    A trial that tests two keys is taken to cost what the figure's encryption costs: the comparison with a second block
    is little beside it (with our own kernel on a processor 4 %).
    """
    if amount.kind != "des":
        raise BadProblem("published figures of GPUs are for DES keys only; leave the GPU out")
    card = gpu(name)
    _check(card.rate, machines, price)
    theirs = f"published, not measured by us: {card.name}, {few_digits(card.rate / 1e6)} M keys/s ({card.when}; {card.source})"
    return Estimate(amount, machines * card.rate, machines, price, theirs, False)


def _check(rate: float, machines: int, price: float | None) -> None:
    if not 0 < rate < float("inf"):
        raise BadProblem("a rate is a number of keys per second above zero")
    if machines < 1:
        raise BadProblem(f"a search needs at least one machine, not {machines}")
    if price is not None and not 0 <= price < float("inf"):
        raise BadProblem("a price is an amount of money per machine and hour, zero or more")


def lines(estimate: Estimate) -> Iterator[str]:
    """What to print."""
    amount, what = estimate.amount, "machine" if estimate.measured else "GPU"

    def both(shown: Callable[[float], str]) -> str:
        expected = "" if amount.every else f"{shown(estimate.expected)} expected, "
        return f"{expected}{shown(estimate.worst)} at worst"

    yield f"{power(amount.candidates)} trials" + (" of two keys each" if amount.keys_each > 1 else "")
    yield estimate.basis
    if amount.keys_each > 1 and not estimate.measured:
        yield "a chosen pair halves the work: a trial tests a key and its complement, which that figure does not count"
    yield f"on {many(estimate.machines, what)}: {both(duration)}"
    yield f"{what}-hours: {both(lambda seconds: few_digits(estimate.machine_hours(seconds)))}"
    if estimate.price is not None:
        yield f"to pay, at {estimate.price:g} an hour: {both(lambda seconds: few_digits(estimate.cost(seconds) or 0.0))}"
