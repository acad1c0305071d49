"""TOML values that know where they stand, so that whoever reads them can say what is wrong where.

top = document(text, "policy.toml")
top.table({"suites", "rules"})["suites"].strings()      PolicyError: policy.toml, line 3, column 10: expected …
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from keyfence.cryptoki import KeyfenceError

from .positions import Path, Place, Position, positions


class PolicyError(KeyfenceError):
    """A policy that says nothing clear, or contradicts itself. The message names file, line, column and what was expected."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the document called `name`, and its place there."""

    value: Any
    path: Path
    places: Mapping[Path, Place]
    name: str

    def fail(self, problem: str) -> NoReturn:
        """Raises PolicyError at the value."""
        _fail(self.name, self.places[self.path].value, problem)

    def fail_at_key(self, problem: str) -> NoReturn:
        """Raises PolicyError at the key that the value stands under."""
        _fail(self.name, self.places[self.path].key, problem)

    def table(self, known: Collection[str]) -> "dict[str, Value]":
        """The entries of a table that has no keys but these."""
        entries = {str(key): child for key, child in self._children(dict, "a table")}
        for key, child in entries.items():
            if key not in known:
                child.fail_at_key(f"unknown key {key!r}: expected {one_of(key, known)}")
        return entries

    def array(self) -> "list[Value]":
        """The elements of an array."""
        return [child for _, child in self._children(list, "an array")]

    def strings(self) -> "dict[str, Value]":
        """An array of strings, none of them twice."""
        found: dict[str, Value] = {}
        for element in self.array():
            text = element.string()
            if text in found:
                element.fail(f"{text!r} is there twice")
            found[text] = element
        return found

    def string(self) -> str:
        return str(self._of(str, "a string"))

    def boolean(self) -> bool:
        return bool(self._of(bool, "true or false"))

    def length(self) -> int:
        """Bytes, of something that fits a parameter."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not 0 <= self.value <= 255:
            self.fail(f"expected a number of bytes, 0 to 255, not {self._shown}")
        return self.value

    def hexadecimal(self) -> bytes:
        try:
            return bytes.fromhex(self.string())
        except ValueError:
            self.fail(f"expected bytes as hexadecimal digits, not {self._shown}")

    def choice(self, options: Collection[str], *, prefix: str = "") -> str:
        """One of these strings, whether or not `prefix` stands before it."""
        text = self.string().removeprefix(prefix)
        if text not in options:
            self.fail(f"expected {one_of(text, options)}, not {self._shown}")
        return text

    def _of(self, kind: type, expected: str) -> Any:
        if not isinstance(self.value, kind):
            self.fail(f"expected {expected}, not {self._shown}")
        return self.value

    def _children(self, kind: type, expected: str) -> "Iterator[tuple[str | int, Value]]":
        value = self._of(kind, expected)
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield key, Value(child, (*self.path, key), self.places, self.name)

    @property
    def _shown(self) -> str:
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, dict | list):
            return "a table" if isinstance(self.value, dict) else "an array"
        return repr(self.value)


def document(text: str, name: str) -> Value:
    """The document's top table. PolicyError where it is not TOML."""
    try:
        return Value(tomllib.loads(text), (), positions(text), name)
    except tomllib.TOMLDecodeError as error:
        _fail(name, *_parsed(str(error), text))


def one_of(word: str, options: Collection[str]) -> str:
    """What to suggest in the word's place: the near ones, else all where they are few."""
    near = get_close_matches(word, options, n=3, cutoff=0.7) or (sorted(options) if len(options) <= _FEW else [])
    return " or ".join(repr(option) for option in near) or "a name that is known here"


_FEW: Final = 20
_DECODE_ERROR: Final = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


def _parsed(error: str, text: str) -> tuple[Position, str]:
    """tomllib puts the position into its message, or "at end of document"."""
    found = _DECODE_ERROR.fullmatch(error)
    if found:
        return Position(int(found[2]), int(found[3])), f"not TOML: {found[1]}"
    lines = text.split("\n")
    return Position(len(lines), len(lines[-1]) + 1), f"not TOML: {error}"


def _fail(name: str, position: Position, problem: str) -> NoReturn:
    raise PolicyError(f"{name}, {position}: {problem}") from None
