"""Streams, slices of them, and where a slice ends up: the nouns of the model.

All offsets are in BYTES, all knowledge in BITS. A stream is what a function yields for one (secret, function, input
string); streams that differ in any of the three are taken to be independent (the function is modelled as a random
one). The input is ONE string: TLS PRFs concatenate label and seed before they hash (RFC 5246 §5), so moving bytes from
one to the other is the same stream.
"""

from dataclasses import dataclass, field

from keyfence.cryptoki.constants import CKK

BITS_PER_BYTE = 8

# The low bit of every DES key byte is parity (FIPS 46-3): the cipher never sees it, so no search can find it.
PARITY_KEY_TYPES = frozenset({CKK.DES, CKK.DES2, CKK.DES3})


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """One pseudo-random stream. `secret` NAMES the secret (a label, never its value); `input` is public."""

    secret: str
    function: str
    input: bytes

    @classmethod
    def of(cls, secret: str, function: str, label: bytes, seed: bytes) -> "Stream":
        """The stream of a PRF that takes label and seed apart but hashes them as one string."""
        return cls(secret, function, label + seed)


@dataclass(frozen=True, slots=True)
class Public:
    """The bytes are returned to the caller (an IV, a MAC value, a data object)."""


PUBLIC = Public()


@dataclass(frozen=True, slots=True)
class Readable:
    """The bytes become a key object whose value the caller can read (not sensitive, or extractable and so wrappable)."""


@dataclass(frozen=True, slots=True)
class Key:
    """The bytes become a key of this type (a CKK number) whose value can only be searched for.

    `hidden_bits` is how many bits per byte a search does NOT tell: 1 for DES (parity), otherwise 0.
    """

    key_type: int
    hidden_bits: int = 0

    def __post_init__(self) -> None:
        if self.hidden_bits not in (0, 1):
            raise ValueError(f"hidden_bits is 0 or 1 bit per byte, not {self.hidden_bits}")

    @classmethod
    def of(cls, key_type: int) -> "Key":
        """The sink of a key of this type, with the parity bits of the DES family hidden."""
        return cls(key_type, 1 if key_type in PARITY_KEY_TYPES else 0)


Sink = Public | Readable | Key


def is_free(sink: Sink) -> bool:
    """Whether the bytes cost a call and no search."""
    return not isinstance(sink, Key)


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes start..stop of a stream and where they end up. `part` says what they are there ("client IV"), for readers."""

    stream: Stream
    start: int
    stop: int
    sink: Sink
    part: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop:
            raise ValueError(f"a slice runs forward from 0, not from {self.start} to {self.stop}")

    @property
    def length(self) -> int:
        """Bytes."""
        return self.stop - self.start

    @property
    def strength(self) -> int:
        """Bits a caller who knows nothing must search to learn what this sink can tell: 0 when it is free."""
        if isinstance(self.sink, Key):
            return self.length * (BITS_PER_BYTE - self.sink.hidden_bits)
        return 0

    def overlap(self, other: "Slice") -> tuple[int, int] | None:
        """The bytes (start, stop) both slices show of one stream, or None."""
        start, stop = max(self.start, other.start), min(self.stop, other.stop)
        return (start, stop) if self.stream == other.stream and start < stop else None

    def leaks_through(self, other: "Slice") -> bool:
        """Whether `other` shows bytes of this key at less than this key's strength."""
        return self.overlap(other) is not None and other.strength < self.strength
