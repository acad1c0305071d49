"""What an attack brought back, before anybody believes it. The audit proves it against a record, or does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keyfence.schedule import Side


class Source(StrEnum):
    """How a byte became known."""

    PUBLIC = "public"  # returned by a call: an IV, a MAC, a PRF's output
    READABLE = "readable"  # CKA_VALUE of a key the caller could read
    SEARCHED = "searched"  # a short or weak key, found by search
    PRICED = "priced"  # within reach of a search that was not run


@dataclass(frozen=True, slots=True)
class StreamBytes:
    """Bytes of the victim's key block by offset: the start of what `schedule.key_block` would give.

    `given`: how many of its bits the search was told beforehand, in a demonstration; 0 in an audit. `searched`: the bits of
    the largest search that was run, where that is not what the chain says.
    """

    known: Mapping[int, int] = field(repr=False)
    sources: Mapping[int, Source] = field(repr=False)
    given: int = 0
    searched: int | None = None

    @classmethod
    def run(cls, data: bytes, source: Source, start: int = 0) -> "StreamBytes":
        """`data` at `start`, all from one source."""
        places = range(start, start + len(data))
        return cls(dict(zip(places, data, strict=True)), dict.fromkeys(places, source))

    def __len__(self) -> int:
        return len(self.known)

    def part(self, start: int, stop: int) -> bytes | None:
        """Bytes start..stop, or None where one of them is missing."""
        if any(place not in self.known for place in range(start, stop)):
            return None
        return bytes(self.known[place] for place in range(start, stop))


@dataclass(frozen=True, slots=True)
class PreMaster:
    """The pre-master secret (TLS 1.2 and before) or the key agreement's shared secret."""

    value: bytes = field(repr=False)
    source: Source = Source.READABLE


@dataclass(frozen=True, slots=True)
class Master:
    """The master secret, 48 bytes."""

    value: bytes = field(repr=False)
    source: Source = Source.READABLE


@dataclass(frozen=True, slots=True)
class TrafficSecret:
    """A TLS 1.3 traffic secret of one side."""

    side: Side
    value: bytes = field(repr=False)
    source: Source = Source.READABLE


@dataclass(frozen=True, slots=True)
class WriteKey:
    """The record cipher's key of one side; the IV is public to the adversary already."""

    side: Side
    value: bytes = field(repr=False)
    source: Source = Source.READABLE


@dataclass(frozen=True, slots=True)
class GcmSubkeys:
    """What ECB under a GCM key gives away without the key: the GHASH key and keystream blocks, to open and forge with.

    `hash_key` is E(0^128); `keystream` maps a 16-byte counter block to its encryption (NIST SP 800-38D §7). `forged`: a record
    made of them outside the module was accepted by the victim's own key.
    """

    side: Side
    hash_key: bytes = field(repr=False)
    keystream: Mapping[bytes, bytes] = field(repr=False)
    forged: bool = False


@dataclass(frozen=True, slots=True)
class Fragment:
    """Part of a secret, too little to open a record with. `offset` and lengths in bytes.

    Such a recovery is proven by `rehearsal`: the same calls on a secret of the lab's own gave exactly its bytes.
    """

    secret: str
    value: bytes = field(repr=False)
    offset: int
    total: int
    source: Source
    rehearsed: bool


@dataclass(frozen=True, slots=True)
class Priced:
    """A weaker key over the victim's bytes whose search was not run: 2^work_bits trials, by the model.

    `rehearsed` says that the overlap was shown on a secret the lab imported: the weak key IS those bytes. `halved`: the module
    encrypted a block of the caller's choice with a DES key, so that with the complement of the block as well a trial tests
    two keys, K and its complement.
    """

    start: int
    stop: int
    total: int
    work_bits: float
    rehearsed: bool
    halved: bool = False


Recovery = StreamBytes | PreMaster | Master | TrafficSecret | WriteKey | GcmSubkeys | Fragment | Priced
