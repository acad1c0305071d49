"""keyfence search bench: keys per second, ours beside others', interleaved in one run."""

from typing import Annotated

import typer

from keyfence.cli.ending import one_clear_line


def bench(
    against: Annotated[
        str, typer.Option(metavar="NAMES", help="Programs to measure as well, with commas between: hashcat, john.")
    ] = "",
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="How often each is measured; medians are shown.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, metavar="S", help="For each measurement of ours.")] = 2.0,
) -> None:
    """Measure the search on this machine, and say how it compares."""
    with one_clear_line():
        from keyfence.search import bench

        options = bench.Options(tuple(filter(None, against.split(","))), rounds, seconds)
        bench.run(options, emit=typer.echo, told=lambda line: typer.echo(line, err=True))
