"""The report a person reads: a summary first, details after; in colour on a terminal, in plain letters 100 wide else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Final

from rich.console import Console, RenderableType
from rich.text import Text

from keyfence.audit.findings import Finding, Report, Verdict

from . import details, summary
from .strip import legend
from .words import PROVEN, by_technique

PIPED_WIDTH: Final = 100
_WIDEST: Final = 120


def console_for(stream: IO[str]) -> Console:
    """A console that interprets nothing in what it is given: labels and messages come from the audited module."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, _WIDEST) if console.is_terminal else PIPED_WIDTH
    return console


def show(report: Report, console: Console, *, reveal: bool = False, verbose: bool = False, plan: bool = False) -> None:
    """One audit, with all its details. Recovered bytes are masked unless `reveal`; `verbose` adds traces and references."""
    print_parts(_single(report, console.width, reveal, verbose, plan), console)


def show_side_by_side(reports: Mapping[str, Report], console: Console, *, reveal: bool = False, plan: bool = False) -> None:
    """Several audits of the same kind of token, by name: one table, then the cheapest proofs of the exposed techniques."""
    print_parts(_several(reports, console.width, reveal, plan), console)


def print_parts(parts: Iterable[RenderableType], console: Console) -> None:
    """Without the blanks that columns end in, where somebody may want to compare or quote the lines."""
    if console.is_terminal:
        for part in parts:
            console.print(part)
        return
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    console.file.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def _single(report: Report, width: int, reveal: bool, verbose: bool, plan: bool) -> Iterator[RenderableType]:
    groups = by_technique(report)
    present = [group for group in groups if group.verdict is not Verdict.ABSENT]
    yield from summary.header(report.module)
    yield from summary.totals(report, plan=plan)
    yield Text()
    yield summary.one(groups, width)
    yield from _legend(report.findings)
    for group in present:
        yield Text()
        yield from details.full(group, width, reveal=reveal, verbose=verbose)
    if len(present) < len(groups):
        yield Text("\nAbsent", "bold")
        yield from details.absent(group for group in groups if group not in present)


def _several(reports: Mapping[str, Report], width: int, reveal: bool, plan: bool) -> Iterator[RenderableType]:
    for name, report in reports.items():
        yield from summary.header(report.module, name)
        yield from summary.totals(report, plan=plan)
        yield Text()
    yield summary.side_by_side({name: by_technique(report) for name, report in reports.items()})
    yield from _legend([finding for report in reports.values() for finding in report.findings])
    for name, report in reports.items():
        for group in by_technique(report):
            if group.verdict is Verdict.EXPOSED:
                yield Text()
                yield from details.short(group, width, reveal=reveal, where=name)


def _legend(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    exposed = [finding for finding in findings if finding.verdict in PROVEN]
    if exposed:
        yield Text("\nA letter per byte of the secret:")
        yield from legend(exposed)
