"""keyfence guard: a policy explained, and the ledger looked at and pruned."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .ending import could_not_run, one_clear_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from keyfence.guard.ledger.sql import SqlLedger
    from keyfence.guard.ledger.statistics import Statistics
    from keyfence.guard.policy.explain import Section

app = typer.Typer(name="guard", help="The guard's policy and its ledger.", no_args_is_help=True, rich_markup_mode=None)


@app.command(short_help="Check a policy, and say what it means.")
def check(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The policy; without it, the default.")] = None,
    print_default: Annotated[bool, typer.Option("--print-default", help="Print the default policy's file instead.")] = False,
) -> None:
    """Check a policy and say what it means: what it refuses and whom that touches, then what it allows."""
    with one_clear_line():
        from keyfence.guard.policy import Policy
        from keyfence.guard.policy.explain import explain
        from keyfence.guard.policy.loader import default_text, load

        if print_default:
            sys.stdout.write(default_text())
        else:
            _print(_explained(explain(load(file) if file is not None else Policy.default())))


@app.command(short_help="Show or prune what guards have committed to.")
def ledger(
    db: Annotated[
        str | None,
        typer.Option(
            envvar="KEYFENCE_LEDGER", metavar="FILE|URL", help="An SQLite file or postgresql://…; else the user's own."
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ledger's hash key; for an SQLite file, FILE.key beside it.")
    ] = None,
    examine: Annotated[bool, typer.Option("--examine", help="Let the database look for damage in itself.")] = False,
    prune_before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Prune secrets whose last cut was committed before (UTC)."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Prune without asking.")] = False,
) -> None:
    """Show what is committed, how large it is, since when. Pruning never reopens a cut: a pruned secret is refused for good."""
    with one_clear_line():
        from keyfence.guard.ledger.sql import SqlLedger
        from keyfence.guard.ledger.statistics import statistics

        opened = SqlLedger(db or str(_own_ledger()), key, create=False)
        try:
            if prune_before is not None:
                _prune(opened, prune_before.replace(tzinfo=UTC), yes)
            found = statistics(opened, examine=examine)
        finally:
            opened.close()
        _print(_shown(opened, found))
        if found.damage:
            could_not_run(f"the ledger is damaged: {found.damage[0]}")


def _own_ledger() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "keyfence" / "ledger.db"


def _prune(opened: "SqlLedger", before: datetime, yes: bool) -> None:
    """Irrevocable, and not safe for what still lives: so it is asked for."""
    question = (
        f"Prune every secret that was last cut before {before:%Y-%m-%d}? Sessions that still use one of them, "
        "and blobs wrapped before then, are refused from now on"
    )
    if not (yes or typer.confirm(question)):
        raise typer.Exit
    print(f"pruned: {_counted(opened.prune(before), 'cut')}")


def _print(parts: "Iterable[RenderableType]") -> None:
    from keyfence.report.terminal import console_for, print_parts

    print_parts(parts, console_for(sys.stdout))


def _explained(sections: "Iterable[Section]") -> "Iterator[RenderableType]":
    from rich.text import Text

    for number, section in enumerate(sections):
        yield Text(f"{chr(10) if number else ''}{section.title}", "bold")
        yield _grid(section.rows)


def _shown(opened: "SqlLedger", found: "Statistics") -> "Iterator[RenderableType]":
    from rich.text import Text

    yield _grid(
        (
            ("ledger", opened.database.name),
            ("hash key", str(opened.key_file)),
            ("committed", f"{_counted(found.blocks, 'key block')} of {_counted(found.secrets, 'secret')}"),
            ("pruned", _counted(found.retired, "secret")),
            ("size", f"{found.size:,} bytes"),
            ("since", _moment(found.since)),
            ("latest", _moment(found.latest)),
        )
    )
    if found.cuts:
        yield Text("\nHow often each was committed", "bold")
        yield _grid((f"{number:,}", cut.decode("ascii", "backslashreplace")) for cut, number in found.cuts)
    for damage in found.damage:
        yield Text(f"damage: {damage}", "bold red")


def _grid(rows: "Iterable[tuple[str, str]]") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    from keyfence.report.words import clean

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(max_width=40)
    table.add_column()
    for name, text in rows:
        table.add_row(Text(f"  {clean(name)}"), Text(clean(text)))
    return table


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "nothing is committed"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
