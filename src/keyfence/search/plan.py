"""The cheapest order in which to search keys that overlap: what one search finds makes the next one shorter.

The target is a run of bytes, such as an AES key or a key block, of which some bits are known. A `View` is a key that was
cut from it: searching it tells the bits that the key depends on. Whatever is left (parity that DES hides, bytes that no
weak key covers) is told by a view as well, by the longest one: the AES key itself, tested against a pair or a record.

    des = [View(at, 8, cost=1 / rate, hidden=DES_PARITY) for at in (0, 8)]
    chosen = plan([*des, View(0, 16, cost=1 / aes_rate)], known=bytes(16))
    for step in chosen.steps: ...       # step.view, step.unknown (a mask of the bits to search), step.trials

The price of a plan is what it is expected to cost: half the trials of each search, and its set-up. Exact plans come from
Dijkstra's algorithm over what is known. Where that takes more than `effort` states, the plan is the one that always takes the
cheapest search next: its dearest search is the least possible, so that it costs at most (number of its searches) times the
optimum, and `at_least` says what is proven.
"""

import heapq
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from .problem import BadProblem

DES_PARITY: Final = 0x01
"""What a DES key hides of each of its bytes (FIPS 46-3)."""


@dataclass(frozen=True, slots=True)
class View:
    """A key of `length` bytes, cut from the target `offset` bytes after its start.

    cost         of one trial, in whatever unit all views share: seconds, where it is one over an engine's rate
    setup        of the search itself, in the same unit, however few its trials
    hidden       the bits of each byte that the key does not depend on, as a mask
    complement   whether a trial tests a key and its complement as long as no bit of it is known (DES, chosen blocks)
    """

    offset: int
    length: int
    cost: float
    hidden: int = 0
    complement: bool = False
    setup: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        if self.offset < 0 or self.length < 1:
            raise BadProblem(f"a view has at least one byte and starts at 0 or later, not {self.length} at {self.offset}")
        if not 0 <= self.hidden <= 0xFE:
            raise BadProblem("a view hides some bits of each byte, not all: a mask from 0 to 0xFE")
        if not (0 < self.cost < float("inf") and 0 <= self.setup < float("inf")):
            raise BadProblem("a trial costs more than nothing, and neither it nor the set-up costs infinitely much")

    def shows(self, total: int) -> int:
        """The bits it depends on, of a target of `total` bytes."""
        return int.from_bytes(bytes([0xFF & ~self.hidden]) * self.length) << 8 * (total - self.offset - self.length)

    def trials(self, unknown: int) -> int:
        """How many trials these unknown bits take at most."""
        blank = unknown == self.length * (8 - self.hidden.bit_count())
        return 1 << unknown - (self.complement and blank)

    def price(self, unknown: int) -> float:
        """What a search of so many unknown bits is expected to cost: the key is as likely in one half as in the other."""
        return self.setup + self.cost * _half(self.trials(unknown))


def _half(trials: int) -> float:
    """Of so many on average; more than a float can hold are infinitely many."""
    return (trials + 1) / 2 if trials.bit_length() < sys.float_info.max_exp else float("inf")


@dataclass(frozen=True, slots=True)
class Step:
    """One search. `unknown` is a mask over the view's bytes: the bits to search."""

    view: View
    unknown: bytes

    @property
    def bits(self) -> int:
        """How many bits are searched."""
        return int.from_bytes(self.unknown).bit_count()

    @property
    def trials(self) -> int:
        """At most."""
        return self.view.trials(self.bits)

    @property
    def expected_trials(self) -> float:
        """On average."""
        return _half(self.trials)

    @property
    def price(self) -> float:
        """The expected cost, in the unit of the view's `cost`."""
        return self.view.price(self.bits)


@dataclass(frozen=True, slots=True)
class Plan:
    """Searches in order. No plan is expected to cost less than `at_least`."""

    steps: tuple[Step, ...]
    at_least: float

    @property
    def price(self) -> float:
        """What all of it is expected to cost."""
        return sum(step.price for step in self.steps)

    @property
    def optimal(self) -> bool:
        """Whether it is proven that nothing is cheaper."""
        return self.price <= self.at_least * (1 + 1e-12)

    @property
    def largest(self) -> int:
        """The trials of the largest search, at most."""
        return max((step.trials for step in self.steps), default=0)


def plan(
    views: Iterable[View],
    known: bytes,
    wanted: bytes | None = None,
    *,
    most_trials: int | None = None,
    effort: int = 2000,
) -> Plan | None:
    """The cheapest searches after which every bit of `wanted` (default: all) is known; None where no order gets there.

    `known` and `wanted` are masks as long as the target, a set bit for a known or wanted one. A search of more than
    `most_trials` is out of reach. `effort` is how many states the exact search may visit. Raises BadProblem.
    """
    task = _task(views, known, wanted, most_trials)
    straight = task.straight()
    if straight is None:
        return None
    order, at_least = task.exact(effort, task.pruned(straight))
    return Plan(tuple(task.steps(order)), max(at_least, task.bottleneck(straight)))


