"""Positions agree with tomllib about what is in a document, and point at it."""

import tomllib
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.guard.policy.positions import Path, positions


def at(text: str, path: Path) -> tuple[str, str]:
    """The rest of the lines that the key and the value of a path stand in."""
    place = positions(text)[path]
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[place.key.line - 1][place.key.column - 1 :], lines[place.value.line - 1][place.value.column - 1 :]


@pytest.mark.parametrize(
    ("text", "path", "key", "value"),
    [
        ("a = 1", ("a",), "a = 1", "1"),
        ("\n  a  =  'x' # b = 2", ("a",), "a  =  'x' # b = 2", "'x' # b = 2"),
        ("a = [\n 1, # one ]\n 2]", ("a", 1), "2]", "2]"),
        ("a = [[], [1, [2]]]", ("a", 1, 1, 0), "2]]]", "2]]]"),
        ("a.b.c = 1", ("a", "b"), "a.b.c = 1", "a.b.c = 1"),
        ("a.b.c = 1", ("a", "b", "c"), "a.b.c = 1", "1"),
        ("a = { b = 1, c.d = [2] }", ("a", "c", "d", 0), "2] }", "2] }"),
        ("'a.b' = 1", ("a.b",), "'a.b' = 1", "1"),
        ('"a\\u0062\\"" . c = 1', ('ab"', "c"), '"a\\u0062\\"" . c = 1', "1"),
        ("[a]\nb = 1", ("a", "b"), "b = 1", "1"),
        ("[ a . b ]", ("a", "b"), "a . b ]", "a . b ]"),
        ("[a.b]\n[a]", ("a",), "a]", "a]"),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 1, "b"), "b = 2", "2"),
        ("[[a]]\n[a.c]\nd = 1\n[[a]]\n[a.c]\nd = 2", ("a", 1, "c", "d"), "d = 2", "2"),
        ("[[a]]\n[[a.b]]\n[[a.b]]\nc = 3", ("a", 0, "b", 1, "c"), "c = 3", "3"),
        ('a = """\n] # no\n""""\nb = 1', ("b",), "b = 1", "1"),
        ("a = '''x'''''\nb = 1", ("b",), "b = 1", "1"),
        ('a = "\\\\" # "\nb = 1', ("b",), "b = 1", "1"),
        ("a = 1979-05-27 07:32:00\nb = 1", ("b",), "b = 1", "1"),
        ("a = 1\r\nb = 2\r\n", ("b",), "b = 2", "2"),
        ('"ä" = [\n"ö", 1]', ("ä", 1), "1]", "1]"),
    ],
)
def test_where_things_stand(text: str, path: Path, key: str, value: str) -> None:
    assert at(text, path) == (key, value)


def test_positions_read_as_editors_count() -> None:
    place = positions("a = 1\n  b = [\n    2]")["b", 0]
    assert str(place.value) == "line 3, column 5"


# ---- documents of every kind, written with the liberties that TOML gives

words = st.text(st.sampled_from("ab01-_.#[]{}=, \"\\'\nä"), max_size=6)
scalars = st.one_of(
    st.integers(-10, 10).map(str),
    st.sampled_from(["true", "1.5e3", "inf", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "07:32:00", "0x1F"]),
    words.map(lambda text: _basic(text)),
    words.filter(lambda text: "'" not in text and "\n" not in text).map(lambda text: f"'{text}'"),
    words.filter(lambda text: "\\" not in text and '"""' not in text and not text.endswith('"')).map(lambda t: f'"""{t}"""'),
    words.filter(lambda text: "'''" not in text and not text.endswith("'")).map(lambda text: f"'''\n{text}'''"),
    st.just('""""a"""""'),
)
blanks = st.sampled_from(["", " ", "\t "])
breaks = st.sampled_from(["", " ", "\n", " # ] \" ' \n\n", "\r\n"])


def _basic(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


keys = st.one_of(st.sampled_from(["a", "b-1", "c_", "7"]), words.map(_basic))
dotted = st.lists(keys, min_size=1, max_size=3).flatmap(lambda parts: blanks.map(lambda blank: f"{blank}.{blank}".join(parts)))


def _arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    elements = st.lists(st.tuples(breaks, values, breaks).map("".join), max_size=3)
    return st.tuples(elements, st.booleans(), breaks).map(
        lambda made: f"[{','.join(made[0])}{',' if made[1] and made[0] else ''}{made[2]}]"
    )


def _inline(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    entries = st.lists(st.tuples(dotted, blanks, values).map(lambda made: f"{made[0]}{made[1]}= {made[2]}"), max_size=3)
    return entries.map(lambda made: f"{{ {', '.join(made)} }}")


values = st.recursive(scalars, lambda inner: _arrays(inner) | _inline(inner), max_leaves=6)
entry_lines = st.tuples(blanks, dotted, blanks, values, st.sampled_from(["", " # c = 1"])).map(
    lambda made: f"{made[0]}{made[1]}{made[2]}={made[2]}{made[3]}{made[4]}"
)
header_lines = st.tuples(blanks, st.sampled_from([("[", "]"), ("[[", "]]")]), dotted).map(
    lambda made: f"{made[0]}{made[1][0]} {made[2]} {made[1][1]}"
)
documents = st.lists(entry_lines | header_lines | st.sampled_from(["", "# [x]"]), max_size=8).map("\n".join)


def _get(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


@settings(max_examples=300, deadline=None)
@given(documents)
def test_every_scalar_is_where_another_can_take_its_place(text: str) -> None:
    """`positions` itself checks that it walked over what tomllib read; this checks that it was where it said."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = text.replace("\r\n", "\n").split("\n")
    for path, place in positions(text).items():
        if not isinstance(_get(document, path), dict | list):
            before = [*lines[: place.value.line - 1], lines[place.value.line - 1][: place.value.column - 1]]
            assert _get(_closed("\n".join(before) + "'another'", len(path)), path) == "another"


def _closed(beginning: str, depth: int) -> Any:
    """The document that begins so, once the arrays and inline tables that are open in it are closed."""
    for brackets in range(depth):
        for closing in product("]}", repeat=brackets):
            try:
                return tomllib.loads(beginning + "".join(closing))
            except tomllib.TOMLDecodeError:
                continue
    raise AssertionError(f"nothing closes {beginning!r}")
