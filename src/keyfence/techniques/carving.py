"""Keys that are nothing but bytes of a secret: read where they can be read, else told from one use each, byte after byte.

A module lets its caller make such keys in many ways: the same agreement again, a shorter CKA_VALUE_LEN, EXTRACT_KEY_FROM_KEY.
Which bytes a new key holds is never assumed. The same calls are made on a secret of known value, and the key that comes is
compared with what it should be. Lengths are in bytes.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from keyfence.cryptoki import CryptokiError
from keyfence.cryptoki.constants import CKK, CKM, describe
from keyfence.cryptoki.session import secret_key
from keyfence.cryptoki.values import AttributeValue
from keyfence.model import Chain, Key, Lengths, Readable, Slice, Span, Step, Stream, Window

from . import keysearch
from .base import Attack, Bench, Offer
from .opening import open_record, side_keys
from .recovery import Priced, Recovery, Source
from .ruler import sampled
from .targets import VICTIM
from .victim import Victim
from .wrapping import read

READABLE: Final[tuple[Mapping[str, bool], ...]] = ({"sensitive": False, "extractable": True}, {"extractable": True}, {})
"""Ways to ask for a key that can be read: in so many words, as one that may leave, and by saying nothing."""
USABLE: Final[Mapping[str, bool]] = {"sensitive": True, "extractable": False, "sign": True, "verify": True}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a secret is had from: a key's handle, and the public data that goes with it (a point, a ciphertext)."""

    handle: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Specimen:
    """A secret to rehearse on, like the victim's; `value` None where the module lets nobody know one."""

    origin: Origin
    value: bytes | None = field(repr=False)


class Keeps(Enum):
    """Which end of a value a shorter key is cut from."""

    FIRST = "the first bytes"
    LAST = "the last bytes"
    ANY = "bytes from any offset"


@dataclass(frozen=True, slots=True)
class Layout:
    """One reading of what is in a new key: secret bytes, and around them what the caller put there itself."""

    keeps: Keeps
    before: bytes = b""
    after: bytes = b""

    def around(self, piece: bytes) -> bytes:
        return self.before + piece + self.after

    def strip(self, value: bytes) -> bytes:
        return value[len(self.before) : len(value) - len(self.after)]

    def span(self, length: int, total: int) -> Span:
        """A span of `length` to try the layout on."""
        return Span(0 if self.keeps is Keeps.FIRST else total - length, length)


@dataclass(frozen=True, slots=True)
class Piece:
    """A key to ask for. `said`: CKA_VALUE_LEN stands in the template."""

    layout: Layout
    span: Span
    flags: Mapping[str, bool]
    said: bool = True

    @property
    def value_len(self) -> int | None:
        around = len(self.layout.before) + len(self.layout.after)
        return around + self.span.length if self.said else None

    @property
    def template(self) -> dict[int, AttributeValue]:
        return secret_key(CKK.GENERIC_SECRET, self.value_len, **self.flags)


