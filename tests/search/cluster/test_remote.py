"""What runs at a worker, called as Dask would call it."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import msgspec
import pytest

import keyfence
from keyfence.search.cluster import remote
from keyfence.search.cluster.remote import Asked, Greeting, Here, Node, Refusal, Report
from keyfence.search.des import odd_parity
from keyfence.search.problem import Hit

from ..des.blocks import planted

KEY = odd_parity(Random("remote").randbytes(8))
PROBLEM = planted(Random(1), KEY, 24)
AT = PROBLEM.candidate(KEY)
ASKED = Asked.of(PROBLEM)
LONG = 100.0


@pytest.fixture(autouse=True)
def _node(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Here, "node", Node("generic", 1))
    monkeypatch.setattr(Here, "stopped", set())
    yield
    remote.stop("")


def report(asked: Asked = ASKED, start: int = 0, stop: int = PROBLEM.candidates, every: bool = False) -> Report:
    answer = remote.search(asked, "run", start, stop, every, LONG)
    assert isinstance(answer, Report)
    return answer


def test_a_chunk_without_the_key() -> None:
    found = report(stop=AT)
    assert (found.below, found.hits, found.leaving) == (AT, (), False)
    assert 0 < found.seconds < LONG


def test_a_chunk_up_to_its_hit_and_behind_it() -> None:
    found = report()
    assert (found.below, found.hits) == (AT + 1, (Hit(AT, KEY),))
    found = report(every=True)
    assert (found.below, found.hits) == (PROBLEM.candidates, (Hit(AT, KEY),))


def test_every_hit_of_a_chunk_its_ends_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine stops at each; more than one true key in a chunk is nothing that can be planted."""

    class Several:
        def search(self, _: object, start: int, stop: int, *, progress: Callable[[int], None], **__: object) -> Hit | None:
            at = next((it for it in (10, 11, 500, 999) if start <= it < stop), None)
            progress(stop if at is None else at + 1)
            return None if at is None else Hit(at, bytes(8))

    monkeypatch.setattr(remote, "engine_for", lambda *_: Several())
    found = report(start=10, stop=1000, every=True)
    assert [hit.candidate for hit in found.hits] == [10, 11, 500, 999]
    assert found.below == 1000
    found = report(start=10, stop=1000)
    assert ([hit.candidate for hit in found.hits], found.below) == ([10], 11)


def test_a_limit_ends_a_chunk() -> None:
    wide = Asked.of(replace(PROBLEM, known_mask=0, known_value=0))
    answer = remote.search(wide, "run", 7, 1 << 56, False, 0.2)
    assert isinstance(answer, Report)
    assert 7 < answer.below < 1 << 56
    assert answer.seconds >= 0.2


def test_a_run_that_was_stopped_gets_nothing_more() -> None:
    remote.stop("run")
    assert report() == Report(0, (), 0.0, False)
    assert isinstance(remote.search(ASKED, "another run", 0, 1000, False, LONG), Report)


def test_a_worker_that_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Here, "leaving", True)
    assert report() == Report(0, (), 0.0, True)


def test_a_greeting() -> None:
    answer = remote.greet(ASKED)
    assert isinstance(answer, Greeting)
    assert (answer.version, answer.path, answer.threads) == (keyfence.__version__, "generic", 1)
    assert answer.rate > 1000


def test_numbers_that_mean_another_thing_here() -> None:
    plain = msgspec.json.decode(ASKED.text) | {"numbering": "0123456789abcdef"}
    for answer in (
        remote.greet(Asked(msgspec.json.encode(plain))),
        remote.search(Asked(msgspec.json.encode(plain)), "run", 0, 10, False, LONG),
    ):
        assert answer == Refusal(keyfence.__version__, "its candidates are numbered otherwise than by this version of keyfence")


def test_what_an_unexpected_error_says_stays_at_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError(KEY.hex())

    monkeypatch.setattr(remote, "engine_for", fails)
    assert remote.greet(ASKED) == Refusal(keyfence.__version__, "it failed with RuntimeError")


def test_what_is_sent_shows_nothing() -> None:
    assert repr(ASKED) == "Asked(…)"
    assert repr(report()).startswith("Report(hits=(Hit(…),), seconds=")
    assert pickle.loads(pickle.dumps(ASKED)) == ASKED


def test_a_node_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYFENCE_DEVICE", "opencl:gpu")
    monkeypatch.setenv("KEYFENCE_THREADS", "3")
    assert Node.from_environment() == Node("opencl:gpu", 3)
    monkeypatch.delenv("KEYFENCE_DEVICE")
    monkeypatch.setenv("KEYFENCE_THREADS", "many")
    assert Node.from_environment() == Node(None, None)
