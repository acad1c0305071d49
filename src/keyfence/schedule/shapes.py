"""The shape of a key block: how long each part is and where it lies (RFC 5246 §6.3, RFC 6101 §6.2.2).

    client MAC key | server MAC key | client write key | server write key | client IV | server IV

All lengths and offsets are in bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .protocol import Side


class Part(StrEnum):
    """A part of the key block, in the order of the standard; equal to its name as a string."""

    CLIENT_MAC = "client MAC key"
    SERVER_MAC = "server MAC key"
    CLIENT_KEY = "client write key"
    SERVER_KEY = "server write key"
    CLIENT_IV = "client IV"
    SERVER_IV = "server IV"

    @property
    def side(self) -> Side:
        """Whose part it is."""
        return Side(self.value.split()[0])

    @property
    def kind(self) -> str:
        """ "MAC key", "write key" or "IV"."""
        return self.value.split(" ", 1)[1]

    @property
    def is_secret(self) -> bool:
        """Whether the standard means it to be secret: keys are; an IV is handed to the caller."""
        return self.kind != "IV"


@dataclass(frozen=True, slots=True)
class Shape:
    """Lengths of ONE side's parts, in bytes; the block holds each twice. ValueError where one is negative."""

    mac: int
    key: int
    iv: int

    def __post_init__(self) -> None:
        if min(self.mac, self.key, self.iv) < 0:
            raise ValueError(f"a key block has no parts of negative length: {self}")

    @property
    def length(self) -> int:
        """Length of the whole block."""
        return 2 * (self.mac + self.key + self.iv)

    def size(self, part: Part) -> int:
        """Length of one part."""
        return {"MAC key": self.mac, "write key": self.key, "IV": self.iv}[part.kind]

    def layout(self) -> Mapping[Part, tuple[int, int]]:
        """Part to (start, stop), in block order, with empty parts in their place (start == stop)."""
        places, start = {}, 0
        for part in Part:
            places[part] = (start, start + self.size(part))
            start += self.size(part)
        return places

    def split(self, block: bytes) -> Mapping[Part, bytes]:
        """The parts of `block`, which must be exactly as long as the shape says (ValueError)."""
        if len(block) != self.length:
            raise ValueError(f"{self} cuts {self.length} bytes, not {len(block)}")
        return {part: block[start:stop] for part, (start, stop) in self.layout().items()}

    def join(self, parts: Mapping[Part, bytes]) -> bytes:
        """The block that `split` takes apart; ValueError where a part has another length than the shape's."""
        for part in Part:
            if len(parts[part]) != self.size(part):
                raise ValueError(f"{self} has {self.size(part)} bytes of {part}, not {len(parts[part])}")
        return b"".join(parts[part] for part in Part)
