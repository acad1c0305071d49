"""What all calls share: functions of one shape, and output buffers."""

from typing import Any, Final

from ...constants import CKR
from ...errors import refusal
from ...values import Mechanism
from ..library import Library
from ..memory import CData, Memory
from ..parameters import encode_mechanism
from ..structures import ffi

# No output of PKCS#11 comes near this; a length beyond it is a module's mistake, not a buffer to allocate.
_LARGEST: Final = 1 << 30

# Room beyond the input's own length: more than any block, tag, padding, digest, or signature up to RSA of 16384 bits needs.
AMPLE: Final = 2048


class Calls:
    """Base of the groups of calls; `_library` is the module's functions."""

    _library: Library

    def _input(self, function: str, session: int, *data: bytes) -> None:
        """C_SignUpdate(session, data, length) and all of that shape."""
        with Memory() as memory:
            self._library.call(function, session, *_with_lengths(memory, data))

    def _begin(self, function: str, session: int, mechanism: Mechanism, *key: int) -> None:
        """C_EncryptInit(session, mechanism, key) and all of that shape."""
        with Memory() as memory:
            pointer, _ = encode_mechanism(memory, mechanism)
            self._library.call(function, session, pointer, *key)

    def _transform(self, function: str, session: int, *data: bytes) -> bytes:
        """C_Encrypt(session, data, length, output, output length) and all of that shape."""
        with Memory() as memory:
            return self._output(memory, function, session, *_with_lengths(memory, data), room=sum(map(len, data)) + AMPLE)

    def _output(self, memory: Memory, function: str, *arguments: Any, room: int = AMPLE, after: tuple[Any, ...] = ()) -> bytes:
        """The bytes that `function` writes to the buffer and length behind `arguments`; `after` stands behind those.

        The module gets ample room at once instead of being asked for a length first, for asking is not safe everywhere: NSS
        3.87 answers 0 for its PRF by C_Sign (which then fills whatever room it gets), too little for AES-GCM, and ends an
        operation without padding whose C_EncryptFinal was only asked. Where a module wants more still, CKR_BUFFER_TOO_SMALL
        has not ended the operation (PKCS#11 3.0 section 5.2), and it gets that once.
        """
        buffer, length = memory.array("CK_BYTE", room), memory.ulong(room)
        ckr = self._library.answer(function, *arguments, buffer, length, *after)
        if ckr == CKR.BUFFER_TOO_SMALL and room < length[0] <= _LARGEST:
            room = length[0]
            buffer = memory.array("CK_BYTE", room)
            ckr = self._library.answer(function, *arguments, buffer, length, *after)
        if ckr != CKR.OK:
            raise refusal(ckr, function)
        return _written(function, buffer, length[0], room)

    def _list(self, memory: Memory, function: str, *arguments: Any) -> tuple[int, ...]:
        """C_GetSlotList and C_GetMechanismList: numbers whose count may change between asking and reading."""
        count = memory.ulong(0)
        self._library.call(function, *arguments, ffi.NULL, count)
        for _ in range(2):
            room = max(count[0], 1)
            numbers = memory.array("CK_ULONG", room)
            count[0] = room
            ckr = self._library.answer(function, *arguments, numbers, count)
            if ckr != CKR.BUFFER_TOO_SMALL:
                break
        if ckr != CKR.OK:
            raise refusal(ckr, function)
        return tuple(numbers[i] for i in range(min(count[0], room)))


def _with_lengths(memory: Memory, data: tuple[bytes, ...]) -> list[CData | int]:
    """Each of `data` as C takes it: pointer, length."""
    return [argument for each in data for argument in (memory.octets(each), len(each))]


def _written(function: str, buffer: CData, length: int, room: int) -> bytes:
    if length > room:
        raise refusal(CKR.GENERAL_ERROR, function, f"claims {length} bytes in a buffer of {room}")
    return bytes(ffi.buffer(buffer, length))
