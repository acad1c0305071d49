"""The model's rules once more, as plainly as they can be put, to hold the solver against.

Nothing here is shared with the solver: calls are all combinations of lengths, knowledge is a list of unknown bits per
byte, and the cheapest chain is what a breadth-first search over (knowledge, keys held) finds first.
"""

from collections.abc import Iterator
from itertools import product

from keyfence.model import Capability, Chain, Key, KeyMatCut, Slice, Window

SIZE = 32
"""No module of the random ones shows a byte beyond."""
Piece = tuple[int, int, int | None]
"""start, stop, hidden bits per byte of a key (None: read freely)."""
State = tuple[tuple[int, ...], frozenset[Piece]]
"""Unknown bits per byte; the keys held."""


def all_calls(capabilities: list[Capability]) -> set[frozenset[Piece]]:
    return {frozenset(call) for capability in capabilities for call in _calls(capability)}


def _calls(capability: Capability) -> Iterator[list[Piece]]:
    if isinstance(capability, KeyMatCut):
        for option in capability.keys:
            for m, k, v in product(capability.mac, option.lengths, capability.iv):
                if len(capability.sides) * (m + k + v) in capability.total:
                    parts = [(m, capability.mac_sink), (k, option.sink), (v, capability.iv_sink)]
                    yield list(_laid_out([part for part in parts for _ in capability.sides]))
    else:
        assert isinstance(capability, Window)
        for start, stop in product(range(64), range(64)):
            if start < stop and start in capability.start and stop - start in capability.length and stop in capability.stop:
                yield [(start, stop, _hidden(capability.sink))]


def _laid_out(parts: list[tuple[int, object]]) -> Iterator[Piece]:
    start = 0
    for length, sink in parts:
        if length and sink is not None:
            yield start, start + length, _hidden(sink)
        start += length


def _hidden(sink: object) -> int | None:
    return sink.hidden_bits if isinstance(sink, Key) else None


def cost(unknown: tuple[int, ...], piece: Piece) -> int:
    start, stop, hidden = piece
    return 0 if hidden is None else sum(max(0, bits - hidden) for bits in unknown[start:stop])


def told(unknown: tuple[int, ...], piece: Piece) -> tuple[int, ...]:
    start, stop, hidden = piece
    return tuple(min(bits, hidden or 0) if start <= at < stop else bits for at, bits in enumerate(unknown))


def settle(state: State, work: int) -> State:
    """Search every key held that is cheap enough, again and again."""
    unknown, held = state
    for piece in held:
        if cost(unknown, piece) <= work and told(unknown, piece) != unknown:
            return settle((told(unknown, piece), held - {piece}), work)
    return unknown, frozenset(piece for piece in held if told(unknown, piece) != unknown)


def left(unknown: tuple[int, ...], target: list[Slice]) -> int:
    """Bits of the target still to be found. A byte that only DES keys want is wanted without its parity."""
    allowed: dict[int, int] = {}
    for piece in target:
        for at in range(piece.start, piece.stop):
            allowed[at] = min(allowed.get(at, 1), _hidden(piece.sink) or 0)
    return sum(max(0, unknown[at] - allowed[at]) for at in allowed)


def learnt(known: list[Slice], size: int = SIZE) -> tuple[int, ...]:
    """Unknown bits per byte of the first `size` when these slices are known."""
    unknown = (8,) * size
    for piece in known:
        unknown = told(unknown, (piece.start, piece.stop, _hidden(piece.sink)))
    return unknown


def cheapest(
    target: list[Slice], capabilities: list[Capability], most_calls: int, most_work: int, known: list[Slice]
) -> tuple[int, int] | None:
    """(bits of the largest search, calls) of the cheapest chain, or None."""
    calls, start = all_calls(capabilities), learnt(known)
    work = 0
    while work <= min(most_work, max(0, left(start, target) - 1)):
        number, dearer = _fewest(calls, start, target, most_calls, work)
        if number is not None:
            return work, number
        if not dearer:
            return None
        work = min(dearer)
    return None


def _fewest(
    calls: set[frozenset[Piece]], start: tuple[int, ...], target: list[Slice], most_calls: int, work: int
) -> tuple[int | None, set[int]]:
    """Breadth-first: the number of calls at this size of search, and the costs that were too high for it."""
    level: set[State] = {(start, frozenset())}
    dearer: set[int] = set()
    for number in range(most_calls + 1):
        for unknown, held in level:
            missing = left(unknown, target)
            if missing <= work:
                return number, dearer
            dearer |= {bits for bits in [missing, *(cost(unknown, piece) for piece in held)] if bits > work}
        level = {settle((unknown, held | call), work) for unknown, held in level for call in calls}
    return None, dearer


def replay(chain: Chain, target: list[Slice], known: list[Slice]) -> None:
    """Execute the chain by the rules: each search must cost what it says, each key must have been made, all must be known."""
    unknown, made = learnt(known, 600), set()
    for step in chain.steps:
        if step.call is None:
            assert step.searches == (left(unknown, target),)
            return
        assert step.again == (step.call in made)
        made.add(step.call)
        assert step.uncovers
        for uncovered in step.uncovers:
            assert uncovered.slice in step.call.slices
            piece = (uncovered.slice.start, uncovered.slice.stop, _hidden(uncovered.slice.sink))
            assert uncovered.bits == cost(unknown, piece)
            assert told(unknown, piece) != unknown
            unknown = told(unknown, piece)
    assert not left(unknown, target)
