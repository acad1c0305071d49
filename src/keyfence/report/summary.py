"""The head of a report: what was audited, and a table with a row per technique."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keyfence.audit.findings import Finding, ModuleRef, Report, Residue, Verdict

from .words import PROVEN, TechniqueFindings, clean, count, recovered, work

STYLES = {
    Verdict.EXPOSED: "bold red",
    Verdict.OUT_OF_SCOPE: "magenta",
    Verdict.REFUSED: "green",
    Verdict.ABSENT: "dim",
    Verdict.INCONCLUSIVE: "yellow",
}

_LONGEST_REASON = 40  # letters; the details have all of it


def header(module: ModuleRef, name: str = "") -> Iterator[RenderableType]:
    """The module: who made it, which version, where it lies, which slot and token. `name` tells several audits apart."""
    title = " ".join(filter(None, (clean(module.description), module.version)))
    yield Text.assemble(("keyfence audit", "bold"), f" of {title}", (f", {name}" if name else "", "bold"))
    yield Text(f"  module {clean(module.path)}, slot {module.slot}, token {clean(module.token)!r}")


def totals(report: Report, *, plan: bool) -> Iterator[RenderableType]:
    """How many findings of each verdict, what was left behind, and what has to be said besides."""
    line = Text("  ")
    for verdict, number in report.summary.items():
        if verdict is Verdict.OUT_OF_SCOPE and not number:
            continue  # a verdict of audits through a guard
        line.append(f"{verdict} {number}", STYLES[verdict] if number else "dim").append("   ")
    yield line.append(_residue(report.residue))
    if plan:
        yield Text("  planned only: nothing was executed on a victim's keys, so nothing is EXPOSED", "yellow")
    for note in report.notes:
        yield Padding(Text(f"note: {clean(note)}", "dim"), (0, 0, 0, 2))


def _residue(residue: Residue) -> Text:
    if residue.objects_after is None:
        return Text(f"the module is gone; what is left of {residue.objects_before} objects cannot be counted", "bold yellow")
    if residue.clean:
        return Text(f"no object left behind ({residue.objects_before} before, {residue.objects_after} after)")
    return Text(f"objects LEFT BEHIND: {residue.objects_before} before, {residue.objects_after} after", "bold red")


def one(groups: Sequence[TechniqueFindings], width: int) -> Table:
    """The table of a single audit; the titles get what room the rest leaves."""
    rows = [(Text(group.technique), _verdict(group), Text(_reason(group))) for group in groups]
    rest = width - sum(max(len(row[column]) for row in rows) + 2 for column in range(3)) if rows else 0
    table = _table("Technique", "Verdict", "Cheapest proof, or why not", "What it is")
    for group, row in zip(groups, rows, strict=True):
        title = Text(clean(group.title))
        title.truncate(max(rest, 12), overflow="ellipsis")
        table.add_row(*row, title)
    return table


def side_by_side(reports: Mapping[str, Iterable[TechniqueFindings]]) -> Table:
    """The table of several audits: a row per technique, a column per audit."""
    groups = {name: {group.technique: group for group in found} for name, found in reports.items()}
    table = _table("Technique", *reports)
    for technique in _all(groups.values()):
        table.add_row(technique, *(_cell(of.get(technique)) for of in groups.values()))
    return table


def _all(groups: Iterable[Mapping[str, object]]) -> Sequence[str]:
    return list(dict.fromkeys(technique for group in groups for technique in group))


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column)
    return table


def _cell(group: TechniqueFindings | None) -> Text:
    return Text("-", "dim") if group is None else Text.assemble(_verdict(group), f" {_reason(group)}")


def _verdict(group: TechniqueFindings) -> Text:
    """ "EXPOSED 3/4": how many of the technique's findings say so."""
    line = Text(str(group.verdict), STYLES[group.verdict])
    return line.append(f" {len(group.deciding)}/{len(group.findings)}") if group.verdict in PROVEN else line


def _reason(group: TechniqueFindings) -> str:
    best = group.findings[0]
    match group.verdict:
        case Verdict.EXPOSED | Verdict.OUT_OF_SCOPE:
            return _price(best)
        case Verdict.REFUSED:
            return _refusals(group.deciding)
        case Verdict.ABSENT:
            return "no mechanism" if best.mechanism else "no session"
    reason = clean(best.why)
    return reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 3] + "..."


def price(finding: Finding) -> str:
    """ "104 of 104 bytes, 5 calls, 2^8 trials"."""
    return ", ".join((recovered(finding), count(finding.calls, "call"), work(finding)))


def _price(finding: Finding) -> str:
    """The same in a table's cell: "104/104 bytes, 5 calls, 2^8"."""
    search = f", 2^{finding.work_bits:g}" if finding.work_bits else ""
    return f"{finding.recovered_bytes}/{finding.total_bytes} bytes, {count(finding.calls, 'call')}{search}"


def _refusals(findings: Sequence[Finding]) -> str:
    """The code met most often, or the guard's rule, and that there were others."""
    codes = Counter(finding.refusal.rule or finding.refusal.ckr for finding in findings if finding.refusal)
    if not codes:
        return ""
    code, _ = codes.most_common(1)[0]
    return code if len(codes) == 1 else f"{code} +{len(codes) - 1}"
