"""Questions about ALL lengths at once, put to z3: their answers hold without any bound on what was tried.

`is_exposed` is the proof behind a schedule or a policy: None means that no call an attacker may make shows any byte of
any key the victim may have derived at less than that key's strength. It is sound for chains of any length, because it
grants the attacker every byte outside the key: what it counts is only what he must search INSIDE it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import z3

from .calls import Call, Capability, Part, Shape
from .knowledge import Knowledge, Positions, Problem, problem
from .oracles import Oracle
from .streams import BITS_PER_BYTE, PUBLIC, Key, Slice, Stream, is_free


@dataclass(frozen=True, slots=True)
class Exposure:
    """Two calls whose slices share a byte, at this offset of the stream, that the one must hide and the other shows."""

    victim: Call
    attacker: Call
    stream: Stream
    offset: int


Criterion = Callable[[Part, Part], Any]
"""Of a victim's part and an attacker's part that overlap: the z3 formula for "this must not be"."""


def is_exposed(victims: Collection[Capability], attackers: Collection[Capability]) -> Exposure | None:
    """A call of the victim's and one of the attacker's such that a key of the first costs less to search through the second.

    None is a proof that there are no two such calls, whatever their lengths.
    """
    return _clash(victims, attackers, _weakens)


def is_shared(victims: Collection[Capability], attackers: Collection[Capability]) -> Exposure | None:
    """Two calls such that a key of the first shares bytes with anything that is not the very same key.

    Stricter than `is_exposed`: the claim of the separated key expansion. None is a proof.
    """
    return _clash(victims, attackers, _differs)


def is_payable(victims: Collection[Capability], attackers: Collection[Capability], bits: int) -> Exposure | None:
    """A call of the victim's and ONE call of the attacker's, after which a key of the first costs a search below 2^bits.

    For attackers who have one call and no second: all its parts count together, and a key that costs no less than 2^bits to
    search counts as kept. None is a proof.
    """
    streams = frozenset().union(*(victim.streams for victim in victims))
    attacker_shapes = list(_shapes(attackers, "attacker", streams))
    for victim in _shapes(victims, "victim", streams):
        for attacker in attacker_shapes:
            for mine in victim.parts:
                if not is_free(mine.sink) and (found := _paid(victim, mine, attacker, bits)):
                    return found
    return None


def next_call(
    target: Sequence[Slice],
    capabilities: Collection[Capability],
    known: Collection[Slice] = (),
    max_search_bits: int = 0,
) -> Call | None:
    """A call that tells something new of the target right now, at a search of at most so many bits.

    None is a proof that there is none, whatever its lengths; free calls are preferred. A call that only makes later
    ones cheaper is not found here: that is planning, see `solver.solve`. Oracles are asked for their next evaluation,
    helper values included.
    """
    for work in sorted({0, max_search_bits}):
        for capability in capabilities:
            if isinstance(capability, Oracle):
                call = _next_evaluation(target, capability, known, work)
            else:
                call = _next_cut(target, capability, known, work)
            if call is not None:
                return call
    return None


def _clash(victims: Collection[Capability], attackers: Collection[Capability], wrong: Criterion) -> Exposure | None:
    streams = frozenset().union(*(victim.streams for victim in victims))
    victim_shapes = list(_shapes(victims, "victim", streams))
    attacker_shapes = list(_shapes(attackers, "attacker", streams))
    for victim in victim_shapes:
        for attacker in attacker_shapes:
            if found := _overlap(victim, attacker, wrong):
                return found
    return None


def _shapes(capabilities: Collection[Capability], prefix: str, streams: Collection[Stream]) -> Iterator[Shape]:
    for number, capability in enumerate(capabilities):
        yield from capability.shapes(f"{prefix}{number}", streams)


def _overlap(victim: Shape, attacker: Shape, wrong: Criterion) -> Exposure | None:
    """One question to z3 per pair of shapes: is there a byte in a key of the one and in a part of the other?"""
    offset = z3.Int("offset")
    pairs = {
        z3.Bool(f"pair.{one}.{other}"): (mine, theirs)
        for one, mine in enumerate(victim.parts)
        for other, theirs in enumerate(attacker.parts)
        if not is_free(mine.sink) and mine.stream == theirs.stream
    }
    if not pairs:
        return None
    solver = z3.Solver()
    solver.add(*victim.rules, *attacker.rules, z3.Or(list(pairs)))
    for chosen, (mine, theirs) in pairs.items():
        solver.add(z3.Implies(chosen, z3.And(_within(offset, mine), _within(offset, theirs), wrong(mine, theirs))))
    if (model := _model(solver)) is None:
        return None
    stream = next(mine.stream for chosen, (mine, _) in pairs.items() if z3.is_true(model[chosen]))
    return Exposure(_call(victim, model), _call(attacker, model), stream, model.eval(offset, True).as_long())


def _paid(victim: Shape, mine: Part, attacker: Shape, bits: int) -> Exposure | None:
    """What no part of the call shows is searched at once; what a key shows, by that key or together with the rest."""
    offset = z3.Int("offset")
    common = [(part, _common(part, mine.start, mine.stop)) for part in attacker.parts if part.stream == mine.stream]
    hidden = mine.stop - mine.start - z3.Sum([0, *(length for _, length in common)])
    solver = z3.Solver()
    solver.add(*victim.rules, *attacker.rules, _per_byte(mine) * (mine.stop - mine.start) >= bits)
    solver.add(_per_byte(mine) * hidden < bits)
    solver.add(*(min(_per_byte(part), _per_byte(mine)) * length < bits for part, length in common))
    solver.add(_within(offset, mine), z3.Or([_within(offset, part) for part, _ in common]))
    if (model := _model(solver)) is None:
        return None
    return Exposure(_call(victim, model), _call(attacker, model), mine.stream, model.eval(offset, True).as_long())


def _within(offset: Any, part: Part) -> Any:
    return z3.And(part.start <= offset, offset < part.stop)


def _weakens(mine: Part, theirs: Part) -> Any:
    """Knowing all bytes outside my key, theirs costs less to search than mine."""
    return _per_byte(theirs) * _common(mine, theirs.start, theirs.stop) < _per_byte(mine) * (mine.stop - mine.start)


def _differs(mine: Part, theirs: Part) -> Any:
    same = mine.sink == theirs.sink
    return z3.Or(not same, mine.start != theirs.start, mine.stop != theirs.stop)


def _per_byte(part: Part) -> int:
    """Bits a search of this part pays for a byte of which nothing is known."""
    return BITS_PER_BYTE - part.sink.hidden_bits if isinstance(part.sink, Key) else 0


def _common(part: Part, start: Any, stop: Any) -> Any:
    """How many bytes of start..stop the part covers."""
    first = z3.If(part.start > start, part.start, start)
    last = z3.If(part.stop < stop, part.stop, stop)
    return z3.If(first < last, last - first, 0)


def _model(solver: Any) -> Any:
    """A model, or None when there is none. z3 decides linear arithmetic; should it ever give up, no proof is claimed."""
    answer = solver.check()
    if answer == z3.unknown:
        raise RuntimeError(f"z3 could not decide: {solver.reason_unknown()}")
    return solver.model() if answer == z3.sat else None


def _call(shape: Shape, model: Any) -> Call:
    return shape.build({name: model.eval(value, True).as_long() for name, value in shape.unknowns.items()})


def _next_evaluation(target: Sequence[Slice], oracle: Oracle, known: Collection[Slice], work: int) -> Call | None:
    task = problem(target, [oracle], known)
    return next((move.call for move in task.moves if task.start.useful(move, work)), None)


def _next_cut(target: Sequence[Slice], capability: Capability, known: Collection[Slice], work: int) -> Call | None:
    wanted = _wanted(target, known)
    for shape in capability.shapes("next", list(wanted)):
        solver = z3.Solver()
        solver.add(*shape.rules)
        solver.add(z3.Or([_tells(part, wanted[part.stream], work) for part in shape.parts if part.stream in wanted]))
        if (model := _model(solver)) is not None:
            return _call(shape, model)
    return None


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring bytes of one stream of which equally many bits are unknown; `stop` None: without end."""

    start: int
    stop: int | None
    unknown: int
    wanted: bool


