"""keyfence overlap: which keys of which cipher suites share bytes of one key block."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from .ending import one_clear_line
from .request import suite_name

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from .overlaps import Layout, Overlap


def overlap(
    suite: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Compare these (give it twice or more); without it, all suites.")
    ] = None,
) -> None:
    """Show which keys of which cipher suites share bytes of one key block: why one master secret must be cut one way only."""
    with one_clear_line():
        names = [suite_name(name) for name in suite or ()]
        if len(names) == 1:
            raise typer.BadParameter("name two suites or more to compare, or none for all", param_hint="--suite")
        from keyfence.report.terminal import console_for, print_parts

        print_parts(_compared(names) if names else _all(), console_for(sys.stdout))


def _all() -> "Iterator[RenderableType]":
    """Per version, a row per victim's cut: what the IVs of all other real cuts return of its keys."""
    from keyfence.schedule import Version

    from .overlaps import layouts

    yield "Key bytes of real cipher suites that the IVs of other real suites return, out of one key block:"
    for version in (Version.SSL3, Version.TLS10, Version.TLS12):  # TLS 1.1 cuts TLS 1.0's stream, and returns no IVs
        table = _table("Cut as by", "Key bytes", "Most through the IVs of")
        cuts = layouts(version)
        for victim in cuts:
            table.add_row(victim.name, *_exposure(victim, cuts))
        yield f"\n{version}: {len(cuts)} different cuts"
        yield table


def _exposure(victim: "Layout", cuts: "Sequence[Layout]") -> tuple[str, str]:
    from .overlaps import returned

    rivals = [cut for cut in cuts if cut is not victim and returned(victim, cut)]
    if not rivals:
        return f"0 of {victim.key_bytes}", ""
    every = frozenset[int]().union(*(returned(victim, cut) for cut in rivals))
    most = max(rivals, key=lambda cut: len(returned(victim, cut)))
    return f"{len(every)} of {victim.key_bytes}", f"{most.name}: {len(returned(victim, most))}"


def _compared(names: list[str]) -> "Iterator[RenderableType]":
    """Every two of the suites, both ways round; versions in which they overlap alike stand together."""
    from keyfence.schedule import Version, suite

    from .overlaps import layouts, overlaps

    alike: dict[tuple[object, ...], list[Version]] = {}
    pairs = {}
    for version in Version:
        cuts = [cut for name in names for cut in layouts(version, [suite(name)])]
        if len(cuts) == len(names):
            found = [(one, other, list(overlaps(one, other))) for one in cuts for other in cuts if one is not other]
            same = tuple((one.name, other.name, *map(str, map(_row, rows))) for one, other, rows in found)
            alike.setdefault(same, []).append(version)
            pairs[same] = found
    for same, versions in alike.items():
        yield ", ".join(map(str, versions))
        for one, other, rows in pairs[same]:
            yield from _pair(one, other, rows)
    if not alike:
        yield "No version negotiates all of them and cuts a key block: they never meet on one."


def _pair(victim: "Layout", other: "Layout", rows: "Sequence[Overlap]") -> "Iterator[RenderableType]":
    yield f"  keys of {victim.name}, in a cut as by {other.name}:"
    if not rows:
        apart = "" if victim.prf_hash == other.prf_hash else ": their PRFs differ, so that they cut different streams"
        yield f"    none{apart}"
        return
    table = _table("    Key", "Bytes", "lie in the", "which is")
    for each in rows:
        table.add_row(*_row(each))
    yield table


def _row(overlap: "Overlap") -> tuple[str, ...]:
    places = f"{overlap.start}..{overlap.stop - 1}"
    return f"    {overlap.victim.part}", places, overlap.other.part, _meaning(overlap)


def _meaning(overlap: "Overlap") -> str:
    if overlap.work_bits == 0:
        return "returned to the caller"
    weaker = "weaker" if overlap.is_leak else "no weaker"
    return f"another key, {weaker} ({overlap.work_bits} bits)"


def _table(*headings: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table
