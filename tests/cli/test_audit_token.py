"""keyfence audit token: the embedded token from the command line to the report."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from keyfence.audit import Finding
from keyfence.report.json import schema
from keyfence.techniques import TECHNIQUES

from ..report.samples import ABSENT, EXPOSED, INCONCLUSIVE, REFUSED, report
from .program import keyfence

CLASSIC = ("audit", "token", "--schedule", "classic")
SEPARATED = ("audit", "token", "--schedule", "separated")
FEW = ("--technique", "iv-window", "--technique", "hkdf-data")


def test_both_schedules_side_by_side() -> None:
    ended = keyfence("audit", "token")
    assert ended.code == 1, ended.errors
    rows = {line.split()[0]: line for line in ended.output.splitlines() if line.strip()}
    assert "classic" in rows["Technique"]
    assert "separated" in rows["Technique"]
    for technique in TECHNIQUES:
        assert technique.id in rows
    assert "EXPOSED 0 " in ended.output.partition("separated")[2]
    assert ended.output.count("no object left behind") == 2
    assert max(map(len, ended.output.splitlines())) <= 100


def test_progress_is_a_line_per_technique_where_there_is_no_terminal() -> None:
    ended = keyfence(*CLASSIC, *FEW)
    assert [line.split(":")[0] for line in ended.errors.splitlines()] == ["classic 1/2 iv-window", "classic 2/2 hkdf-data"]


def test_the_separated_schedule_exposes_nothing() -> None:
    ended = keyfence(*SEPARATED, *FEW)
    assert ended.code == 0, ended.output
    assert "EXPOSED 0 " in ended.output


def test_json_to_standard_output_is_json_and_nothing_else() -> None:
    ended = keyfence(*CLASSIC, *FEW, "--json", "-")
    content = json.loads(ended.output)
    Draft202012Validator(schema()).validate(content)
    assert (ended.code, ended.errors) == (1, "")
    assert content["module"]["path"] == "embedded"
    assert content["summary"]["exposed"] > 0


def test_json_of_both_schedules() -> None:
    ended = keyfence("audit", "token", *FEW, "--json", "-")
    content = json.loads(ended.output)
    Draft202012Validator(schema()).validate(content)
    exposed = {audit["name"]: audit["summary"]["exposed"] for audit in content["audits"]}
    assert list(exposed) == ["classic", "separated"]
    assert exposed["classic"] > 0
    assert exposed["separated"] == 0


def test_a_json_file_comes_beside_the_text(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    ended = keyfence(*CLASSIC, *FEW, "--json", file)
    Draft202012Validator(schema()).validate(json.loads(file.read_text()))
    assert "iv-window  Key bytes returned as IVs" in ended.output


def test_reveal_shows_bytes_and_nothing_else_does() -> None:
    masked, revealed = (keyfence(*CLASSIC, *FEW, "--json", "-", *more).output for more in ((), ("--reveal",)))
    assert '"bytes"' not in masked
    for finding in json.loads(revealed)["findings"]:
        if finding["verdict"] == "EXPOSED":
            runs = finding["evidence"]["sources"]
            assert sum(len(run["bytes"]) for run in runs) == 2 * finding["recovered_bytes"]


def test_a_plan_exposes_nothing_and_says_how_it_would_be_done() -> None:
    ended = keyfence(*CLASSIC, *FEW, "--plan")
    assert ended.code == 0
    assert "planned only" in ended.output
    assert "planned, not executed: 1 calls" in ended.output
    assert "1. C_DeriveKey(CKM_TLS12_KEY_AND_MAC_DERIVE, ulMacSizeInBits=0" in ended.output


def test_a_suite_replaces_the_default_victims() -> None:
    suite = "TLS_RSA_WITH_AES_128_CBC_SHA"
    content = json.loads(keyfence(*CLASSIC, "--technique", "iv-window", "--suite", suite.lower(), "--json", "-").output)
    assert {finding["victim"]["suite"] for finding in content["findings"]} == {suite}


def test_a_budget_of_calls_ends_the_attacks_and_not_the_cleaning_up() -> None:
    ended = keyfence(*CLASSIC, "--max-calls", "300", "--json", "-")
    content = json.loads(ended.output)
    assert ended.code == 1
    assert content["residue"]["objects_before"] == content["residue"]["objects_after"]
    assert "the budget of 300 calls is spent" in {finding["why"] for finding in content["findings"]}


def test_an_audit_that_concludes_nothing_is_no_good_news(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    ended = keyfence("audit", "token", "--max-calls", "25", "--json", file)
    reason = "every finding is INCONCLUSIVE (the budget of 25 calls is spent)"
    assert ended.code == 3
    assert ended.errors.splitlines()[-2:] == [
        f"keyfence: nothing could be concluded of {schedule}: {reason}" for schedule in ("classic", "separated")
    ]
    assert ended.output.count("EXPOSED 0   REFUSED 0   ABSENT 0   INCONCLUSIVE ") == 2
    for audit in json.loads(file.read_text())["audits"]:
        assert audit["summary"]["inconclusive"] == len(audit["findings"]) > 0


@pytest.mark.parametrize("answer", [EXPOSED, REFUSED, ABSENT], ids=lambda finding: str(finding.verdict))
def test_one_answer_of_any_kind_is_a_conclusion(answer: Finding) -> None:
    assert report(INCONCLUSIVE, answer).conclusive
    assert not report(INCONCLUSIVE, INCONCLUSIVE).conclusive


def test_searches_beyond_the_limit_are_priced() -> None:
    options = ("--technique", "short-key", "--max-search-bits", "0", "--json", "-")
    findings = json.loads(keyfence(*CLASSIC, *options).output)["findings"]
    proofs = {finding["evidence"]["proof"] for finding in findings if finding["verdict"] == "EXPOSED"}
    assert proofs == {"rehearsal"}


def test_verbose_puts_the_trace_in_the_report_and_twice_shows_it_live() -> None:
    once, twice = (keyfence(*CLASSIC, "--technique", "iv-window", flag) for flag in ("-v", "-vv"))
    call = "C_DeriveKey("
    assert "= CKR_OK, handles" in " ".join(once.output.split())
    assert call not in once.errors
    assert call in twice.errors


def test_the_embedded_token_in_a_process_of_its_own() -> None:
    alone, here = (json.loads(keyfence(*CLASSIC, *FEW, how, "--json", "-").output) for how in ("--isolate", "--no-isolate"))
    assert alone["summary"] == here["summary"]


@pytest.mark.parametrize("closed_after", [0, 1])
def test_a_reader_that_leaves_is_no_traceback(closed_after: int) -> None:
    import subprocess

    from .program import COMMAND, environment

    with subprocess.Popen(
        [*COMMAND, *CLASSIC, *FEW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(closed_after):
            process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
