"""suite-overlap: no made-up shape at all; one real suite's IVs are another real suite's write key."""

from collections.abc import Iterable, Iterator
from typing import Final

from keyfence.model import Cut, Key, KeyMatCut, KeyOption, Lengths, Public, Slice
from keyfence.schedule import SUITES, Mode, Part, Shape, Version

from .base import Attack, Bench, Offer, Technique
from .keymat import TOTAL, Cutter, KeyRequest, cutting
from .keymat_attack import KeyMatAttack
from .opening import secret_layout
from .ruler import Ruler
from .victim import Kind, Victim

_FIXED_LENGTH_BLOCKS: Final = frozenset({8})  # DES and triple DES, whose keys have no CKA_VALUE_LEN


class SuiteOverlap(Technique):
    id = "suite-overlap"
    title = "A real suite's IVs are another real suite's key"
    summary = (
        "With 20-byte MAC keys and 16-byte write keys, as AES_128_CBC_SHA has them, the IVs are bytes 72 to 103 of the key "
        "block: the server write key of AES_256_CBC_SHA. A module that allows only the shapes of real cipher suites still "
        "leaks, if it allows two of them for one session."
    )
    section = "PKCS#11 3.2 §6.39.6 and §6.40.6"
    references = ("RFC 2246 §6.3", "RFC 3268 (AES cipher suites)", "RFC 5246 §6.3")
    remedy = "One cut per master secret and randoms, committed before the first derivation; no IVs for CBC suites."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.SEPARATED})
    suites = ("TLS_RSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        if victim.kind is not Kind.SEPARATED and victim.suite.mode is not Mode.CBC:
            return []
        return [SuiteOverlapAttack(victim, mechanism) for mechanism in cutting(victim, returning_ivs=True)]


class SuiteOverlapAttack(KeyMatAttack):
    """Only shapes that some suite of the registry has, with the IVs that TLS 1.0 gives it."""

    key = "server write key"

    def __init__(self, victim: Victim, mechanism: int) -> None:
        super().__init__(victim, mechanism)
        self._shapes: dict[tuple[int, int, int], KeyRequest] = {}

    def request(self, cut: Cut) -> KeyRequest:
        return self._shapes[(cut.mac, cut.key, cut.iv)]

    def probe(self, bench: Bench) -> Offer:
        ruler = Ruler(Cutter(bench, self.mechanism, self.victim), bench.rehearsal(self.victim))
        shapes = [(shape, request) for shape, request in _real_shapes() if self._matters(shape)]
        found = [self._capability(shape, request) for shape, request in shapes if _lies_as_asked(ruler, shape, request)]
        return Offer(self._wanted(), tuple(found), tuple(ruler.refusals), ruler.unexplained)

    def _wanted(self) -> tuple[Slice, ...]:
        if self.victim.kind is Kind.SEPARATED:
            return self.target.slices
        start, stop = secret_layout(self.victim)[Part.SERVER_KEY]
        return (Slice(self.target.stream, start, stop, Key.of(self.target.key_type), str(Part.SERVER_KEY)),)

    def _matters(self, shape: Shape) -> bool:
        """Whether its IVs lie on bytes that are wanted. A separated key lies in no key block: any shape is asked for."""
        start = 2 * (shape.mac + shape.key)
        lies_on = any(start < piece.stop and piece.start < start + 2 * shape.iv for piece in self._wanted())
        return lies_on or self.victim.kind is Kind.SEPARATED

    def _capability(self, shape: Shape, request: KeyRequest) -> KeyMatCut:
        option = KeyOption(None, Lengths.exactly(shape.key))
        self._shapes[(shape.mac, shape.key, shape.iv)] = request
        lengths = (Lengths.exactly(shape.mac), (option,), Lengths.exactly(shape.iv))
        return KeyMatCut(self.mechanism_name, self.target.stream, *lengths, None, Public(), Lengths.up_to(TOTAL))


def _real_shapes() -> Iterator[tuple[Shape, KeyRequest]]:
    """Each shape once, IVs as in TLS 1.0 where the suite is that old; shapes without IVs show nothing."""
    seen: set[Shape] = set()
    for suite in SUITES:
        version = Version.TLS10 if suite.supports(Version.TLS10) else Version.TLS12
        if suite.ckk is None or suite.export or not suite.supports(version):
            continue
        shape = suite.shape(version)
        if shape.iv and shape not in seen:
            seen.add(shape)
            fixed = suite.cipher.block in _FIXED_LENGTH_BLOCKS
            yield shape, KeyRequest.of(suite.ckk, shape.key, fixed=fixed)


def _lies_as_asked(ruler: Ruler, shape: Shape, request: KeyRequest) -> bool:
    return ruler.iv_place(request, shape.mac, shape.iv) == 2 * (shape.mac + shape.key)
