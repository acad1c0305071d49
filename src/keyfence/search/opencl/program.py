"""Kernels as the device's platform compiles them, once in a process for each device, vector and kind of comparison."""

import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from keyfence.search.problem import NoSuchPath

from . import rolled, unrolled
from .emit import Vector
from .platforms import Device, binding, first_line


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled program, the context that its buffers and queues belong to, and how work-items come in groups."""

    vector: Vector
    units: int
    group: int
    context: Any
    program: Any

    def kernel(self) -> Any:
        """One of one's own: a kernel holds its arguments."""
        return binding().Kernel(self.program, "search")

    def buffer(self, content: bytes) -> Any:
        """Memory of the device."""
        flags = binding().mem_flags
        return binding().Buffer(self.context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=bytearray(content))


def u64(number: int) -> bytes:
    """An argument of type ulong."""
    return number.to_bytes(8, "little")


def packed(words: Sequence[int]) -> bytes:
    """An array of type uint."""
    return struct.pack(f"<{len(words)}I", *words)


@cache
def compiled(device: Device, handle: Any, vector: Vector, pair: bool) -> Program:
    """Raises NoSuchPath where the device's compiler does not take it."""
    cl = binding()
    group, options = _for(device, vector)
    text = (unrolled if vector.unrolled else rolled).source(vector, pair)
    try:
        context = cl.Context([handle])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cl.CompilerWarning)  # what a compiler remarks is no concern of who searches
            program = cl.Program(context, text).build([f"-DGROUP={group}", *options])
    except cl.Error as error:
        raise NoSuchPath(f"the compiler of {device.name} refuses the kernel {vector.name}: {first_line(error)}") from error
    return Program(vector, device.units, group, context, program)


def _for(device: Device, vector: Vector) -> tuple[int, tuple[str, ...]]:
    """Work-items in a group, and options. What is written for a GPU's registers takes LLVM a minute to optimise for a
    processor, and is there only to be tested: it is not optimised, and its work-items come one by one."""
    if not vector.unrolled:
        return 1, ()
    return (unrolled.GROUP, ()) if device.kind == "gpu" else (1, ("-cl-opt-disable",))
