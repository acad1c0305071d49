"""The model's rules once more, as plainly as they can be put, to hold the solver against.

Nothing here is shared with the solver: calls are all combinations of lengths, knowledge is a list of unknown bits per
byte, and the cheapest chain is what a breadth-first search over (knowledge, keys held) finds first.
"""

from collections.abc import Iterator
from itertools import product

from keyfence.model import Capability, Chain, Key, KeyMatCut, Slice, Window

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
                if 2 * m + 2 * k + 2 * v in capability.total:
                    bounds = [0, m, 2 * m, 2 * m + k, 2 * m + 2 * k, 2 * m + 2 * k + v, 2 * m + 2 * k + 2 * v]
                    sinks = [capability.mac_sink] * 2 + [option.sink] * 2 + [capability.iv_sink] * 2
                    parts = zip(bounds, bounds[1:], sinks, strict=False)
                    yield [(a, b, _hidden(sink)) for a, b, sink in parts if sink is not None and a < b]
    else:
        assert isinstance(capability, Window)
        for start, stop in product(range(64), range(64)):
            if start < stop and start in capability.start and stop - start in capability.length and stop in capability.stop:
                yield [(start, stop, _hidden(capability.sink))]


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


def cheapest(target: list[Slice], capabilities: list[Capability], most_calls: int, most_work: int) -> tuple[int, int] | None:
    """(bits of the largest search, calls) of the cheapest chain, or None."""
    calls = all_calls(capabilities)
    size = max([piece.stop for piece in target] + [stop for call in calls for _, stop, _ in call])
    wanted = {at for piece in target for at in range(piece.start, piece.stop)}
    work = 0
    while work <= min(most_work, 8 * len(wanted) - 1):
        number, dearer = _fewest(calls, size, wanted, most_calls, work)
        if number is not None:
            return work, number
        if not dearer:
            return None
        work = min(dearer)
    return None


def _fewest(
    calls: set[frozenset[Piece]], size: int, wanted: set[int], most_calls: int, work: int
) -> tuple[int | None, set[int]]:
    """Breadth-first: the number of calls at this size of search, and the costs that were too high for it."""
    level: set[State] = {((8,) * size, frozenset())}
    dearer: set[int] = set()
    for number in range(most_calls + 1):
        for unknown, held in level:
            left = sum(unknown[at] for at in wanted)
            if left <= work:
                return number, dearer
            dearer |= {bits for bits in [left, *(cost(unknown, piece) for piece in held)] if bits > work}
        level = {settle((unknown, held | call), work) for unknown, held in level for call in calls}
    return None, dearer


def replay(chain: Chain, target: list[Slice], size: int) -> None:
    """Execute the chain by the rules: each search must cost what it says, each key must have been made, all must be known."""
    wanted = {at for piece in target for at in range(piece.start, piece.stop)}
    unknown, made = (8,) * size, set()
    for step in chain.steps:
        if step.call is None:
            assert step.searches == (sum(unknown[at] for at in wanted),)
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
    assert not any(unknown[at] for at in wanted)
