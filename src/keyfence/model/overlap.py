"""Which parts of which real cipher suites share bytes of one key block: no made-up lengths, no mechanism's oddities.

In TLS 1.0 the IVs of AES_128_CBC_SHA are bytes 72 to 103 of the key block, and bytes 72 to 103 are the server write key
of AES_256_CBC_SHA. So a module that allows nothing but real suites' shapes still gives keys away, as long as it lets one
caller cut the same block twice. Two suites share a block only where they share its stream: in TLS 1.2 that takes the
same PRF hash (RFC 5246 §5).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from keyfence.cryptoki.constants import CKK
from keyfence.schedule import CipherSuite, Part, Version

from .steps import Price
from .streams import PUBLIC, Key, Sink, Slice, Stream, is_free


@dataclass(frozen=True, slots=True)
class Overlap:
    """Bytes start..stop of the key block belong to `part_a` of one suite and to `part_b` of the other; one is a key."""

    part_a: Slice
    part_b: Slice
    start: int
    stop: int

    @property
    def shared(self) -> int:
        """Bytes."""
        return self.stop - self.start

    @property
    def leaks(self) -> bool:
        """Whether one of the two is a weaker place for these bytes than the other."""
        return self.part_a.strength != self.part_b.strength

    @property
    def victim(self) -> Slice:
        """The stronger of the two: what is lost. Where they are equally strong, the first."""
        return max(self.part_a, self.part_b, key=lambda part: part.strength)

    @property
    def through(self) -> Slice:
        """The other one: what shows the bytes."""
        return self.part_b if self.victim is self.part_a else self.part_a

    @property
    def price(self) -> Price:
        """One derivation, and a search of the weaker part when it is a key (bits)."""
        bits = self.through.strength
        return Price(bits, 1, float(bits))


@dataclass(frozen=True, slots=True)
class Collision:
    """Suites that cut one way, suites that cut another way, and what that makes them share."""

    suites_a: tuple[CipherSuite, ...]
    suites_b: tuple[CipherSuite, ...]
    overlaps: tuple[Overlap, ...]


def overlaps(suite_a: CipherSuite, suite_b: CipherSuite, version: Version) -> list[Overlap]:
    """All parts of the two suites that share bytes of one key block, in block order.

    Left out is what cannot matter: two IVs, and one and the same key (same type, same bytes). ValueError where the
    version does not negotiate a suite, or (TLS 1.3) has no key block.
    """
    return _overlaps(block_parts(suite_a, version), block_parts(suite_b, version))


def all_overlaps(suites: Iterable[CipherSuite], version: Version) -> list[Collision]:
    """The overlaps of every two of these suites, once per two ways to cut; suites that this version lacks are skipped."""
    cuts: dict[tuple[Slice, ...], list[CipherSuite]] = {}
    for suite in suites:
        if suite.supports(version):
            cuts.setdefault(block_parts(suite, version), []).append(suite)
    found = (
        Collision(tuple(ours), tuple(theirs), tuple(_overlaps(a, b)))
        for (a, ours), (b, theirs) in combinations(cuts.items(), 2)
    )
    return [collision for collision in found if collision.overlaps]


def block_parts(suite: CipherSuite, version: Version) -> tuple[Slice, ...]:
    """The suite's parts of the key block of one session, as slices; empty parts are left out."""
    layout = suite.shape(version).layout()
    stream = Stream("master secret", _function(suite, version), b"key expansion + server_random + client_random")
    return tuple(
        Slice(stream, start, stop, _sink(suite, part), str(part)) for part, (start, stop) in layout.items() if start < stop
    )


def _overlaps(parts_a: Sequence[Slice], parts_b: Sequence[Slice]) -> list[Overlap]:
    return [
        Overlap(a, b, *common)
        for a, b in product(parts_a, parts_b)
        if (common := a.overlap(b)) and a != b and not (is_free(a.sink) and is_free(b.sink))
    ]


def _function(suite: CipherSuite, version: Version) -> str:
    if version is Version.SSL3:
        return "SSL3"
    if version < Version.TLS12:
        return "TLS10-PRF"
    return f"TLS12-PRF-{suite.prf_hash.name if suite.prf_hash else 'GOST'}"


def _sink(suite: CipherSuite, part: Part) -> Sink:
    """IVs are returned. An export suite's write key is stretched before use, so that it has no parity bits to hide."""
    if not part.is_secret:
        return PUBLIC
    if part.kind == "MAC key" or suite.ckk is None:
        return Key.of(CKK.GENERIC_SECRET)
    return Key(suite.ckk) if suite.export else Key.of(suite.ckk)
