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


class _Asked(DesProblem):
    """Counts for how many keys the kernel's word had to be checked."""

    asked = 0

    def fits(self, key: bytes) -> bool:
        type(self).asked += 1
        return super().fits(key)


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


def _finds(program: Program, pair: bool) -> bool:
    class Asked(_Asked):
        pass

    problem = Asked(((_BLOCK, encrypt(_KEY, _BLOCK)),), complement=_complement() if pair else None)
    worker = (GridWorker if program.vector.unrolled else FrameWorker)(program, problem)
    count = problem.candidate(_KEY) >> LANE_BITS
    found = [hit.key for hit in worker.hits(count - _AROUND, count + _AROUND)]
    return found == [_KEY] and Asked.asked <= _MOST_REPORTED


def _complement() -> tuple[bytes, bytes]:
    inverted = bytes(byte ^ 0xFF for byte in _BLOCK)
    return inverted, encrypt(_KEY, inverted)
