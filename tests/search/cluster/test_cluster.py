"""A job on a scheduler and workers that are processes: they are killed, stopped, added, and some are wrong."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from keyfence.search import cluster
from keyfence.search.cluster import client
from keyfence.search.des import odd_parity
from keyfence.search.files import JobFile, read
from keyfence.search.job import Job
from keyfence.search.problem import Hit, NoCluster
from keyfence.search.ranges import Ranges
from keyfence.search.work import Work

from ..des.blocks import planted
from . import processes
from .processes import Process, Worker

KEY = odd_parity(Random("cluster").randbytes(8))
PROBLEM = planted(Random(1), KEY, 40)
AT = PROBLEM.candidate(KEY)
LONG = 1 << 30  # candidates: some seconds of the generic path on two cores


@dataclass(frozen=True)
class Crew:
    """Workers of a scheduler that is theirs."""

    address: str
    scheduler: Process
    directory: Path
    workers: list[Worker]
    stack: ExitStack

    def start(self, *names: str, device: str = "generic") -> list[Worker]:
        """All at once, then waits for them. Of "lying" and "version" we know what is wrong with them."""
        wrong = {name: [name] if name in ("lying", "version") else [] for name in names}
        new = [processes.worker(self.directory, self.address, name, *wrong[name], device=device) for name in names]
        started = [self.stack.enter_context(it) for it in new]
        for worker in started:
            worker.says("searching for")
        self.workers.extend(started)
        return started

    @property
    def searched(self) -> Ranges:
        """By what the workers wrote down themselves."""
        return Ranges.of(*(part for worker in self.workers for part in worker.searched))

    @property
    def busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.busy]


def assembled(directory: Path, stack: ExitStack) -> Crew:
    address, scheduler = stack.enter_context(processes.scheduler(directory))
    return Crew(address, scheduler, directory, [], stack)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """Two workers that nothing is done to."""
    with ExitStack() as stack:
        crew = assembled(tmp_path_factory.mktemp("pair"), stack)
        crew.start("one", "two")
        yield crew


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A scheduler that workers come to for a single test."""
    with ExitStack() as stack:
        yield assembled(tmp_path_factory.mktemp("lonely"), stack)


@pytest.fixture
def crew(lonely: Crew, tmp_path: Path) -> Iterator[Crew]:
    with ExitStack() as stack:
        yield replace(lonely, directory=tmp_path, workers=[], stack=stack)


LATER = object()


class Watched:
    """Work on a job, all that was said meanwhile, and something to do when its share reaches `share`: once, or until it can."""

    def __init__(self, job: Job, share: float = 2.0, then: Callable[[], object] = lambda: None) -> None:
        self.said: list[str] = []
        self.saved: list[Job] = []
        self._share, self._then = share, then
        self.work = Work(job, self.saved.append, self._shown)

    @property
    def job(self) -> Job:
        return self.work.job

    def _shown(self, job: Job) -> None:
        if job.share >= self._share:
            share, self._share = self._share, 2.0
            if self._then() is LATER:
                self._share = share

    def run(self, crew: Crew, patience: float = 10.0, stop_flag: Callable[[], bool] = lambda: False) -> "Watched":
        cluster.run(self.work, crew.address, stop_flag, said=self.said.append, patience=patience)
        return self

    def was_said(self, words: str) -> bool:
        return any(words in line for line in self.said)


# ---- workers that come and go


def test_four_workers_of_which_one_is_killed_and_to_which_one_is_added(crew: Crew) -> None:
    killed: list[Worker] = []

    def kill_one_and_add_one() -> object:
        victim = next((worker for worker in crew.busy if worker.searched), None)
        if victim is None:
            return LATER
        victim.signal(signal.SIGKILL)
        killed.append(victim)
        return crew.start("five")

    crew.start("one", "two", "three", "four")
    watched = Watched(Job.of(PROBLEM, AT - LONG, AT), 0.3, kill_one_and_add_one).run(crew)
    assert killed[0].ended() == -signal.SIGKILL
    assert killed[0].busy, "it was searching when it died"
    assert watched.was_said("is gone; what it held is given to others")
    assert all(worker.searched for worker in crew.workers)
    assert watched.job.done == Ranges(((AT - LONG, AT),))
    assert not watched.job.done.without(crew.searched)
    assert watched.job.hits == ()

    found = Watched(replace(watched.job, stop=AT + 12345)).run(crew)
    assert found.job.hits == (Hit(AT, KEY),)
    assert found.saved[-1].hits == found.job.hits


