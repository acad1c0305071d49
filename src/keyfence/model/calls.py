"""What a capability is: a family of calls, each of which yields slices; listed one by one, or described to z3."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from .streams import Sink, Slice, Stream


class Choice(Protocol):
    """What the caller chose within a capability (lengths, a key type, a block): a frozen dataclass per capability."""


@dataclass(frozen=True, slots=True)
class Call:
    """One concrete call: what was chosen, the slices it yields, and the slices its caller must know beforehand."""

    capability: "Capability"
    choice: Choice
    slices: tuple[Slice, ...]
    needs: tuple[Slice, ...] = ()


class Part(NamedTuple):
    """A slice whose bounds may still be open: `start` and `stop` are ints, or integer expressions of z3 (bytes)."""

    name: str
    stream: Stream
    start: Any
    stop: Any
    sink: Sink


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """All calls of one kind at once: `parts` in terms of `unknowns` that obey `rules`; `build` turns values into a call."""

    unknowns: Mapping[str, Any]
    rules: tuple[Any, ...]
    parts: tuple[Part, ...]
    build: Callable[[Mapping[str, int]], Call]


Reach = Mapping[Stream, int]
"""Per stream, the first byte that nobody is interested in."""


class Capability(Protocol):
    """A family of calls that a module allows."""

    @property
    def name(self) -> str:
        """What the report calls it: a mechanism or a technique."""

    def calls(self, reach: Reach, /) -> Iterator[Call]:
        """Concrete calls, without those that another one outdoes in everything. Finite, or ValueError."""

    def least(self, call: Call, stop: int, /) -> Call:
        """The call that asks for no more than it must: the same keys as `call`, free bytes up to `stop`."""

    @property
    def streams(self) -> frozenset[Stream]:
        """The streams it cuts by itself. Empty for an oracle, which rebuilds whatever others cut."""

    def shapes(self, prefix: str, streams: Collection[Stream], /) -> Iterator[Shape]:
        """All calls that touch `streams`, lengths left open; `prefix` keeps the unknowns' names apart."""


def slices_of(parts: Collection[Part]) -> tuple[Slice, ...]:
    """The non-empty parts, once their bounds are numbers."""
    return tuple(Slice(p.stream, p.start, p.stop, p.sink, p.name) for p in parts if p.start < p.stop)
