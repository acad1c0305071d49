"""The key block as a strip: a letter per byte that tells how it leaked, or the byte itself where it is to be revealed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.text import Text

from keyfence.audit.findings import Finding
from keyfence.techniques.recovery import Source

_UNKNOWN: Final = (".", "dim", "not recovered")
_SOURCES: Final = {
    Source.PUBLIC: ("P", "bold white on red3", "public: returned by a call"),
    Source.READABLE: ("R", "bold black on dark_orange", "readable: the value of a key"),
    Source.SEARCHED: ("S", "bold white on purple4", "searched"),
    Source.PRICED: ("?", "bold black on yellow3", "within reach of a search that was not run"),
}
_GAP: Final = 2
_PER_ROW: Final = 64  # bytes of one part
_REVEALED_PER_ROW: Final = 16


@dataclass(frozen=True, slots=True)
class _Part:
    label: str
    start: int
    stop: int


def strip(finding: Finding, width: int, *, reveal: bool = False) -> tuple[Text, ...]:
    """Lines of at most `width` columns (84 at least), two parts on a line where both fit."""
    parts = [row for name, place in _layout(finding).items() for row in _folded(_Part(_short(name), *place))]
    if reveal:
        return tuple(line for part in parts for line in _revealed(finding, part))
    cells = [_letters(finding, part) for part in parts]
    return tuple(_rows([_labelled(part.label, cell, parts) for part, cell in zip(parts, cells, strict=True)], width))


def legend(findings: Sequence[Finding]) -> Iterator[Text]:
    """What the letters that occur in these findings' strips mean, a line each."""
    occurring = {_kind(finding, place) for finding in findings for place in range(finding.total_bytes)}
    known = [_SOURCES[source] for source in Source if source in occurring]
    for letter, style, meaning in [*known, *([_UNKNOWN] if None in occurring else [])]:
        yield Text.assemble("  ", (letter, style), f" {meaning}")


def _layout(finding: Finding) -> dict[str, tuple[int, int]]:
    """The finding's own; where it has none, one part for the whole."""
    return dict(finding.layout) or {finding.victim.key or "secret": (0, finding.total_bytes)}


def _folded(part: _Part) -> Iterator[_Part]:
    """A part longer than a row as several, those after the first without a label."""
    for start in range(part.start, part.stop, _PER_ROW):
        label = part.label if start == part.start else ""
        yield _Part(label, start, min(start + _PER_ROW, part.stop))


def _short(name: str) -> str:
    """ "client MAC key" as "client MAC": that the parts are keys goes without saying, and two then fit on a line."""
    return name.removesuffix(" key") if name.startswith(("client ", "server ")) else name


def _kind(finding: Finding, place: int) -> Source | None:
    return finding.evidence.sources.get(place) if finding.evidence else None


def _look(finding: Finding, place: int) -> tuple[str, str]:
    source = _kind(finding, place)
    letter, style, _ = _SOURCES[source] if source else _UNKNOWN
    return letter, style


def _letters(finding: Finding, part: _Part) -> Text:
    looks = groupby(_look(finding, place) for place in range(part.start, part.stop))
    return Text.assemble(*((letter * len(list(run)), style) for (letter, style), run in looks))


def _labelled(label: str, cell: Text, parts: Sequence[_Part]) -> Text:
    widest = max(len(part.label) for part in parts)
    return Text.assemble(f"{label:<{widest}} ", cell)


def _rows(cells: list[Text], width: int) -> Iterator[Text]:
    """Cells joined in pairs, client beside server, where the pairs fit."""
    widest = max((len(cell) for cell in cells), default=0)
    if 2 * widest + _GAP > width:
        yield from cells
        return
    for left, right in zip(cells[::2], [*cells[1::2], None], strict=False):
        yield Text.assemble(left, " " * (widest - len(left) + _GAP), right) if right else left


def _revealed(finding: Finding, part: _Part) -> Iterator[Text]:
    if part.label:
        yield Text(part.label)
    for start in range(part.start, part.stop, _REVEALED_PER_ROW):
        line = Text(f"  {start:>3}  ")
        for place in range(start, min(start + _REVEALED_PER_ROW, part.stop)):
            line.append(_byte(finding, place), _look(finding, place)[1]).append(" ")
        yield line


def _byte(finding: Finding, place: int) -> str:
    value = finding.evidence.recovered.get(place) if finding.evidence else None
    return _look(finding, place)[0] * 2 if value is None else f"{value:02x}"
