"""keyfence audit: the options, and the order of things."""

from pathlib import Path
from typing import Annotated, Final

import typer

from . import request
from .ending import one_clear_line
from .request import AuditOptions, Schedule

EPILOG: Final = (
    "Exit codes: 0 nothing exposed, 1 exposures, 2 usage, 3 could not run (no module, no login, a crash at the start, Ctrl-C) "
    "or could conclude nothing (every finding is INCONCLUSIVE). "
    "Only session objects are made, and they are destroyed. Begin with --plan on a module that matters."
)

_SIZES: Final = (
    "On two cores 2^32 trials take seconds (DES) to ten minutes (RC4), 2^40 half an hour (DES) to two days (RC4), 2^56 years: "
    "each search, and every session has its own. A large one is announced; Ctrl-C ends it."
)


def audit(
    target: Annotated[
        str | None, typer.Argument(metavar="[PRESET|token]", help="A preset's name, or token: the embedded software token.")
    ] = None,
    module: Annotated[Path | None, typer.Option(metavar="PATH", help="The module's shared object.")] = None,
    init_args: Annotated[str | None, typer.Option(metavar="TEXT", help="C_Initialize's LibraryParameters (NSS).")] = None,
    uri: Annotated[
        str | None, typer.Option(metavar="URI", help="RFC 7512: pkcs11:token=…?module-path=…&pin-source=file:…")
    ] = None,
    slot: Annotated[int | None, typer.Option(min=0, metavar="N", help="The slot, where the token alone does not tell.")] = None,
    pin_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Holds the user PIN. Also KEYFENCE_PIN_FILE, pin-source, or a prompt.")
    ] = None,
    schedule: Annotated[Schedule | None, typer.Option(help="Of the embedded token; without it, both side by side.")] = None,
    suite: Annotated[list[str] | None, typer.Option(metavar="NAME", help="The victims' cipher suite (again for more).")] = None,
    technique: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this technique (again for more).")] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE|-", help="Write the report as JSON; - to standard output.")] = None,
    isolate: Annotated[
        bool | None, typer.Option("--isolate/--no-isolate", help="In a process of its own; the default for shared objects.")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="For each call of an isolated module.")] = 30.0,
    max_calls: Annotated[int | None, typer.Option(min=1, metavar="N", help="Stop attacking after so many calls.")] = None,
    max_search_bits: Annotated[
        int, typer.Option(min=0, max=56, metavar="BITS", help=f"Run searches up to 2^BITS trials; price larger ones. {_SIZES}")
    ] = 16,
    plan: Annotated[bool, typer.Option("--plan", help="Probe and plan, on the lab's own keys; execute nothing.")] = False,
    guarded: Annotated[bool, typer.Option("--guarded", help="Through the guard: what is exposed is to be refused.")] = False,
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="The guard's policy; without it, the default.")] = None,
    db: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="The guard's ledger; without it, one that ends with the audit.")
    ] = None,
    ledger_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The ledger's hash key, where db is a URL.")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show recovered bytes unmasked.")] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Traces and references in the report; -vv: each call, live.")
    ] = 0,
) -> None:
    """Find the TLS key leaks of a PKCS#11 module, prove each, report."""
    with one_clear_line():
        options = AuditOptions(
            preset=target,
            module=str(module) if module else None,
            init_args=init_args,
            uri=uri,
            slot=slot,
            pin_file=str(pin_file) if pin_file else None,
            schedule=schedule,
            suites=tuple(suite or ()),
            techniques=tuple(technique or ()),
            json=json,
            isolate=isolate,
            time_limit=time_limit,
            max_calls=max_calls,
            max_search_bits=max_search_bits,
            plan=plan,
            reveal=reveal,
            verbose=verbose,
            guarded=guarded,
            policy=str(policy) if policy else None,
            db=db,
            ledger_key=str(ledger_key) if ledger_key else None,
        )
        targets = request.targets(options)
        options = request.checked(options)
        from . import running  # the audit itself, which a usage error need not wait for

        raise typer.Exit(running.run(targets, options))
