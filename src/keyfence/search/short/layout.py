"""In which order a candidate's number sets the unknown bits, so that what changes fast changes late in the computation.

A hash takes the key in words of 32 bits, the first word first: while only a late word changes, the rounds before it
stay as they are. So the last word that has a whole byte's worth of unknown bits counts fastest, and the others follow,
the last one first. RC4 takes the key from its first byte on too; AES does not care.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from keyfence.search.numbering import Order

LANE_BITS: Final = 4  # the unknown bits that vary inside a vector of 16 lanes
WORD_BITS: Final = 32
ENOUGH: Final = 8
"""Unknown bits in one word that make it worth keeping what comes before it: 16 lanes, 16 counts."""


@dataclass(frozen=True, slots=True)
class Layout(Order):
    """The unknown bits of a key, numbered from its first byte's highest.

    `fast` is the word that all of the first `kept` counted bits lie in; without such a word it is None, and `kept` 0.
    """

    lane_bits = LANE_BITS
    fast: int | None

    @property
    def kept(self) -> int:
        """Counted bits whose flips change the fast word only."""
        return sum(bit // WORD_BITS == self.fast for bit in self.counted)


@cache
def layout(known_mask: bytes) -> Layout:
    """The order for this mask of known bits."""
    mask, bits = int.from_bytes(known_mask), 8 * len(known_mask)
    last_first = [bit for bit in reversed(range(bits)) if not mask >> (bits - 1 - bit) & 1]
    fast = _fast(last_first)
    return Layout(tuple(sorted(last_first, key=lambda bit: (bit // WORD_BITS != fast, -bit))), fast)


def _fast(unknown: list[int]) -> int | None:
    words = [bit // WORD_BITS for bit in unknown]
    if len(set(words)) == 1:
        return words[0]
    return max((word for word in words if words.count(word) >= ENOUGH), default=None)
