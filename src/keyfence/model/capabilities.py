"""What modules allow, as families of calls over one stream: cutting it into key material, and windows onto it.

Lengths are in BYTES and are the lengths IN EFFECT: where a module cuts by one number and generates by another
(CKA_VALUE_LEN against ulKeySizeInBits), the number that places the cuts is meant.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import z3

from .calls import Call, Part, Reach, Shape, slices_of
from .lengths import ANY, Lengths
from .streams import PUBLIC, Sink, Slice, Stream, is_free


@dataclass(frozen=True, slots=True)
class KeyOption:
    """A kind of write key a caller may ask for. `sink` None: the bytes are cut, but nothing of them can be used."""

    sink: Sink | None
    lengths: Lengths


@dataclass(frozen=True, slots=True)
class Cut:
    """The lengths (bytes, per direction) and the kind of key of one key-and-MAC derivation."""

    mac: int
    key: int
    iv: int
    option: KeyOption


@dataclass(frozen=True, slots=True)
class KeyMatCut:
    """CKM_*_KEY_AND_MAC_DERIVE: one stream in order client/server MAC key, write key, IV (RFC 5246 §6.3).

    `sides` is one where each direction has a stream of its own (WTLS). `total` bounds the sum of all lengths. A sink of
    None is a part that is cut but never seen: an IV that is not returned, a MAC key that cannot be used at this length.
    """

    name: str
    stream: Stream
    mac: Lengths
    keys: tuple[KeyOption, ...]
    iv: Lengths
    mac_sink: Sink | None
    iv_sink: Sink | None = PUBLIC
    total: Lengths = ANY
    sides: tuple[str, ...] = ("client", "server")

    def call(self, cut: Cut) -> Call:
        """The call that cuts so. It is the caller who sees to it that the module allows it."""
        return Call(self, cut, slices_of(self._parts(cut.option, cut.mac, cut.key, cut.iv)))

    def calls(self, _reach: Reach, /) -> Iterator[Call]:
        """One call per MAC length, key length and kind of key. The lengths bound them, not the reach.

        Of the IV lengths only the largest counts while IVs are free: both IVs together then are one window that
        starts where the keys stop, so a longer one shows all that a shorter one does.
        """
        ivs = sorted(self.iv, reverse=True)
        for option in self.keys:
            for mac in self.mac:
                for key in option.lengths:
                    fitting = (iv for iv in ivs if self._length(mac + key + iv) in self.total)
                    for iv in islice(fitting, 1 if self._ivs_nest else None):
                        yield self.call(Cut(mac, key, iv, option))

    def least(self, call: Call, stop: int, /) -> Call:
        """The same keys, and IVs that together reach `stop`."""
        cut = call.choice
        assert isinstance(cut, Cut)
        keys = self._length(cut.mac + cut.key)
        fitting = (iv for iv in self.iv if keys + self._length(iv) >= stop and keys + self._length(iv) in self.total)
        return self.call(Cut(cut.mac, cut.key, next(fitting), cut.option)) if self._ivs_nest else call

    @property
    def streams(self) -> frozenset[Stream]:
        """The one stream."""
        return frozenset({self.stream})

    def shapes(self, prefix: str, streams: Collection[Stream], /) -> Iterator[Shape]:
        """One shape per kind of key, all three lengths open."""
        if self.stream not in streams:
            return
        for number, option in enumerate(self.keys):
            mac, key, iv = z3.Ints(f"{prefix}.{number}.mac {prefix}.{number}.key {prefix}.{number}.iv")
            rules = (
                self.mac.constraint(mac),
                option.lengths.constraint(key),
                self.iv.constraint(iv),
                self.total.constraint(self._length(mac + key + iv)),
            )
            unknowns = {"mac": mac, "key": key, "iv": iv}
            yield Shape(unknowns, rules, tuple(self._parts(option, mac, key, iv)), self._builder(option))

    def _length(self, one_side: Any) -> Any:
        return len(self.sides) * one_side

    def _builder(self, option: KeyOption) -> "_CutBuilder":
        return _CutBuilder(self, option)

    def _parts(self, option: KeyOption, mac: Any, key: Any, iv: Any) -> list[Part]:
        """The parts in order, without those never seen. Works on ints and on z3's integer expressions alike."""
        offset: Any = 0
        parts = []
        for what, length, sink in (("MAC", mac, self.mac_sink), ("key", key, option.sink), ("IV", iv, self.iv_sink)):
            for side in self.sides:
                if sink is not None:
                    parts.append(Part(f"{side} {what}", self.stream, offset, offset + length, sink))
                offset = offset + length
        return parts

    @property
    def _ivs_nest(self) -> bool:
        return self.iv_sink is None or is_free(self.iv_sink)


