"""Where the parts of a key block lie."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.schedule import Part, Shape, Side

shapes = st.builds(Shape, st.integers(0, 64), st.integers(0, 64), st.integers(0, 64))


def test_aes_128_cbc_sha_in_tls10() -> None:
    """The example of RFC 2246 §6.3 with its own numbers."""
    assert Shape(mac=20, key=16, iv=16).layout() == {
        "client MAC key": (0, 20),
        "server MAC key": (20, 40),
        "client write key": (40, 56),
        "server write key": (56, 72),
        "client IV": (72, 88),
        "server IV": (88, 104),
    }


def test_an_aead_keeps_empty_mac_keys_in_their_place() -> None:
    layout = Shape(mac=0, key=32, iv=4).layout()
    assert layout[Part.CLIENT_MAC] == (0, 0)
    assert layout[Part.SERVER_IV] == (68, 72)


@given(shapes)
def test_parts_lie_side_by_side(shape: Shape) -> None:
    places = list(shape.layout().values())
    assert places[0][0] == 0
    assert places[-1][1] == shape.length
    assert all(before[1] == after[0] for before, after in pairwise(places))


@given(shapes, st.data())
def test_split_and_join(shape: Shape, data: st.DataObject) -> None:
    block = data.draw(st.binary(min_size=shape.length, max_size=shape.length))
    parts = shape.split(block)
    assert {part: len(value) for part, value in parts.items()} == {part: shape.size(part) for part in Part}
    assert shape.join(parts) == block


def test_another_length_is_refused() -> None:
    shape = Shape(mac=0, key=16, iv=4)
    with pytest.raises(ValueError, match="cuts 40 bytes, not 41"):
        shape.split(bytes(41))
    with pytest.raises(ValueError, match="16 bytes of server write key, not 15"):
        shape.join({**shape.split(bytes(40)), Part.SERVER_KEY: bytes(15)})
    with pytest.raises(ValueError, match="negative"):
        Shape(mac=0, key=-1, iv=0)


def test_parts_know_whose_and_what_they_are() -> None:
    assert [part.side for part in Part] == [Side.CLIENT, Side.SERVER] * 3
    assert [part.kind for part in Part] == ["MAC key"] * 2 + ["write key"] * 2 + ["IV"] * 2
    assert [part.is_secret for part in Part] == [True] * 4 + [False] * 2
