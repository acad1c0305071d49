"""A chain of calls as its executor and its readers see it: steps in order, each with what it uncovers and at what price."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log2
from typing import NamedTuple

from .calls import Call
from .knowledge import Move, Problem, View
from .streams import Slice


@dataclass(frozen=True, slots=True, order=True)
class Price:
    """Compared in this order: bits of the largest single search, then calls. `total_bits` is log2 of all search work."""

    work_bits: int
    calls: int
    total_bits: float


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A slice whose bytes become known, at a search of `bits` (0: it is read)."""

    slice: Slice
    bits: int


@dataclass(frozen=True, slots=True)
class Step:
    """One call and what it uncovers, in order. `again`: the call was made in an earlier step, its keys are searched now.

    `call` None is the last step: what is left of the target is searched, as one, against a record of the victim's.
    """

    call: Call | None
    uncovers: tuple[Uncovered, ...]
    again: bool = False

    @property
    def searches(self) -> tuple[int, ...]:
        """Bits of each search of this step."""
        bits = tuple(piece.bits for piece in self.uncovers if piece.bits)
        return bits if self.call else (sum(bits),)

    @property
    def work_bits(self) -> int:
        """Bits of the largest search of this step."""
        return max(self.searches, default=0)


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps in order. No chain at this work has fewer than `calls_at_least` calls; `work_is_least`: none has less work."""

    steps: tuple[Step, ...]
    calls_at_least: int
    work_is_least: bool = True

    @property
    def price(self) -> Price:
        """The price of the whole."""
        searches = [bits for step in self.steps for bits in step.searches]
        calls = sum(step.call is not None and not step.again for step in self.steps)
        return Price(max(searches, default=0), calls, log2(sum(2**bits for bits in searches)) if searches else 0.0)

    @property
    def optimal(self) -> bool:
        """Whether it is proven that no cheaper chain exists within the limits."""
        return self.work_is_least and self.price.calls == self.calls_at_least


class Told(NamedTuple):
    """A view, the move it belongs to, the bytes (a set) it tells something new about, and the bits searched for them."""

    move: Move
    view: View
    new: int
    bits: int


def chain_of(
    task: Problem, target: Sequence[Slice], moves: Sequence[Move], work: int, at_least: int, *, work_is_least: bool
) -> Chain:
    """The steps these moves amount to, each call asking for no more than is needed."""
    tight = _least(task, list(_told(task, moves, work)))
    told = _needed(task, list(_told(task, tight, work)))
    steps, made = list[Step](), set[int]()
    for _, group in groupby(told, key=lambda piece: id(piece.move)):
        pieces = list(group)
        move = pieces[0].move
        uncovers = tuple(Uncovered(piece.view.slice, piece.bits) for piece in pieces)
        steps.append(Step(move.call, uncovers, again=id(move) in made))
        made.add(id(move))
    return Chain((*steps, *_residue(task, target, told)), at_least, work_is_least)


def _told(task: Problem, moves: Sequence[Move], work: int) -> Iterator[Told]:
    """What the moves tell, in an order in which it can be executed: the newest call first, its cheapest views first."""
    state, waiting, made = task.start, list(moves), list[Move]()
    while True:
        for move in made:
            views = [view for view in move.views if state.gain(view) and state.cost(view) <= work]
            if views:
                view = min(views, key=state.cost)
                yield Told(move, view, state.gain(view), state.cost(view))
                state = state.after(view)
                break
        else:
            following = next((move for move in waiting if state.useful(move, work)), None)
            if following is None:
                return
            waiting.remove(following)
            made.insert(0, following)


def _needed(task: Problem, told: Sequence[Told]) -> list[Told]:
    """Without what nothing later builds on; `new` is narrowed to the bytes that something does build on."""
    needed, kept = task.target, list[Told]()
    for piece in reversed(told):
        if used := piece.new & needed:
            kept.append(piece._replace(new=used))
            needed |= piece.move.needs if piece.view.free else piece.move.needs | piece.view.mask
    return kept[::-1]


def _least(task: Problem, told: Sequence[Told]) -> list[Move]:
    """The moves that are needed, asking for no more free bytes than are: real modules are best asked for little."""
    stops: dict[int, int] = defaultdict(int)
    moves: dict[int, Move] = {}
    for piece in _needed(task, told):
        key = id(piece.move)
        moves[key] = piece.move
        stop = task.positions.stop(piece.view.slice.stream, piece.new) if piece.view.free else 0
        stops[key] = max(stops[key], stop)
    return [task.positions.move(m.call.capability.least(m.call, stops[key])) for key, m in moves.items()]


def _residue(task: Problem, target: Sequence[Slice], told: Sequence[Told]) -> list[Step]:
    """The last step, where something of the target is left. Bytes that two targets share are searched once."""
    state = task.start
    for piece in told:
        state = state.after(piece.view)
    uncovers, left = list[Uncovered](), task.target
    for wanted in target:
        mask = task.positions.mask([wanted])
        if bits := task.missing(state, mask & left):
            uncovers.append(Uncovered(wanted, bits))
        left &= ~mask
    return [Step(None, tuple(uncovers))] if uncovers else []
