"""What `keyfence audit` was asked for: checked, and turned into targets. Usage errors end here, before anything is loaded."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

import typer

if TYPE_CHECKING:
    from keyfence.audit.sources import Access
    from keyfence.audit.target import Target

Schedule = Literal["classic", "separated"]
SCHEDULES: Final[tuple[Schedule, ...]] = ("classic", "separated")

TOKEN: Final = "token"  # noqa: S105 - what the embedded one is called, where presets have their names


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """The command line as it was given."""

    preset: str | None = None
    module: str | None = None
    init_args: str | None = None
    uri: str | None = None
    slot: int | None = None
    pin_file: str | None = None
    schedule: Schedule | None = None
    suites: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    json: str | None = None
    isolate: bool | None = None
    time_limit: float = 30.0
    max_calls: int | None = None
    max_search_bits: int = 16
    plan: bool = False
    reveal: bool = False
    verbose: int = 0
    guarded: bool = False
    policy: str | None = None
    db: str | None = None
    ledger_key: str | None = None


def targets(options: AuditOptions) -> "dict[str, Target]":
    """What to audit, by name: both schedules of the embedded token, or one target. Usage errors are typer's."""
    return _embedded(options) if options.preset == TOKEN else _module(options)


def checked(options: AuditOptions) -> AuditOptions:
    """With suites and techniques by their proper names."""
    for name in ("policy", "db", "ledger_key"):
        if getattr(options, name) is not None and not options.guarded:
            raise typer.BadParameter("it is a guard's: give --guarded", param_hint=f"--{name.replace('_', '-')}")
    return replace(
        options, suites=tuple(map(suite_name, options.suites)), techniques=tuple(map(_technique, options.techniques))
    )


def _embedded(options: AuditOptions) -> "dict[str, Target]":
    from keyfence.audit.sources import embedded

    for name in ("module", "uri", "init_args", "pin_file"):
        if getattr(options, name) is not None:
            raise typer.BadParameter("the embedded token needs none", param_hint=f"--{name.replace('_', '-')}")
    chosen = (options.schedule,) if options.schedule else SCHEDULES
    return {schedule: embedded(schedule, _access(options, isolate=False)) for schedule in chosen}


def _module(options: AuditOptions) -> "dict[str, Target]":
    from keyfence.audit.sources import shared_object
    from keyfence.cryptoki.uri import Uri, UriError
    from keyfence.presets import UnknownPreset, preset, presets

    if options.schedule is not None:
        raise typer.BadParameter("only the embedded token has schedules: keyfence audit token", param_hint="--schedule")
    if not (options.preset or options.module or options.uri):
        raise typer.BadParameter(f"say what to audit: {TOKEN}, a preset ({', '.join(presets())}), --module or --uri")
    try:
        uri = Uri.parse(options.uri) if options.uri is not None else None
    except UriError as error:
        raise typer.BadParameter(str(error), param_hint="--uri") from None
    try:
        facts = preset(options.preset) if options.preset is not None else None
    except UnknownPreset as error:
        raise typer.BadParameter(f"{error}, and {TOKEN} for the embedded one") from None
    name = options.preset or options.module or "uri"
    return {name: shared_object(_access(options, isolate=True), path=options.module, uri=uri, preset=facts)}


def _access(options: AuditOptions, *, isolate: bool) -> "Access":
    from keyfence.audit.sources import Access

    isolated = isolate if options.isolate is None else options.isolate
    return Access(options.slot, options.pin_file, options.init_args, isolated, options.time_limit)


def suite_name(name: str) -> str:
    """The IANA name; a usage error with near ones."""
    from keyfence.schedule import UnknownSuite, suite

    try:
        return suite(name).name
    except UnknownSuite as error:
        raise typer.BadParameter(str(error), param_hint="--suite") from None


def _technique(name: str) -> str:
    from keyfence.techniques import TECHNIQUES

    return known_technique(name, [technique.id for technique in TECHNIQUES], "--technique")


def known_technique(name: str, ids: list[str], hint: str) -> str:
    """The id, whatever its case; a usage error with near ones."""
    if name.lower() in ids:
        return name.lower()
    near = get_close_matches(name.lower(), ids, n=3) or ids
    raise typer.BadParameter(f"no technique is called {name!r}; near it: {', '.join(near)}", param_hint=hint)
