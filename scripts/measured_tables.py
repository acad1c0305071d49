"""The measured tables of docs/techniques: what audits found as rows, and pages with their rows replaced. No I/O here.

`Measured` is always the reports by the names that the pages call the tokens by, in the pages' order.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Final

from keyfence.audit import Finding, Report, Verdict
from keyfence.report.summary import price
from keyfence.report.words import PROVEN, TechniqueFindings, by_technique, clean

Measured = Mapping[str, Report]

_MOST_NAMES: Final = 4
_TABLE: Final = re.compile(r"^(## Measured\n(?:(?!##).*\n)*?\| module \|.*\n\|[- |]+\n)(?:\|.*\n)*", re.MULTILINE)
_INDEX_ROW: Final = re.compile(r"^(\| \[`([\w-]+)`\]\(\2\.md\) \|[^|\n]+\|).*$", re.MULTILINE)
_VERSIONS: Final = re.compile(r"^Versions: .*(?:\n.+)*", re.MULTILINE)
_WIDTH: Final = 118
_BY_CHANCE: Final = re.compile(r"\b\d{4,} calls")


def page(text: str, technique: str, measured: Measured) -> str:
    """A technique's page with the rows under its heading "Measured" replaced. A page without such a table, and one of a
    technique that was not measured, is left as it is."""
    table = "".join(f"{row}\n" for row in rows(technique, measured))
    return _TABLE.sub(lambda found: found[1] + table, text, count=1) if table else text


def index(text: str, measured: Measured, versions: str) -> str:
    """The index with every measured technique's verdicts replaced, and the paragraph that begins with "Versions:"."""
    verdicts = [{group.technique: _verdict(group) for group in by_technique(report)} for report in measured.values()]

    def row(found: re.Match[str]) -> str:
        cells = [of[found[2]] for of in verdicts if found[2] in of]
        return f"{found[1]} {' | '.join(cells)} |" if len(cells) == len(verdicts) else found[0]

    return _VERSIONS.sub(lambda _: fill(versions, _WIDTH, break_on_hyphens=False), _INDEX_ROW.sub(row, text))


def rows(technique: str, measured: Measured) -> list[str]:
    """A row per token and verdict met on it."""
    return [
        row
        for name, report in measured.items()
        for group in by_technique(report)
        if group.technique == technique
        for row in _rows(name, report, group)
    ]


def differing(one: Report, other: Report) -> list[str]:
    """The techniques whose verdicts, finding by finding, are not the same in both reports."""
    mine, theirs = _verdicts(one), _verdicts(other)
    return [technique for technique in mine | theirs if mine.get(technique) != theirs.get(technique)]


def same(one: str, other: str) -> bool:
    """Whether two texts say the same. Calls by the thousand are guesses, and how many of them it takes is chance."""
    return _BY_CHANCE.sub("calls", one) == _BY_CHANCE.sub("calls", other)


def _verdict(group: TechniqueFindings) -> str:
    """ "EXPOSED 6/8", "REFUSED"."""
    counted = f" {len(group.deciding)}/{len(group.findings)}" if group.verdict in PROVEN else ""
    return f"{group.verdict}{counted}"


def _rows(name: str, report: Report, group: TechniqueFindings) -> Iterable[str]:
    """Mechanisms and sessions in the order they were met in, reasons by how often they were."""
    for verdict in Verdict:
        found = [f for f in report.findings if f.technique == group.technique and f.verdict is verdict]
        if found:
            sessions = "; ".join(_once(finding.victim.protocol for finding in found))
            why = price(group.findings[0]) if verdict in PROVEN else ", ".join(_often(map(_why_not, found)))
            cells = (name, verdict, f"{len(found)} of {len(group.findings)}", _through(found), sessions, why)
            yield f"| {' | '.join(cells)} |"


def _through(findings: Sequence[Finding]) -> str:
    names = _once(f"`{finding.mechanism}`" for finding in findings if finding.mechanism)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _why_not(finding: Finding) -> str:
    """The CKR's name, what is missing, or the reason."""
    if finding.refusal:
        return f"`{finding.refusal.ckr}`"
    if finding.verdict is Verdict.ABSENT:
        return "not offered" if finding.mechanism else "no such session"
    return clean(finding.why).replace("|", "\\|")


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _often(names: Iterable[str]) -> list[str]:
    return [name for name, _ in Counter(names).most_common()]


def _verdicts(report: Report) -> dict[str, list[tuple[str, ...]]]:
    return {
        group.technique: sorted((f.mechanism, f.victim.protocol, f.victim.suite, f.verdict) for f in group.findings)
        for group in by_technique(report)
    }
