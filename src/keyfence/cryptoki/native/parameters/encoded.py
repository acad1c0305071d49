"""What a mechanism parameter is once it is C, and what the call's results are once it is over."""

from collections.abc import Callable
from dataclasses import dataclass

from ...values import Derived
from ..memory import CData
from ..structures import ffi

Collect = Callable[[int], Derived]
"""From the handle that C_DeriveKey wrote to the call's whole result, reading what the module left in the parameter."""


def handle_only(handle: int) -> Derived:
    return Derived(handle=handle)


@dataclass(frozen=True, slots=True)
class Encoded:
    """pParameter and ulParameterLen (bytes). `returns_handle` is False where the standard wants phKey NULL."""

    pointer: CData
    length: int
    collect: Collect = handle_only
    returns_handle: bool = True


def of_structure(pointer: CData, collect: Collect = handle_only, *, returns_handle: bool = True) -> Encoded:
    return Encoded(pointer, ffi.sizeof(ffi.typeof(pointer).item), collect, returns_handle)


NOTHING = Encoded(ffi.NULL, 0)
