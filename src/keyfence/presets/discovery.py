"""The PKCS#11 modules of this machine: those of presets, those p11-kit is told of, and those in its module directories."""

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .files import configuration, existing, first_file, real
from .preset import presets

# Later ones override: the packages' own files, then the administrator's (pkcs11.conf(5)).
CONFIGURATIONS: Final = ("/usr/share/p11-kit/modules/*.module", "/etc/pkcs11/modules/*.module")
MODULE_DIRECTORIES: Final = ("/usr/lib/*/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/local/lib/pkcs11")


@dataclass(frozen=True, slots=True)
class FoundModule:
    """A module and what named it. `presets` are the names of those that know it: one module may serve several."""

    name: str
    path: str
    found_in: str
    presets: tuple[str, ...] = ()


def discover(
    configurations: tuple[str, ...] = CONFIGURATIONS, directories: tuple[str, ...] = MODULE_DIRECTORIES
) -> list[FoundModule]:
    """Every module once, however many links lead to it; the presets' first, then the order of the configuration."""
    known = _known_to_presets()
    found: dict[str, FoundModule] = {}
    for name, path, found_in in (*_of_presets(known), *_configured(configurations, directories), *_lying_in(directories)):
        found.setdefault(real(path), FoundModule(name, path, found_in, known.get(real(path), ())))
    return list(found.values())


def _known_to_presets() -> dict[str, tuple[str, ...]]:
    """The names of the presets that each real path serves."""
    known: dict[str, tuple[str, ...]] = {}
    for preset in presets().values():
        if path := preset.find():
            known[real(path)] = (*known.get(real(path), ()), preset.name)
    return known


def _of_presets(known: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    for names in known.values():
        shortest = min(names, key=len)
        path = presets()[shortest].find()
        assert path is not None
        yield shortest, path, "presets"


def _configured(configurations: tuple[str, ...], directories: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """p11-kit's configuration files. A module behind a `remote:` command has no shared object and is left out."""
    merged: dict[str, tuple[dict[str, str], str]] = {}
    for file in existing(configurations):
        name = os.path.basename(file).removesuffix(".module")
        earlier, _ = merged.get(name, ({}, ""))
        merged[name] = ({**earlier, **_settings(configuration(file) or "")}, file)
    for name, (settings, file) in merged.items():
        path = _located(settings.get("module", ""), directories)
        if path and not settings.get("remote"):
            yield name, path, file


def _settings(text: str) -> dict[str, str]:
    """The "key: value" lines of pkcs11.conf(5); "#" begins a comment line."""
    pairs = (line.partition(":") for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _located(module: str, directories: tuple[str, ...]) -> str | None:
    """The file of a `module:` line; a relative path is one in a module directory."""
    if not module:
        return None
    if os.path.isabs(module):
        return first_file([module])
    return next(existing(os.path.join(directory, glob.escape(module)) for directory in directories), None)


def _lying_in(directories: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for path in existing(os.path.join(directory, "*.so") for directory in directories):
        directory, file = os.path.split(path)
        yield file.removesuffix(".so"), path, directory
