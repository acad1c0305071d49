"""The program `keyfence`: its commands, put together."""

import os
import sys
from io import TextIOWrapper
from typing import Annotated, Literal

import typer

from keyfence import __version__

from . import audit, guard, modules, overlap, prove, search, techniques

app = typer.Typer(
    name="keyfence",
    help="Finds, proves and closes TLS key leaks in PKCS#11 modules.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain text: an error stays one line, and help is as wide as the terminal
    pretty_exceptions_enable=False,
)
app.command(epilog=audit.EPILOG, short_help="Find, prove and report a module's leaks.")(audit.audit)
app.command(short_help="List this machine's modules.")(modules.modules)
app.command(short_help="List the techniques, or explain one.")(techniques.techniques)
app.command(short_help="Show which suites' keys share bytes.")(overlap.overlap)
app.command(epilog=prove.EPILOG, short_help="Prove what a policy closes.")(prove.prove)
app.add_typer(guard.app)
app.add_typer(search.app)


def main() -> None:
    """The entry point. Output that the terminal's encoding lacks is replaced, never the end of an audit.

    Streams that were closed (`2>&-`) are nobody's, so that no file opened later gets their numbers and what is printed.
    """
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="keyfence")


def _nowhere(mode: Literal["r", "w"]) -> TextIOWrapper:
    return open(os.devnull, mode)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"keyfence {__version__}")
        raise typer.Exit


@app.callback()
def _keyfence(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass
