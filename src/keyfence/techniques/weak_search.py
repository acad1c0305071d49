"""The weak keys over a key block, searched: what one tells shortens the next, what none tells is found against a record.

Every weak key that the module makes over wanted bytes is a view of them; `search.plan` says which are worth a search, in which
order. The bench may have given bits beforehand: those are not searched, and the recovery says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keyfence.cryptoki import CryptokiError, HandleInvalid, KeyMaterial
from keyfence.model import Cut, Key, KeyMatCut, Slice
from keyfence.schedule import Part, Side
from keyfence.search.plan import DES_PARITY, Plan, Step, View, plan, within_reach
from keyfence.search.problem import BadProblem, Problem

from . import keysearch, searching
from .base import Bench, Given, Inconclusive, says_something
from .keymat import Cutter, describe_cut
from .keymat_attack import KeyMatAttack, key_of
from .opening import SideKeys, open_record, record_of, secret_layout
from .recovery import Source, StreamBytes

RECORD = "record"
_EFFORT = 500
"""States that planning may visit: what more of them find is less than what they take."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a weak key comes from: the cut that makes it, and which part of it."""

    cut: Cut
    slice: Slice


class _Unusable(Exception):
    """A weak key that cannot be had, or used so that an engine knows it, although its like could when it was measured."""


class Bits:
    """What is known of the key block, bit by bit."""

    def __init__(self, given: Given) -> None:
        self.total = len(given.mask)
        self._mask, self._value = int.from_bytes(given.mask), int.from_bytes(given.value)

    @property
    def mask(self) -> bytes:
        return self._mask.to_bytes(self.total)

    def part(self, start: int, stop: int) -> tuple[bytes, bytes]:
        """(mask, value) of these bytes."""
        return self.mask[start:stop], self._value.to_bytes(self.total)[start:stop]

    def learn(self, start: int, unknown: bytes, value: bytes) -> None:
        """The bits of the mask `unknown`, from `start` on, are those of `value`."""
        up = 8 * (self.total - start - len(unknown))
        self._mask |= int.from_bytes(unknown) << up
        self._value |= (int.from_bytes(unknown) & int.from_bytes(value)) << up

    def whole(self) -> Mapping[int, int]:
        """The bytes of which every bit is known."""
        value = self._value.to_bytes(self.total)
        return {place: value[place] for place, mask in enumerate(self.mask) if mask == 0xFF}


