"""The fewest calls that reach a target at a given size of search: a greedy chain from above, z3 from below.

The lower bound rests on landmarks. Take any state of knowledge that does not reach the target. A set of calls none of
which tells anything new there stays within that state for ever, so every set of calls that succeeds contains one of
those that do: a clause. z3 finds the smallest set of calls that satisfies all clauses known; if it reaches the target
it is optimal, if not, the state it ends in gives one more clause. (These are the disjunctive action landmarks of
delete-free planning, and the loop is an implicit hitting set: Haslum, Slaney, Thiébaux, ICAPS 2012.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import z3

from .knowledge import Knowledge, Move, Problem, View
from .streams import BITS_PER_BYTE


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try to prove that no shorter chain exists. Counts, not seconds: the answer must not depend on load.

    `literals` bounds the sum of the clauses' lengths, `z3_steps` z3's resource count per question; None is unbounded.
    """

    literals: int | None = 20_000
    z3_steps: int | None = 200_000

    @classmethod
    def unlimited(cls) -> "Effort":
        """Until it is proven, however long it takes."""
        return cls(None, None)


@dataclass(frozen=True, slots=True)
class Fewest:
    """The moves of the shortest chain found, and how many calls any chain needs at least."""

    moves: tuple[Move, ...]
    at_least: int


def fewest_calls(problem: Problem, work: int, most: int, effort: Effort) -> Fewest:
    """The shortest chain at searches of at most `work` bits, which must suffice (`Problem.cheapest_work`).

    Once it is clear that more than `most` calls are needed, a shorter chain is no longer looked for.
    """
    problem = replace(problem, moves=_undominated(problem.moves, work))
    upper = _pruned(problem, _greedy(problem, work), work)
    return _Landmarks(problem, work, effort).close(upper, most)


def _undominated(moves: Sequence[Move], work: int) -> list[Move]:
    """Leave out calls that another one outdoes: the same keys and needs, and all its free bytes as well."""
    groups: dict[tuple[int, frozenset[tuple[int, int]]], list[tuple[int, Move]]] = {}
    for move in moves:
        free = 0
        for view in move.views:
            free |= view.mask if view.free else 0
        keys = frozenset((v.mask, v.hidden) for v in move.views if not v.free and v.mask & ~free and work)
        if free or keys:
            groups.setdefault((move.needs, keys), []).append((free, move))
    return [move for group in groups.values() for move in _maximal(group)]


def _maximal(group: list[tuple[int, Move]]) -> list[Move]:
    kept: list[tuple[int, Move]] = []
    for free, move in sorted(group, key=lambda entry: -entry[0].bit_count()):
        if all(free & ~larger for larger, _ in kept):
            kept.append((free, move))
    return [move for _, move in kept]


def _greedy(problem: Problem, work: int) -> list[Move]:
    """Always the call that tells most of what the target needs."""
    needed = _needed(problem, work)
    most = max((_most_told(move, needed, work) for move in problem.moves), default=0)
    state, chosen = problem.start, list[Move]()
    while not problem.reached(state, work):
        chosen.append(_best(problem.moves, state, needed, work, most))
        state = state.closure(chosen, work)
    return chosen


def _best(moves: Sequence[Move], state: Knowledge, needed: int, work: int, most: int) -> Move:
    """The move that tells most; the first one that tells `most`, which none exceeds."""
    best, best_gain = moves[0], -1
    for move in moves:
        gain = _gain(state, move, needed, work)
        if gain > best_gain:
            best, best_gain = move, gain
            if gain >= most:
                break
    return best


def _most_told(move: Move, wanted: int, work: int) -> int:
    """Bits of the wanted bytes that a call can tell at most: free views their bytes, keys `work` bits each."""
    told = ((BITS_PER_BYTE * (view.mask & wanted).bit_count(), view.free) for view in move.views)
    return sum(bits if free else min(bits, work) for bits, free in told)


def _gain(state: Knowledge, move: Move, needed: int, work: int) -> int:
    """Bits of the needed bytes that the call tells at once."""
    if not state.has(move.needs):
        return -1
    useful = state.dark & needed
    gain = 0
    for view in move.views:
        told = view.mask & useful if view.hidden else view.mask & needed
        if told and (view.free or state.cost(view) <= work):
            gain += state.bits(told)
    return gain


def _needed(problem: Problem, work: int) -> int:
    """The target, and the bytes through which a closure gets to it."""
    needed = problem.target
    for view, new, needs in reversed(list(derivation(problem.start, problem.moves, work))):
        if new & needed:
            needed |= needs if view.free else needs | view.mask
    return needed


def derivation(start: Knowledge, moves: Sequence[Move], work: int) -> Iterator[tuple[View, int, int]]:
    """The closure step by step: view, the bytes it tells something new about, the bytes the call needed."""
    state, before = start, None
    while state != before:
        before = state
        for move in moves:
            for view in move.views:
                new = state.gain(view)
                if new and state.has(move.needs) and state.cost(view) <= work:
                    state = state.after(view)
                    yield view, new, move.needs


