"""The job's side of a cluster: one event loop, in it one coroutine for each worker, and one that sees who is there.

A worker is asked who it is (`remote.greet`), then given one chunk after the other until nothing is missing. Whoever is
no longer there, or far too late, holds nothing any more: planner.py gives its chunk to others.
"""

import asyncio
import secrets
import signal
import threading
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import keyfence
from keyfence.search.job import proven
from keyfence.search.problem import NoCluster
from keyfence.search.ranges import Range, Ranges

from . import remote
from .planner import Chunk, Crew
from .settings import CONNECT_SECONDS, Tls, answering, quiet, reach, security

if TYPE_CHECKING:
    from keyfence.search.work import Work

LOOK_SECONDS: Final = 0.1  # between two looks at the stop flag
MUSTER_SECONDS: Final = 0.5  # between two looks at who is there
IDLE_SECONDS: Final = 0.05  # between two looks of a worker that has nothing to do
GREET_SECONDS: Final = 60.0  # compiling and measuring
LATE_SECONDS: Final = 15.0  # behind a chunk's limit: by then a worker hangs, or its machine is off
LAST_SECONDS: Final = 1.5  # for the last reports of workers that were told to stop
REMEMBERED: Final = 1 << 16  # chunks of a worker, two or three days' worth: they are searched again if it lies
NOT_UNDERSTOOD: Final = "its answer is not understood"

Said = Callable[[str], None]


def run(work: "Work", scheduler: str, stop_flag: Callable[[], bool], tls: Tls | None, said: Said, patience: float) -> None:
    """See keyfence.search.cluster.run."""

    async def connected() -> None:
        with _terminated_in_order():
            async with _connected(scheduler, security(scheduler, tls)) as client:
                await _Foreman(client, scheduler, work, said, patience).run(stop_flag)

    with quiet():
        asyncio.run(connected())


@contextmanager
def _terminated_in_order() -> Iterator[None]:
    """Where the caller has a handler for SIGTERM, it is called when workers were told to stop; Ctrl-C is asyncio's own care.

    What a handler raises can come up anywhere in the event loop: nobody would be told then.
    """
    handler, task = signal.getsignal(signal.SIGTERM), asyncio.current_task()
    if not callable(handler) or task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, told = asyncio.get_running_loop(), list[int]()

    def end() -> None:
        told.append(signal.SIGTERM)
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    except asyncio.CancelledError:
        for number in told:
            handler(number, None)
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, handler)


@asynccontextmanager
async def _connected(scheduler: str, security: Any) -> AsyncIterator[Any]:
    """Dask's client. Raises NoCluster if nobody answers in time, or somebody else does."""
    from distributed import Client

    await reach(scheduler, security, "client")
    options = {"asynchronous": True, "set_as_default": False, "timeout": CONNECT_SECONDS, "name": "keyfence"}
    client = Client(scheduler, security=security, **options)
    try:
        with answering(scheduler):
            async with asyncio.timeout(CONNECT_SECONDS):
                await client
        yield client
    finally:
        with suppress(Exception):
            await client.close(timeout=3)


