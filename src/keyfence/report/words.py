"""What the reports' forms have in common: which findings stand for a technique, and how prices and foreign text are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from keyfence.audit.findings import Finding, Report, Verdict
from keyfence.techniques.recovery import Source

_WEIGHT = (Verdict.EXPOSED, Verdict.OUT_OF_SCOPE, Verdict.INCONCLUSIVE, Verdict.REFUSED, Verdict.ABSENT)
"""What a technique is said to be as a whole: the first of these that any of its findings is."""

PROVEN = (Verdict.EXPOSED, Verdict.OUT_OF_SCOPE)
"""The verdicts that a proof stands behind."""

_CURRENT = ("TLS 1.2", "TLS 1.3")


@dataclass(frozen=True, slots=True)
class TechniqueFindings:
    """All findings of one technique in one report, those that weigh most first, the cheapest of them before the others."""

    technique: str
    title: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        return self.findings[0].verdict

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings whose verdict is the technique's."""
        return tuple(finding for finding in self.findings if finding.verdict is self.verdict)


def by_technique(report: Report) -> tuple[TechniqueFindings, ...]:
    """The report's findings, a group per technique, in the report's order."""
    groups = groupby(report.findings, key=lambda finding: (finding.technique, finding.title))
    return tuple(TechniqueFindings(*names, tuple(sorted(found, key=_rank))) for names, found in groups)


def _rank(finding: Finding) -> tuple[int, bool, float, bool, bool, int]:
    """The cheapest proof first: by search, then by how much of the secret it leaves unknown, then by calls.

    Of equals those on protocols that are still in use: that SSL 3.0 leaks is no news.
    """
    missing = finding.total_bytes - finding.recovered_bytes
    dated = finding.victim.protocol not in _CURRENT
    planned = bool(finding.steps)
    return _WEIGHT.index(finding.verdict), not planned, finding.work_bits, missing > 0, dated, finding.calls


def source_runs(sources: Mapping[int, Source]) -> Iterable[tuple[int, int, Source]]:
    """(start, stop, source) of neighbouring bytes that leaked alike, in order."""
    numbered = enumerate(sorted(sources))
    for (_, source), run in groupby(numbered, key=lambda pair: (pair[1] - pair[0], sources[pair[1]])):
        places = [place for _, place in run]
        yield places[0], places[-1] + 1, source


def count(number: int, noun: str) -> str:
    """ "1 call", "5 calls"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def work(finding: Finding) -> str:
    """The largest search: "no search", "2^8 trials"."""
    return f"2^{finding.work_bits:g} trials" if finding.work_bits else "no search"


def recovered(finding: Finding) -> str:
    """ "104 of 104 bytes"."""
    return f"{finding.recovered_bytes} of {count(finding.total_bytes, 'byte')}"


def clean(text: str) -> str:
    """Text that a module or a file gave, on one line and without anything a terminal would obey."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
