"""Keys that are nothing but bytes of a secret: read where they can be read, else told from one use each, byte after byte.

A module lets its caller make such keys in many ways: the same agreement again, a shorter CKA_VALUE_LEN, EXTRACT_KEY_FROM_KEY.
Which bytes a new key holds is never assumed. The same calls are made on a secret of known value, and the key that comes is
compared with what it should be. Lengths are in bytes.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from typing import Final

from keyfence.cryptoki import CryptokiError
from keyfence.cryptoki.constants import CKK, CKM, describe
from keyfence.cryptoki.session import secret_key
from keyfence.cryptoki.values import AttributeValue
from keyfence.model import Chain, Key, Lengths, Readable, Slice, Span, Stream, Window

from . import keysearch, searching
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
    FROM = "bytes from any offset on"
    UP_TO = "bytes up to any offset"


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

    def spans(self, length: int, total: int) -> list[Span]:
        """Every span of `length` that a secret of `total` bytes can be cut to."""
        if self.keeps is Keeps.FIRST:
            return [Span(0, length)]
        start = total - length
        return [Span(start, length)] if self.keeps is Keeps.LAST else [Span(start, length) for start in range(start + 1)]


@dataclass(frozen=True, slots=True)
class Piece:
    """A key to ask for, out of a secret of `total` bytes. `said`: CKA_VALUE_LEN stands in the template."""

    layout: Layout
    span: Span
    total: int
    flags: Mapping[str, bool] = field(default_factory=lambda: USABLE)
    said: bool = True

    @property
    def start(self) -> int:
        return self.span.start

    @property
    def stop(self) -> int:
        return self.span.start + self.span.length

    @property
    def places(self) -> int:
        """The places of its bytes in the secret, as a set of bits."""
        return (1 << self.stop) - (1 << self.start)

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
        self._lengths = Lengths.exactly()
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

    @abstractmethod
    def call(self, piece: Piece) -> str:
        """The call up to its template, for a reader."""

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
        self._readable, self._searched, self._refusals = None, None, []
        self._specimen = specimen = Specimen(self.origin, None) if bench.on_the_victim else self.specimen(bench)
        window = self._find_readable(bench, specimen) if self.reads else None
        if window is None and self.searches:
            window = self._find_searchable(bench, specimen)
        return Offer((target,), (window,) if window else (), tuple(self._refusals))

    def _find_readable(self, bench: Bench, specimen: Specimen) -> Window | None:
        for layout in self.layouts:
            for flags in READABLE:
                for said in (False, True):
                    piece = Piece(layout, Span(0, self.length), self.length, flags, said)
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
        """The layout that fits the shortest keys, and the lengths it fits."""
        found = []
        for layout in self.layouts:
            lengths = self._fitting_lengths(bench, specimen, layout)
            if list(lengths):
                found.append((min(lengths), layout, lengths))
            if found and found[-1][0] == 1:
                break
        if not found:
            return None
        shortest, layout, lengths = min(found, key=lambda one: one[0])
        if layout.keeps in (Keeps.FROM, Keeps.UP_TO):
            lengths = Lengths.exactly(shortest)  # any offset: longer keys tell nothing that these do not
        self._searched, self._lengths = layout, lengths
        return self._window(layout, Key.of(CKK.GENERIC_SECRET), lengths)

    def _fitting_lengths(self, bench: Bench, specimen: Specimen, layout: Layout) -> Lengths:
        """Lengths at which the layout fits; none where it fits whole keys alone, which tell nothing byte by byte, or keys
        of one byte alone, which in one secret of 256 is at its other end as well."""
        fits = cache(partial(self._fits, bench, specimen, layout))
        samples = [1, 2, 3, 16, self.length]
        return sampled(fits, samples, self.length) if any(fits(n) for n in samples[1:-1]) else Lengths.exactly()

    def _fits(self, bench: Bench, specimen: Specimen, layout: Layout, length: int) -> bool:
        span = layout.spans(length, self.length)[-1]
        try:
            with bench.session.scope():
                handle = self.make(bench, specimen.origin, Piece(layout, span, self.length))
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
        if self._readable:
            return self.recovery(self._read(bench, self._readable), Source.READABLE)
        if chain.price.work_bits > bench.max_search_bits:
            return self._priced(bench, chain)
        try:
            return self.recovery(self._grow(bench, chain), Source.SEARCHED)
        except keysearch.TooMany:
            return self._priced(bench, chain)

    def _grow(self, bench: Bench, chain: Chain) -> bytes:
        known: dict[int, int] = {}
        for piece in self._pieces(chain):
            known |= self._search(bench, piece, known)
        if len(known) == self.length:
            return bytes(known[place] for place in range(self.length))
        return keysearch.find(self._opens, self.length, known, bench.max_search_bits)

    def _pieces(self, chain: Chain) -> Iterator[Piece]:
        """The keys to make, each with as little as may be that is not known by then; a chain of the model's may search more
        at once, and no chain has a smaller largest search. What no key covers is searched against a record."""
        assert self._searched is not None, "a window is offered where keys can be read or searched"
        layout, known, most = self._searched, 0, chain.price.work_bits // 8
        pieces = [Piece(layout, span, self.length) for n in self._lengths for span in layout.spans(n, self.length)]
        while telling := [piece for piece in pieces if 0 < _new(piece, known) <= most]:
            gentlest = min(telling, key=lambda piece: _new(piece, known))
            yield gentlest
            known |= gentlest.places

    def _read(self, bench: Bench, piece: Piece) -> bytes:
        return piece.layout.strip(read(bench, self.make(bench, self.origin, piece)))

    def _search(self, bench: Bench, piece: Piece, known: Mapping[int, int]) -> dict[int, int]:
        """The bytes of a key, by place in the secret, those that are `known` taken as they are."""
        with bench.session.scope():
            matches = keysearch.identify(bench, self.make(bench, self.origin, piece), CKK.GENERIC_SECRET)
        ahead, key = len(piece.layout.before), piece.layout.around(bytes(piece.span.length))
        told = {place: byte for place, byte in enumerate(key) if not ahead <= place < ahead + piece.span.length}
        told |= {ahead + place - piece.start: known[place] for place in range(piece.start, piece.stop) if place in known}
        value = searching.short(bench, matches, len(key), told)
        return dict(enumerate(piece.layout.strip(value), piece.start))

    def _opens(self, value: bytes) -> bool:
        sides = side_keys(self.victim, self.recovery(value, Source.SEARCHED))
        return all(open_record(self.victim, side, keys) is not None for side, keys in sides.items())

    def _priced(self, bench: Bench, chain: Chain) -> Recovery:
        """The victim's shortest key is made, and its search not run: the specimen's shows that it is these bytes."""
        piece = next(self._pieces(chain))
        keysearch.identify(bench, self.make(bench, self.origin, piece), CKK.GENERIC_SECRET)
        rehearsed = self._specimen is not None and self._specimen.value is not None
        return Priced(piece.start, piece.stop, self.length, chain.price.work_bits, rehearsed)

    # For readers

    def steps(self, chain: Chain) -> tuple[str, ...]:
        if self._readable:
            read_out = "C_GetAttributeValue(CKA_VALUE), or C_WrapKey under a key of our own"
            return (f"{self.call(self._readable)}, {_template(self._readable)})", read_out)
        return tuple(self._lines(chain))

    def _lines(self, chain: Chain) -> Iterator[str]:
        known = 0
        for piece in self._pieces(chain):
            trials = f"2^{8 * _new(piece, known)} trials"
            yield f"{self.call(piece)}, {_template(piece)}), one use of the key -> {_places(piece)} ({trials})"
            known |= piece.places
        if known.bit_count() < self.length:
            yield f"the {self.length - known.bit_count()} bytes left: searched against a record of the victim's"


def _new(piece: Piece, known: int) -> int:
    """How many of its bytes are not at the places `known`."""
    return (piece.places & ~known).bit_count()


def _template(piece: Piece) -> str:
    length = "absent" if piece.value_len is None else str(piece.value_len)
    flags = ", ".join(f"CKA_{name.upper()}={str(value).upper()}" for name, value in piece.flags.items())
    return f"CKA_VALUE_LEN={length}" + (f", {flags}" if flags and piece.flags is not USABLE else "")


def _places(piece: Piece) -> str:
    return f"byte {piece.start}" if piece.span.length == 1 else f"bytes {piece.start}..{piece.stop - 1}"
