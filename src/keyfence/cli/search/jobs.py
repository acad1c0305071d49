"""keyfence search without a command: a saved job gone on with or shown, and what a whole DES key would take."""

from pathlib import Path
from typing import Annotated

import typer

from .inputs import bad
from .options import How, with_options
from .running import estimate_blank, go_on, show


@with_options("range", "every", "job")
def jobs(
    context: typer.Context,
    resume: Annotated[Path | None, typer.Option(metavar="JOB", help="Go on with a saved job.")] = None,
    status: Annotated[Path | None, typer.Option(metavar="JOB", help="Show how far a job is, and search nothing.")] = None,
    *,
    how: How,
) -> None:
    """Find keys from what a module gives away: DES, RC4, HMAC, AES. A job that was saved goes on with --resume.

    --estimate says what the rest of --resume's job takes; alone, what a DES key takes of which nothing is known.
    """
    if context.invoked_subcommand is not None:
        if how != How() or (resume, status) != (None, None):
            raise bad("search", f"options belong behind the command: keyfence search {context.invoked_subcommand} …")
        return
    if [resume is not None or how.estimate, status is not None].count(True) != 1:
        raise typer.BadParameter("name a search (keyfence search --help), or give one of --resume, --status and --estimate")
    if status is not None:
        show(status, how)
    elif resume is not None:
        go_on(resume, how)
    else:
        estimate_blank(how)