class WeakSearch:
    """One victim's key block, to be searched within the bench's limit. `lines` tells what was done, for a reader."""

    def __init__(self, attack: KeyMatAttack, bench: Bench, capability: KeyMatCut) -> None:
        self.attack, self.bench, self.victim = attack, bench, attack.victim
        self.cutter = Cutter(bench, attack.mechanism, attack.victim)
        self.given = bench.given(attack.victim)
        self.known = Bits(self.given)
        self.lines: list[str] = []
        self._places = dict(self._weak_keys(capability))
        self._made: dict[Cut, KeyMaterial] = {}

    def _weak_keys(self, capability: KeyMatCut) -> Iterator[tuple[tuple[int, int, str], Place]]:
        """(start, length, cipher) of every key that can be searched here, and its place; the last of equal ones counts."""
        for call in capability.calls({}):
            for piece in call.slices:
                cipher = searching.ALGORITHMS.get(piece.sink.key_type) if isinstance(piece.sink, Key) else None
                if cipher in self.bench.searchable and piece.stop <= self.known.total:
                    assert isinstance(call.choice, Cut), "a capability that cuts"
                    yield (piece.start, piece.length, str(cipher)), Place(call.choice, piece)

    def run(self) -> StreamBytes | None:
        """The key block, or a write key of it; None where that is not within reach."""
        largest = 0
        while (chosen := self._plan()) is not None:
            for step in chosen.steps:
                try:
                    value = self._search(step)
                except _Unusable:  # another plan does without
                    self._drop(self._places[_key(step.view)].slice)
                    break
                self.known.learn(step.view.offset, step.unknown, value)
                largest = max(largest, step.bits)
            else:
                known = self.known.whole()
                return StreamBytes(known, dict.fromkeys(known, Source.SEARCHED), self.given.bits, largest)
        return None

    def _drop(self, piece: Slice) -> None:
        """What the module denied is not asked for again: keys of that type and length in that part of a cut."""
        kind = (piece.part, piece.sink, piece.length)
        alike = [key for key, place in self._places.items() if (place.slice.part, place.slice.sink, place.slice.length) == kind]
        for key in alike:
            del self._places[key]

    # Planning

    def _plan(self) -> Plan | None:
        """Within reach or not is a question without prices; those are measured only for what is."""
        most, known = 1 << self.bench.max_search_bits, self.known.mask
        records = [self._record_view(side) for side in self._sides()]
        unpriced = [self._view(*key, 1.0) for key in self._places]
        for wanted in self._wanted():
            if within_reach([*unpriced, *records], known, wanted, most_trials=most):
                priced = [self._view(*key, searching.seconds(key[2], key[1])) for key in self._places]
                chosen = plan([*priced, *records], known, wanted, most_trials=most, effort=_EFFORT)
                return chosen if chosen and all(map(_feasible, chosen.steps)) else None
        return None

    def _wanted(self) -> Iterator[bytes]:
        """The whole key block; else a write key."""
        yield b"\xff" * self.known.total
        for start, stop in (self._write_key(side) for side in self.victim.directions):
            yield bytes(start) + b"\xff" * (stop - start) + bytes(self.known.total - stop)

    def _view(self, start: int, length: int, cipher: str, seconds: float) -> View:
        hidden = DES_PARITY if cipher == searching.DES else 0
        return View(start, length, seconds, hidden, setup=searching.SETUP_SECONDS, name=cipher)

    def _sides(self) -> list[Side]:
        """Whose records tell whether a write key is right, without a MAC key."""
        return [side for side in self.victim.directions if self.victim.suite.is_aead and record_of(self.victim, side)]

    def _record_view(self, side: Side) -> View:
        start, stop = self._write_key(side)
        return View(start, stop - start, searching.RECORD_SECONDS, name=RECORD)

    def _write_key(self, side: Side) -> tuple[int, int]:
        return secret_layout(self.victim)[Part(f"{side} write key")]

    # Searching

    def _search(self, step: Step) -> bytes:
        """The key of the step's view."""
        view = step.view
        told = f"bytes {view.offset}..{view.offset + view.length - 1} (2^{step.bits} trials)"
        if view.name == RECORD:
            self.lines.append(f"search against a record of the victim's: {told}")
            return self._by_record(view)
        place = self._places[_key(view)]
        request, cut = self.attack.request(place.cut), place.cut
        wanted = self._problem(place, view)
        self.lines.append(f"{describe_cut(self.attack.mechanism, request, cut.mac, cut.iv)} -> {place.slice.part} = {told}")
        return self.bench.search(wanted)

    def _problem(self, place: Place, view: View) -> Problem:
        try:
            use = self._use(place, self.attack.request(place.cut).key_type)
            return searching.problem(use, *self.known.part(view.offset, view.offset + view.length))
        except CryptokiError as refusal:
            if isinstance(refusal, HandleInvalid) or not says_something(refusal):
                raise
            raise _Unusable from refusal
        except (Inconclusive, BadProblem) as odd:  # no key, or no answer that any key would give
            raise _Unusable from odd

    def _use(self, place: Place, key_type: int) -> keysearch.Use:
        """One use of the victim's weak key, which is made for it."""
        if place.cut not in self._made:
            request = self.attack.request(place.cut)
            secret = self.attack.target.secret
            self._made[place.cut] = self.cutter.cut(secret, request, place.cut.mac, place.cut.iv)
        use = keysearch.identify(self.bench, *key_of(self._made[place.cut], place.slice.part, key_type))
        if not isinstance(use, keysearch.Use) or use.mechanism not in searching.ENGINES:
            raise Inconclusive("the weak key was used in a way that no engine searches")
        return use

    def _by_record(self, view: View) -> bytes:
        side = next(side for side in self._sides() if self._write_key(side)[0] == view.offset)
        mask, value = (int.from_bytes(part) for part in self.known.part(view.offset, view.offset + view.length))
        unknown = ~mask & (1 << 8 * view.length) - 1
        chosen = 0
        while True:  # every subset of the unknown bits, in order
            key = (value | chosen).to_bytes(view.length)
            if open_record(self.victim, side, SideKeys(key)) is not None:
                return key
            chosen = (chosen - unknown) & unknown
            if not chosen:
                raise Inconclusive("no candidate opens the victim's record: a weak key is not what it was taken to be")


def _feasible(step: Step) -> bool:
    """Whether it is done within minutes where no engine does it."""
    return step.view.name != RECORD or step.bits <= keysearch.PLAIN_BITS


def _key(view: View) -> tuple[int, int, str]:
    """What a view's place is remembered by."""
    return view.offset, view.length, view.name
