"""The body of a report: per technique and victim what leaked and how, or who refused."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keyfence.audit.findings import Finding, Proof, Verdict, VictimRef

from .strip import strip
from .summary import STYLES, price
from .words import PROVEN, TechniqueFindings, clean, count

_INDENT = 2
_STEPS_SHOWN = 4  # of a longer chain, unless everything is asked for
_BODY = 4


def full(group: TechniqueFindings, width: int, *, reveal: bool, verbose: bool) -> Iterator[RenderableType]:
    """All about one technique. Without `verbose`: per victim's key the cheapest proof, the cheapest of all call by call."""
    best = group.findings[0]
    yield _title(group)
    yield _indented(_named("standard", best.section), _named("remedy  ", best.remedy))
    if verbose:
        yield _indented(_named("see     ", "; ".join(best.references)))
    for finding, *others in [[each] for each in group.findings] if verbose else _by_victim(group.findings):
        yield from _entry(finding, width, first=finding is best, reveal=reveal, verbose=verbose)
        if others:
            yield _indented(
                _hanging("also through", Text(", ".join(dict.fromkeys(each.mechanism for each in others)))), by=_BODY
            )
    if not verbose:
        yield from _gathered(finding for finding in group.findings if not _is_told(finding))


def _is_told(finding: Finding) -> bool:
    """Whether there is a chain of calls to tell: executed, or planned."""
    return finding.verdict in PROVEN or bool(finding.steps)


def _by_victim(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """What there is to tell, a list per verdict and victim's key, the cheapest first."""
    alike: dict[tuple[Verdict, VictimRef], list[Finding]] = {}
    for finding in filter(_is_told, findings):
        alike.setdefault((finding.verdict, finding.victim), []).append(finding)
    yield from alike.values()


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


def _entry(finding: Finding, width: int, *, first: bool, reveal: bool, verbose: bool) -> Iterator[RenderableType]:
    """A finding: verdict and victim on a line, the rest under it."""
    yield Text.assemble("  ", (str(finding.verdict), STYLES[finding.verdict]), f"  {_victim(finding)}")
    body: list[RenderableType] = []
    if finding.verdict in PROVEN:
        body.append(Text(f"through {finding.mechanism}: {price(finding)}"))
        body += strip(finding, width - _BODY, reveal=reveal)
    else:
        body.append(Text(_without_proof(finding)))
    if first or verbose:
        body += [*_chain(finding, None if verbose else _STEPS_SHOWN), *_proof(finding)]
    if verbose:
        body += [_hanging("   ", Text(clean(str(record)), "dim")) for record in finding.trace]
    yield _indented(*body, by=_BODY)


def _gathered(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    """Those that say the same, together: the reason once, then the mechanisms and the protocols."""
    alike: dict[tuple[Verdict, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.verdict, finding.why), []).append(finding)
    for (verdict, why), group in alike.items():
        yield Text.assemble("  ", (str(verdict), STYLES[verdict]), f"  {clean(why)}")
        mechanisms = ", ".join(dict.fromkeys(finding.mechanism for finding in group if finding.mechanism))
        sessions = ", ".join(dict.fromkeys(finding.victim.protocol for finding in group if finding.victim.protocol))
        yield _indented(Text(f"{mechanisms} on {count(len(group), 'victim key')}: {sessions}"), by=_BODY)


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


def _indented(*lines: RenderableType, by: int = _INDENT) -> Padding:
    return Padding(Group(*lines), (0, 0, 0, by))
