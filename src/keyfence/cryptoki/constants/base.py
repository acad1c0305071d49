"""The base of every table of PKCS#11 constants: an int with the standard's name.

Numbers outside a table (vendor ranges, versions to come) stay plain ints; `describe` names them as well as it can.
"""

from enum import IntEnum
from functools import cache
from typing import TypeVar

VENDOR_DEFINED = 0x80000000


class Constant(IntEnum):
    """A number of the standard; `str()` gives the name as the standard writes it, prefix included."""

    def __str__(self) -> str:
        return f"{type(self).__name__}_{self.name}"


C = TypeVar("C", bound=Constant)


def known(table: type[C], value: int) -> C | int:
    """The member of `table` with this value, or the number itself when the table has none."""
    try:
        return table(value)
    except ValueError:
        return value


@cache
def describe(table: type[Constant], value: int) -> str:
    """The standard's name of `value`, a known vendor's name for it, or its number in hexadecimal."""
    member = known(table, value)
    if isinstance(member, Constant):
        return str(member)
    from .vendor import VENDOR_NAMES

    name = VENDOR_NAMES.get((table.__name__, value))
    return name if name else f"{table.__name__}_0x{value:08X}"