def _wanted(target: Sequence[Slice], known: Collection[Slice]) -> dict[Stream, list[_Run]]:
    """Per stream of the target, its bytes in runs; behind the last one of interest, all are unknown and unwanted."""
    positions = Positions([*target, *known])
    state = Knowledge((1 << positions.size) - 1)
    for piece in known:
        state = state.after(positions.view(piece))
    task = Problem(positions, (), state, positions.mask(target), positions.parity(target))
    return {stream: _runs(stream, task) for stream in {piece.stream for piece in target}}


def _runs(stream: Stream, task: Problem) -> list[_Run]:
    end = task.positions.reach[stream]
    bytes_ = [task.positions.mask([Slice(stream, offset, offset + 1, PUBLIC)]) for offset in range(end)]
    kinds = [(task.start.bits(byte), bool(task.missing(task.start, byte))) for byte in bytes_]
    runs = []
    for (unknown, wanted), group in groupby(range(end), key=kinds.__getitem__):
        offsets = list(group)
        runs.append(_Run(offsets[0], offsets[-1] + 1, unknown, wanted))
    return [*runs, _Run(end, None, BITS_PER_BYTE, wanted=False)]


def _tells(part: Part, runs: Sequence[_Run], work: int) -> Any:
    """The formula "this part tells something of the target, and its search costs at most `work` bits"."""
    hidden = BITS_PER_BYTE - _per_byte(part) if isinstance(part.sink, Key) else 0
    telling = [run for run in runs if run.unknown > hidden]
    gains = [_common(part, run.start, run.stop) > 0 for run in telling if run.wanted]
    if is_free(part.sink):
        return z3.Or(gains)
    cost = z3.Sum([(run.unknown - hidden) * _common(part, run.start, _stop(run, part)) for run in telling])
    return z3.And(z3.Or(gains), cost <= work)


def _stop(run: _Run, part: Part) -> Any:
    return part.stop if run.stop is None else run.stop
