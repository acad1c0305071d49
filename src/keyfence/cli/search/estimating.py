"""--estimate: how long what is missing of a job takes, and what it costs."""

from collections.abc import Iterator
from typing import Final

from keyfence.search import estimate
from keyfence.search.job import Job
from keyfence.search.registry import engine_for

from .options import How

MEASURED_SECONDS: Final = 1.0


def lines(job: Job, how: How) -> Iterator[str]:
    """On a GPU by its published figure; else on machines like this one, whose rate is measured for a second."""
    amount = estimate.Amount.of(job)
    if job.complete:
        yield "nothing is left to search"
    elif how.gpu is not None:
        yield from estimate.lines(estimate.by_gpu(amount, how.gpu, machines=how.machines, price=how.price))
    else:
        engine, threads = engine_for(job.problem, how.way), how.thread_count
        rate = engine.rate(job.problem, seconds=MEASURED_SECONDS, threads=threads)
        yield from estimate.lines(estimate.by_rate(amount, rate, threads=threads, machines=how.machines, price=how.price))
