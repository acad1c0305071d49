"""The report as a program reads it: the schema holds, nothing is half-written, nothing is shown unasked."""

import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from keyfence import __version__
from keyfence.audit.findings import Refusal, Verdict
from keyfence.report.json import document, documents, schema, text, write

from .samples import EXPOSED, FULL, SECRET, report

VALIDATOR = Draft202012Validator(schema())


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("reveal", [False, True])
def test_a_single_audit_is_valid(reveal: bool) -> None:
    VALIDATOR.validate(json.loads(text(document(FULL, reveal=reveal))))


def test_audits_under_one_roof_are_valid() -> None:
    both = documents({"classic": FULL, "separated": report()}, plan=True)
    VALIDATOR.validate(both)
    assert [audit["name"] for audit in both["audits"]] == ["classic", "separated"]
    assert both["plan_only"] is True


def test_the_fields_of_a_finding() -> None:
    (finding,) = document(report(EXPOSED))["findings"]
    assert finding == {
        "technique": "iv-window",
        "title": "Key bytes returned as IVs",
        "mechanism": "CKM_TLS12_KEY_AND_MAC_DERIVE",
        "victim": {"protocol": "TLS 1.2", "suite": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "key": "key block"},
        "verdict": "EXPOSED",
        "why": EXPOSED.why,
        "evidence": {
            "proof": "record",
            "statement": EXPOSED.why,
            "sources": [
                {"start": 0, "stop": 2, "source": "searched"},
                {"start": 2, "stop": 32, "source": "public"},
            ],
        },
        "calls": 5,
        "work_bits": 8.0,
        "recovered_bytes": 32,
        "total_bytes": 32,
        "layout": [
            {"part": "client write key", "start": 0, "stop": 16},
            {"part": "server write key", "start": 16, "stop": 32},
        ],
        "steps": list(EXPOSED.steps),
        "trace": [
            {
                "function": "C_DeriveKey",
                "arguments": ["1", "CKM_TLS12_KEY_AND_MAC_DERIVE", "7"],
                "answer": "CKR_OK, client IV 15 bytes",
                "repeated": 2,
            }
        ],
        "refusal": None,
        "section": EXPOSED.section,
        "remedy": EXPOSED.remedy,
        "references": list(EXPOSED.references),
    }


def test_the_rest_of_an_audit() -> None:
    content = document(FULL)
    del content["findings"]
    assert content == {
        "format": "keyfence-audit/1",
        "tool": {"name": "keyfence", "version": __version__},
        "plan_only": False,
        "module": {"path": "/usr/lib/module.so", "description": "A module", "version": "1.2", "slot": 3, "token": "a token"},
        "summary": {"exposed": 2, "out_of_scope": 0, "refused": 1, "absent": 1, "inconclusive": 1},
        "residue": {"objects_before": 4, "objects_after": 4},
        "notes": [],
    }


def test_a_refusal_names_its_code() -> None:
    refused = next(finding for finding in document(FULL)["findings"] if finding["verdict"] == "REFUSED")
    wanted = {"ckr": "CKR_TEMPLATE_INCONSISTENT", "number": 0xD1, "function": "C_DeriveKey", "rule": None}
    assert refused["refusal"] == wanted


def test_a_refusal_names_the_guards_rule() -> None:
    refusal = Refusal("CKR_FUNCTION_REJECTED", 0x200, "C_DeriveKey", "one-cut")
    content = document(report(replace(EXPOSED, verdict=Verdict.REFUSED, refusal=refusal)))
    Draft202012Validator(schema()).validate(content)
    assert content["findings"][0]["refusal"]["rule"] == "one-cut"


def test_out_of_scope_is_as_proven_as_exposed() -> None:
    content = document(report(replace(EXPOSED, verdict=Verdict.OUT_OF_SCOPE)))
    Draft202012Validator(schema()).validate(content)
    assert content["summary"]["out_of_scope"] == 1
    with pytest.raises(ValidationError):
        Draft202012Validator(schema()).validate(document(report(replace(EXPOSED, verdict=Verdict.OUT_OF_SCOPE, evidence=None))))


def test_bytes_are_there_only_when_they_are_to_be_revealed() -> None:
    masked, revealed = text(document(FULL)), document(report(EXPOSED), reveal=True)
    runs = revealed["findings"][0]["evidence"]["sources"]
    assert "".join(run["bytes"] for run in runs) == SECRET.hex()
    assert '"bytes"' not in masked
    assert SECRET[2:].hex() not in masked


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("findings", 0, "verdict"), "MAYBE"),
        (("findings", 0, "evidence"), None),
        (("findings", 0, "trace", 0, "repeated"), 0),
        (("findings", 0, "unheard_of"), 1),
        (("residue", "objects_after"), -1),
        (("module", "slot"), "3"),
        (("format",), "keyfence-audit/2"),
        (("audits",), []),
        (("unheard_of",), 1),
    ],
)
def test_the_schema_refuses_what_no_report_is(path: tuple[Any, ...], value: object) -> None:
    content: Any = json.loads(text(document(FULL)))
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(content)


def test_the_schema_wants_a_code_with_every_refusal() -> None:
    content = document(report(replace(EXPOSED, verdict=Verdict.REFUSED)))
    with pytest.raises(ValidationError):
        VALIDATOR.validate(content)


def test_text_is_ascii() -> None:
    assert text(document(FULL)).isascii()


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.json"
    file.write_text("an older report")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(document(FULL), str(file))
    assert file.read_text() == "an older report"
    assert list(tmp_path.iterdir()) == [file]


def test_a_written_file_is_the_document(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    write(document(FULL), str(file))
    assert json.loads(file.read_text()) == document(FULL)
    assert list(tmp_path.iterdir()) == [file]


def test_modes_and_links_are_kept(tmp_path: Path) -> None:
    file, link = tmp_path / "report.json", tmp_path / "link.json"
    file.touch(mode=0o600)
    link.symlink_to(file)
    write(document(FULL), str(link))
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["format"] == "keyfence-audit/1"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write(document(FULL), str(pipe))
    reader.join()
    assert json.loads(read[0]) == document(FULL)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