class _Foreman:
    """One run of a job."""

    def __init__(self, client: Any, scheduler: str, work: "Work", said: Said, patience: float) -> None:
        self._client, self._scheduler, self._work, self._said, self._patience = client, scheduler, work, said, patience
        self._name: Final = f"keyfence-{secrets.token_hex(8)}"
        self._asked: Final = remote.Asked.of(work.job.problem)
        self._errands = count()
        self._crew = Crew()
        self._attended: dict[str, asyncio.Task[None]] = {}
        self._asked_once: set[str] = set()  # workers that are there and may hold the problem
        self._refused: dict[str, str] = {}  # workers that are there and get nothing, and why
        self._reported: dict[str, deque[Range]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._news = asyncio.Event()
        self._attended_at = 0.0  # when there was a worker
        self._used = False  # whether there ever was one that could be used
        self._ending = False
        self._failure: BaseException | None = None

    async def run(self, stop_flag: Callable[[], bool]) -> None:
        """Until nothing is missing or `stop_flag` says so; then, and whatever interrupts it, workers are told to stop."""
        mustered = self._attended_at = time.monotonic()
        try:
            await self._muster()
            while self._work.job.missing and not stop_flag():
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._news.wait()
                self._take_leave_of_the_done()
                if time.monotonic() >= mustered + MUSTER_SECONDS:
                    await self._muster()
                    mustered = time.monotonic()
                self._check_that_somebody_works()
        finally:
            self._ending = True
            await self._dismiss()

    # Who is there

    async def _muster(self) -> None:
        """Attends to workers that came, and takes leave of those that went."""
        there = await self._workers()
        self._asked_once &= there
        for worker in [it for it in self._attended if it not in there]:
            self._attended.pop(worker).cancel()
            self._crew.left(worker)
            self._reported.pop(worker, None)
            self._said(f"worker {worker} is gone; what it held is given to others")
        self._refused = {worker: why for worker, why in self._refused.items() if worker in there}
        for worker in there.difference(self._attended, self._refused):
            self._attended[worker] = asyncio.create_task(self._attend(worker))

    async def _workers(self) -> set[str]:
        lost = f"the scheduler at {self._scheduler} does not answer any more; what was searched is kept"
        if self._client.status != "running":
            raise NoCluster(lost)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return set(await self._client.nthreads())
        except (OSError, TimeoutError):
            raise NoCluster(lost) from None

    def _take_leave_of_the_done(self) -> None:
        if self._failure is not None:
            raise self._failure
        for worker in [worker for worker, task in self._attended.items() if task.done()]:
            del self._attended[worker]

    def _check_that_somebody_works(self) -> None:
        """Workers may all be away for a while; where all that ever came cannot be used, waiting is of no use."""
        if self._attended:
            self._attended_at = time.monotonic()
            return
        why = next((f": worker {worker}: {why}" for worker, why in self._refused.items()), "")
        if why and not self._used:
            raise NoCluster(f"no worker at {self._scheduler} can be used{why}")
        if time.monotonic() > self._attended_at + self._patience:
            raise NoCluster(f"no worker at {self._scheduler} for {self._patience:.0f} seconds{why}; what was searched is kept")

    def _refuse(self, worker: str, why: str) -> None:
        self._crew.left(worker)
        self._refused[worker] = why
        self._said(f"worker {worker} is not used: {why}")

    async def _dismiss(self) -> None:
        """Workers stop within a twentieth of a second, and what they report of their last chunks still counts.

        All that were asked are told, those too that have nothing to do any more: they hold the problem.
        """
        if self._asked_once and self._client.status == "running":
            with suppress(Exception):
                async with asyncio.timeout(LAST_SECONDS):
                    await self._client.run(remote.stop, self._name, workers=[*self._asked_once], on_error="ignore")
            if self._attended:
                await asyncio.wait(self._attended.values(), timeout=LAST_SECONDS)
        for task in self._attended.values():
            task.cancel()
        await asyncio.gather(*self._attended.values(), return_exceptions=True)

    # One worker

    async def _attend(self, worker: str) -> None:
        """From its greeting to the last chunk."""
        self._asked_once.add(worker)
        try:
            if self._welcome(worker, await self._ask(worker, GREET_SECONDS, remote.greet, self._asked)):
                while self._work.job.missing and not self._ending and await self._one_chunk(worker):
                    pass
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # of what was told of the job: an interrupt, a defect; raised in `run`
            self._failure = error
        finally:
            self._crew.left(worker)
            self._news.set()

    def _welcome(self, worker: str, answer: remote.Answer | None) -> bool:
        """Whether it can search this problem, and is of our version."""
        if isinstance(answer, remote.Greeting | remote.Refusal) and answer.version != keyfence.__version__:
            self._refuse(worker, f"it has keyfence {answer.version}, and this is {keyfence.__version__}")
        elif isinstance(answer, remote.Greeting):
            self._crew.joined(worker, answer.rate)
            self._used = True
            self._said(f"worker {worker} searches: {answer.path}, threads: {answer.threads}")
            return True
        else:
            self._refuse_by(worker, answer)
        return False

    async def _one_chunk(self, worker: str) -> bool:
        """Whether it is to get another one."""
        chunk = self._crew.next_chunk(worker, self._work.job.missing)
        if chunk is None:
            await asyncio.sleep(IDLE_SECONDS)
            return True
        what = (self._asked, self._name, chunk.start, chunk.stop, self._work.job.every, chunk.limit)
        answer = await self._ask(worker, chunk.limit + LATE_SECONDS, remote.search, *what)
        if isinstance(answer, remote.Report):
            return self._take(worker, chunk, answer)
        self._refuse_by(worker, answer)
        return False

    def _refuse_by(self, worker: str, answer: remote.Answer | None) -> None:
        """It cannot; or it was asked in vain, and is asked again if it is still there."""
        if answer is not None:
            self._refuse(worker, answer.reason if isinstance(answer, remote.Refusal) else NOT_UNDERSTOOD)

    def _take(self, worker: str, chunk: Chunk, report: remote.Report) -> bool:
        """A hit before what was searched: whatever ends this process in between, the hit is not lost."""
        if (wrong := self._incredible(chunk, report)) is not None:
            self._work.doubted(Ranges.of(*self._reported.pop(worker, ())))
            self._refuse(worker, f"it reported {wrong}, so what it searched in this run is searched again")
            return False
        for hit in report.hits:
            self._work.found(hit)
        self._work.searched(chunk.start, report.below)
        self._reported[worker].append((chunk.start, report.below))
        self._crew.reported(worker, report.below - chunk.start, report.seconds)
        if report.leaving:
            self._refused[worker] = "it is leaving"
        return not report.leaving

    def _incredible(self, chunk: Chunk, report: remote.Report) -> str | None:
        """What cannot be in its report."""
        if not chunk.start <= report.below <= chunk.stop:
            return "numbers that it was not given"
        return None if all(proven(self._work.job.problem, hit) for hit in report.hits) else "a key that does not fit"

    async def _ask(self, worker: str, seconds: float, function: Callable[..., object], *what: object) -> remote.Answer | None:
        """What the worker answers; a Refusal where it cannot even be asked, None where the question was lost.

        After so many `seconds` it is not counted on any more, but still listened to.
        """
        from distributed.client import FutureCancelledError

        key = f"{self._name}-{next(self._errands)}"
        where = {"workers": [worker], "allow_other_workers": False, "pure": False}
        try:
            future = self._client.submit(function, *what, key=key, **where)
        except Exception:
            if self._client.status == "running":
                raise
            return None  # a client that lost its scheduler takes no question; `_workers` says so
        answer = asyncio.ensure_future(future.result())
        try:
            if not (await asyncio.wait({answer}, timeout=seconds))[0]:
                self._overdue(worker)
            return remote.understood(await answer) or remote.Refusal(keyfence.__version__, NOT_UNDERSTOOD)
        except FutureCancelledError:
            return None
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # Dask raises here whatever was raised there
            return remote.Refusal(keyfence.__version__, _unable(error))
        finally:
            answer.cancel()
            future.release()

    def _overdue(self, worker: str) -> None:
        held = ""
        if worker in self._crew:
            self._crew.late(worker)
            held = "; what it held is given to others"
        self._said(f"worker {worker} is late{held}")


def _unable(error: BaseException) -> str:
    """Why Dask could not call a function of ours, without the error's text: it could hold anything."""
    needed = "keyfence has to be installed there and at the scheduler, in the same version"
    return f"Dask could not run keyfence ({type(error).__name__}): {needed}"
