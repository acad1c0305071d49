"""kbkdf: the modes of NIST SP 800-108 under a TLS secret. One IS TLS 1.2's PRF, the others are HMAC of a chosen string."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.constants.vendor import (
    CKM_NSS_SP800_108_COUNTER_KDF_DERIVE_DATA,
    CKM_NSS_SP800_108_DOUBLE_PIPELINE_KDF_DERIVE_DATA,
    CKM_NSS_SP800_108_FEEDBACK_KDF_DERIVE_DATA,
)
from keyfence.cryptoki.params import ByteArray, IterationVariable, OptionalCounter, Segment, Sp800108Kdf
from keyfence.cryptoki.values import Template
from keyfence.model import Readable

from .base import Attack, Bench, Inconclusive, Technique
from .oracle import OracleAttack, Way, data_templates, read_derived, readable_templates
from .prefix_growth import Asked, DerivedStreamAttack
from .targets import rests_on_hmac
from .victim import Kind, Victim

# Each mode by the standard's number, and by a vendor's whose derived value is a data object.
_COUNTER: Final = (int(CKM.SP800_108_COUNTER_KDF), CKM_NSS_SP800_108_COUNTER_KDF_DERIVE_DATA)
_FEEDBACK: Final = (int(CKM.SP800_108_FEEDBACK_KDF), CKM_NSS_SP800_108_FEEDBACK_KDF_DERIVE_DATA)
_PIPELINE: Final = (int(CKM.SP800_108_DOUBLE_PIPELINE_KDF), CKM_NSS_SP800_108_DOUBLE_PIPELINE_KDF_DERIVE_DATA)

_FED_BACK: Final = IterationVariable(None)


class Kbkdf(Technique):
    id = "kbkdf"
    title = "SP 800-108 under a TLS secret"
    summary = (
        "The caller lays out the PRF's input segment by segment. Double-pipeline mode without a counter is P_hash, so with "
        "label and seed as its fixed input it gives TLS 1.2's key block in one call. Feedback mode's first output is HMAC of "
        "the fixed input. Counter mode's n-th output is HMAC of any string that has a byte of value n in it."
    )
    section = "PKCS#11 3.2 §6.42 (SP 800-108 key derivation)"
    references = ("NIST SP 800-108r1 §4", "RFC 5246 §5", "RFC 5869 §2.3")
    remedy = "A TLS secret is no base key for SP 800-108: CKA_ALLOWED_MECHANISMS on every secret of TLS, and honoured."
    kinds = frozenset({Kind.TLS12, Kind.TLS13, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        if not rests_on_hmac(victim):
            return
        if victim.kind is Kind.TLS13:
            yield from (ExpandAttack(victim, mechanism) for mechanism in (*_COUNTER, *_FEEDBACK))
            return
        yield from (CounterAttack(victim, mechanism) for mechanism in _COUNTER)
        yield from (FeedbackAttack(victim, mechanism) for mechanism in _FEEDBACK)
        yield from (PipelineAttack(victim, mechanism) for mechanism in _PIPELINE)


def _templates(mechanism: int, length: int) -> Iterator[tuple[str, Template]]:
    data = mechanism in (_COUNTER[1], _FEEDBACK[1], _PIPELINE[1])
    return data_templates(length) if data else readable_templates(length)


# The stream itself, in one call


class _StreamAttack(DerivedStreamAttack):
    """A mode that makes the victim's own stream of these segments."""

    layout = ""
    """The segments, for a reader."""
    iv: bytes | None = None

    def segments(self) -> tuple[Segment, ...]:
        raise NotImplementedError

    def templates(self) -> Iterator[tuple[str, Template]]:
        return _templates(self.mechanism, self.target.length)

    def asked(self) -> Sequence[Asked]:
        parameters = Sp800108Kdf(int(self.target.prf_hash.ckm_hmac), self.segments(), self.iv)
        return [Asked(f"C_DeriveKey({self.name}, {self.layout}", Mechanism(self.mechanism, parameters))]


class PipelineAttack(_StreamAttack):
    """A(i) = PRF(A(i-1)), output PRF(A(i) | fixed): P_hash to the letter (RFC 5246 §5)."""

    layout = "iteration variable | label + seed"

    def segments(self) -> tuple[Segment, ...]:
        return _FED_BACK, ByteArray(self.target.input)


class ExpandAttack(_StreamAttack):
    """HKDF-Expand is feedback mode with no IV and a counter of one byte at the end; counter mode has its first digest."""

    key = "client write key"
    layout = "HkdfLabel | 8-bit counter"

    def __init__(self, victim: Victim, mechanism: int) -> None:
        super().__init__(victim, mechanism)
        self.iv = b"" if mechanism in _FEEDBACK else None

    def segments(self) -> tuple[Segment, ...]:
        info = ByteArray(self.target.input)
        return (info, IterationVariable(8)) if self.iv is None else (_FED_BACK, info, OptionalCounter(8))


# HMAC, from which the stream is rebuilt


class _HmacAttack(OracleAttack):
    """A mode one of whose outputs is HMAC of a chosen string. What it gives has to be read: it is fed back."""

    sink = Readable()
    layout = ""
    iv: bytes | None = None

    def ways(self, bench: Bench) -> Sequence[Way]:
        return [
            Way(f"C_DeriveKey({self.name}, {self.layout}, {text})", partial(self._ask, bench, number))
            for number, (text, _) in enumerate(_templates(self.mechanism, 1))
        ]

    def _ask(self, bench: Bench, number: int, secret: int, data: bytes) -> bytes:
        segments, skip = self.lay_out(data)
        _, template = list(_templates(self.mechanism, skip + self.target.prf_hash.digest_size))[number]
        parameters = Sp800108Kdf(int(self.target.prf_hash.ckm_hmac), segments, self.iv)
        return read_derived(bench, Mechanism(self.mechanism, parameters), secret, template)[skip:]

    def lay_out(self, data: bytes) -> tuple[tuple[Segment, ...], int]:
        """The segments that put `data` before the PRF, and how many bytes come out before that."""
        raise NotImplementedError


class FeedbackAttack(_HmacAttack):
    """The first output is PRF(IV | fixed), and the IV may be empty."""

    layout = "no IV | fixed input"
    iv = b""

    def lay_out(self, data: bytes) -> tuple[tuple[Segment, ...], int]:
        return (_FED_BACK, ByteArray(data)), 0


class CounterAttack(_HmacAttack):
    """The counter is a byte somewhere in the string: the smallest there is, so that few outputs come before the one wanted.

    Every input has one: TLS's labels have a blank, 32, and what P_hash feeds back is random.
    """

    layout = "fixed input with one byte of it the counter"

    def lay_out(self, data: bytes) -> tuple[tuple[Segment, ...], int]:
        if not any(data):
            raise Inconclusive("nothing but zeros was fed back, and no byte to count by")
        count, at = min((byte, place) for place, byte in enumerate(data) if byte)
        parts = (ByteArray(data[:at]), IterationVariable(8), ByteArray(data[at + 1 :]))
        return tuple(part for part in parts if part != ByteArray(b"")), (count - 1) * self.target.prf_hash.digest_size
