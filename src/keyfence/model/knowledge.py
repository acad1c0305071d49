"""What the caller knows, and what follows from it: the model's arithmetic, on whole integers as sets of bytes.

Every byte of every stream in play gets one position; a set of bytes is an int with those bits set. A byte is unknown
in 8 bits, in 1 (its parity, after a DES key was searched), or in none.

Knowledge only grows and a search only gets cheaper by it. So with all handles kept, what a set of calls can tell at
a given size of search is ONE closure, whatever the order: everything here leans on that.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from .calls import Call, Capability
from .oracles import Oracle
from .streams import BITS_PER_BYTE, Key, Slice, Stream


@dataclass(frozen=True, slots=True)
class View:
    """One slice as sets of bytes. `hidden` is bits per byte a search does not tell; a `free` view needs no search."""

    slice: Slice
    mask: int
    free: bool
    hidden: int


@dataclass(frozen=True, slots=True)
class Move:
    """One call as sets of bytes: those its caller must know, and the views it opens."""

    call: Call
    views: tuple[View, ...]
    needs: int


@dataclass(frozen=True, slots=True)
class Knowledge:
    """`dark` bytes are unknown in all 8 bits, `dim` bytes in 1, all others are known."""

    dark: int
    dim: int = 0

    def bits(self, mask: int) -> int:
        """Unknown bits among these bytes."""
        return BITS_PER_BYTE * (mask & self.dark).bit_count() + (mask & self.dim).bit_count()

    def cost(self, view: View) -> int:
        """Bits to search before this view tells what it can: Σ max(0, unknown − hidden) over its bytes, 0 when free."""
        if view.free:
            return 0
        if view.hidden:
            return (BITS_PER_BYTE - view.hidden) * (view.mask & self.dark).bit_count()
        return self.bits(view.mask)

    def gain(self, view: View) -> int:
        """The bytes (as a set) about which this view tells something new."""
        told = self.dark if view.hidden else self.dark | self.dim
        return view.mask & told

    def told(self, mask: int) -> "Knowledge":
        """Knowledge once these bytes are known completely."""
        return Knowledge(self.dark & ~mask, self.dim & ~mask)

    def after(self, view: View) -> "Knowledge":
        """Knowledge once this view was read or searched."""
        if view.hidden:
            return Knowledge(self.dark & ~view.mask, self.dim | (view.mask & self.dark))
        return self.told(view.mask)

    def has(self, mask: int) -> bool:
        """Whether all these bytes are known completely."""
        return not mask & (self.dark | self.dim)

    def useful(self, move: Move, work: int) -> bool:
        """Whether the call can be made now and tells something at searches of at most `work` bits."""
        return self.has(move.needs) and any(self.gain(view) and self.cost(view) <= work for view in move.views)

    def closure(self, moves: Iterable[Move], work: int) -> "Knowledge":
        """All that these calls tell, in whatever order, when no search exceeds `work` bits."""
        state, open_moves, growing = self, list(moves), True
        while growing:
            before, waiting = state, []
            for move in open_moves:
                if not state.has(move.needs):
                    waiting.append(move)
                    continue
                state, all_told = state._read(move, work)
                if not all_told:
                    waiting.append(move)
            open_moves, growing = waiting, state != before
        return state

    def _read(self, move: Move, work: int) -> tuple["Knowledge", bool]:
        state, all_told = self, True
        for view in move.views:
            if not state.gain(view):
                continue
            if state.cost(view) <= work:
                state = state.after(view)
            else:
                all_told = False
        return state, all_told


def reach_of(slices: Iterable[Slice]) -> dict[Stream, int]:
    """Per stream, where the last of the slices stops."""
    reach: dict[Stream, int] = {}
    for piece in slices:
        if piece.stop > reach.get(piece.stream, 0):
            reach[piece.stream] = piece.stop
    return reach


class Positions:
    """Which position each byte of each stream has. Built once from every slice in play."""

    def __init__(self, slices: Iterable[Slice]) -> None:
        self.reach = reach_of(slices)
        self.size = 0
        self._base: dict[Stream, int] = {}
        for stream, stop in self.reach.items():
            self._base[stream] = self.size
            self.size += stop

    def mask(self, slices: Iterable[Slice]) -> int:
        """These slices' bytes as a set."""
        mask = 0
        for piece in slices:
            mask |= self._run(piece)
        return mask

    def parity(self, target: Collection[Slice]) -> int:
        """The target's bytes of which the parity is not wanted: DES keys need none of theirs."""
        hiding = [isinstance(piece.sink, Key) and bool(piece.sink.hidden_bits) for piece in target]
        whole = self.mask(piece for piece, hides in zip(target, hiding, strict=True) if not hides)
        return self.mask(target) & ~whole

    def stop(self, stream: Stream, mask: int) -> int:
        """The offset in `stream` after the last of these bytes (all of that stream); 0 when there are none."""
        return mask.bit_length() - self._base[stream] if mask else 0

    def view(self, piece: Slice) -> View:
        """The slice as a view."""
        if isinstance(piece.sink, Key):
            return View(piece, self._run(piece), free=False, hidden=piece.sink.hidden_bits)
        return View(piece, self._run(piece), free=True, hidden=0)

    def move(self, call: Call) -> Move:
        """The call as a move."""
        return Move(call, tuple(map(self.view, call.slices)), self.mask(call.needs))

    def _run(self, piece: Slice) -> int:
        return ((1 << piece.stop - piece.start) - 1) << self._base[piece.stream] + piece.start


