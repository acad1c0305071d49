"""keyfence search worker: this machine as a node of a Dask cluster."""

from typing import Annotated

import typer

from keyfence.cli.ending import one_clear_line

from .options import How, with_options


@with_options("range", "every", "cluster", "job", "reveal", "estimate", "machines", "gpu", "price")
def worker(
    scheduler: Annotated[str, typer.Argument(metavar="SCHEDULER", help="The scheduler: tcp://HOST:8786.")],
    *,
    how: How,
) -> None:
    """Search for whoever gives work to the scheduler, until Ctrl-C. Whoever reaches a scheduler runs code on its workers."""
    with one_clear_line():
        from keyfence.search import cluster

        cluster.work_for(scheduler, how.thread_count, how.way)
