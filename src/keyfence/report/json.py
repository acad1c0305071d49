"""The report a program reads. `schema()` describes it; recovered bytes are in it only where they are to be revealed.

A single audit is one document; several audits of one kind of token stand under "audits", each with its name.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Any, Final

from keyfence import __version__
from keyfence.audit.findings import CallRecord, Evidence, Finding, Report, Verdict

from .words import source_runs

FORMAT: Final = "keyfence-audit/1"
"""Changes when a reader of the old format could misread the new one."""

Document = dict[str, Any]


def document(report: Report, *, reveal: bool = False, plan: bool = False) -> Document:
    """One audit."""
    return _envelope(plan) | _audit(report, reveal)


def documents(reports: Mapping[str, Report], *, reveal: bool = False, plan: bool = False) -> Document:
    """Several audits, by name."""
    return _envelope(plan) | {"audits": [{"name": name} | _audit(report, reveal) for name, report in reports.items()]}


def text(content: Document) -> str:
    """Indented, in ASCII, with a line end."""
    return json.dumps(content, indent=2) + "\n"


def write(content: Document, path: str) -> None:
    """The whole file or none of it: written beside `path`, then moved there. Raises OSError.

    What is no plain file (a pipe, /dev/stdout) is written to directly.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text(content))
        return
    target = os.path.realpath(path)
    handle, beside = tempfile.mkstemp(prefix=f".{os.path.basename(target)}.", dir=os.path.dirname(target))
    try:
        with open(handle, "w", encoding="ascii") as file:
            file.write(text(content))
            os.fchmod(handle, _mode(target))
            file.flush()
            os.fsync(handle)
        os.replace(beside, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside)
        raise


def schema() -> Document:
    """The JSON Schema (2020-12) of what `document` and `documents` give."""
    content: Document = json.loads(files(__package__).joinpath("schema/audit.schema.json").read_text("utf-8"))
    return content


def _mode(path: str) -> int:
    """A file that is there keeps its mode; a new one has what the umask leaves."""
    if os.path.exists(path):
        return os.stat(path).st_mode & 0o777
    os.umask(mask := os.umask(0o077))
    return 0o666 & ~mask


def _envelope(plan: bool) -> Document:
    return {"format": FORMAT, "tool": {"name": "keyfence", "version": __version__}, "plan_only": plan}


def _audit(report: Report, reveal: bool) -> Document:
    module = report.module
    return {
        "module": {
            "path": module.path,
            "description": module.description,
            "version": module.version,
            "slot": module.slot,
            "token": module.token,
        },
        "summary": {verdict.name.lower(): report.summary[verdict] for verdict in Verdict},
        "residue": {"objects_before": report.residue.objects_before, "objects_after": report.residue.objects_after},
        "notes": list(report.notes),
        "findings": [_finding(finding, reveal) for finding in report.findings],
    }


def _finding(finding: Finding, reveal: bool) -> Document:
    return {
        "technique": finding.technique,
        "title": finding.title,
        "mechanism": finding.mechanism or None,
        "victim": {
            "protocol": finding.victim.protocol,
            "suite": finding.victim.suite,
            "key": finding.victim.key,
        },
        "verdict": str(finding.verdict),
        "why": finding.why,
        "evidence": _evidence(finding.evidence, reveal) if finding.evidence else None,
        "calls": finding.calls,
        "work_bits": finding.work_bits,
        "recovered_bytes": finding.recovered_bytes,
        "total_bytes": finding.total_bytes,
        "layout": [{"part": part, "start": start, "stop": stop} for part, (start, stop) in finding.layout.items()],
        "steps": list(finding.steps),
        "trace": [_call(record) for record in finding.trace],
        "refusal": _refusal(finding),
        "section": finding.section,
        "remedy": finding.remedy,
        "references": list(finding.references),
    }


def _evidence(evidence: Evidence, reveal: bool) -> Document:
    runs = [
        {"start": start, "stop": stop, "source": str(source)} | (_bytes(evidence, start, stop) if reveal else {})
        for start, stop, source in source_runs(evidence.sources)
    ]
    return {"proof": evidence.proof.name.lower(), "statement": evidence.statement, "sources": runs}


def _bytes(evidence: Evidence, start: int, stop: int) -> Document:
    """In hexadecimal, where they are known: a search that was only priced told none."""
    values = [evidence.recovered.get(place) for place in range(start, stop)]
    return {} if None in values else {"bytes": bytes(value for value in values if value is not None).hex()}


def _call(record: CallRecord) -> Document:
    return {
        "function": record.function,
        "arguments": list(record.arguments),
        "answer": record.answer,
        "repeated": record.repeated,
    }


def _refusal(finding: Finding) -> Document | None:
    refusal = finding.refusal
    if refusal is None:
        return None
    return {"ckr": refusal.ckr, "number": refusal.number, "function": refusal.function, "rule": refusal.rule or None}
