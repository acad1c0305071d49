"""What the command line's texts say: hex digits, pairs of blocks, known bits, ranges. Errors never repeat what was given."""

import re
import sys
from typing import Final

import typer

HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
MOST: Final = 1 << 24  # characters that are read, where `@FILE` names a device without end
Known = tuple[bytes, bytes]
"""Mask and value, of the key's length: a bit is known where the mask has a one."""


def contents(name: str, text: str) -> str:
    """The text itself; what is in FILE for @FILE; a line of standard input for `-`. BadParameter, here and below."""
    try:
        if text == "-":
            return sys.stdin.readline(MOST).strip()
        return _file(text[1:]) if text.startswith("@") else text
    except OSError as error:
        raise bad(name, f"the file cannot be read: {error.strerror}") from None
    except ValueError:
        raise bad(name, "the file holds something else than hex digits") from None


def _file(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read(MOST).strip()


def bad(name: str, message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint=name)


def octets(name: str, text: str, length: int | None = None, what: str = "") -> bytes:
    """Hex digits, of `length` bytes where that is given; `what` says what they are."""
    told = f"{what}: " if what else ""
    if HEX.fullmatch(text) is None:
        raise bad(name, f"{told}expected hex digits, two a byte")
    data = bytes.fromhex(text)
    if length is not None and len(data) != length:
        raise bad(name, f"{told}expected {length} bytes ({2 * length} hex digits), got {len(data)} bytes")
    return data


def parts(name: str, text: str, names: tuple[str, ...], length: int | None = None) -> tuple[bytes, ...]:
    """Hex strings with colons between them, one for each of `names`."""
    found = contents(name, text).split(":")
    if len(found) != len(names):
        raise bad(name, f"expected {':'.join(names)}, {len(names)} hex strings with colons between, got {len(found)}")
    return tuple(octets(name, it, length, what) for it, what in zip(found, names, strict=True))


def pair(name: str, text: str, names: tuple[str, str], length: int | None = None) -> tuple[bytes, bytes]:
    first, second = parts(name, text, names, length)
    return first, second


def known(name: str, text: str, length: int | None = None) -> Known:
    """Known bits: hex digits with `?` for the unknown ones (0123????89??cdef), or VALUE/MASK for single bits."""
    text = contents(name, text)
    value, slash, mask = text.partition("/")
    if not slash:
        if re.fullmatch(r"(?:[0-9a-fA-F?]{2})*", text) is None:
            raise bad(name, "expected hex digits with ? for the unknown ones, two a byte, or VALUE/MASK")
        value, mask = text.replace("?", "0"), re.sub("[0-9a-fA-F]", "f", text).replace("?", "0")
    found = octets(name, mask, length, "mask"), octets(name, value, length, "value")
    if len(found[0]) != len(found[1]):
        raise bad(name, f"the value has {len(found[1])} bytes and the mask {len(found[0])}: expected as many")
    return found


def bounds(name: str, text: str) -> tuple[int, int | None]:
    """LO:HI, numbers of candidates in decimal, 0x… or 2^N; either may be left out."""
    low, colon, high = text.partition(":")
    if not colon:
        raise bad(name, "expected LO:HI, the first candidate and the one behind the last")
    return number(name, low) if low else 0, number(name, high) if high else None


def number(name: str, text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,20})|0x([0-9a-fA-F]{1,16})|2\^([0-9]{1,2})", text)
    if match is None:
        raise bad(name, "expected numbers in decimal, as 0x… or as 2^N")
    decimal, digits, power = match.groups()
    return int(decimal) if decimal else int(digits, 16) if digits else 2 ** int(power)