class CarveAttack(Attack):
    """Plans keys out of the secret's bytes and makes them. Subclasses say how one is made, and out of what."""

    def __init__(self, victim: Victim, mechanism: int, length: int) -> None:
        self.victim = victim
        self.mechanism = mechanism
        self.length = length
        self._readable: Piece | None = None
        self._searched: Layout | None = None
        self._refusals: list[CryptokiError] = []
        self._specimen: Specimen | None = None

    # What subclasses say

    layouts: tuple[Layout, ...] = (Layout(Keeps.FIRST), Layout(Keeps.LAST))
    """The readings to try, in this order."""
    reads: bool = True
    """Whether keys that can be read are the technique's concern,"""
    searches: bool = True
    """and whether keys that have to be searched are."""

    @property
    @abstractmethod
    def origin(self) -> Origin:
        """What the victim's secret is had from."""

    @abstractmethod
    def specimen(self, bench: Bench) -> Specimen:
        """A secret of our own to rehearse on."""

    @abstractmethod
    def make(self, bench: Bench, origin: Origin, piece: Piece) -> int:
        """The key, by one call."""

    @abstractmethod
    def recovery(self, value: bytes, source: Source) -> Recovery:
        """What the whole secret is worth."""

    @property
    def call(self) -> str:
        """The call, for a reader."""
        return f"C_DeriveKey({describe(CKM, self.mechanism)}, {self.key}"

    # The attack

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    @property
    def stream(self) -> Stream:
        """The secret itself as a stream: its bytes, whatever they are later used for."""
        return Stream(VICTIM, "VALUE", b"")

    def probe(self, bench: Bench) -> Offer:
        target = Slice(self.stream, 0, self.length, Key.of(CKK.GENERIC_SECRET), self.key)
        self._specimen = specimen = self.specimen(bench)
        window = self._find_readable(bench, specimen) if self.reads else None
        if window is None and self.searches:
            window = self._find_searchable(bench, specimen)
        return Offer((target,), (window,) if window else (), tuple(self._refusals))

    def _find_readable(self, bench: Bench, specimen: Specimen) -> Window | None:
        for layout in self.layouts:
            for flags in READABLE:
                for said in (False, True):
                    piece = Piece(layout, Span(0, self.length), flags, said)
                    if self._reads(bench, specimen, piece):
                        self._readable = piece
                        return self._window(layout, Readable(), Lengths.exactly(self.length))
        return None

    def _reads(self, bench: Bench, specimen: Specimen, piece: Piece) -> bool:
        try:
            with bench.session.scope():
                value = read(bench, self.make(bench, specimen.origin, piece))
        except CryptokiError as refusal:
            self._refusals.append(refusal)
            return False
        if specimen.value is None:
            return len(piece.layout.strip(value)) == self.length
        return value == piece.layout.around(specimen.value)

    def _find_searchable(self, bench: Bench, specimen: Specimen) -> Window | None:
        samples = sorted({1, 2, 3, 16, self.length})
        for layout in self.layouts:
            lengths = sampled(lambda n, layout=layout: self._fits(bench, specimen, layout, n), samples, self.length)  # type: ignore[misc]
            if not list(lengths):
                continue
            if layout.keeps is Keeps.ANY:
                lengths = Lengths.exactly(min(lengths))  # any offset: longer keys tell nothing that these do not
            self._searched = layout
            return self._window(layout, Key.of(CKK.GENERIC_SECRET), lengths)
        return None

    def _fits(self, bench: Bench, specimen: Specimen, layout: Layout, length: int) -> bool:
        span = layout.span(length, self.length)
        try:
            with bench.session.scope():
                handle = self.make(bench, specimen.origin, Piece(layout, span, USABLE))
                matches = keysearch.identify(bench, handle, CKK.GENERIC_SECRET)
        except CryptokiError as refusal:
            self._refusals.append(refusal)
            return False
        value = specimen.value
        return value is None or matches(layout.around(value[span.start : span.start + length]))

    def _window(self, layout: Layout, sink: Readable | Key, lengths: Lengths) -> Window:
        start = Lengths.exactly(0) if layout.keeps is Keeps.FIRST else Lengths.up_to(self.length)
        stop = Lengths.exactly(self.length) if layout.keeps is Keeps.LAST else Lengths.up_to(self.length)
        return Window(f"{describe(CKM, self.mechanism)} keeps {layout.keeps.value}", self.stream, sink, start, lengths, stop)

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        if chain.price.work_bits > bench.max_search_bits:
            return self._priced(bench, chain)
        known: dict[int, int] = {}
        for step in chain.steps:
            known |= self._take(bench, step, known)
        source = Source.SEARCHED if chain.price.work_bits else Source.READABLE
        return self.recovery(bytes(known[place] for place in range(self.length)), source)

    def _take(self, bench: Bench, step: Step, known: Mapping[int, int]) -> dict[int, int]:
        """The bytes that a step tells, by place."""
        if step.call is None:
            value = keysearch.find(self._opens, self.length, known, bench.max_search_bits)
            return dict(enumerate(value))
        piece = self._piece(step)
        with bench.session.scope():
            handle = self.make(bench, self.origin, piece)
            value = read(bench, handle) if self._readable else self._search(bench, handle, piece, known)
        return dict(enumerate(piece.layout.strip(value), piece.span.start))

    def _search(self, bench: Bench, handle: int, piece: Piece, known: Mapping[int, int]) -> bytes:
        matches = keysearch.identify(bench, handle, CKK.GENERIC_SECRET)
        layout, start, length = piece.layout, piece.span.start, piece.span.length
        inside = {place - start: byte for place, byte in known.items() if start <= place < start + length}
        tried = keysearch.find(lambda piece: matches(layout.around(piece)), length, inside, bench.max_search_bits)
        return layout.around(tried)

    def _piece(self, step: Step) -> Piece:
        span = step.call.choice if step.call else None
        assert isinstance(span, Span), "a step of a plan of windows"
        if self._readable:
            return self._readable
        assert self._searched is not None, "a window is offered where one of the two was found"
        return Piece(self._searched, span, USABLE)

    def _opens(self, value: bytes) -> bool:
        sides = side_keys(self.victim, self.recovery(value, Source.SEARCHED))
        return all(open_record(self.victim, side, keys) is not None for side, keys in sides.items())

    def _priced(self, bench: Bench, chain: Chain) -> Recovery:
        """The victim's short key is made, and its search not run: the specimen's shows that it is these bytes."""
        piece = self._piece(max((step for step in chain.steps if step.call), key=lambda step: step.work_bits))
        self.make(bench, self.origin, piece)
        rehearsed = self._specimen is not None and self._specimen.value is not None
        start, stop = piece.span.start, piece.span.start + piece.span.length
        return Priced(start, stop, self.length, chain.price.work_bits, rehearsed)

    # For readers

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return tuple(line for step in chain.steps for line in self._lines(step))

    def _lines(self, step: Step) -> Iterator[str]:
        told = ", ".join(f"bytes {one.slice.start}..{one.slice.stop - 1}" for one in step.uncovers)
        if step.call is None:
            yield f"search against a record of the victim's (2^{step.work_bits} trials) -> {told}"
            return
        piece = self._piece(step)
        yield f"{self.call}, {_template(piece)}) -> {told}" + (f" (2^{step.work_bits} trials)" if step.work_bits else "")
        if not step.work_bits:
            yield "C_GetAttributeValue(CKA_VALUE), or C_WrapKey under a key of our own"


def _template(piece: Piece) -> str:
    length = "absent" if piece.value_len is None else str(piece.value_len)
    flags = ", ".join(f"CKA_{name.upper()}={str(value).upper()}" for name, value in piece.flags.items())
    return f"CKA_VALUE_LEN={length}" + (f", {flags}" if flags and piece.flags is not USABLE else "")