@dataclass(frozen=True, slots=True)
class _CutBuilder:
    capability: KeyMatCut
    option: KeyOption

    def __call__(self, values: Mapping[str, int]) -> Call:
        return self.capability.call(Cut(values["mac"], values["key"], values["iv"], self.option))


@dataclass(frozen=True, slots=True)
class Span:
    """The window chosen: `length` bytes from `start`."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Window:
    """A call that yields one run of a stream, with conditions on where it starts, how long it is, where it stops.

    Prefixes (CKA_VALUE_LEN that keeps the first bytes, HKDF): start = exactly(0). Suffixes (a module that keeps the
    last bytes): stop = exactly(total). Slices (CKM_EXTRACT_KEY_FROM_KEY): any start, stop ≤ total.
    """

    name: str
    stream: Stream
    sink: Sink
    start: Lengths = ANY
    length: Lengths = ANY
    stop: Lengths = ANY

    def call(self, span: Span) -> Call:
        """The call that shows this span."""
        return Call(self, span, slices_of([self._part(span.start, span.length)]))

    def calls(self, _reach: Reach, /) -> Iterator[Call]:
        """Every start and length; of a free sink's lengths only the largest. The lengths bound them, not the reach."""
        for start in self.start & self._within:
            lengths = self._fitting_lengths(start)
            for length in lengths[-1:] if is_free(self.sink) else lengths:
                yield self.call(Span(start, length))

    def least(self, call: Call, stop: int, /) -> Call:
        """The shortest window from the same start that reaches `stop`."""
        span = call.choice
        assert isinstance(span, Span)
        reaching = (n for n in self._fitting_lengths(span.start) if span.start + n >= stop)
        return self.call(Span(span.start, next(reaching))) if is_free(self.sink) else call

    @property
    def streams(self) -> frozenset[Stream]:
        """The one stream."""
        return frozenset({self.stream})

    def shapes(self, prefix: str, streams: Collection[Stream], /) -> Iterator[Shape]:
        """One shape, start and length open."""
        if self.stream not in streams:
            return
        start, length = z3.Ints(f"{prefix}.start {prefix}.length")
        rules = (
            self.start.constraint(start),
            self.length.constraint(length),
            self.stop.constraint(start + length),
        )
        yield Shape({"start": start, "length": length}, rules, (self._part(start, length),), self._build)

    def _build(self, values: Mapping[str, int]) -> Call:
        return self.call(Span(values["start"], values["length"]))

    def _part(self, start: Any, length: Any) -> Part:
        return Part("window", self.stream, start, start + length, self.sink)

    @property
    def _within(self) -> Lengths:
        """No start and no length exceeds the largest stop."""
        return Lengths(maximum=_largest(self.stop))

    def _fitting_lengths(self, start: int) -> list[int]:
        return [length for length in self.length & self._within if start + length in self.stop]


def _largest(lengths: Lengths) -> int | None:
    """The largest of the lengths; 0 when there are none, None when there is no bound."""
    return max(lengths, default=0) if lengths.bounded else None


def key_slices(call: Call) -> tuple[Slice, ...]:
    """The slices of a call that are keys: what a victim has to lose."""
    return tuple(piece for piece in call.slices if not is_free(piece.sink))
