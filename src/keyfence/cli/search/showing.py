"""What is shown of a search: progress on standard error, its result on standard output. A key only where it is asked for."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from keyfence.search.job import Job
from keyfence.search.problem import Hit
from keyfence.search.words import DAY, duration, power, rate

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_SECONDS: Final = 10.0
WINDOW_SECONDS: Final = 30.0
DOUBTFUL: Final = 0.001
Shown = Callable[[Job], None]


class Meter:
    """Keys per second over the last half minute, and when all will be done."""

    def __init__(self, job: Job, now: float) -> None:
        self._samples: deque[tuple[float, int]] = deque([(now, job.done.total)])
        self._job = job

    def add(self, job: Job, now: float) -> None:
        self._job = job
        self._samples.append((now, job.done.total))
        while len(self._samples) > 2 and self._samples[0][0] < now - WINDOW_SECONDS:
            self._samples.popleft()

    @property
    def rate(self) -> float:
        """Keys per second; 0.0 as long as nothing is known."""
        (before, less), (now, more) = self._samples[0], self._samples[-1]
        return (more - less) * self._job.keys_each / (now - before) if now > before else 0.0

    @property
    def seconds_left(self) -> float | None:
        left = self._job.missing.total * self._job.keys_each
        return left / self.rate if self.rate else None

    def __str__(self) -> str:
        share, left = f"{100 * self._job.share:.2f} %", self.seconds_left
        end = "" if left is None else f", all of it {moment(left)}"
        return f"{share} of {power(self._keys)} keys, {rate(self.rate)}{end}"

    @property
    def _keys(self) -> int:
        return (self._job.stop - self._job.start) * self._job.keys_each


def progress(job: Job) -> AbstractContextManager[Shown]:
    """Is told the job as it goes on: a bar on a terminal, elsewhere a line every ten seconds."""
    return _bar(job) if sys.stderr.isatty() else _lines(job)


@contextmanager
def _bar(job: Job) -> Iterator[Shown]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
    columns = (BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn("{task.fields[now]}"))
    meter = Meter(job, time.monotonic())
    with Progress(*columns, console=console, transient=True) as shown:
        yield _moved(shown, meter)


def _moved(shown: "Progress", meter: Meter) -> Shown:
    task = shown.add_task("", total=1.0, now="")

    def move(job: Job) -> None:
        meter.add(job, time.monotonic())
        shown.update(task, completed=job.share, now=str(meter))

    return move


@contextmanager
def _lines(job: Job) -> Iterator[Shown]:
    meter = Meter(job, time.monotonic())
    last = time.monotonic()

    def tell(job: Job) -> None:
        nonlocal last
        now = time.monotonic()
        meter.add(job, now)
        if now - last >= LINE_SECONDS:
            last = now
            print(meter, file=sys.stderr, flush=True)

    yield tell


def result(job: Job, reveal: bool) -> Iterator[str]:
    """What came of it. A hit's number, or how many keys came before it, would tell the key: neither shows with a masked one."""
    for hit in job.hits:
        yield f"found: key {hit.key.hex()}, candidate {hit.candidate}" if reveal else f"found: key {_masked(hit)}"
    if not job.hits:
        tried = job.done.total * job.keys_each
        yield "not found: no key of the range fits"
        yield f"{power(tried)} keys, {rate(tried / max(job.seconds, 1e-3))}"
    yield f"searched for {duration(job.seconds)}"


def _masked(hit: Hit) -> str:
    return f"{'•' * (2 * len(hit.key))} (--reveal shows it)"


def unsure(job: Job) -> Iterator[str]:
    """Said of a hit that may be another key than the one looked for."""
    expected = job.problem.expected_false
    if job.hits and expected > DOUBTFUL:
        yield f"keyfence: {expected:.3g} wrong keys are expected to fit what is known of this one; more pairs would tell"


def standing(job: Job) -> Iterator[str]:
    """How far a job is."""
    keys = (job.stop - job.start) * job.keys_each
    far = "complete" if job.complete else f"{100 * job.share:.4f} % done"
    yield f"{_name(job)}: {far}, {power(keys)} keys, candidates {job.start} to {job.stop - 1}"
    if not job.complete:
        yield f"searched for {duration(job.seconds)}, {len(job.hits)} found until now"


def _name(job: Job) -> str:
    return str(getattr(job.problem, "algorithm", "des"))


def moment(seconds: float) -> str:
    """When that many seconds are over: by the clock today, by the date later, in years where that is long."""
    if seconds > 3650 * DAY:
        return f"in {duration(seconds)}"
    end = datetime.now() + timedelta(seconds=seconds)
    return f"by {end:%H:%M:%S}" if seconds < DAY / 2 else f"by {end:%Y-%m-%d %H:%M}"
