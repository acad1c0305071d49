"""keyfence techniques: what each one does, needs and cites."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .ending import one_clear_line
from .request import known_technique

if TYPE_CHECKING:
    from keyfence.techniques.base import Technique


def techniques(
    technique: Annotated[str | None, typer.Argument(metavar="[ID]", help="Tell all about this one.")] = None,
) -> None:
    """List the techniques, or explain one."""
    with one_clear_line():
        from keyfence.techniques import TECHNIQUES

        known = {each.id: each for each in TECHNIQUES}
        if technique is None:
            _list(list(known.values()))
        else:
            _explain(known[known_technique(technique, list(known), "ID")])


def _list(techniques: "list[Technique]") -> None:
    from rich.table import Table
    from rich.text import Text

    from keyfence.report.terminal import console_for, print_parts

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    table.add_column("Technique", no_wrap=True)
    table.add_column("What it is")
    table.add_column("Allowed by", no_wrap=True)
    for each in techniques:
        table.add_row(
            Text(each.id), Text(each.title), Text("the standard's text" if each.standard else "a module's error only")
        )
    print_parts([table], console_for(sys.stdout))


def _explain(technique: "Technique") -> None:
    from rich.table import Table
    from rich.text import Text

    from keyfence.report.terminal import console_for, print_parts

    rows = {
        "what": technique.summary,
        "section": technique.section,
        "sessions": "; ".join(sorted(technique.kinds)),
        "agreement": "; ".join(technique.agreements or filter(None, [technique.agreement])) or "any",
        "allowed by": "the standard's text" if technique.standard else "a module's error only",
        "refused by": technique.remedy,
        "see": "\n".join(technique.references),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column()
    for name, value in rows.items():
        table.add_row(name, Text(value))
    print_parts([Text.assemble((technique.id, "bold"), f"  {technique.title}"), table], console_for(sys.stdout))
