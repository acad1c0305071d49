"""C memory for one call: whatever is made here lives until the call is over, and secrets are wiped then.

Python values are checked as they become C: a number that no CK_ULONG holds, or a value of the wrong type, is a ValueError or a
TypeError that names the C field, raised before the module sees anything.
"""

import secrets
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

from ..values import Pin
from .structures import ffi

CData = Any  # cffi has no types to offer

# Space behind every output buffer whose size the caller chose, for modules that round lengths another way than we do.
_SLACK: Final = 64


class Memory:
    """Keeps C buffers alive. Use it as a context: `with Memory() as memory: …call…`."""

    def __init__(self) -> None:
        self._kept: list[CData] = []
        self._secrets: list[CData] = []

    def __enter__(self) -> "Memory":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for buffer in self._secrets:
            ffi.memmove(buffer, bytes(len(buffer)), len(buffer))
        self._kept.clear()

    def octets(self, data: bytes, what: str = "data") -> CData:
        """A copy of `data`; never NULL, not even when empty."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"{what}: bytes needed, not {type(data).__name__}")
        return self._keep(ffi.new("CK_BYTE[]", bytes(data)))

    def optional(self, data: bytes | None, what: str = "data") -> CData:
        """NULL where there is nothing, as the standard asks of optional data."""
        return self.octets(data, what) if data else ffi.NULL

    def pin(self, pin: Pin | None) -> tuple[CData, int]:
        """Pointer and length; NULL and 0 for a protected authentication path. Wiped when the call is over."""
        if pin is None:
            return ffi.NULL, 0
        if not isinstance(pin, Pin):
            raise TypeError(f"a Pin needed, not {type(pin).__name__}")
        buffer = ffi.new("CK_BYTE[]", pin.value)
        self._secrets.append(buffer)
        return buffer, len(pin.value)

    def structure(self, name: str, **fields: Any) -> CData:
        """A pointer to a zeroed structure with these fields set."""
        pointer = self._keep(ffi.new(f"{name} *"))
        for field, value in fields.items():
            assign(pointer, field, value, f"{name}.{field}")
        return pointer

    def array(self, name: str, length: int) -> CData:
        """`length` zeroed elements; room for one where that is none, so that the pointer is never NULL."""
        try:
            return self._keep(ffi.new(f"{name}[]", max(length, 1)))
        except (OverflowError, MemoryError):
            raise ValueError(f"{name}[{length}]: more than memory holds") from None

    def ulong(self, value: int = 0, what: str = "CK_ULONG") -> CData:
        pointer = self.array("CK_ULONG", 1)
        assign(pointer, 0, value, what)
        return pointer

    def ulongs(self, values: Sequence[int], what: str = "CK_ULONG") -> CData:
        array = self.array("CK_ULONG", len(values))
        for i, value in enumerate(values):
            assign(array, i, value, what)
        return array

    def output(self, length: int) -> "Output":
        """A buffer that can tell whether the module wrote to it."""
        return Output(self, length)

    def _keep(self, data: CData) -> CData:
        self._kept.append(data)
        return data


class Output:
    """`length` bytes for the module to write, filled beforehand with random ones.

    Some modules answer CKR_OK and write nothing. Where any byte differs from the filling, all of them are what the call gave.
    What was written equals the filling by chance once in 256**length calls: for one byte that is worth a second call.
    """

    def __init__(self, memory: Memory, length: int) -> None:
        self.pointer = memory.array("CK_BYTE", length + _SLACK) if length else ffi.NULL
        self._before = secrets.token_bytes(length)
        ffi.memmove(self.pointer, self._before, length)

    def written(self) -> bytes | None:
        """What the module wrote; None where it left the buffer untouched."""
        if not self._before:
            return None
        after = bytes(ffi.buffer(self.pointer, len(self._before)))
        return None if after == self._before else after


def assign(target: CData, field: str | int, value: Any, what: str) -> None:
    """target.field = value, or target[field] = value, with errors that say which field was wrong."""
    try:
        if isinstance(field, str):
            setattr(target, field, value)
        else:
            target[field] = value
    except OverflowError:
        raise ValueError(f"{what}: {value} does not fit") from None
    except (TypeError, IndexError, ValueError) as error:
        raise TypeError(f"{what}: {error}") from None


def exactly(length: int, data: bytes, what: str) -> bytes:
    """`data`, when it is as long as the array of bytes that it goes into."""
    if len(data) != length:
        raise ValueError(f"{what}: {length} bytes needed, not {len(data)}")
    return data
