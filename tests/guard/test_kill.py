"""A short run of bench/guard_kill.py: killed at each step, a key block is cut once."""

from pathlib import Path

import pytest

from bench.guard_kill import FAILED, PASSED, REFUSED, STEPS, Outcome, rounds

from ..postgresql import empty_schema

pytestmark = pytest.mark.native


def test_no_second_cut_after_a_kill_sqlite(tmp_path: Path) -> None:
    found = list(rounds(len(STEPS), str(tmp_path / "ledger.db")))
    assert [outcome.wrong for outcome in found] == [""] * len(found)
    assert {outcome.step for outcome in found if outcome.killed} == set(STEPS)


def test_no_second_cut_after_a_kill_postgresql(tmp_path: Path) -> None:
    with empty_schema() as url:
        found = list(rounds(len(STEPS), url, tmp_path / "ledger.key"))
    assert [outcome.wrong for outcome in found] == [""] * len(found)


@pytest.mark.parametrize(
    ("step", "called", "other", "same", "wrong"),
    [
        ("before the return", True, PASSED, REFUSED, "a second cut"),
        ("at any moment", False, PASSED, PASSED, "both cuts pass"),
        ("at any moment", False, REFUSED, REFUSED, "neither cut passes"),
        ("before the derivation", False, PASSED, REFUSED, "the commit was lost, or the honest repeat refused"),
        ("before the commit", False, FAILED, PASSED, "a guard after the kill failed otherwise than by one-cut"),
        ("before the commit", False, PASSED, REFUSED, ""),
        ("before the return", True, REFUSED, PASSED, ""),
    ],
)
def test_what_counts_as_wrong(step: str, called: bool, other: int, same: int, wrong: str) -> None:
    assert Outcome(step, True, called, other, same).wrong == wrong
