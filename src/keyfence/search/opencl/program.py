"""Kernels as the device's platform compiles them, once in a process for each device, vector and kind of comparison."""

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

from keyfence.search.problem import NoSuchPath

from . import rolled
from .emit import Vector
from .platforms import Device, binding


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled program and the context that its buffers and queues belong to."""

    vector: Vector
    context: Any
    program: Any

    def kernel(self) -> Any:
        """One of one's own: a kernel holds its arguments."""
        return binding().Kernel(self.program, "search")


@cache
def context(handle: Any) -> Any:
    return binding().Context([handle])


@cache
def compiled(device: Device, handle: Any, vector: Vector, pair: bool) -> Program:
    """Raises NoSuchPath where the device's compiler does not take it."""
    cl = binding()
    text = rolled.source(vector, pair)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cl.CompilerWarning)  # a compiler's remarks are no concern of who searches
            program = cl.Program(context(handle), text).build()
    except cl.Error as error:
        line = str(error).strip().splitlines()[0]
        raise NoSuchPath(f"{device.name} does not compile the kernel: {line}") from error
    return Program(vector, context(handle), program)
