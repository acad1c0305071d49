"""Work on a job, on this machine."""

import hmac
from random import Random
from typing import Any

import pytest

from keyfence.search import work as room
from keyfence.search.des import DesProblem, Engine, odd_parity
from keyfence.search.job import Job
from keyfence.search.problem import BadJob, Hit
from keyfence.search.ranges import Ranges
from keyfence.search.short import Algorithm, ShortKeyProblem
from keyfence.search.short import Engine as ShortEngine
from keyfence.search.work import Work, run

from .des.blocks import ALL_BITS, des, planted

KEY = bytes.fromhex("0123456789abcdef")
PROBLEM = planted(Random(1), KEY, 18)
AT = PROBLEM.candidate(KEY)


def saved() -> tuple[list[Job], Work]:
    jobs: list[Job] = []
    return jobs, Work(Job.of(PROBLEM), jobs.append)


def test_a_search_to_its_hit() -> None:
    jobs, work = saved()
    run(work, Engine(), 2)
    assert work.job.hits == (Hit(AT, odd_parity(KEY)),)
    assert jobs[-1].hits == work.job.hits
    assert work.job.done == Ranges(((0, AT + 1),))
    assert work.job.seconds > 0


def test_gaps_alone_are_searched() -> None:
    done = Ranges.of((0, AT), (AT + 1, PROBLEM.candidates))
    work = Work(Job(PROBLEM, 0, PROBLEM.candidates, done=done), lambda _: None)
    run(work, Engine(), 1)
    assert work.job.hits == (Hit(AT, odd_parity(KEY)),)
    missed = Work(Job.of(PROBLEM).with_done(AT, AT + 1), lambda _: None)
    run(missed, Engine(), 1)
    assert not missed.job.hits
    assert missed.job.complete


def test_every_key_that_fits() -> None:
    """Behind the first hit the search goes on, and all of the range is done."""
    mac = hmac.digest(b"\x07\x09", b"which?", "sha1")[:4]
    problem = ShortKeyProblem(Algorithm.HMAC_SHA1, ((b"which?", mac),), bytes(2), bytes(2))
    work = Work(Job.of(problem, every=True), lambda _: None)
    run(work, ShortEngine(), 2)
    assert [hit.key for hit in work.job.hits] == [b"\x07\x09"]
    assert work.job.done == Ranges(((0, 2**16),))


def test_parity_variants_are_one_key_and_the_search_goes_on_behind_it() -> None:
    pair = (bytes(8), des(KEY, bytes(8)))
    problem = DesProblem((pair,), ALL_BITS ^ 0xFFFF, int.from_bytes(KEY) & ~0xFFFF)
    work = Work(Job.of(problem, every=True), lambda _: None)
    run(work, Engine(), 1)
    assert [hit.key for hit in work.job.hits] == [KEY]
    assert work.job.done == Ranges(((0, 2**14),))


def test_a_stopped_search_goes_on() -> None:
    work = Work(Job.of(PROBLEM), lambda _: None)
    run(work, Engine(), 1, stop_flag=lambda: bool(work.job.done))
    run(work, Engine(), 1)
    assert work.job.hits == (Hit(AT, odd_parity(KEY)),)


def test_it_saves_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, work = saved()
    work.searched(0, 10)
    assert jobs == []
    monkeypatch.setattr(room, "SAVE_SECONDS", 0.0)
    work.searched(10, 20)
    assert jobs[-1].done == Ranges(((0, 20),))


def test_a_disk_that_is_full_for_a_while_ends_no_search() -> None:
    full = [True]

    def save(job: Job) -> None:
        if full[0]:
            raise BadJob("No space left on device")

    work = Work(Job.of(PROBLEM), save)
    work.found(Hit(AT, odd_parity(KEY)))
    assert str(work.unsaved) == "No space left on device"
    full[0] = False
    work.save()
    assert work.unsaved is None


def test_a_hit_is_not_lost_between_its_being_searched_and_its_being_told() -> None:
    """Ctrl-C right after the engine said how far it is, before it handed over what it found there."""
    interrupted = Work(Job.of(PROBLEM), lambda _: None)

    class Hasty(Engine):
        def search(self, *arguments: Any, **options: Any) -> Hit | None:
            super().search(*arguments, **options)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted, Hasty(), 1)
    assert interrupted.job.done == Ranges(((0, AT),))
    run(interrupted, Engine(), 1)
    assert interrupted.job.hits == (Hit(AT, odd_parity(KEY)),)