def test_one_that_hangs_holds_nothing(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is switched off closes no connection."""
    monkeypatch.setattr(client, "LATE_SECONDS", 0.2)
    one, _ = crew.start("one", "two")
    watched = Watched(Job.of(PROBLEM, AT - LONG // 4, AT), 0.2, lambda: one.signal(signal.SIGSTOP)).run(crew)
    assert watched.was_said("is late; what it held is given to others")
    assert watched.job.done == Ranges(((AT - LONG // 4, AT),))
    assert not watched.job.done.without(crew.searched)


def test_a_processor_and_an_opencl_device_share_the_work(crew: Crew) -> None:
    (processor,), (device,) = crew.start("processor"), crew.start("device", device="opencl")
    watched = Watched(Job.of(PROBLEM))
    watched.run(crew, stop_flag=lambda: bool(processor.searched and device.searched))
    assert watched.was_said("searches: generic")
    assert watched.was_said("searches: opencl:")
    assert watched.job.done == crew.searched


def test_a_worker_that_dask_started(crew: Crew) -> None:
    """It needs keyfence and no more; the engine has as many threads as Dask's worker."""
    command = ("-m", "distributed.cli.dask_worker", crew.address, "--nthreads", "2", "--no-nanny", "--no-dashboard")
    with processes.started(crew.directory / "plain", *command, KEYFENCE_DEVICE="generic") as plain:
        watched = Watched(Job.of(PROBLEM, AT - 1000, AT + 1000)).run(crew)
    assert watched.was_said("searches: generic, threads: 2")
    assert watched.job.hits == (Hit(AT, KEY),)
    assert str(PROBLEM.known_value) not in plain.text


def test_a_worker_that_is_told_to_end_reports_before_it_goes(crew: Crew) -> None:
    one, two = crew.start("one", "two")
    watched = Watched(Job.of(PROBLEM, AT - LONG // 4, AT), 0.2, lambda: one.signal(signal.SIGINT)).run(crew)
    assert one.ended() == 0
    assert not one.busy
    assert watched.job.done == Ranges(((AT - LONG // 4, AT),)) == crew.searched
    assert one.searched.without(two.searched) == one.searched, "nothing was searched twice"


def test_a_scheduler_that_dies(tmp_path: Path) -> None:
    with ExitStack() as stack:
        crew = assembled(tmp_path, stack)
        (worker,) = crew.start("one")
        watched = Watched(Job.of(PROBLEM), 1e-9, lambda: crew.scheduler.signal(signal.SIGKILL))
        with pytest.raises(NoCluster, match=r"^the scheduler at tcp://.* does not answer any more; what was searched is kept$"):
            watched.run(crew)
        assert watched.job.done
        worker.says("is lost; trying to come back for 60 seconds")
        worker.signal(signal.SIGTERM)
        assert worker.ended() == 0


# ---- hits, ends, interrupts


def test_a_hit_ends_the_search_everywhere(pair: Crew) -> None:
    watched = Watched(Job.of(PROBLEM, AT - LONG // 16)).run(pair)
    assert watched.job.hits == (Hit(AT, KEY),)
    assert not pair.busy
    assert watched.job.done.total < 2 * LONG


def test_every_key_of_a_range(pair: Crew) -> None:
    """The search goes on behind a hit."""
    watched = Watched(Job.of(PROBLEM, AT - 1000, AT + LONG // 64, every=True)).run(pair)
    assert watched.job.hits == (Hit(AT, KEY),)
    assert watched.job.done == Ranges(((AT - 1000, AT + LONG // 64),))


def test_a_stop_flag_ends_it(pair: Crew) -> None:
    """What was searched of the chunks that it ended counts."""
    watched = Watched(Job.of(PROBLEM))
    watched.run(pair, stop_flag=lambda: bool(watched.job.done))
    assert watched.job.missing
    assert watched.job.done == Ranges.of(*(part for part in pair.searched.parts if part[0] < AT - LONG))


@pytest.mark.parametrize("terminated", [False, True])
def test_an_interrupted_run_is_gone_on_with(pair: Crew, tmp_path: Path, terminated: bool) -> None:
    """By an exception of what is told of the job, or by a signal whose handler raises it, as the command line's does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    job = Job.of(PROBLEM, AT - LONG, AT + 1)
    file = JobFile.create(tmp_path / "job", job)
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        watched = Watched(job, 0.1, (lambda: os.kill(os.getpid(), signal.SIGTERM)) if terminated else interrupt)
        with pytest.raises(KeyboardInterrupt):
            watched.run(pair)
        assert signal.getsignal(signal.SIGTERM) is interrupt
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not pair.busy
    file.save(watched.job)
    file.close()

    saved = read(tmp_path / "job")
    assert 0.1 <= saved.share < 1
    rest = Watched(saved).run(pair)
    assert rest.job.hits == (Hit(AT, KEY),)
    assert not saved.done.without(rest.job.done)
    assert AT in (stop - 1 for _, stop in rest.job.done), "the other worker may have been below it when that ended the search"


# ---- workers that cannot be used


def test_one_that_lies_is_not_believed(crew: Crew) -> None:
    """What it says it searched before its lie came out is searched again."""
    honest, _ = crew.start("honest", "lying")
    watched = Watched(Job.of(PROBLEM, AT - LONG // 4, AT)).run(crew)
    assert watched.was_said("is not used: it reported a key that does not fit")
    assert watched.job.hits == ()
    assert watched.job.done == honest.searched == Ranges(((AT - LONG // 4, AT),))


def test_a_liar_alone_is_an_error(crew: Crew) -> None:
    crew.start("lying")
    watched = Watched(Job.of(PROBLEM))
    with pytest.raises(NoCluster, match=r"no worker at .* for 0 seconds: worker .*: it reported a key that does not fit"):
        watched.run(crew, patience=0)
    assert not watched.job.done
    assert not watched.job.hits


def test_another_version_is_refused(crew: Crew) -> None:
    crew.start("version")
    with pytest.raises(NoCluster, match=r"can be used: worker .*: it has keyfence 0\.0\.9, and this is "):
        Watched(Job.of(PROBLEM)).run(crew)


def test_a_path_that_a_worker_lacks_is_refused(crew: Crew) -> None:
    with processes.worker(crew.directory, crew.address, "odd", device="abacus") as worker:
        worker.says("searching for")
        with pytest.raises(NoCluster, match=r"can be used: worker .*: no path 'abacus' for the search of DES keys"):
            Watched(Job.of(PROBLEM)).run(crew)


def test_a_scheduler_without_workers(crew: Crew) -> None:
    with pytest.raises(NoCluster, match=r"no worker at .* for 0 seconds; what was searched is kept"):
        Watched(Job.of(PROBLEM)).run(crew, patience=0.1)


def test_nothing_of_the_key_is_logged(pair: Crew) -> None:
    """Not by the scheduler, not by a worker; and no traceback."""
    watched = Watched(Job.of(PROBLEM, AT - 5, AT + 5)).run(pair)
    assert watched.job.hits
    secrets = (str(PROBLEM.known_value), f"{PROBLEM.known_value:x}", KEY.hex(), repr(KEY), str(AT))
    for text in (pair.scheduler.text, *(worker.text for worker in pair.workers), *watched.said):
        assert not [secret for secret in (*secrets, "Traceback") if secret in text]
    for worker in pair.workers:
        assert all(line.startswith("keyfence: ") for line in worker.text.splitlines())
