"""Who searches what: chunks by measured rate, lowest missing first. No clock and no network, so that it can be tested.

A chunk is some seconds of its worker's work: few at first, while little is known of its rate, and few at the end, so
that nobody waits long for the last one. In between they are long enough that giving them away costs nothing.
"""

from dataclasses import dataclass
from typing import Final

from keyfence.search.ranges import Range, Ranges

FIRST_SECONDS: Final = 0.5
MOST_SECONDS: Final = 4.0
LEAST_SECONDS: Final = 0.2
TICK_SECONDS: Final = 1e-6  # less than that was not measured
LEAST_RATE: Final = 1.0  # candidates a second: what a worker that got nowhere is tried with


@dataclass(frozen=True, slots=True)
class Chunk:
    """[start, stop), and how long its worker should need for it."""

    start: int
    stop: int
    seconds: float

    @property
    def limit(self) -> float:
        """Seconds after which its worker stops wherever it is."""
        return 2 * self.seconds + 0.5


@dataclass(slots=True)
class _Member:
    """`rate` is in candidates per second; one that is `late` is not counted on, but may come back."""

    rate: float
    seconds: float = FIRST_SECONDS
    chunk: Chunk | None = None
    late: bool = False


class Crew:
    """The workers of a job by name, and what each of them searches at the moment."""

    def __init__(self) -> None:
        self._members: dict[str, _Member] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def rate(self) -> float:
        """Candidates per second of all that are counted on."""
        return sum(member.rate for member in self._members.values() if not member.late)

    @property
    def held(self) -> Ranges:
        """What is being searched by those that are counted on."""
        chunks = [it.chunk for it in self._members.values() if it.chunk is not None and not it.late]
        return Ranges.of(*((chunk.start, chunk.stop) for chunk in chunks))

    def joined(self, name: str, rate: float) -> None:
        """A new worker, or one that was started anew, of so many candidates per second."""
        self._members[name] = _Member(max(rate, LEAST_RATE))

    def left(self, name: str) -> None:
        """What it held is free for others."""
        self._members.pop(name, None)

    def late(self, name: str) -> None:
        """What it holds is free for others, and it gets nothing more before it reports."""
        self._members[name].late = True

    def reported(self, name: str, searched: int, seconds: float) -> None:
        """It has searched so many candidates in that time, and holds nothing any more."""
        member = self._members[name]
        measured = searched / seconds if seconds >= TICK_SECONDS else member.rate
        member.rate = max(LEAST_RATE, (member.rate + measured) / 2)
        member.seconds = min(MOST_SECONDS, 2 * member.seconds)
        member.chunk, member.late = None, False

    def next_chunk(self, name: str, missing: Ranges) -> Chunk | None:
        """What `name` is to search next, which it then holds; None while others hold all that is missing."""
        free, member = missing.without(self.held), self._members[name]
        if not free or member.chunk is not None:
            return None
        fair = free.total / self.rate / 2  # half of what is left for each: the last chunks get shorter and shorter
        seconds = min(member.seconds, max(LEAST_SECONDS, fair))
        start, stop = _cut(free.parts[0], max(1, int(seconds * member.rate)))
        member.chunk = Chunk(start, stop, seconds)
        return member.chunk


def _cut(part: Range, size: int) -> Range:
    """About `size` from the part's beginning: up to a round number, where vectors end; no crumb is left behind."""
    start, stop = part
    if stop - start <= size + size // 4:
        return part
    unit = 1 << max(0, size.bit_length() - 4)
    return start, (start + size) // unit * unit
