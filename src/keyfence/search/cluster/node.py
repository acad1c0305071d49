"""A worker's process: one Dask worker without a nanny, whose one thread runs the engine with all of its own.

No nanny: a search has no state that a new process would have to be told of, a process that dies is seen by whatever
started it (systemd, Slurm, a shell), and there is one process to end. A worker that loses its scheduler tries to come
back for a minute, to the same address; one whose scheduler ends in order ends as well.
"""

import asyncio
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from keyfence.search.des.problem import DesProblem
from keyfence.search.problem import NoCluster
from keyfence.search.registry import engine_for
from keyfence.search.threads import processors

from . import remote
from .settings import CONNECT_SECONDS, Tls, quiet, reach, security

RETURN_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 1.0
LEAVE_SECONDS: Final = 3.0  # for the last report to be fetched, at most

Said = Callable[[str], None]


def work_for(scheduler: str, threads: int | None, device: str | None, tls: Tls | None, said: Said) -> None:
    """See keyfence.search.cluster.work_for."""
    if device is not None and device.startswith("opencl"):
        engine_for(DesProblem(((bytes(8), bytes(8)),)), device)  # a device that is not there is told of at once
    remote.Here.node = remote.Node(device, threads or processors())
    remote.Here.leaving = False
    with quiet(), tempfile.TemporaryDirectory(prefix="keyfence-worker-") as directory:
        asyncio.run(_Node(scheduler, security(scheduler, tls), directory, said).serve())


class _Node:
    def __init__(self, scheduler: str, security: Any, directory: str, said: Said) -> None:
        self._scheduler, self._security, self._directory, self._said = scheduler, security, directory, said
        self._told_to_end = asyncio.Event()
        self._host: str | None = None  # our address on the way to the scheduler
        self._worker: Any = None

    async def serve(self) -> None:
        """Joins, again and again while the scheduler is only lost, until something ends it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._told_to_end.set)
        serving = asyncio.create_task(self._serve())
        told = asyncio.create_task(self._told_to_end.wait())
        await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            await self._leave()
            serving.cancel()
        told.cancel()
        with suppress(asyncio.CancelledError):
            await serving

    async def _serve(self) -> None:
        own = await reach(self._scheduler, self._security, "worker")
        self._host = None if ":" in own else own  # Dask takes no IPv6 address here
        worker = await self._joined(CONNECT_SECONDS)
        self._said(f"searching for {self._scheduler} with {remote.Here.node}; Ctrl-C ends it")
        while True:
            await worker.finished()
            if self._told_to_end.is_set() or str(worker.why_closed).startswith("scheduler-"):
                return
            self._said(f"the scheduler at {self._scheduler} is lost; trying to come back for {RETURN_SECONDS:.0f} seconds")
            worker = await self._joined(RETURN_SECONDS)
            self._said(f"back at {self._scheduler}")

    async def _joined(self, seconds: float) -> Any:
        """A worker that the scheduler knows. Raises NoCluster."""
        until = time.monotonic() + seconds
        while True:
            self._worker = self._new_worker(min(CONNECT_SECONDS, max(0.1, until - time.monotonic())))
            try:
                return await self._worker
            except (OSError, TimeoutError, RuntimeError):
                if time.monotonic() + PAUSE_SECONDS > until:
                    raise NoCluster(f"no Dask scheduler answers at {self._scheduler} within {seconds:.0f} seconds") from None
            await asyncio.sleep(PAUSE_SECONDS)

    def _new_worker(self, seconds: float) -> Any:
        from distributed import Worker

        class Node(Worker):  # type: ignore[misc]
            """Remembers why it was closed first."""

            why_closed: str | None = None

            async def close(self, *, reason: str = "worker-close", **options: Any) -> Any:
                self.why_closed = self.why_closed or reason
                return await super().close(reason=reason, **options)

        return Node(
            self._scheduler,
            host=self._host,  # who does not reach the scheduler this way does not reach us
            nthreads=1,
            name=f"{socket.gethostname()}-{secrets.token_hex(4)}",
            resources={"keyfence-threads": remote.Here.node.threads},
            security=self._security,
            local_directory=self._directory,
            memory_limit=0,  # neither paused nor spilled: what it holds is small, and must not reach the disk
            dashboard_address="127.0.0.1:0",
            death_timeout=seconds,
        )

    async def _leave(self) -> None:
        """What is searched at the moment is stopped, and reported as far as it is: Dask keeps a report until it is fetched."""
        remote.Here.leaving = True
        until = time.monotonic() + LEAVE_SECONDS
        while self._worker is not None and self._worker.state.tasks and time.monotonic() < until:
            await asyncio.sleep(0.02)
        with suppress(Exception):
            await self._worker.close(timeout=2)
