"""The ways to compute: how wide a vector is and what the processor must have for it."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from keyfence.search import jit


@dataclass(frozen=True, slots=True)
class Path:
    """`lanes` are words of 32 bits in a vector; `features` are LLVM's names."""

    name: str
    lanes: int
    features: tuple[str, ...]

    @property
    def vector(self) -> str:
        """The type of a vector of words in LLVM's language."""
        return f"<{self.lanes} x i32>"

    @property
    def vector_bytes(self) -> int:
        return 4 * self.lanes

    @property
    def ternary(self) -> bool:
        """Whether one instruction computes any function of three inputs (vpternlog)."""
        return "avx512f" in self.features


PATHS: Final = (
    Path("avx512", 16, jit.AVX512),
    Path("avx2", 8, jit.AVX2),
    Path("generic", 4, ()),
)
"""The fastest first."""


@cache
def usable_paths() -> tuple[Path, ...]:
    """The paths that this processor (and its operating system) can run, the fastest first."""
    return tuple(path for path in PATHS if jit.usable(path.features))
