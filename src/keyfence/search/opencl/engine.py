"""The DES search on one OpenCL device."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from keyfence.search.des.layout import LANE_BITS
from keyfence.search.des.problem import DesProblem
from keyfence.search.problem import Hit, NoSuchPath
from keyfence.search.threads import ThreadedEngine, Worker

from . import platforms
from .emit import Vector
from .platforms import Device
from .program import Program
from .proving import believed, worker_of

VECTORS: Final = {
    vector.name: vector
    for vector in (
        Vector("ulong8", "ulong8", 512, "lut3", "vpternlog"),
        Vector("ulong4", "ulong4", 256, "gate2"),
        Vector("ulong2", "ulong2", 128, "gate2"),
        Vector("uint", "uint", 32, "gate2"),
        Vector("uint-lut3", "uint", 32, "lut3"),
        Vector("uint-lop3", "uint", 32, "lut3", "lop3"),
    )
}
"""What a kernel may compute with, by name. Those of 32 bits are for GPUs. The last one is for NVIDIA's compiler; one that
does not take it gets `uint` in its place."""
LOP3_GENERATION: Final = 5  # NVIDIA's Maxwell: the first that has the instruction
QUEUES: Final = 2
"""Threads that keep a GPU busy: one launch computes while what another found is read."""


def suited(device: Device, handle: Any) -> Vector:
    """For a GPU 32 bits; for a processor the widest vector that it says it has registers for."""
    if device.kind != "gpu":
        width = min(max(2, handle.native_vector_width_long), 8)
        return VECTORS[f"ulong{width}"]
    return VECTORS["uint-lop3" if platforms.nvidia_generation(handle) >= LOP3_GENERATION else "uint"]


class Engine(ThreadedEngine[DesProblem]):
    """Searches on one device: an index in `devices()`, or (part of) a name; without it a GPU if there is one.

    Raises MissingExtra, NoSuchPath.
    """

    lane_bits = LANE_BITS

    def __init__(self, device: str | int | None = None, *, vector: str | None = None) -> None:
        self._device, self._handle = platforms.chosen(device)
        if vector is not None and vector not in VECTORS:
            raise NoSuchPath(f"no kernel computes with {vector!r}; there are {', '.join(VECTORS)}")
        self._vector = VECTORS[vector] if vector else suited(self._device, self._handle)

    @property
    def path(self) -> str:
        """opencl and the device's name."""
        return f"opencl:{self._device.name}"

    def workers(self, problem: DesProblem) -> Callable[[], Worker]:
        program = self._compiled(problem)
        return lambda: worker_of(program, problem)

    def search(
        self,
        problem: DesProblem,
        start: int = 0,
        stop: int | None = None,
        *,
        threads: int = 1,
        stop_flag: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Hit | None:
        """The hit with the lowest number in [start, stop), or None; see keyfence.search.problem.Engine.

        Raises NoSuchPath where the device does not do what it should, be it only for want of memory.
        On a processor `threads` is how many of its compute units are used; on a GPU how many launches are under way.
        """
        threads = max(threads, QUEUES) if self._device.kind == "gpu" and threads > 0 else threads
        try:
            return super().search(problem, start, stop, threads=threads, stop_flag=stop_flag, progress=progress)
        except platforms.binding().Error as error:
            raise NoSuchPath(f"{self._device.name} gave up during the search: {platforms.first_line(error)}") from error

    def _compiled(self, problem: DesProblem) -> Program:
        """A compiler that does not take another's assembly after all gets what all of them take."""
        pair = problem.complement is not None
        if self._vector.ternary == "lop3":
            with suppress(NoSuchPath):
                return believed(self._device, self._handle, self._vector, pair)
            self._vector = VECTORS["uint"]
        return believed(self._device, self._handle, self._vector, pair)
