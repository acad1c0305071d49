"""What a kernel is: code in LLVM's language, and the memory ("frame") that a worker gives it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .layout import LANE_BITS
from .paths import Path
from .problem import ShortKeyProblem


@dataclass(frozen=True)
class Kernel(ABC):
    """Hashable, and the same for problems of one shape: it is compiled once for them."""

    path: Path

    @property
    def lanes(self) -> int:
        """Keys that one call of `test` tries."""
        return 1 << LANE_BITS

    @property
    def features(self) -> tuple[str, ...]:
        """What the processor must have, by LLVM's names."""
        return self.path.features

    @abstractmethod
    def module(self) -> str:
        """Its functions in LLVM's language."""

    @abstractmethod
    def frame_bytes(self, problem: ShortKeyProblem) -> int:
        """The memory that a worker needs."""

    def image(self, key: bytes) -> bytes:
        """A key as it lies in BASE: a bit of one is a bit of the other."""
        return key.ljust(64, b"\0")

    @abstractmethod
    def contents(self, problem: ShortKeyProblem, frame: int) -> Iterator[tuple[int, bytes]]:
        """What a frame at that address holds from the beginning: byte offsets and bytes."""

    @abstractmethod
    def lane_contents(self, images: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
        """The same for what differs between the lanes: an image of each one's bits."""
