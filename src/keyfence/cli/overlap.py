"""keyfence overlap: which keys of which cipher suites share bytes of one key block."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from .ending import one_clear_line
from .request import suite_name

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from keyfence.model.overlap import Overlap
    from keyfence.schedule import CipherSuite, Version

    Alike = tuple[CipherSuite, ...]  # suites that cut the key block in one way


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
    """Per version, a row per cut whose keys the IVs of other cuts return, in part or all of them."""
    from keyfence.schedule import Version

    yield "Key bytes of real cipher suites that the IVs of other real suites return, out of one key block:"
    for version in (Version.SSL3, Version.TLS10, Version.TLS12):  # TLS 1.1 cuts TLS 1.0's stream, and returns no IVs
        table = _table("Cut as by", "Key bytes", "Most of them through the IVs of")
        for victims, through in _returned(version).items():
            most = max(through, key=lambda others: len(through[others]))
            every = frozenset[int]().union(*through.values())
            keys = f"{len(every)} of {_key_bytes(victims[0], version)}"
            table.add_row(_named(victims), keys, f"{_named(most)}: {len(through[most])}")
        yield f"\n{version}"
        yield table


def _returned(version: "Version") -> "dict[Alike, dict[Alike, frozenset[int]]]":
    """By victims and by whose IVs: the offsets of the victims' key bytes that these return."""
    from keyfence.model.overlap import all_overlaps
    from keyfence.schedule import SUITES

    found: dict[Alike, dict[Alike, frozenset[int]]] = defaultdict(lambda: defaultdict(frozenset))
    for collision in all_overlaps(SUITES, version):
        for each in collision.overlaps:
            if each.price.work_bits == 0:
                a_loses = each.victim is each.part_a
                sides = (collision.suites_a, collision.suites_b) if a_loses else (collision.suites_b, collision.suites_a)
                found[sides[0]][sides[1]] |= frozenset(range(each.start, each.stop))
    return dict(sorted(found.items(), key=lambda pair: pair[0][0].code))


def _key_bytes(suite: "CipherSuite", version: "Version") -> int:
    from keyfence.model.overlap import block_parts

    return sum(part.length for part in block_parts(suite, version) if part.strength)


def _named(suites: "Alike") -> str:
    """The first of them, and how many there are besides."""
    return f"{suites[0].name} (+{len(suites) - 1})" if len(suites) > 1 else suites[0].name


def _compared(names: list[str]) -> "Iterator[RenderableType]":
    """Every two of the suites; versions in which they overlap alike stand together."""
    from itertools import combinations

    from keyfence.schedule import suite

    for one, other in combinations([suite(name) for name in names], 2):
        alike: dict[tuple[tuple[str, ...], ...], list[str]] = defaultdict(list)
        for version in _common(one, other):
            alike[_rows(one, other, version)].append(str(version))
        yield f"{one.name} (A) and {other.name} (B)"
        if not alike:
            yield "  no version negotiates both and cuts a key block: they never meet on one"
        for rows, versions in alike.items():
            yield f"  {', '.join(versions)}"
            yield _comparison(rows) if rows else "    no byte in common"


def _common(one: "CipherSuite", other: "CipherSuite") -> "list[Version]":
    from keyfence.schedule import Version

    return [
        version for version in Version if version is not Version.TLS13 and one.supports(version) and other.supports(version)
    ]


def _rows(one: "CipherSuite", other: "CipherSuite", version: "Version") -> tuple[tuple[str, ...], ...]:
    from keyfence.model.overlap import overlaps

    return tuple(
        (f"    {each.start}..{each.stop - 1}", each.part_a.part, each.part_b.part, _meaning(each))
        for each in overlaps(one, other, version)
    )


def _comparison(rows: tuple[tuple[str, ...], ...]) -> "Table":
    table = _table("    Bytes", "are A's", "and B's", "so that")
    for row in rows:
        table.add_row(*row)
    return table


def _meaning(overlap: "Overlap") -> str:
    if not overlap.leaks:
        return "two equally strong keys share them"
    loser = "A" if overlap.victim is overlap.part_a else "B"
    if overlap.price.work_bits == 0:
        return f"{loser}'s bytes are returned to the caller"
    return f"{loser}'s bytes cost no more than 2^{overlap.price.work_bits} trials"


def _table(*headings: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table
