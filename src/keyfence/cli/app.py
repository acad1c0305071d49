"""The program `keyfence`: its commands, put together."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from keyfence import __version__

from . import audit, modules, overlap, techniques

app = typer.Typer(
    name="keyfence",
    help="Finds, proves and closes TLS key leaks in PKCS#11 modules.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog=audit.EPILOG)(audit.audit)
app.command()(modules.modules)
app.command()(techniques.techniques)
app.command()(overlap.overlap)


def main() -> None:
    """The entry point. Output that the terminal's encoding lacks is replaced, never the end of an audit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="keyfence")


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
