"""Keys that are prefixes of one stream, each a byte or two longer than the one before: what is new is searched, and no more.

The template's CKA_VALUE_LEN says how much of a stream becomes a key. Which bytes those are, and what the module does with so
short a key, is measured on a secret of the lab's own. Where a module lets the derived key be read there is nothing to search.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKK, CKR, describe
from keyfence.cryptoki.session import secret_key
from keyfence.cryptoki.values import Template
from keyfence.model import Chain, Key, Lengths, Readable, Span, Step, Window

from . import keysearch, searching
from .base import Bench, Inconclusive, Known, Offer
from .opening import open_record, side_keys
from .oracle import OracleAttack, Way, read_derived, readable_templates, stream_of
from .recovery import Priced, Recovery, Source
from .ruler import sampled

_TYPES: Final = (CKK.GENERIC_SECRET, CKK.RC4, CKK.SHA256_HMAC)
"""Key types whose length is free and whose one use identifies them."""

_SAMPLES: Final = (1, 2, 3, 5, 16)
_TELLING: Final = 3
"""Bytes that do not match by chance."""

_USES: Final = {"sensitive": True, "extractable": False, "sign": True, "verify": True, "encrypt": True, "decrypt": True}
_SIGNS: Final = {"sensitive": True, "extractable": False, "sign": True}


@dataclass(frozen=True, slots=True)
class Asked:
    """One way to name the stream to a module; `text` is the call in PKCS#11's terms, without the template."""

    text: str
    mechanism: Mechanism


@dataclass(frozen=True, slots=True)
class Ladder:
    """What growing takes: the call, the type of the short keys, and the lengths (bytes) that are right and usable."""

    asked: Asked
    key_type: int
    uses: tuple[str, ...]
    lengths: Lengths
    rehearsed: bool = False
    """Whether that was seen on a secret of known value."""


class DerivedStreamAttack(OracleAttack):
    """The stream as a derived key: read where it may be read, grown where it may not. Subclasses write `asked`."""

    whole = True
    sink = Readable()
    reads = True
    """Whether to try readable templates first."""
    _ladder: Ladder | None = None

    def asked(self) -> Sequence[Asked]:
        """The ways to name the stream, the plainest first."""
        raise NotImplementedError

    def templates(self) -> Iterator[tuple[str, Template]]:
        """The templates to read the stream by, with what is special about each."""
        return readable_templates(self.target.length)

    def ways(self, bench: Bench) -> Sequence[Way]:
        return [
            Way(
                f"{asked.text}, {text})",
                partial(_read, bench, asked.mechanism, template),
            )
            for asked in self.asked()
            for text, template in self.templates()
            if self.reads
        ]

    # Probing

    def probe(self, bench: Bench) -> Offer:
        offer = super().probe(bench)
        if offer.capabilities:
            return offer
        refusals = list(offer.refusals)
        if any(refusal.ckr == CKR.MECHANISM_INVALID for refusal in refusals) and not bench.has(self.mechanism):
            return offer
        self._ladder = self._find_ladder(bench, refusals)
        windows = () if self._ladder is None else (self._window(self._ladder),)
        return Offer(offer.target, windows, tuple(refusals))

    def _window(self, ladder: Ladder) -> Window:
        start, length = Lengths.exactly(0), ladder.lengths
        return Window(self.name, self.target.stream, Key.of(ladder.key_type), start=start, length=length)

    def _find_ladder(self, bench: Bench, refusals: list[CryptokiError]) -> Ladder | None:
        known = bench.rehearsal(self.victim)
        for asked in self.asked():
            for key_type in _TYPES:
                for uses in (_USES, _SIGNS):
                    ladder = Ladder(asked, key_type, tuple(uses), Lengths.exactly())
                    lengths = self._lengths(bench, ladder, known, refusals)
                    if list(lengths):
                        return Ladder(asked, key_type, tuple(uses), lengths, known.value is not None)
        return None

    def _lengths(self, bench: Bench, ladder: Ladder, known: Known, refusals: list[CryptokiError]) -> Lengths:
        """Lengths at which the key is the start of the stream; one byte says little, another stream's is the same by chance."""
        samples = (*(n for n in _SAMPLES if n < self.target.length), self.target.length)
        if not any(self._fits(bench, ladder, known, n, refusals) for n in samples if n >= _TELLING):
            return Lengths.exactly()
        return sampled(lambda n: n > 0 and self._fits(bench, ladder, known, n, []), samples, self.target.length)

    def _fits(self, bench: Bench, ladder: Ladder, known: Known, length: int, refusals: list[CryptokiError]) -> bool:
        try:
            with bench.session.scope():
                matches = self._identified(bench, ladder, known.handle, length)
        except CryptokiError as refusal:
            refusals.append(refusal)
            return False
        except Inconclusive:
            return False
        return known.value is None or self.foreign or matches(stream_of(self.target, known.value)[:length])

    def _identified(self, bench: Bench, ladder: Ladder, secret: int, length: int) -> keysearch.Matches:
        """A key of the first `length` bytes, used once."""
        flags = {name: _USES[name] for name in ladder.uses}
        template = secret_key(ladder.key_type, length, **flags)
        handle = bench.session.derive(ladder.asked.mechanism, secret, template).handle
        if not handle:
            raise Inconclusive(f"{self.name} answered CKR_OK and made no key")
        return keysearch.identify(bench, handle, ladder.key_type)

    # Executing

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        if self._ladder is None:
            return super().execute(bench, chain)
        if self.foreign:
            self._identified(bench, self._ladder, self.target.secret, next(iter(self._ladder.lengths)))
            raise Inconclusive(f"{self.name} is allowed under this master secret; no key of the session lies in what it gives")
        if chain.price.work_bits > bench.max_search_bits:
            return self._priced(bench, self._ladder, chain)
        try:
            return self._grow(bench, self._ladder, chain)
        except keysearch.TooMany:
            return self._priced(bench, self._ladder, chain)

    def _grow(self, bench: Bench, ladder: Ladder, chain: Chain) -> Recovery:
        known: dict[int, int] = {}
        for step in chain.steps:
            length = _length(step) or self.target.length
            with bench.session.scope():
                matches = self._identified(bench, ladder, self.target.secret, length) if step.call else self._opens
                known = dict(enumerate(searching.short(bench, matches, length, known)))
        return self.target.recovery(bytes(known[place] for place in range(self.target.length)), Source.SEARCHED)

    def _opens(self, value: bytes) -> bool:
        """Whether these bytes open the victim's records: the last bytes may be searched without another call."""
        keys = side_keys(self.victim, self.target.recovery(value, Source.SEARCHED))
        return all(open_record(self.victim, side, one) is not None for side, one in keys.items())

    def _priced(self, bench: Bench, ladder: Ladder, chain: Chain) -> Recovery:
        """The shortest key is still too long to search here: it is made, and the rehearsal has shown what it holds."""
        length = max(_length(step) for step in chain.steps)
        with bench.session.scope():
            self._identified(bench, ladder, self.target.secret, length)
        return Priced(0, length, self.target.length, chain.price.work_bits, ladder.rehearsed)

    def steps(self, chain: Chain) -> tuple[str, ...]:
        if self._ladder is None:
            return super().steps(chain)
        return tuple(self._lines(self._ladder, chain))

    def _lines(self, ladder: Ladder, chain: Chain) -> Iterator[str]:
        for step in chain.steps:
            told = ", ".join(
                f"bytes {piece.slice.start}..{piece.slice.stop - 1} (2^{piece.bits} trials)" for piece in step.uncovers
            )
            if step.call is None:
                yield f"search against a record of the victim's: {told}"
                continue
            key_type = describe(CKK, ladder.key_type)
            yield f"{ladder.asked.text}, CKA_KEY_TYPE={key_type}, CKA_VALUE_LEN={_length(step)}), one use of the key -> {told}"


def _read(bench: Bench, mechanism: Mechanism, template: Template, secret: int, _data: bytes) -> bytes:
    """The data is in the mechanism's parameter already."""
    return read_derived(bench, mechanism, secret, template)


def _length(step: Step) -> int:
    span = step.call.choice if step.call else None
    return span.length if isinstance(span, Span) else 0


__all__ = ["Asked", "DerivedStreamAttack"]
