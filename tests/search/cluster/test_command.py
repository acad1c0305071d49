"""keyfence search --cluster and keyfence search worker, as a shell runs them."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import typer

from keyfence.cli.search import running
from keyfence.cli.search.options import How
from keyfence.search import cluster as dask_cluster
from keyfence.search.des import odd_parity
from keyfence.search.files import read
from keyfence.search.problem import NoCluster
from keyfence.search.ranges import Ranges
from keyfence.search.work import Work

from ...cli.program import COMMAND, keyfence
from ..des.blocks import planted
from . import processes
from .processes import Process

KEY = odd_parity(Random("command").randbytes(8))
PROBLEM = planted(Random(2), KEY, 40)
AT = PROBLEM.candidate(KEY)
KNOWN = f"{PROBLEM.known_value:016x}/{PROBLEM.known_mask:016x}"
PAIRS = [part for plaintext, ciphertext in PROBLEM.pairs for part in ("--pair", f"{plaintext.hex()}:{ciphertext.hex()}")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Process]]:
    """A scheduler's address, and its worker."""
    directory = tmp_path_factory.mktemp("command")
    with processes.scheduler(directory) as (address, _):
        worker = ("search", "worker", address, "--threads", "1", "--path", "generic")
        with processes.started(directory / "worker", *COMMAND[1:], *worker) as process:
            process.says(f"searching for {address} with generic, threads: 1; Ctrl-C ends it")
            yield address, process


def test_a_search_that_is_interrupted_and_gone_on_with(cluster: tuple[str, Process], tmp_path: Path) -> None:
    (address, worker), job, begin = cluster, tmp_path / "x.job", AT - (1 << 29)
    what = ("search", "des", *PAIRS, "--known", KNOWN, "--range", f"{begin}:{AT + 1}", "--job", job, "--cluster", address)
    with processes.started(tmp_path / "search", *COMMAND[1:], *what) as search:
        search.says("searches: generic, threads: 1")
        time.sleep(0.4)  # some way into the first chunk
        search.signal(signal.SIGINT)
        assert search.ended() == 3
    assert search.text.splitlines()[-1] == f"keyfence: interrupted; keyfence search --resume {job} goes on"
    assert begin < read(job).done.parts[0][1] <= AT

    ended = keyfence("search", "--resume", job, "--cluster", address, "--reveal")
    assert ended.code == 0, ended
    assert KEY.hex() in ended.output
    assert KEY.hex() not in worker.text + search.text
    assert "Traceback" not in worker.text + search.text + ended.errors


def test_a_scheduler_that_is_lost_is_said_with_the_jobs_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost(work: Work, _: str) -> None:
        work.searched(0, 1000)
        raise NoCluster("the scheduler does not answer any more")

    monkeypatch.setattr(dask_cluster, "run", lost)
    with pytest.raises(typer.Exit) as ended:
        running.new(lambda: PROBLEM, How(cluster="tcp://host:1", job=tmp_path / "x.job"))
    assert ended.value.exit_code == 3
    line = f"keyfence: the scheduler does not answer any more; keyfence search --resume {tmp_path / 'x.job'} goes on\n"
    assert capsys.readouterr().err == line
    assert read(tmp_path / "x.job").done == Ranges(((0, 1000),))


def test_bad_schedulers() -> None:
    for arguments in (("worker", "somewhere"), ("des", *PAIRS, "--known", KNOWN, "--cluster", "somewhere")):
        ended = keyfence("search", *arguments)
        assert ended.code == 3
        assert ended.errors == (
            "keyfence: 'somewhere' is no scheduler's address; expected is tcp://HOST:PORT or tls://HOST:PORT\n"
        )