def _pruned(problem: Problem, chosen: list[Move], work: int) -> list[Move]:
    """Without the calls that turned out not to be needed."""
    for move in reversed(chosen[:]):
        rest = [other for other in chosen if other is not move]
        if problem.reached(problem.start.closure(rest, work), work):
            chosen = rest
    return chosen


class _Landmarks:
    """The loop between z3 (smallest set of calls for the clauses so far) and the closure (one more clause)."""

    def __init__(self, problem: Problem, work: int, effort: Effort) -> None:
        self._problem, self._work = problem, work
        self._views = [(number, view) for number, move in enumerate(problem.moves) for view in move.views]
        self._calls: list[Any] = []
        self._in_play: set[int] = set()
        self._left = inf if effort.literals is None else effort.literals
        self._solver = z3.Solver()
        self._solver.set("rlimit", effort.z3_steps or 0)

    def close(self, upper: list[Move], most: int) -> Fewest:
        """Raise the lower bound until it meets a chain, exceeds `most`, or the effort is spent."""
        at_least, turn = self._counting_bound(), 0
        if at_least < len(upper) and at_least <= most:
            self._begin()
        while at_least < len(upper) and at_least <= most and self._left > 0:
            answer, moves = self._hitting_set(at_least)
            if answer == z3.unknown:
                break
            if answer == z3.unsat:
                at_least += 1
                continue
            state = self._problem.start.closure(moves, self._work)
            if self._problem.reached(state, self._work):
                return Fewest(tuple(moves), at_least)
            turn += 1
            self._add(self._stuck(state, moves, turn))
        return Fewest(tuple(upper), at_least)

    def _counting_bound(self) -> int:
        """All but `work` bits of the target, which the last step may search, must be told by calls."""
        target = self._problem.target
        missing = self._problem.missing(self._problem.start, target) - self._work
        most = max((_most_told(move, target, self._work) for move in self._problem.moves), default=0)
        return -(-missing // most) if missing > 0 and most else 0

    def _begin(self) -> None:
        """Clauses of the simplest states: all is known but as few neighbouring target bytes as no last step pays for."""
        self._calls = [z3.Bool(f"call{number}") for number in range(len(self._problem.moves))]
        dark = _positions(self._problem.target & self._problem.start.dark)
        width = self._work // (BITS_PER_BYTE - bool(self._problem.parity)) + 1
        for first in range(len(dark) - width + 1):
            if self._left > 0:
                self._add(Knowledge(sum(1 << position for position in dark[first : first + width])))

    def _stuck(self, state: Knowledge, moves: list[Move], turn: int) -> Knowledge:
        """The state with as much told as leaves `moves` short of the target: then few other calls tell something.

        `turn` varies which bytes stay dark, and so which clauses are found.
        """
        open_bytes = _positions(state.dark | state.dim)
        shift = 7 * turn % len(open_bytes)
        for position in open_bytes[shift:] + open_bytes[:shift]:
            grown = state.told(1 << position).closure(moves, self._work)
            if not self._problem.reached(grown, self._work):
                state = grown
        return state

    def _add(self, state: Knowledge) -> None:
        """The clause of a state that does not reach the target: one of the calls that tell something there."""
        unknown = state.dark | state.dim
        telling = {
            number
            for number, view in self._views
            if view.mask & unknown and state.gain(view) and state.cost(view) <= self._work
        }
        useful = sorted(number for number in telling if state.has(self._problem.moves[number].needs))
        self._in_play.update(useful)
        self._left -= len(useful)
        self._solver.add(_one_of([self._calls[number] for number in useful]))

    def _hitting_set(self, size: int) -> tuple[Any, list[Move]]:
        """z3's answer to "at most `size` calls satisfy every clause", with the calls when it is sat."""
        numbers = sorted(self._in_play)
        self._solver.push()
        if numbers:
            self._solver.add(z3.AtMost(*(self._calls[number] for number in numbers), size))
        answer = self._solver.check()
        model = self._solver.model() if answer == z3.sat else None
        self._solver.pop()
        chosen = [n for n in numbers if model is not None and z3.is_true(model[self._calls[n]])]
        return answer, [self._problem.moves[number] for number in chosen]


def _one_of(literals: list[Any]) -> Any:
    """z3.Or, without its check of every argument: clauses here have thousands of literals."""
    array = (z3.Ast * len(literals))(*(literal.as_ast() for literal in literals))
    context = z3.main_ctx()
    return z3.BoolRef(z3.Z3_mk_or(context.ref(), len(literals), array), context)


def _positions(mask: int) -> list[int]:
    return [position for position in range(mask.bit_length()) if mask >> position & 1]
