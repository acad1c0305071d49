"""What the techniques on CKM_*_KEY_AND_MAC_DERIVE share: a plan of cuts, carried out; bytes read, keys searched.

A technique says which parts of a cut it makes use of, as `Options`; the rest of the machinery is here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import KeyMaterial
from keyfence.cryptoki.constants import CKK
from keyfence.model import Chain, Cut, KeyMatCut, KeyOption, Lengths, Public, Sink, Slice, Step

from . import keysearch, searching
from .base import Attack, Bench, Inconclusive, Known, Offer
from .keymat import TOTAL, Cutter, KeyRequest, describe_cut
from .opening import open_record, side_keys
from .recovery import Priced, Recovery, Source, StreamBytes
from .ruler import Identify, Ruler
from .targets import Target, target_of
from .victim import Kind, Victim

RequestFor = Callable[[int], KeyRequest]
"""A key length in effect (bytes) to the request that leads to it."""


@dataclass(frozen=True, slots=True)
class CutOption:
    """One kind of write key to ask for, at these lengths in effect; `sink` None where the key itself is of no use."""

    sink: Sink | None
    lengths: Lengths
    request: RequestFor


@dataclass(frozen=True, slots=True)
class Cuts:
    """What probing found to be of use: MAC and IV lengths, ways to ask for write keys, and what MAC keys and IVs are worth."""

    options: tuple[CutOption, ...]
    macs: Lengths
    ivs: Lengths = Lengths.exactly(0)  # noqa: RUF009 - frozen
    mac_sink: Sink | None = None


class KeyMatAttack(Attack):
    """Plans cuts and carries them out. Subclasses write `measure`."""

    def __init__(self, victim: Victim, mechanism: int) -> None:
        self.victim = victim
        self.mechanism = mechanism
        self.target: Target = target_of(victim)
        self._requests: dict[KeyOption, RequestFor] = {}
        self._rehearsal: Known | None = None

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    def measure(self, ruler: Ruler, identify: Identify) -> Cuts:
        """What the module allows of what the technique can use."""
        raise NotImplementedError

    def identify(self, bench: Bench, handle: int, key_type: int) -> keysearch.Matches:
        """How keys are told apart; by one use of theirs unless a technique knows another way."""
        return keysearch.identify(bench, handle, key_type)

    def probe(self, bench: Bench) -> Offer:
        known = self._rehearsal = bench.rehearsal(self.victim)
        ruler = Ruler(Cutter(bench, self.mechanism, self.victim), known)
        cuts = self.measure(ruler, lambda handle, key_type: self.identify(bench, handle, key_type))
        return Offer(self.target.slices, self._capabilities(cuts), tuple(ruler.refusals), ruler.unexplained)

    def _capabilities(self, cuts: Cuts) -> tuple[KeyMatCut, ...]:
        self._requests = {KeyOption(option.sink, option.lengths): option.request for option in cuts.options}
        usable = tuple(option for option in self._requests if list(option.lengths))
        if not usable or not list(cuts.macs):
            return ()
        stream, total = self.target.stream, Lengths.up_to(TOTAL)
        sides = ("client",) if self.victim.kind is Kind.WTLS else ("client", "server")
        return (KeyMatCut(self.mechanism_name, stream, cuts.macs, usable, cuts.ivs, cuts.mac_sink, Public(), total, sides),)

    @property
    def mechanism_name(self) -> str:
        return describe_cut(self.mechanism, KeyRequest.of(CKK.GENERIC_SECRET, 0), 0, 0).split("(")[1].split(",")[0]

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        if self.victim.kind is Kind.SEPARATED:
            return self._no_key_in_stream(bench, chain)
        if chain.price.work_bits > bench.max_search_bits or _hides_bits(chain):
            return self._priced(bench, chain)
        gathering = _Gathering(self, bench, Cutter(bench, self.mechanism, self.victim))
        try:
            for step in chain.steps:
                gathering.take(step)
        except keysearch.TooMany:
            return self._priced(bench, chain)
        return gathering.recovery()

    def _no_key_in_stream(self, bench: Bench, chain: Chain) -> Recovery:
        """The classic cut of a master secret whose keys are separated: asked for, since only the module can refuse it."""
        cut = _cut_of(chain.steps[0])
        Cutter(bench, self.mechanism, self.victim).cut(self.target.secret, self.request(cut), cut.mac, cut.iv)
        raise Inconclusive("the classic cut of this master secret is allowed; no key of the session lies in that stream")

    def _priced(self, bench: Bench, chain: Chain) -> Recovery:
        """The victim's weak key is made, and its search not run: the rehearsal secret shows that it is these bytes."""
        step = max((step for step in chain.steps if step.call), key=lambda step: step.work_bits)
        cut, searched = _cut_of(step), max(step.uncovers, key=lambda piece: piece.bits).slice
        made = Cutter(bench, self.mechanism, self.victim).cut(self.target.secret, self.request(cut), cut.mac, cut.iv)
        self.identify(bench, *key_of(made, searched.part, self.request(cut).key_type))  # what a search would compare with
        rehearsed, halved = self._rehearse(bench, cut, searched), self.request(cut).key_type == CKK.DES
        return Priced(searched.start, searched.stop, self.target.length, chain.price.work_bits, rehearsed, halved)

    def _rehearse(self, bench: Bench, cut: Cut, searched: Slice) -> bool:
        known = self._rehearsal
        if known is None or known.value is None:
            return False
        cutter = Cutter(bench, self.mechanism, self.victim)
        made = cutter.cut(known.handle, self.request(cut), cut.mac, cut.iv)
        handle, key_type = key_of(made, searched.part, self.request(cut).key_type)
        return self.identify(bench, handle, key_type)(cutter.stream(known.value)[searched.start : searched.stop])

    def request(self, cut: Cut) -> KeyRequest:
        """The request that leads to this cut's key length."""
        return self._requests[cut.option](cut.key)

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return tuple(self._line(step) for step in chain.steps)

    def _line(self, step: Step) -> str:
        told = ", ".join(
            f"{piece.slice.part} = bytes {piece.slice.start}..{piece.slice.stop - 1}"
            + (f" (2^{piece.bits} trials)" if piece.bits else "")
            for piece in step.uncovers
        )
        if step.call is None:
            return f"search against a record of the victim's: {told}"
        cut = _cut_of(step)
        again = "again, its keys: " if step.again else ""
        return f"{again}{describe_cut(self.mechanism, self.request(cut), cut.mac, cut.iv)} -> {told}"


