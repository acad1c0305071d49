"""Measures what a key-and-MAC derivation allows and where it cuts, on a secret whose stream is known.

Two ways to see a cut: an IV that comes back is looked up in the stream; a key is used once, and the use compared with what
the bytes that should be in it would give. A module that lets nobody know any secret (FIPS) is taken at its word, and what was
recovered proves or disproves the word in the end. Lengths are in bytes, per direction.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from keyfence.cryptoki import CryptokiError, KeyMaterial
from keyfence.cryptoki.constants import CKK
from keyfence.model import Lengths

from .base import Inconclusive, Known
from .keymat import MAX_MAC, Cutter, KeyRequest
from .keysearch import Matches

Identify = Callable[[int, int], Matches]
"""(handle, key type) to a test of candidates: `keysearch.identify`, or another way to tell keys apart."""

_IV_SAMPLES: Final = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_MAC_SAMPLES: Final = (0, 1, 2, 16, 20, 32, 48, 52)
_PROBE_IVS: Final = (16, 8, 4, 1)


class Ruler:
    """One secret of the lab's own under the ruler. `refusals` keeps every refusal met, in order; `unexplained` tells whether
    a cut that was allowed gave bytes that are nowhere in the stream, or a key that is not where it should be."""

    def __init__(self, cutter: Cutter, known: Known) -> None:
        self.cutter = cutter
        self.known = known
        self.reference = None if known.value is None else cutter.stream(known.value)
        self.refusals: list[CryptokiError] = []
        self.unexplained = False

    # By IVs

    def key_lengths(self, requests: Iterable[KeyRequest]) -> dict[int, KeyRequest]:
        """Key length in effect to a request that leads to it; where several do, the first."""
        found: dict[int, KeyRequest] = {}
        for request in requests:
            place = next((place for iv in _PROBE_IVS if (place := self.iv_place(request, 0, iv)) is not None), None)
            if place is not None:
                found.setdefault(place // self.cutter.directions, request)
        return found

    def mac_lengths(self, request: KeyRequest) -> Lengths:
        """MAC lengths that move the IVs as the standard says."""
        places = ((iv, self.iv_place(request, 0, iv)) for iv in _PROBE_IVS)
        iv, start = next(((iv, place) for iv, place in places if place is not None), (0, None))
        if start is None:  # a module that gave one just before
            return Lengths.exactly()
        directions = self.cutter.directions
        return sampled(lambda mac: self.iv_place(request, mac, iv) == start + directions * mac, _MAC_SAMPLES, MAX_MAC)

    def iv_lengths(self, request: KeyRequest) -> Lengths:
        """IV lengths that come back whole."""
        return sampled(lambda iv: self.iv_place(request, 0, iv) is not None, _IV_SAMPLES, max(_IV_SAMPLES))

    def iv_place(self, request: KeyRequest, mac: int, iv: int) -> int | None:
        """Where the client IV begins in the stream; None where the cut is refused, or gives no IV of this length."""
        try:
            with self.cutter.bench.session.scope():
                made = self.cutter.cut(self.known.handle, request, mac, iv)
        except CryptokiError as refusal:
            self.refusals.append(refusal)
            return None
        return self._place(made, request, mac, iv)

    def _place(self, made: KeyMaterial, request: KeyRequest, mac: int, iv: int) -> int | None:
        if made.client_iv is None or len(made.client_iv) != iv:
            return None
        if self.reference is None:
            asked = request.bits // 8 if request.value_len is None else request.value_len
            return self.cutter.directions * (mac + asked)
        # Both IVs, which lie side by side: one byte alone is somewhere in any stream.
        place = self.reference.find(made.client_iv + (made.server_iv or b""))
        self.unexplained |= place < 0
        return place if place >= 0 else None

    # By use

    def mac_key_lengths(self, request: KeyRequest, identify: Identify) -> Lengths:
        """Lengths at which the client MAC key is the start of the stream, and can be used."""

        def works(length: int) -> bool:
            return self._fits(request, length, lambda made: (made.client_mac, CKK.GENERIC_SECRET), 0, length, identify)

        return sampled(works, (1, 2, 3, 16, 20, 32, 64, 104), MAX_MAC)

    def offsets(self, request: KeyRequest, length: int, identify: Identify) -> Lengths:
        """MAC lengths behind which a write key of this request lies where it should."""
        return sampled(lambda mac: self.write_key_fits(request, length, mac, identify), _MAC_SAMPLES, MAX_MAC)

    def write_key_fits(self, request: KeyRequest, length: int, mac: int, identify: Identify) -> bool:
        """Whether the client write key behind MAC keys of `mac` bytes is what it should be."""
        start = self.cutter.directions * mac
        return self._fits(request, mac, lambda made: (made.client_key, request.key_type), start, start + length, identify)

    def _fits(
        self,
        request: KeyRequest,
        mac: int,
        pick: Callable[[KeyMaterial], tuple[int, int]],
        start: int,
        stop: int,
        identify: Identify,
    ) -> bool:
        try:
            with self.cutter.bench.session.scope():
                handle, key_type = pick(self.cutter.cut(self.known.handle, request, mac, 0))
                if not handle:
                    return False
                matches = identify(handle, key_type)
        except CryptokiError as refusal:
            self.refusals.append(refusal)
            return False
        except Inconclusive:
            return False
        fits = self.reference is None or matches(self.reference[start:stop])
        self.unexplained |= not fits
        return fits


def sampled(works: Callable[[int], bool], samples: Sequence[int], most: int) -> Lengths:
    """The lengths that work: all up to `most` where every sample does, else what trying them one by one finds."""
    good = {sample for sample in samples if works(sample)}
    if len(good) == len(samples):
        return Lengths.up_to(max(samples), min(samples))
    if not good:
        return Lengths.exactly()
    edge = next((sample for sample in samples if sample > max(good)), most + 1)
    found = sorted(length for length in range(min(samples), edge) if length in good or works(length))
    if found == list(range(found[0], found[-1] + 1)):
        return Lengths.up_to(found[-1], found[0])
    return Lengths.exactly(*found)
