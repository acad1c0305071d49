"""Schedulers that are not there, are no schedulers, or want certificates; and workers that lose theirs."""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from keyfence.search import cluster
from keyfence.search.cluster import Tls, settings
from keyfence.search.job import Job
from keyfence.search.problem import MissingExtra, NoCluster, NoSuchPath, SearchError
from keyfence.search.work import Work

from ..des.blocks import planted
from . import processes
from .certificates import Authority

KEY = b"certain!"
PROBLEM = planted(Random(1), KEY, 20)

STRANGERS = (None, b"SSH-2.0-OpenSSH_9.2\r\n", b"\x10" + bytes(7) + b"\x08" + bytes(15), bytes(64))

PORTS = [f"tcp://host:{port}" for port in ("0", "65536", "\u0663", "9" * 5000)]

Way = Callable[..., None]


def run(scheduler: str, **options: Tls) -> None:
    cluster.run(Work(Job.of(PROBLEM), lambda _: None), scheduler, patience=0.1, **options)


def work_for(scheduler: str, **options: Tls) -> None:
    cluster.work_for(scheduler, 1, **options)


@pytest.fixture(params=[run, work_for])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Way:
    """A job, or a worker."""
    monkeypatch.setattr(settings, "CONNECT_SECONDS", 0.5)
    found: Way = request.param
    return found


def refused(way: Way, scheduler: str, **options: Tls) -> str:
    with pytest.raises(NoCluster) as caught:
        way(scheduler, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """The address of something that accepts connections and says that; None: closes them."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                accepted.append(server.accept()[0])
                if answer is None:
                    accepted[-1].close()
                else:
                    accepted[-1].sendall(answer)

    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in accepted:
                connection.close()


# ---- nobody


@pytest.mark.parametrize(
    "address", ["", "somewhere", "127.0.0.1:8786", "tcp://", "tcp://host", "tcp://host:x", "udp://h:1", *PORTS]
)
def test_no_address(way: Way, address: str) -> None:
    assert "is no scheduler's address; expected is tcp://HOST:PORT or tls://HOST:PORT" in refused(way, address)


def test_nobody_there(way: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    assert refused(way, address) == f"no Dask scheduler answers at {address} within 0.5 seconds"


def test_somebody_who_says_nothing(way: Way) -> None:
    with listening(b"") as address:
        assert refused(way, address) == f"no Dask scheduler answers at {address} within 0.5 seconds"


@pytest.mark.parametrize("answer", STRANGERS, ids=["closes", "ssh", "odd", "zeros"])
def test_somebody_else(way: Way, answer: bytes | None) -> None:
    with listening(answer) as address:
        assert address in refused(way, address)


def test_the_extra_is_missing(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"pip install 'keyfence\[cluster\]'"):
        way("tcp://127.0.0.1:8786")


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(SearchError) as caught:
        cluster.work_for("tcp://127.0.0.1:1", 1, "opencl:abacus")
    assert isinstance(caught.value, NoSuchPath | MissingExtra)


# ---- certificates


def test_certificates_of_one_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs and workers with certificates of the scheduler's authority are let in, and nobody else."""
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    own, client, stranger = ours.issue("scheduler"), ours.issue("client"), theirs.issue("stranger")
    options = ("--protocol", "tls", "--tls-ca-file", own.ca, "--tls-cert", own.cert, "--tls-key", own.key)
    variables = {"KEYFENCE_TLS_CA": client.ca, "KEYFENCE_TLS_CERT": client.cert, "KEYFENCE_TLS_KEY": client.key}
    with (
        processes.scheduler(tmp_path, *options) as (address, _),
        processes.worker(tmp_path, address, "worker", **variables) as worker,
    ):
        worker.says("searching for")
        for way in (run, work_for):
            for tls in (stranger, Tls(own.ca, stranger.cert, stranger.key)):
                assert "closes the connection: tcp:// and tls:// do not mix" in refused(way, address, tls=tls)
            assert "closes the connection" in refused(way, address.replace("tls", "tcp"))
            assert "would not use them; expected is tls://" in refused(way, address.replace("tls", "tcp"), tls=client)
            assert "no certificate with its key" in refused(way, address, tls=Tls(own.ca, client.cert, own.key))
            assert "needs certificates" in refused(way, address)
        for name, file in variables.items():
            monkeypatch.setenv(name, file)
        work = Work(Job.of(PROBLEM), lambda _: None)
        cluster.run(work, address)
        assert PROBLEM.fits(work.job.hits[0].key)


def test_certificates_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Tls.from_environment() is None
    own = Authority(tmp_path, "ours").issue("own")
    monkeypatch.setenv("KEYFENCE_TLS_CA", own.ca)
    monkeypatch.setenv("KEYFENCE_TLS_CERT", own.cert)
    with pytest.raises(NoCluster, match=r"^KEYFENCE_TLS_KEY is not set: TLS needs KEYFENCE_TLS_CA, "):
        Tls.from_environment()
    monkeypatch.setenv("KEYFENCE_TLS_KEY", str(tmp_path / "nothing"))
    with pytest.raises(NoCluster, match=r"^KEYFENCE_TLS_KEY: no file "):
        Tls.from_environment()
    monkeypatch.setenv("KEYFENCE_TLS_KEY", own.key)
    assert Tls.from_environment() == own


# ---- workers whose scheduler ends


def test_a_worker_comes_back_to_a_lost_scheduler_and_ends_with_one_that_ends(tmp_path: Path) -> None:
    with ExitStack() as stack:
        address, first = stack.enter_context(processes.scheduler(tmp_path))
        worker = stack.enter_context(processes.worker(tmp_path, address, "worker"))
        worker.says("searching for")
        first.signal(signal.SIGKILL)
        worker.says("is lost; trying to come back")
        (tmp_path / "scheduler.json").unlink()
        again, second = stack.enter_context(processes.scheduler(tmp_path, "--port", address.rpartition(":")[2]))
        assert again == address
        worker.says(f"back at {address}")
        second.signal(signal.SIGTERM)
        assert worker.ended() == 0
        assert "Traceback" not in worker.text
