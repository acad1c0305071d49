"""The options that searches share: a dataclass that says what they are, and a decorator that gives them to a command."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import typer

from . import inputs


@dataclass(frozen=True, slots=True)
class How:
    """What is asked besides the problem. Contradictions raise BadParameter."""

    range: Annotated[str | None, typer.Option(metavar="LO:HI", help="Only candidates LO to HI - 1: decimal, 0x… or 2^N.")] = (
        None
    )
    every: Annotated[bool, typer.Option("--all", help="Go on behind a hit: every key of the range that fits.")] = False
    threads: Annotated[int | None, typer.Option(min=1, max=1024, metavar="N", help="Without it, one for each processor.")] = (
        None
    )
    path: Annotated[
        str | None, typer.Option(metavar="NAME", help="How to compute: avx512, avx2, generic …; without it, the fastest.")
    ] = None
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="An OpenCL device by a part of its name, or its number: keyfence[gpu].")
    ] = None
    cluster: Annotated[
        str | None, typer.Option(metavar="URL", help="A Dask scheduler, tcp://HOST:8786, whose workers search.")
    ] = None
    job: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to save the job; without it, here, once it takes more than 5 seconds."),
    ] = None
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the key.")] = False
    estimate: Annotated[bool, typer.Option("--estimate", help="Say how long it takes, what it costs; search nothing.")] = False
    machines: Annotated[int, typer.Option(min=1, max=10**9, metavar="N", help="With --estimate: that many like this one.")] = 1
    gpu: Annotated[str | None, typer.Option(metavar="NAME", help="With --estimate: a GPU by name, from published figures.")] = (
        None
    )
    price: Annotated[
        float | None, typer.Option(min=0, metavar="MONEY", help="With --estimate: what a machine costs in an hour.")
    ] = None

    def __post_init__(self) -> None:
        for name, reason in self._contradictions():
            raise inputs.bad(name, reason)

    def _contradictions(self) -> list[tuple[str, str]]:
        chosen = [f"--{name}" for name in ("path", "device", "cluster") if getattr(self, name) is not None]
        found = [(chosen[1], f"it contradicts {chosen[0]}: give one of them")] if len(chosen) > 1 else []
        if self.cluster is not None and self.threads is not None:
            found.append(("--threads", "workers have their own: it belongs to keyfence search worker"))
        if not self.estimate:
            asked = {"--machines": self.machines != 1, "--gpu": self.gpu is not None, "--price": self.price is not None}
            found += [(name, "it belongs to --estimate: give that as well") for name, given in asked.items() if given]
        elif self.cluster is not None:
            found.append(("--cluster", "--estimate asks this machine; give --machines for several of them"))
        return found

    @property
    def way(self) -> str | None:
        """The engine's path, an OpenCL device among them."""
        return f"opencl:{self.device}" if self.device is not None else self.path

    @property
    def thread_count(self) -> int:
        from keyfence.search.threads import processors

        return self.threads or processors()


STRAY: Final = {"allow_extra_args": True}


def with_options(*left_out: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose last parameter is `how: How` gets the options instead, but those it has no use for.

    It is to be registered with STRAY, so that an argument too many is refused here.
    """
    shared = [field for field in fields(How) if field.name not in left_out]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(How, include_extras=True)
        own = {name: it for name, it in signature(command).parameters.items() if name != "how"}
        added = [Parameter(it.name, Parameter.KEYWORD_ONLY, default=it.default, annotation=hints[it.name]) for it in shared]

        context = next((it.name for it in own.values() if it.annotation is typer.Context), None)

        @wraps(command)
        def run(**given: Any) -> None:
            if context is None and given.pop("context").args:  # perhaps a key without its option: it is not repeated
                raise typer.BadParameter("an argument too many: each option takes one value, --half-keys two")
            command(**{name: given.pop(name) for name in own}, how=How(**given))

        stray = [] if context else [Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)]
        parameters = [*stray, *(it.replace(kind=Parameter.KEYWORD_ONLY) for it in own.values()), *added]
        run.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {it.name: it.annotation for it in parameters}
        return run

    return decorate
