"""Templates between Python and C: CK_ATTRIBUTE arrays out, attribute values back."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..attributes import Kind, kind
from ..constants import CKA, UNAVAILABLE_INFORMATION, describe, known
from ..values import AttributeValue, Template
from .memory import CData, Memory, assign
from .structures import ffi

_ULONG_SIZE = ffi.sizeof("CK_ULONG")
_ATTRIBUTE_SIZE = ffi.sizeof("CK_ATTRIBUTE")


def encode(memory: Memory, template: Template) -> tuple[CData, int]:
    """A CK_ATTRIBUTE array and its count. Raises TypeError or ValueError for a value that its attribute cannot hold."""
    array = memory.array("CK_ATTRIBUTE", len(template))
    for attribute, (number, value) in zip(array, template.items(), strict=False):
        assign(attribute, "type", number, "attribute type")
        attribute.pValue, attribute.ulValueLen = _value(memory, number, value)
    return array, len(template)


def _value(memory: Memory, number: int, value: AttributeValue) -> tuple[CData, int]:
    """Pointer and length in bytes. Raises TypeError for a value of another kind than its attribute's."""
    name = describe(CKA, number)
    form = _form(number, value)
    if form is Kind.TEMPLATE:
        if not isinstance(value, Mapping):
            raise TypeError(f"{name}: a template needed, not {type(value).__name__}")
        array, count = encode(memory, value)
        return array, count * _ATTRIBUTE_SIZE
    if form is Kind.ULONGS:
        return _ulongs(memory, name, value)
    if form is Kind.ULONG:
        return memory.ulong(value, name), _ULONG_SIZE  # type: ignore[arg-type]
    octets = _octets(form, value, name)
    return memory.octets(octets, name), len(octets)


def _form(number: int, value: AttributeValue) -> Kind:
    """The kind that the table declares; for an attribute not of the standard's, the kind that its value's own type implies."""
    if isinstance(known(CKA, number), CKA):
        return kind(number)
    implied = {bool: Kind.BOOL, int: Kind.ULONG, str: Kind.TEXT, tuple: Kind.ULONGS}
    if isinstance(value, Mapping):
        return Kind.TEMPLATE
    return next((form for cls, form in implied.items() if isinstance(value, cls)), Kind.BYTES)


def _octets(form: Kind, value: Any, name: str) -> bytes:
    if form is Kind.BOOL:
        if not isinstance(value, bool | int) or value not in (0, 1):
            raise TypeError(f"{name}: a bool needed, not {type(value).__name__}")
        return bytes([value])
    if form in (Kind.TEXT, Kind.DATE) and isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes):
        raise TypeError(f"{name}: {'text' if form in (Kind.TEXT, Kind.DATE) else 'bytes'} needed, not {type(value).__name__}")
    return value


def _ulongs(memory: Memory, name: str, values: Any) -> tuple[CData, int]:
    if not isinstance(values, Sequence) or isinstance(values, bytes | str):
        raise TypeError(f"{name}: a tuple of numbers needed, not {type(values).__name__}")
    return memory.ulongs(values, name), len(values) * _ULONG_SIZE


class Query:
    """Attributes to read: the CK_ATTRIBUTE array that C_GetAttributeValue fills, first with lengths, then with values."""

    def __init__(self, memory: Memory, types: Sequence[int]) -> None:
        self._memory = memory
        self.count = len(types)
        self.array = memory.array("CK_ATTRIBUTE", self.count)
        for attribute, number in zip(self.array, types, strict=False):
            assign(attribute, "type", number, "attribute type")

    def make_room(self) -> bool:
        """Buffers for all lengths that are known but have none yet; False when there was nothing to add."""
        return _make_room(self._memory, self.array, self.count)

    @property
    def unavailable(self) -> tuple[str, ...]:
        """Names of the attributes that the module answered CK_UNAVAILABLE_INFORMATION for."""
        attributes = [self.array[i] for i in range(self.count)]
        return tuple(describe(CKA, a.type) for a in attributes if a.ulValueLen == UNAVAILABLE_INFORMATION)

    def values(self) -> dict[int, AttributeValue]:
        return _decode(self.array, self.count)


def _make_room(memory: Memory, array: CData, count: int) -> bool:
    """A template inside an attribute shows its own lengths only once its array is there: hence the recursion and the rounds."""
    added = False
    for i in range(count):
        attribute = array[i]
        length = attribute.ulValueLen
        if length in (0, UNAVAILABLE_INFORMATION):
            continue
        nested = kind(attribute.type) is Kind.TEMPLATE
        if attribute.pValue == ffi.NULL:
            attribute.pValue = memory.array("CK_BYTE", length)
            added = True
        elif nested:
            inner = ffi.cast("CK_ATTRIBUTE *", attribute.pValue)
            added |= _make_room(memory, inner, length // _ATTRIBUTE_SIZE)
    return added


def _decode(array: CData, count: int) -> dict[int, AttributeValue]:
    return {int(array[i].type): _decoded(array[i]) for i in range(count)}


def _decoded(attribute: CData) -> AttributeValue:
    """The Python value; bytes where the length is not one that the attribute's kind can have."""
    form, length = kind(attribute.type), attribute.ulValueLen
    if form is Kind.TEMPLATE:
        return _decode(ffi.cast("CK_ATTRIBUTE *", attribute.pValue), length // _ATTRIBUTE_SIZE)
    data = bytes(ffi.buffer(attribute.pValue, length)) if length else b""
    if form is Kind.BOOL and length == 1:
        return data != b"\0"
    if form is Kind.ULONG and length == _ULONG_SIZE:
        return _numbers(data)[0]
    if form is Kind.ULONGS and length % _ULONG_SIZE == 0:
        return _numbers(data)
    if form in (Kind.TEXT, Kind.DATE):
        return data.decode(errors="replace")
    return data


def _numbers(data: bytes) -> tuple[int, ...]:
    return tuple(memoryview(data).cast("L"))
