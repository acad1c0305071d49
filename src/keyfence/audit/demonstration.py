"""A search shown in full within minutes: the lab imports the victim's secret, and tells the search part of what it looks for.

In an audit nobody knows a victim's secret, and the search of a weak key takes days to years. A demonstration goes the same
way, call by call, to a key that it is closer to; its findings say so.
"""

from dataclasses import dataclass
from random import SystemRandom
from typing import Final

from keyfence.schedule import Part, Side
from keyfence.techniques.base import Given
from keyfence.techniques.keymat import stream_of
from keyfence.techniques.opening import secret_layout
from keyfence.techniques.victim import Kind, Victim

NOTE: Final = (
    "a demonstration: the secrets of its sessions up to TLS 1.2 are the lab's own, and searches are told part of what they "
    "look for"
)
KINDS: Final = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.WTLS})
"""Sessions whose keys are cut from one stream."""
_KEY_BITS: Final = 56
_BYTES: Final = 8
_PARITY: Final = 1
_BITS: Final = [1 << bit for bit in range(1, 8)]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Of every eight bytes of the client's write key, a DES key, all but `unknown` of the 56 key bits are given.

    Which ones is drawn at random, with one constraint: any eight bytes in a row have `unknown` unknown bits, so that no
    DES key is easier than that by luck. Parity bits are not given, nor anything of other keys.
    """

    unknown: int

    def __post_init__(self) -> None:
        if not 1 <= self.unknown <= _KEY_BITS:
            raise ValueError(f"a DES key has 1 to {_KEY_BITS} unknown bits, not {self.unknown}")

    def given(self, victim: Victim, secret: bytes) -> Given:
        """What a search is told where `secret` is the victim's master secret."""
        start, stop = secret_layout(victim)[Part(f"{Side.CLIENT} write key")]
        mask = bytes(start) + self.mask(stop - start) + bytes(victim.secret_bytes - stop)
        value = bytes(a & b for a, b in zip(mask, stream_of(victim, secret, victim.secret_bytes), strict=True))
        return Given(mask, value)

    def mask(self, length: int) -> bytes:
        """Which bits of a key of `length` bytes are given; drawn anew each time."""
        random = SystemRandom()
        more = random.sample(range(_BYTES), self.unknown % _BYTES)
        counts = [self.unknown // _BYTES + (place in more) for place in range(_BYTES)]
        return bytes(0xFF - _PARITY - sum(random.sample(_BITS, counts[place % _BYTES])) for place in range(length))


def nothing(victim: Victim) -> Given:
    """What searches are told in an audit."""
    return Given(bytes(victim.secret_bytes), bytes(victim.secret_bytes))
