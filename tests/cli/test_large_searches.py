"""Searches that take longer than anybody waits without a word: announced, interrupted, and priced where no engine is."""

import json
import signal
import subprocess
import sys
from itertools import pairwise

import pytest

from keyfence.cli import progress
from keyfence.cli.progress import Searched

from .program import COMMAND, environment, keyfence

WEAK = (
    *("audit", "token", "--schedule", "classic", "--technique", "weak-algorithm"),
    *("--suite", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
)


@pytest.mark.parametrize("form", [(), ("--json", "-")], ids=["report", "JSON"])
def test_ctrl_c_in_a_search_ends_the_audit_at_once(form: tuple[str, ...]) -> None:
    command = [*COMMAND, *WEAK, "--max-search-bits", "40", *form]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()) as audit:
        assert audit.stderr is not None
        assert audit.stdout is not None
        assert audit.stderr.readline() == "classic: a search of 2^40 candidates begins\n"
        audit.send_signal(signal.SIGINT)
        assert audit.wait(20) == 3
        assert audit.stderr.read().splitlines()[-1] == "keyfence: interrupted"
        assert audit.stdout.read() == ""


def test_without_the_extra_that_is_said_and_all_is_priced() -> None:
    """As where llvmlite is not installed."""
    without = (sys.executable, "-c", "import sys; sys.modules['llvmlite'] = None; from keyfence.cli import main; main()")
    ran = subprocess.run(
        [*without, *WEAK, "--max-search-bits", "56", "--json", "-"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "without the extra keyfence[search], searches of more than 2^24 trials are priced" in ran.stderr
    exposed = [finding for finding in json.loads(ran.stdout)["findings"] if finding["verdict"] == "EXPOSED"]
    assert exposed
    assert {finding["evidence"]["proof"] for finding in exposed} == {"rehearsal"}


def test_a_limit_between_what_is_searched_and_what_is_priced_changes_nothing() -> None:
    """2^39 is short of the cheapest search there is: nothing is announced, nothing run."""
    ended = keyfence(*WEAK, "--max-search-bits", "39")
    assert "a search of" not in ended.errors
    assert "2^40" in ended.output


def test_what_sizes_take_is_in_the_help() -> None:
    text = " ".join(keyfence("audit", "--help", COLUMNS="300").output.split())
    assert "2^40 half an hour (DES) to two days (RC4), 2^56 years" in text
    assert keyfence("audit", "token", "--max-search-bits", "57").code == 2


class TestWhatIsSaid:
    def test_at_the_beginning_after_ten_seconds_and_then_ever_more_rarely(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 1000.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: now)
        searched, said = Searched(), list[tuple[float, str]]()
        for second in range(7200):
            now = 1000.0 + second
            if line := searched.line(second << 20, 1 << 34):
                said.append((second, line))
        assert said[0] == (0, "a search of 2^34 candidates begins")
        assert said[1][1].startswith("a search of 2^34 candidates: 0.061 % after 10 s, at most 4.55 h")
        times = [at for at, _ in said]
        assert times[:6] == [0, 10, 20, 40, 80, 160]
        assert max(later - earlier for earlier, later in pairwise(times)) == 600

    def test_nothing_of_a_search_that_is_over_soon(self) -> None:
        assert Searched().line(0, 1 << 24) is None
