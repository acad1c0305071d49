"""Where in a TOML document each key and each value stands: what tomllib reads and does not tell.

    tomllib.loads(text)["rules"]["one-cut"]          is "enforce"
    positions(text)["rules", "one-cut"].value        is Position(line=7, column=13)

tomllib has the say on what is TOML and what it means. Only documents that it accepted are walked here, so the walk need
not recognise errors; it finds where tokens begin, and lets tomllib decode the keys.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Path = tuple[str | int, ...]
"""Keys and indices from the top of the document: ("suites", "allow", 2)."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Both counted from 1; a column is a character, not a byte."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


@dataclass(frozen=True, slots=True)
class Place:
    """Of one entry. An array's element has no key, and a table with a [header] of its own no value: both are the same then."""

    key: Position
    value: Position


def positions(text: str) -> Mapping[Path, Place]:
    """Every path of the document that tomllib makes of `text`; the document itself is (). Raises tomllib.TOMLDecodeError."""
    document = tomllib.loads(text)
    walk = _Walk(text.replace("\r\n", "\n"))  # as tomllib does: line ends are one character
    walk.document()
    assert walk.places.keys() == set(_paths(document)), "the walk and tomllib read two different documents"
    return walk.places


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """All paths of a parsed document."""
    yield path
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(child, (*path, key))


_STRING: Final = (
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'  # up to two quotes may stand before the closing three
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
)
_BLANKS: Final = re.compile(r"[ \t]*")
_BLANK_LINES: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SCALAR: Final = re.compile(rf"(?:{_STRING})|[^,\]}}#\n]*", re.DOTALL)
_KEY: Final = re.compile(rf"(?:[A-Za-z0-9_-]+|{_STRING})(?:[ \t]*\.[ \t]*(?:[A-Za-z0-9_-]+|{_STRING}))*")


class _Walk:
    """Reads `text` once from front to back; `places` grows on the way."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._elements: Counter[Path] = Counter()  # how many [[headers]] an array of tables has had so far
        self.places: dict[Path, Place] = {(): Place(Position(1, 1), Position(1, 1))}

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK_LINES)
        while self._at < len(self._text):
            if self._ahead("["):
                table = self._header()
            else:
                self._entry(table)
            self._skip(_BLANK_LINES)

    def _header(self) -> Path:
        """[a.b] or [[a.b]]; the path of the table that it opens."""
        is_array = self._take("[[") or not self._take("[")
        self._skip(_BLANKS)
        here = self._position()
        *parents, last = self._key()
        self._skip(_BLANKS)
        self._take("]]" if is_array else "]")
        path: Path = ()
        for name in parents:
            path = self._within((*path, name), here)
        if not is_array:
            return self._within((*path, last), here, opened=True)
        path = (*path, last)
        self._note(path, here)
        self._elements[path] += 1
        return self._within(path, here)

    def _within(self, path: Path, here: Position, *, opened: bool = False) -> Path:
        """The table that `path` names in a header: of an array of tables, the newest."""
        if opened:
            self.places[path] = Place(here, here)  # its own header tells more than the header of a table within it
        self._note(path, here)
        if path in self._elements:
            path = (*path, self._elements[path] - 1)
            self._note(path, here)
        return path

    def _entry(self, table: Path) -> None:
        """key = value."""
        here = self._position()
        path = table
        for name in self._key():
            path = (*path, name)
            self._note(path, here)
        self._skip(_BLANKS)
        self._take("=")
        self._skip(_BLANKS)
        self.places[path] = Place(here, self._position())
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._take("["):
            self._array(path)
        elif self._take("{"):
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._skip(_BLANK_LINES)
        index = 0
        while not self._take("]"):
            self._note((*path, index), self._position())
            self._value((*path, index))
            self._skip(_BLANK_LINES)
            self._take(",")
            self._skip(_BLANK_LINES)
            index += 1

    def _inline_table(self, path: Path) -> None:
        """Line ends, which TOML 1.1 allows here, are let pass for a tomllib that does."""
        self._skip(_BLANK_LINES)
        while not self._take("}"):
            self._entry(path)
            self._skip(_BLANK_LINES)
            self._take(",")
            self._skip(_BLANK_LINES)

    def _key(self) -> list[str]:
        """A dotted key's names. tomllib decodes them: quoted ones may hold dots and escapes."""
        nested: Any = tomllib.loads(f"{self._skip(_KEY)} = 0")
        names = []
        while nested:
            ((name, nested),) = nested.items()
            names.append(name)
        return names

    def _note(self, path: Path, here: Position) -> None:
        self.places.setdefault(path, Place(here, here))

    def _position(self) -> Position:
        line_start = self._text.rfind("\n", 0, self._at) + 1
        return Position(self._text.count("\n", 0, self._at) + 1, self._at - line_start + 1)

    def _ahead(self, token: str) -> bool:
        return self._text.startswith(token, self._at)

    def _take(self, token: str) -> bool:
        """Whether `token` stood here; it is behind us then."""
        found = self._ahead(token)
        self._at += len(token) if found else 0
        return found

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """What `pattern` matched here, which is behind us then."""
        matched = pattern.match(self._text, self._at)
        assert matched is not None, "tomllib accepted what is not TOML"
        self._at = matched.end()
        return matched.group()
