"""The DES search on one OpenCL device."""

from collections.abc import Callable
from typing import Any, Final

from keyfence.search.des.layout import LANE_BITS
from keyfence.search.des.problem import DesProblem
from keyfence.search.problem import Hit, NoSuchPath, complete
from keyfence.search.threads import Search, measured

from . import platforms, program
from .emit import Vector
from .frame_worker import FrameWorker

VECTORS: Final = {
    vector.type: vector
    for vector in (Vector("ulong8", 512, "lut3"), Vector("ulong4", 256, "gate2"), Vector("ulong2", 128, "gate2"))
}
"""What a kernel may compute with, by type, the widest first."""


def native_vector(handle: Any) -> Vector:
    """The widest that the device says it has registers for."""
    width = 64 * handle.native_vector_width_long
    return next((vector for vector in VECTORS.values() if vector.lanes <= width), VECTORS["ulong2"])


class Engine:
    """Searches on one device: an index in `devices()`, or (part of) a name; without it a GPU if there is one.

    Raises MissingExtra, NoSuchPath.
    """

    def __init__(self, device: str | int | None = None, *, vector: str | None = None) -> None:
        self._device, self._handle = platforms.chosen(device)
        if vector is not None and vector not in VECTORS:
            raise NoSuchPath(f"no kernel computes with {vector!r}; there are {', '.join(VECTORS)}")
        self._vector: Final = VECTORS[vector] if vector else native_vector(self._handle)

    @property
    def path(self) -> str:
        """opencl and the device's name."""
        return f"opencl:{self._device.name}"

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
        """The hit with the lowest number in [start, stop), or None; see keyfence.search.problem.Engine."""
        start, stop = complete(problem, start, stop)
        compiled = self._compiled(problem)
        return Search(lambda: FrameWorker(compiled, problem), start, stop, LANE_BITS).run(threads, stop_flag, progress)

    def rate(self, problem: DesProblem | None = None, *, seconds: float = 0.25, threads: int = 1) -> float:
        """Keys per second, measured for about `seconds` on a problem like this one (default: no bit known)."""
        shape = problem or DesProblem(((bytes(8), bytes(8)),))
        self._compiled(shape)
        return measured(self, shape, seconds, threads)

    def _compiled(self, problem: DesProblem) -> program.Program:
        return program.compiled(self._device, self._handle, self._vector, problem.complement is not None)
