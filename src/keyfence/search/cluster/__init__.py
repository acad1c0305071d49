"""A search on a Dask cluster: the same job, its numbers given to machines that come and go. Extra `keyfence[cluster]`.

run        the job on all workers of a scheduler: the counterpart of keyfence.search.work.run
work_for   this machine as one of the workers, until it is told to end

planner.py   who searches what: pure
remote.py    what runs at a worker
client.py    the job's side: the only file that asks Dask to compute
node.py      a worker's process
settings.py  what Dask is told of certificates, and that it is to be quiet
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .settings import Tls, say

if TYPE_CHECKING:
    from keyfence.search.work import Work

__all__ = ["Tls", "run", "work_for"]

PATIENCE_SECONDS = 60.0


def run(
    work: "Work",
    scheduler: str,
    stop_flag: Callable[[], bool] = lambda: False,
    *,
    tls: Tls | None = None,
    said: Callable[[str], None] = say,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Searches what is missing, lowest first, until nothing is or `stop_flag` says so. What interrupts it is raised.

    `scheduler` is tcp://HOST:PORT or tls://HOST:PORT; `tls` is by default what the environment says. `said` is told in a
    line of workers that come, go or cannot be used. Raises NoCluster where the scheduler cannot be reached or is lost, or
    no worker can be used for `patience` seconds; MissingExtra without dask.distributed.
    """
    from .client import run

    run(work, scheduler, stop_flag, tls or Tls.from_environment(), said, patience)


def work_for(
    scheduler: str,
    threads: int | None = None,
    device: str | None = None,
    *,
    tls: Tls | None = None,
    said: Callable[[str], None] = say,
) -> None:
    """Makes this process a worker until Ctrl-C, SIGTERM or the scheduler ends it; then it returns.

    `threads` is how many the engine uses (default: one for each processor), `device` the engine's path (default: the
    fastest; `opencl:NAME` for a GPU). Raises NoCluster where the scheduler cannot be reached within ten seconds, or was
    lost for a minute; NoSuchPath for a device that this machine does not have; MissingExtra.
    """
    from .node import work_for

    work_for(scheduler, threads, device, tls or Tls.from_environment(), said)
