"""keyfence prove: a solver's answers on what a policy leaves open, lengths left free."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .ending import ExitCode, one_clear_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from keyfence.guard.prove import Answer

EPILOG: Final = "Exit codes: 0 every answer is as it must be, 1 the policy leaves something open, 2 usage, 3 could not run."


def prove(
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="A policy; without it, the default.")] = None,
) -> None:
    """Prove what a policy closes: no two calls that it lets through show a key of TLS, whatever lengths are asked for.

    First what is open without a guard, with the calls; then the policy, rule by rule as the guard judges.
    """
    with one_clear_line():
        from keyfence.guard.policy import Policy
        from keyfence.guard.policy.loader import load
        from keyfence.guard.prove import prove as answers
        from keyfence.report.terminal import console_for, print_parts

        chosen = load(policy, overlapping=True) if policy is not None else Policy.default()
        found = []
        console = console_for(sys.stdout)
        for answer in answers(chosen):
            found.append(answer)
            print_parts(_told(answer), console)
        print_parts(_summed(found), console)
        raise typer.Exit(ExitCode.NOTHING_EXPOSED if all(each.as_it_must_be for each in found) else ExitCode.EXPOSED)


def _told(answer: "Answer") -> "Iterator[RenderableType]":
    from rich.table import Table
    from rich.text import Text

    from keyfence.guard.prove.words import rows

    style = "bold" if answer.as_it_must_be else "bold red"
    yield Text.assemble(f"{answer.question}: ", ("sat" if answer.sat else "unsat", style))
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, text in rows(answer):
        table.add_row(Text(f"    {name}"), Text(text))
    if answer.sat:
        yield table


def _summed(answers: "Iterable[Answer]") -> "Iterator[RenderableType]":
    from rich.text import Text

    wrong = [answer for answer in answers if not answer.as_it_must_be]
    if not wrong:
        yield Text("\nEvery answer is as it must be: open without the policy, closed under it.")
    for answer in wrong:
        word = "this must be unsat" if answer.sat else "this must be sat: the model has lost the attack"
        yield Text(f"\nNOT as it must be: {answer.question}: {word}", "bold red")
