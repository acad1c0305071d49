"""Real cipher suites laid over each other on one key block: which keys of the one show in what of the other.

The model's own words: a suite cuts slices of one stream, an IV is public, a key a key; a key leaks through a slice that costs
less to learn. Lengths and offsets are in bytes, work in bits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki.constants import CKK
from keyfence.model import Key, Public, Sink, Slice, Stream
from keyfence.schedule import SUITES, CipherSuite, PrfHash, Shape, Version

_PRF_HASHES: Final = {Version.TLS12}  # the version in which the suite chooses the hash, and with it the stream


@dataclass(frozen=True, slots=True)
class Layout:
    """All suites of a version that cut alike: the same lengths and key type, the same stream."""

    version: Version
    prf_hash: PrfHash | None
    shape: Shape
    key_type: int
    suites: tuple[CipherSuite, ...]

    @property
    def name(self) -> str:
        """The first suite's, and how many there are besides."""
        others = len(self.suites) - 1
        return f"{self.suites[0].name} (+{others})" if others else self.suites[0].name

    @property
    def key_bytes(self) -> int:
        """MAC keys and write keys together."""
        return 2 * (self.shape.mac + self.shape.key)

    @property
    def slices(self) -> tuple[Slice, ...]:
        """The non-empty parts. MAC keys are generic secrets: HMAC's search costs all their bits."""
        stream = Stream.of("master secret", f"{self.version}, {self.prf_hash}", b"key expansion", b"")
        sinks: dict[str, Sink] = {"IV": Public(), "MAC key": Key.of(CKK.GENERIC_SECRET), "write key": Key.of(self.key_type)}
        places = self.shape.layout().items()
        return tuple(Slice(stream, *place, sinks[part.kind], str(part)) for part, place in places if place[0] < place[1])


@dataclass(frozen=True, slots=True)
class Overlap:
    """Bytes start..stop of `victim`'s key are in `other` too. `work_bits` is what `other` costs to learn: 0 for an IV."""

    victim: Slice
    other: Slice
    start: int
    stop: int

    @property
    def work_bits(self) -> int:
        return self.other.strength

    @property
    def is_leak(self) -> bool:
        """Whether `other` is cheaper to learn than the key."""
        return self.victim.leaks_through(self.other)


def layouts(version: Version, suites: Iterable[CipherSuite] = SUITES) -> tuple[Layout, ...]:
    """The different cuts of those suites that the version negotiates and PKCS#11 has a key type for."""
    found: dict[tuple[PrfHash | None, Shape, int], list[CipherSuite]] = {}
    for suite in suites:
        if suite.ckk is not None and suite.supports(version) and version is not Version.TLS13:
            prf_hash = suite.prf_hash if version in _PRF_HASHES else None
            found.setdefault((prf_hash, suite.shape(version), int(suite.ckk)), []).append(suite)
    return tuple(Layout(version, *cut, tuple(alike)) for cut, alike in found.items())


def overlaps(victim: Layout, other: Layout) -> Iterator[Overlap]:
    """Where keys of `victim` lie in parts of `other` that are not the very same key."""
    for key in victim.slices:
        for part in other.slices:
            common = key.overlap(part)
            if common and not isinstance(key.sink, Public) and not _same(key, part):
                yield Overlap(key, part, *common)


def returned(victim: Layout, other: Layout) -> frozenset[int]:
    """The offsets of those bytes of `victim`'s keys that `other`'s IVs hand to the caller."""
    found = (each for each in overlaps(victim, other) if isinstance(each.other.sink, Public))
    return frozenset(place for each in found for place in range(each.start, each.stop))


def _same(one: Slice, other: Slice) -> bool:
    return (one.start, one.stop, one.sink) == (other.start, other.stop, other.sink)
