"""A kernel is believed once it found a planted key and reported hardly anything else.

Compilers were met that build, without an error, a kernel with assembly that is not their processor's: it then computes
rubbish, and a search by it would end with "not found". So every kernel searches six counts first whose answer is known.
"""

from functools import cache
from typing import Any, Final

from keyfence.search.des.layout import LANE_BITS
from keyfence.search.des.problem import DesProblem
from keyfence.search.des.reference import encrypt
from keyfence.search.problem import NoSuchPath
from keyfence.search.threads import Worker

from .emit import Vector
from .frame_worker import FrameWorker
from .grid_worker import GridWorker
from .platforms import Device, binding, first_line
from .program import Program, compiled

_KEY: Final = bytes.fromhex("133457799bbcdff1")
_BLOCK: Final = bytes.fromhex("0123456789abcdef")
_AROUND: Final = 3  # counts before the key's and from it on
_MOST_REPORTED: Final = 8
"""Keys that a right kernel may report: one in 2^32 fits by chance, of three thousand."""


@cache
def believed(device: Device, handle: Any, vector: Vector, pair: bool) -> Program:
    """The compiled program. Raises NoSuchPath where the compiler refuses it, the device gives up, or it computes wrongly."""
    program = compiled(device, handle, vector, pair)
    try:
        right = _finds(program, pair)
    except binding().Error as error:
        raise NoSuchPath(f"{device.name} gave up on the kernel {vector.name}: {first_line(error)}") from error
    if not right:
        raise NoSuchPath(f"what {device.name} makes of the kernel {vector.name} computes wrongly")
    return program


def worker_of(program: Program, problem: DesProblem) -> Worker:
    """What searches a problem with this program."""
    return GridWorker(program, problem) if program.vector.unrolled else FrameWorker(program, problem)


def _finds(program: Program, pair: bool) -> bool:
    reported: list[bytes] = []

    class Planted(DesProblem):
        def fits(self, key: bytes) -> bool:
            reported.append(key)
            return super().fits(key)

    problem = Planted(((_BLOCK, encrypt(_KEY, _BLOCK)),), complement=_complement() if pair else None)
    count = problem.candidate(_KEY) >> LANE_BITS
    found = [hit.key for hit in worker_of(program, problem).hits(count - _AROUND, count + _AROUND)]
    return found == [_KEY] and len(reported) <= _MOST_REPORTED


def _complement() -> tuple[bytes, bytes]:
    inverted = bytes(byte ^ 0xFF for byte in _BLOCK)
    return inverted, encrypt(_KEY, inverted)
