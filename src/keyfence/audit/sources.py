"""From what a user names (a preset, a path, a URI, the embedded token) to a `Target`."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from keyfence.cryptoki import Cryptoki, Pin
from keyfence.cryptoki.constants import TokenFlag
from keyfence.cryptoki.isolation import Factory, IsolatedModule, native
from keyfence.cryptoki.uri import Uri
from keyfence.presets import Preset, SlotNotChosen, discover, find_pin, find_slot, presets

from .target import CannotAudit, Target

Schedule = Literal["classic", "separated"]
EMBEDDED: Final = "embedded"


@dataclass(frozen=True, slots=True)
class Access:
    """How a module is to be reached, whatever names it.

    slot          None: the one whose token the preset or the URI describes, or the only one
    pin_file      the file that holds the user PIN; None: the URI's pin-source, KEYFENCE_PIN_FILE, or the terminal
    init_args     C_Initialize's LibraryParameters, instead of the preset's
    isolate       in a process of its own
    time_limit    seconds for each call, where it is isolated
    """

    slot: int | None = None
    pin_file: str | None = None
    init_args: str | None = None
    isolate: bool = True
    time_limit: float = 30.0


def embedded(schedule: Schedule, access: Access) -> Target:
    """keyfence's own software token, fresh each time."""
    factory = Factory("keyfence.token:SoftToken", (schedule,))
    return Target(EMBEDDED, _start(factory, access), access.slot, _embedded_pin)


def shared_object(access: Access, *, path: str | None = None, uri: Uri | None = None, preset: Preset | None = None) -> Target:
    """A module named by at least one of the three; where several do, they complete each other.

    Raises CannotAudit where none leads to a file, ModuleNotLoadable where the preset's is not installed. `start` raises
    ModuleNotLoadable, and ModuleCrashed where merely loading it is fatal.
    """
    uri = uri or Uri()
    given = path or _path_in(uri)
    factory = _factory(given, preset, access)
    return Target(
        path=factory.arguments[0],
        start=_start(factory, access),
        slot=access.slot if access.slot is not None else _slot_finder(uri, preset),
        pin=_pin_finder(uri, preset, access),
        gcm_layout=preset.gcm if preset else None,
        notes=preset.notes if preset else (),
    )


def presets_of(path: str) -> tuple[str, ...]:
    """The names of the presets that know this module."""
    return tuple(name for name, facts in presets().items() if (found := facts.find()) and os.path.samefile(found, path))


def _embedded_pin() -> Pin:
    from keyfence.token import USER_PIN

    return USER_PIN


def _start(factory: Factory, access: Access) -> Callable[[], Cryptoki]:
    if access.isolate:
        return lambda: IsolatedModule(factory, time_limit=access.time_limit)
    return factory.make


def _factory(path: str | None, preset: Preset | None, access: Access) -> Factory:
    if preset is None:
        if path is None:
            raise CannotAudit("nothing names a module: give a preset, --module, or a URI with module-path or module-name")
        return native(path, library_parameters=access.init_args)
    factory = preset.factory(path)
    if access.init_args is None:
        return factory
    return replace(factory, options={**factory.options, "library_parameters": access.init_args})


def _path_in(uri: Uri) -> str | None:
    """RFC 7512 section 2.3: module-path is a file; module-name its name without "lib" and ".so", looked up here."""
    if uri.module_path is not None:
        return uri.module_path
    if uri.module_name is None:
        return None
    for found in discover():
        stem = os.path.basename(found.path).split(".so")[0]
        if uri.module_name in (found.name, stem, stem.removeprefix("lib"), *found.presets):
            return found.path
    raise CannotAudit(f"no module of this machine is called {uri.module_name!r}; keyfence modules lists them")


def _slot_finder(uri: Uri, preset: Preset | None) -> Callable[[Cryptoki], int]:
    """The URI decides where it describes a token; else the preset; else there has to be only one token."""
    nowhere = replace(uri, pin_source=None, module_name=None, module_path=None, object=None, type=None, id=None)
    wanted = preset.slot if preset and nowhere == Uri() else nowhere

    def find(module: Cryptoki) -> int:
        try:
            slot, token = find_slot(module, wanted)
        except SlotNotChosen as error:
            raise CannotAudit(f"{error}; name one with --slot") from None
        if not token.flags & TokenFlag.TOKEN_INITIALIZED:
            raise CannotAudit(f"the token in slot {slot} is not initialised")
        return slot

    return find


def _pin_finder(uri: Uri, preset: Preset | None, access: Access) -> Callable[[], Pin]:
    if access.pin_file is not None:
        source: str | None = os.path.abspath(access.pin_file)
    elif uri.pin_source is None and preset is not None and preset.login == "empty-pin":
        return lambda: Pin(b"")
    else:
        source = uri.pin_source
    return lambda: find_pin(source, token=uri.token or "")