class _Gathering:
    """Carries out a chain on the victim, step by step, and keeps what it learns."""

    def __init__(self, attack: KeyMatAttack, bench: Bench, cutter: Cutter) -> None:
        self.attack, self.bench, self.cutter = attack, bench, cutter
        self.known: dict[int, int] = {}
        self.sources: dict[int, Source] = {}
        self._made: dict[Cut, KeyMaterial] = {}

    def take(self, step: Step) -> None:
        if step.call is None:
            self._search_rest()
            return
        cut = _cut_of(step)
        if cut not in self._made:
            secret = self.attack.target.secret
            self._made[cut] = self.cutter.cut(secret, self.attack.request(cut), cut.mac, cut.iv)
        for piece in step.uncovers:
            self._learn(self._made[cut], cut, piece.slice)

    def _learn(self, made: KeyMaterial, cut: Cut, piece: Slice) -> None:
        if isinstance(piece.sink, Public):
            value = made.client_iv if piece.part.startswith("client") else made.server_iv
            if value is None:
                raise Inconclusive(f"the module answered CKR_OK and wrote no {piece.part}")
            self._add(piece.start, value[: piece.length], Source.PUBLIC)
            return
        handle, key_type = key_of(made, piece.part, self.attack.request(cut).key_type)
        matches = self.attack.identify(self.bench, handle, key_type)
        known = {place - piece.start: self.known[place] for place in range(piece.start, piece.stop) if place in self.known}
        self._add(piece.start, searching.short(self.bench, matches, piece.length, known), Source.SEARCHED)

    def _add(self, start: int, value: bytes, source: Source) -> None:
        for place, byte in enumerate(value, start):
            if place < self.attack.target.length and place not in self.known:
                self.known[place], self.sources[place] = byte, source

    def _search_rest(self) -> None:
        """The bytes no call gave, tried against a record of the victim's."""
        length = self.attack.target.length
        block = keysearch.find(self._opens, length, self.known, self.bench.max_search_bits)
        self._add(0, block, Source.SEARCHED)

    def _opens(self, block: bytes) -> bool:
        victim = self.attack.victim
        keys = side_keys(victim, StreamBytes.run(block, Source.SEARCHED))
        return all(open_record(victim, side, one) is not None for side, one in keys.items())

    def recovery(self) -> StreamBytes:
        return StreamBytes(self.known, self.sources)


_HANDLES: Final[Mapping[str, Callable[[KeyMaterial], int]]] = {
    "client MAC": lambda made: made.client_mac,
    "server MAC": lambda made: made.server_mac,
    "client key": lambda made: made.client_key,
    "server key": lambda made: made.server_key,
}


def key_of(made: KeyMaterial, part: str, key_type: int) -> tuple[int, int]:
    """(handle, key type) of a part of a cut. MAC keys are generic secrets whatever the template says (PKCS#11 3.0 §2.38.6)."""
    handle = _HANDLES[part](made)
    if not handle:
        raise Inconclusive(f"the module answered CKR_OK and made no {part}")
    return handle, CKK.GENERIC_SECRET if part.endswith("MAC") else key_type


def _cut_of(step: Step) -> Cut:
    cut = step.call.choice if step.call else None
    assert isinstance(cut, Cut), "a step of a plan of cuts"
    return cut


def _hides_bits(chain: Chain) -> bool:
    """Whether a key of the plan has parity bits, which the searches run here cannot deal with."""
    sinks = (piece.slice.sink for step in chain.steps if step.call for piece in step.uncovers)
    return any(getattr(sink, "hidden_bits", 0) for sink in sinks)