@dataclass(frozen=True, slots=True)
class Problem:
    """Moves, what is known at the start, and the target as a set of bytes.

    `parity` are target bytes that only DES keys are made of: of those the last bit is not wanted.
    """

    positions: Positions
    moves: Sequence[Move]
    start: Knowledge
    target: int
    parity: int

    def missing(self, state: Knowledge, mask: int) -> int:
        """Bits of these target bytes that are wanted and unknown."""
        whole = mask & self.target & ~self.parity
        return state.bits(whole) + (BITS_PER_BYTE - 1) * (mask & self.parity & state.dark).bit_count()

    def reached(self, state: Knowledge, work: int) -> bool:
        """Whether what is missing of the target can be searched against a victim's record at no more than `work` bits."""
        return self.missing(state, self.target) <= work

    def cheapest_work(self, limit: int) -> int | None:
        """The smallest largest search (bits) that reaches the target with any number of calls; None beyond `limit`.

        Raise the size of the search only to the next size that tells something: nothing in between could.
        """
        state, work = self.start, 0
        while True:
            state = state.closure(self.moves, work)
            if self.reached(state, work):
                return work
            costs = [state.cost(v) for m in self.moves if state.has(m.needs) for v in m.views if state.gain(v)]
            work = min([*costs, self.missing(state, self.target)])
            if work > limit:
                return None


def problem(target: Collection[Slice], capabilities: Collection[Capability], known: Collection[Slice]) -> Problem:
    """The sets of bytes for one question. Calls that cannot tell anything about the target, even indirectly, are left out."""
    calls = _calls(target, capabilities)
    positions = Positions(chain(target, known, *((*call.slices, *call.needs) for call in calls)))
    start = Knowledge((1 << positions.size) - 1)
    for piece in known:
        start = start.after(positions.view(piece))
    moves = [positions.move(call) for call in calls]
    wanted, parity = positions.mask(target), positions.parity(target)
    return Problem(positions, _relevant(moves, wanted), start, wanted, parity)


def _calls(target: Collection[Slice], capabilities: Collection[Capability]) -> list[Call]:
    """All calls; oracles, which could go on for ever, go as far as the target and the other calls do."""
    oracles = [capability for capability in capabilities if isinstance(capability, Oracle)]
    calls = [call for c in capabilities if not isinstance(c, Oracle) for call in c.calls({})]
    reach = reach_of(chain(target, *(call.slices for call in calls))) if oracles else {}
    return calls + [call for oracle in oracles for call in oracle.calls(reach)]


def _relevant(moves: Sequence[Move], wanted: int) -> list[Move]:
    """Only what can matter: views of a byte that is wanted, or that makes the search of a relevant key cheaper."""
    relevant, before = wanted, 0
    while relevant != before:
        before = relevant
        for move in moves:
            for view in move.views:
                if view.mask & relevant:
                    relevant |= move.needs if view.free else move.needs | view.mask
    trimmed = (Move(move.call, _within(move.views, relevant), move.needs) for move in moves)
    return [move for move in trimmed if move.views]


def _within(views: tuple[View, ...], relevant: int) -> tuple[View, ...]:
    return tuple(
        view if not view.mask & ~relevant else View(view.slice, view.mask & relevant, view.free, view.hidden)
        for view in views
        if view.mask & relevant
    )
