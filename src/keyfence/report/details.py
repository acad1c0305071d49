"""The body of a report: per technique and victim what leaked and how, or who refused."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keyfence.audit.findings import Finding, Proof, Verdict

from .strip import strip
from .summary import STYLES, price
from .words import TechniqueFindings, clean, count

_INDENT = 2
_STEPS_SHOWN = 4  # of a longer chain, unless everything is asked for
_VERDICT_COLUMN = len(Verdict.INCONCLUSIVE) + 2


def full(group: TechniqueFindings, width: int, *, reveal: bool, verbose: bool) -> Iterator[RenderableType]:
    """Everything about one technique. Without `verbose`, only the cheapest proof is told call by call."""
    yield _title(group)
    best = group.findings[0]
    if group.verdict is Verdict.EXPOSED:
        yield _indented(_named("allowed by", best.section), _named("refused by", best.remedy))
        if verbose:
            yield _indented(_named("see", "; ".join(best.references)))
    for number, finding in enumerate(group.findings):
        yield _entry(finding, width, first=number == 0, reveal=reveal, verbose=verbose)


def short(group: TechniqueFindings, width: int, *, reveal: bool, where: str) -> Iterator[RenderableType]:
    """The cheapest proof of an exposed technique alone; `where` names the audit."""
    best = group.findings[0]
    yield _title(group).append(f" ({where})", "dim")
    yield _indented(
        Text(f"{_victim(best)}: {price(best)}"), *strip(best, width - _INDENT, reveal=reveal), *_chain(best, _STEPS_SHOWN)
    )


def absent(groups: Iterable[TechniqueFindings]) -> Iterator[RenderableType]:
    """A line per technique that has nothing to work with."""
    for group in groups:
        yield _hanging(group.technique, Text(clean(group.findings[0].why)))


def _title(group: TechniqueFindings) -> Text:
    return Text.assemble((group.technique, "bold"), f"  {clean(group.title)}")


def _entry(finding: Finding, width: int, *, first: bool, reveal: bool, verbose: bool) -> Table:
    """A finding: the verdict on the left, the rest on the right of it."""
    body: list[RenderableType] = [Text(_victim(finding))]
    if finding.verdict is Verdict.EXPOSED:
        body.append(Text(f"through {finding.mechanism}: {price(finding)}"))
        body += strip(finding, width - _INDENT - _VERDICT_COLUMN, reveal=reveal)
    else:
        body.append(Text(_without_proof(finding)))
    if first or verbose:
        body += [*_chain(finding, None if verbose else _STEPS_SHOWN), *_proof(finding)]
    if verbose:
        body += [Text(clean(str(record)), "dim") for record in finding.trace]
    return _beside(Text(str(finding.verdict), STYLES[finding.verdict]), body)


def _beside(verdict: Text, body: list[RenderableType]) -> Table:
    table = Table.grid(padding=0)
    table.add_column(width=_INDENT)
    table.add_column(width=_VERDICT_COLUMN)
    table.add_column()
    table.add_row("", verdict, Group(*body))
    return table


def _victim(finding: Finding) -> str:
    session = " ".join(filter(None, (finding.victim.protocol, finding.victim.suite)))
    return ": ".join(filter(None, (session, finding.victim.key)))


def _proof(finding: Finding) -> Iterator[RenderableType]:
    if finding.evidence:
        rehearsed = f" ({finding.evidence.proof})" if finding.evidence.proof is Proof.REHEARSAL else ""
        yield _named("proof", f"{finding.evidence.statement}{rehearsed}")


def _chain(finding: Finding, shown: int | None) -> Iterator[RenderableType]:
    """The cheapest chain of calls, numbered; of a long one the beginning and the end."""
    lines = [_hanging(f"{number}.", Text(clean(step))) for number, step in enumerate(finding.steps, 1)]
    if shown is None or len(lines) <= shown:
        yield from lines
        return
    yield from lines[: shown - 1]
    yield Text(f"   ... {count(len(lines) - shown, 'step')} more of the kind (-v shows them)", "dim")
    yield lines[-1]


def _without_proof(finding: Finding) -> str:
    return ": ".join(filter(None, (finding.mechanism, clean(finding.why))))


def _named(name: str, text: str) -> Table:
    return _hanging(name, Text(clean(text)))


def _hanging(mark: str, text: Text) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column()
    table.add_row(mark, text)
    return table


def _indented(*lines: RenderableType) -> Padding:
    return Padding(Group(*lines), (0, 0, 0, _INDENT))