def within_reach(views: Iterable[View], known: bytes, wanted: bytes | None = None, *, most_trials: int | None = None) -> bool:
    """Whether there is a plan at all, which no price changes. Raises BadProblem."""
    return _task(views, known, wanted, most_trials).straight() is not None


def _task(views: Iterable[View], known: bytes, wanted: bytes | None, most_trials: int | None) -> "_Task":
    wanted = b"\xff" * len(known) if wanted is None else wanted
    _check(views := tuple(dict.fromkeys(views)), known, wanted)
    return _Task(views, len(known), int.from_bytes(known), int.from_bytes(wanted), most_trials)


def _check(views: Sequence[View], known: bytes, wanted: bytes) -> None:
    if len(known) != len(wanted):
        raise BadProblem(f"the masks of known and wanted bits have {len(known)} and {len(wanted)} bytes, and one target")
    for view in views:
        if view.offset + view.length > len(known):
            raise BadProblem(f"a view of {view.length} bytes at {view.offset} goes beyond the target's {len(known)} bytes")


_Order = tuple[int, ...]
"""Views by their index, in the order of their search."""


class _Task:
    """The question in integers: a set of the target's bits is an int, its first byte the most significant."""

    def __init__(self, views: Sequence[View], total: int, known: int, wanted: int, most_trials: int | None) -> None:
        self.total, self.known, self.wanted, self.most_trials = total, known, wanted & ~known, most_trials
        self.views, self.shows = views, [view.shows(total) for view in views]
        self.relevant = self._relevant()

    def _relevant(self) -> list[int]:
        """Views of a bit that is wanted, or that makes the search of a relevant view shorter."""
        relevant, before = self.wanted, -1
        while relevant != before:
            before = relevant
            for shown in self.shows:
                if shown & relevant:
                    relevant |= shown & ~self.known
        return [index for index, shown in enumerate(self.shows) if shown & relevant & ~self.known]

    def moves(self, known: int) -> Iterable[tuple[float, int]]:
        """(price, view) of every search within reach that tells something."""
        for index in self.relevant:
            unknown = (self.shows[index] & ~known).bit_count()
            if unknown and (self.most_trials is None or self.views[index].trials(unknown) <= self.most_trials):
                yield self.views[index].price(unknown), index

    def straight(self) -> _Order | None:
        """Always the cheapest search next; None where what is wanted is not reached."""
        known, order = self.known, list[int]()
        while self.wanted & ~known:
            move = min(self.moves(known), default=None)
            if move is None:
                return None
            order.append(move[1])
            known |= self.shows[move[1]]
        return tuple(order)

    def bottleneck(self, straight: _Order) -> float:
        """The price of its dearest search, which no order avoids: as long as something is wanted, the next search of the
        best order is to be had, for no more than it costs there, since nobody who knows more pays more."""
        return max((step.price for step in self.steps(straight)), default=0.0)

    def pruned(self, order: _Order) -> _Order:
        """Without the searches that do not pay, each asked once, the last first."""
        for at in reversed(range(len(order))):
            shorter = order[:at] + order[at + 1 :]
            if self._reaches(shorter) and self.cost(shorter) < self.cost(order):
                order = shorter
        return order

    def _reaches(self, order: _Order) -> bool:
        known = self.known
        for index in order:
            unknown = (self.shows[index] & ~known).bit_count()
            if unknown and self.most_trials is not None and self.views[index].trials(unknown) > self.most_trials:
                return False
            known |= self.shows[index]
        return not self.wanted & ~known

    def cost(self, order: _Order) -> float:
        return sum(step.price for step in self.steps(order))

    def steps(self, order: _Order) -> Iterable[Step]:
        """The searches, without those that are left with nothing to find."""
        known = self.known
        for index in order:
            view, unknown = self.views[index], self.shows[index] & ~known
            if unknown:
                yield Step(view, (unknown >> 8 * (self.total - view.offset - view.length)).to_bytes(view.length))
            known |= self.shows[index]

    def exact(self, effort: int, fallback: _Order) -> tuple[_Order, float]:
        """Dijkstra's algorithm over what is known: the cheapest order and its price. Where `effort` states do not suffice:
        `fallback`, and what any order costs at least.

        Who knows more pays less for the rest: of two states the one that knows less, and was dearer to reach, is dropped.
        """
        at_most = self.cost(fallback) * (1 + 1e-9)
        queue: list[tuple[float, int, int, _Order]] = [(0.0, 0, self.known, ())]
        cheapest, settled, number = {self.known: 0.0}, list[int](), count(1)
        while queue:
            cost, _, known, order = heapq.heappop(queue)
            if not self.wanted & ~known:
                return order, cost
            if cost > cheapest[known] or any(known & ~other == 0 for other in settled):
                continue
            if len(settled) >= effort:
                return fallback, cost
            settled.append(known)
            for price, index in self.moves(known):
                reached, total = known | self.shows[index], cost + price
                if total <= at_most and total < cheapest.get(reached, float("inf")):
                    cheapest[reached] = total
                    heapq.heappush(queue, (total, next(number), reached, (*order, index)))
        return fallback, self.cost(fallback)
