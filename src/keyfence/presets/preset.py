"""What keyfence knows of a module beforehand: where it lies, how it starts, which of its slots to use."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from ..cryptoki import KeyfenceError, ModuleNotLoadable
from ..cryptoki.isolation import Factory, native
from ..cryptoki.params import GcmLayout
from ..cryptoki.uri import Uri
from .files import existing, preset_data

Login = Literal["none", "pin", "empty-pin"]
_LOGINS: Final = ("none", "pin", "empty-pin")


class UnknownPreset(KeyfenceError):
    """No preset has this name."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A module's facts. Nothing here changes what is probed or how a finding is proven.

    `paths` are shell patterns, tried in order. `slot` says which tokens will do. `login` is what keys need, whatever the
    token's flags say. `gcm` is the CK_GCM_PARAMS the module was built with, None where it has no GCM. `database` is where
    the module's own files lie unless told otherwise; it stands as {database} in `library_parameters`, NSS's
    initialisation string.
    """

    name: str
    title: str
    package: str
    paths: tuple[str, ...]
    slot: Uri
    login: Login
    gcm: GcmLayout | None = None
    library_parameters: str | None = None
    function_list: str = "C_GetFunctionList"
    database: str | None = None
    notes: tuple[str, ...] = ()

    def find(self) -> str | None:
        """The module's path on this machine, or None."""
        return next(existing(self.paths), None)

    def factory(self, path: str | None = None, database: str | None = None) -> Factory:
        """How to make it. Raises ModuleNotLoadable where it is not installed."""
        found = path or self.find()
        if found is None:
            raise ModuleNotLoadable(
                f"{self.title} is not on this machine: none of {', '.join(self.paths)} (Debian: {self.package})"
            )
        return native(found, function_list=self.function_list, library_parameters=self._parameters(database))

    def _parameters(self, database: str | None) -> str | None:
        if self.library_parameters is None or self.database is None:
            return self.library_parameters
        directory = os.path.expanduser(database or self.database)
        if any(character in directory for character in "'\"\\"):
            raise ModuleNotLoadable("an NSS database's path must be free of quotes and backslashes")
        return self.library_parameters.format(database=directory)


@cache
def presets() -> dict[str, Preset]:
    """Every preset that ships with keyfence, by name."""
    return {name: _preset(name, **facts) for name, facts in preset_data()}


def preset(name: str) -> Preset:
    """Raises UnknownPreset, which names those there are."""
    try:
        return presets()[name]
    except KeyError:
        raise UnknownPreset(f"no preset is called {name!r}; there are {', '.join(presets())}") from None


def _preset(name: str, *, slot: str, login: str, gcm: str | None = None, **facts: Any) -> Preset:
    if login not in _LOGINS:
        raise ValueError(f"preset {name}: login is none of {', '.join(_LOGINS)}")
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    return Preset(name, slot=Uri.parse(slot), login=login, gcm=GcmLayout[gcm] if gcm else None, **lists)  # type: ignore[arg-type]
