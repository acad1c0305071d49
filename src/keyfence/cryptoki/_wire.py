"""How a process and its child that holds a module talk: pickled values in frames, and who trusts whom.

The child runs our code on what the parent sends, so it unpickles anything. The parent does not return the favour: the module
shares the child's memory and may have scribbled over it, so what comes back may only build this room's values and errors, and
plain exceptions. That keeps an accident from becoming more; it is no wall against a module that means harm, which in its
process can do whatever the user can.
"""

import importlib
import io
import pickle
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_LENGTH: Final = struct.Struct(">Q")
_LONGEST: Final = 1 << 30  # bytes of one frame: beyond it, the length itself is garbage
_CHUNK: Final = 1 << 20
_VALUES: Final = tuple(f"keyfence.cryptoki.{name}" for name in ("constants", "params", "values", "errors"))


@dataclass(frozen=True, slots=True)
class Factory:
    """How a process makes its `Cryptoki`: a callable written "package.module:name" and what to call it with."""

    target: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> Any:
        module, _, name = self.target.partition(":")
        return getattr(importlib.import_module(module), name)(*self.arguments, **self.options)


class Garbled(Exception):
    """The other side sent something that no honest child sends."""


def pack(value: object) -> bytes:
    """One frame: the length in bytes, then the pickle. Raises what pickle raises."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


def receive(channel: socket.socket) -> Any:
    """The next value, whoever sent it. Raises EOFError when the other side is gone."""
    return pickle.loads(_frame(channel, None))  # noqa: S301 - see above


def receive_checked(channel: socket.socket, seconds: float) -> Any:
    """The next value from a child. Raises EOFError, TimeoutError after `seconds`, or Garbled."""
    return load_checked(_frame(channel, time.monotonic() + seconds))


def load_checked(data: bytes) -> Any:
    """The value in a pickle that may name nothing but values, errors and plain exceptions. Raises Garbled."""
    try:
        return _Checked(io.BytesIO(data)).load()
    except Exception as error:
        raise Garbled(str(error)) from error


class _Checked(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if "." not in name and (module.startswith(_VALUES) or module == "builtins"):
            found = super().find_class(module, name)
            if isinstance(found, type) and (module != "builtins" or issubclass(found, Exception)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no value of a Cryptoki")


def _frame(channel: socket.socket, deadline: float | None) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size, deadline))
    if length > _LONGEST:
        raise Garbled(f"a frame of {length} bytes")
    return _exactly(channel, length, deadline)


def _exactly(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < length:
        channel.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-6))
        chunk = channel.recv(min(length - len(data), _CHUNK))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
