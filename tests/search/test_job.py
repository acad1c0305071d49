"""Jobs: what is done and found, and that a text is the job again or an error of one line."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.des import DesProblem, odd_parity
from keyfence.search.job import Job, from_text, proven, to_text
from keyfence.search.problem import BadJob, BadProblem, Hit, Problem
from keyfence.search.ranges import Ranges
from keyfence.search.registry import from_plain, numbering, to_plain
from keyfence.search.short import Algorithm, ShortKeyProblem

from .des.blocks import planted, planted_complement

KEY = bytes.fromhex("0123456789abcdef")
PROBLEM = planted(Random(1), KEY, 20)
HIT = Hit(PROBLEM.candidate(KEY), odd_parity(KEY))
PROBLEMS: list[Problem] = [
    PROBLEM,
    planted_complement(Random(2), KEY),
    ShortKeyProblem(Algorithm.RC4, ((b"plaintext", b"ciphertex"),), bytes(5), bytes(5), 3),
    ShortKeyProblem(Algorithm.HMAC_SHA256, ((b"", bytes(32)), (b"m", bytes(4))), b"\xff\0\xf0", b"abc"[:1] + b"\0\x50"),
    ShortKeyProblem(Algorithm.AES, ((bytes(16), bytes(16)),), b"\xfe" * 16, bytes(16)),
]


def test_what_is_doubted_is_missing_again() -> None:
    job = Job.of(PROBLEM, 10, 1000).with_done(10, 100).with_doubt(Ranges.of((0, 15), (50, 60), (90, 200)))
    assert job.missing == Ranges(((10, 15), (50, 60), (90, 1000)))


def test_a_hit_from_elsewhere_is_proven() -> None:
    assert proven(PROBLEM, HIT)
    wrong_parity = bytes(byte ^ 1 for byte in HIT.key)
    others = (Hit(HIT.candidate + 1, HIT.key), Hit(HIT.candidate, wrong_parity), Hit(-1, HIT.key), Hit(1 << 60, HIT.key))
    assert not any(proven(PROBLEM, hit) for hit in (*others, Hit(7, PROBLEM.key(7)), Hit(HIT.candidate, b"")))


def test_a_job_from_its_beginning_to_its_hit() -> None:
    job = Job.of(PROBLEM, 10, 1000)
    assert job.missing == Ranges(((10, 1000),))
    job = job.with_done(10, 20).with_done(50, 60).with_done(15, 30)
    assert job.missing == Ranges(((30, 50), (60, 1000)))
    assert job.share == 30 / 990
    assert not job.complete
    assert job.with_hit(HIT).complete
    assert job.with_hit(HIT).with_hit(HIT).hits == (HIT,)
    assert not Job.of(PROBLEM, every=True).with_hit(HIT).complete


def test_what_lies_outside_the_range_does_not_count() -> None:
    assert Job.of(PROBLEM, 10, 20).with_done(0, 100).done == Ranges(((10, 20),))


@pytest.mark.parametrize("bounds", [(5, 5), (6, 5), (-1, 5), (0, 2**20 + 1)])
def test_a_range_that_is_none(bounds: tuple[int, int]) -> None:
    with pytest.raises(BadProblem, match="range"):
        Job.of(PROBLEM, *bounds)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_as_plain_data_is_the_problem_again(problem: Problem) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(problem)))) == problem


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_job_as_text_is_the_job_again(problem: Problem) -> None:
    job = Job.of(problem, 3, every=True).with_done(5, 700).with_time(1.5)
    assert from_text(to_text(job)) == job


def test_hits_come_back_and_the_complement_too() -> None:
    complement = planted_complement(Random(3), KEY)
    inverse = bytes(byte ^ 0xFF for byte in KEY)
    for problem, key in ((PROBLEM, KEY), (complement, KEY), (planted_complement(Random(3), inverse), inverse)):
        job = Job.of(problem).with_hit(Hit(problem.candidate(key), odd_parity(key)))
        assert from_text(to_text(job)) == job


def test_a_job_shows_neither_what_was_found_nor_where() -> None:
    shown = repr(Job.of(PROBLEM).with_hit(HIT).with_done(0, HIT.candidate + 1))
    assert shown == f"Job({PROBLEM!r}, 1 hits)"
    assert str(HIT.candidate) not in shown


def test_a_text_shows_no_found_key() -> None:
    problem = planted_complement(Random(3), KEY)
    text = to_text(Job.of(problem).with_hit(Hit(problem.candidate(KEY), odd_parity(KEY)))).decode()
    assert KEY.hex() not in text.lower()
    assert str(int.from_bytes(odd_parity(KEY))) not in text


def test_numbering_depends_on_what_is_known_and_not_on_its_value() -> None:
    masks = (0xFF00 << 48, 0x00FF << 48)
    same, other = (DesProblem(((bytes(8), bytes(8)),), mask, 0) for mask in masks)
    assert numbering(same) != numbering(other)
    assert numbering(same) == numbering(DesProblem(((bytes(8), bytes(8)),), masks[0], 0x1200 << 48))


Change = Callable[[dict[str, Any]], None]
BROKEN: list[tuple[Change, str]] = [
    (lambda it: it.update(format="keyfence search job 9"), "format"),
    (lambda it: it.pop("range"), "range"),
    (lambda it: it.update(more=1), "more"),
    (lambda it: it.update(range=[0, 2**60]), "goes beyond"),
    (lambda it: it.update(range=["0", 1]), "int"),
    (lambda it: it.update(done=[[5, 4]]), "contradicts itself"),
    (lambda it: it.update(done=[[0, 2**20 + 1]]), "outside its range"),
    (lambda it: it.update(done=[[0, 2**70]]), "contradicts itself|int"),
    (lambda it: it.update(hits=[[0, 0]]), "does not fit"),
    (lambda it: it.update(hits=[[2**21, 0]]), "does not fit"),
    (lambda it: it.update(hits=[[HIT.candidate, 1]]), "does not fit"),
    (lambda it: it.update(hits=[[-1, 0]]), "does not fit"),
    (lambda it: it.update(seconds=-1.0), "no time"),
    (lambda it: it["problem"].update(kind="enigma"), "not known; known are des"),
    (lambda it: it["problem"].update(kind=["des"]), "not known"),
    (lambda it: it["problem"].update(numbering="0" * 16), "numbered otherwise"),
    (lambda it: it["problem"].update(known_mask=2**65), "64 bits"),
    (lambda it: it["problem"].update(pairs=[]), "at least one pair"),
    (lambda it: it["problem"].pop("pairs"), "pairs"),
]


@pytest.mark.parametrize(("change", "words"), BROKEN)
def test_a_broken_text_is_one_clear_line(change: Change, words: str) -> None:
    content = json.loads(to_text(Job.of(PROBLEM).with_hit(HIT)))
    change(content)
    with pytest.raises(BadJob, match=words) as caught:
        from_text(json.dumps(content).encode())
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("contradicts itself") <= 1
    assert KEY.hex() not in str(caught.value)


def test_lists_in_lists_without_end() -> None:
    text = to_text(Job.of(PROBLEM)).replace(b'"kind"', b'"more": ' + b"[" * 10_000 + b"]" * 10_000 + b', "kind"')
    with pytest.raises(BadJob, match="not a job file"):
        from_text(text)


@given(cut=st.integers(0, 10_000))
@settings(max_examples=60)
def test_a_truncated_text(cut: int) -> None:
    text = to_text(Job.of(PROBLEM).with_done(0, 99)).rstrip()
    with pytest.raises(BadJob):
        from_text(text[: cut % len(text)])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_job_or_an_error(data: bytes) -> None:
    with pytest.raises(BadJob):
        from_text(data)
