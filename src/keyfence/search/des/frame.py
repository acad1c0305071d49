"""The memory that a compiled kernel works on, and the ways to compute.

A worker's memory ("frame") is an array of `SLOTS` vectors of one width, a lane per key:

    KEY     the key register, C twice and then D twice, so that round r's rotated key is at a fixed distance from r's
    X-1 …   half blocks (layout.py) that are kept while the counted bits flip: X[−1] to X[3] and X[14] to X[16]
    A, B    the half blocks of the innermost loop, X[4] on, even and odd
    X12     round 12 complete, for the lanes that survived the first comparison
    BACK    X[13] from the ciphertext, FORTH X[13] from the plaintext
    MISS    which lanes do not fit: the answer
"""

from dataclasses import dataclass
from typing import Final

from keyfence.search import jit

from .tables import HALF, PERMUTED_CHOICE_2

HALF_BLOCK: Final = 32
KEY: Final = 0
_AFTER_KEY: Final = 4 * HALF
ROWS: Final = ("X-1", "X0", "X1", "X2", "X3", "A", "B", "X12", "X14", "X15", "X16", "BACK", "FORTH")
"""Half blocks of a frame in order; with a complemented pair X14 to X16 and BACK are there a second time."""
SECOND: Final = ("X14'", "X15'", "X16'", "BACK'")
ROW: Final = {name: _AFTER_KEY + HALF_BLOCK * index for index, name in enumerate((*ROWS, *SECOND))}
MISS: Final = _AFTER_KEY + HALF_BLOCK * len(ROW)
SLOTS: Final = MISS + 3  # the last one is for a flip that is none


def key_slot(box: int, bit: int) -> int:
    """Where, from round 0's rotation on, the key bit lies that enters this bit of a box."""
    place = PERMUTED_CHOICE_2[6 * box + bit]
    return KEY + place + (HALF if place >= HALF else 0)


@dataclass(frozen=True, slots=True)
class Path:
    """One way to compute: lanes of a vector, the processor's features it needs, and the gates it has."""

    name: str
    lanes: int
    features: tuple[str, ...]
    circuits: str

    @property
    def type(self) -> str:
        return f"<{self.lanes // 64} x i64>"

    @property
    def vector_bytes(self) -> int:
        return self.lanes // 8


PATHS: Final = (
    Path("avx512", 512, jit.AVX512, "lut3"),
    Path("avx2", 256, jit.AVX2, "gate2"),
    Path("generic", 128, (), "gate2"),
)
