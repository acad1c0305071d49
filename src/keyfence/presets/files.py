"""What this room reads from the machine: every access to the file system stands here."""

import glob
import os
import tomllib
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any, Final

from ..cryptoki import KeyfenceError

_LONGEST_PIN: Final = 1024  # bytes; a file that has more is not a PIN file


class Unreadable(KeyfenceError):
    """A file that was asked for by name and cannot be read, or must not be trusted."""


def preset_data() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, content) of every preset that ships with keyfence, by name."""
    entries = resources.files(__package__).joinpath("data").iterdir()
    texts = {entry.name.removesuffix(".toml"): entry.read_text() for entry in entries if entry.name.endswith(".toml")}
    for name in sorted(texts):
        yield name, tomllib.loads(texts[name])


def existing(patterns: Iterable[str]) -> Iterator[str]:
    """The files that the shell patterns match, pattern after pattern, each in alphabetical order."""
    for pattern in patterns:
        yield from (path for path in sorted(glob.glob(pattern)) if os.path.isfile(path))


def first_file(paths: Iterable[str]) -> str | None:
    """The first of the paths where a file is."""
    return next((path for path in paths if os.path.isfile(path)), None)


def real(path: str) -> str:
    """The path without symbolic links: what tells whether two paths are one module."""
    return os.path.realpath(path)


def configuration(path: str) -> str | None:
    """A configuration file's text; None where it cannot be read, since one broken file must not hide the others."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def secret_line(path: str) -> bytes:
    """The one line of a PIN file, without its line end. Raises Unreadable; no message shows any of the content.

    The path must be absolute, the file short, and, where it is a plain one, not readable by every user. Pipes will do:
    KEYFENCE_PIN_FILE=<(pass show token).
    """
    if not os.path.isabs(path) or "\0" in path:
        raise Unreadable("the path of a PIN file must be absolute")
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LONGEST_PIN + 1)
    except OSError as error:
        raise Unreadable(f"PIN file {path}: {error.strerror}") from None
    if os.path.isfile(path) and mode & 0o004:
        raise Unreadable(f"PIN file {path}: every user can read it; chmod o-r it first")
    return _only_line(path, content)


def _only_line(path: str, content: bytes) -> bytes:
    line = content.removesuffix(b"\n").removesuffix(b"\r")
    if not line:
        raise Unreadable(f"PIN file {path}: it is empty")
    if len(content) > _LONGEST_PIN or b"\n" in line:
        raise Unreadable(f"PIN file {path}: more than one line of at most {_LONGEST_PIN} bytes")
    return line
