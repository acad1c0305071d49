"""The key-based KDFs of NIST SP 800-108 (PKCS#11 3.2 section 6.42): counter, feedback and double-pipeline mode.

The caller lays out the PRF's input segment by segment. Several keys can come of one call; each takes whole PRF outputs.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from keyfence.cryptoki import Derived, Template
from keyfence.cryptoki.constants import CKK, CKM, CKR
from keyfence.cryptoki.constants import vendor as nss
from keyfence.cryptoki.params import ByteArray, DkmLength, IterationVariable, OptionalCounter, SegmentKey, Sp800108Kdf
from keyfence.cryptoki.params.derive import Segment

from ..attributes import Act
from ..kernels import macs
from ..kernels.digests import BY_HMAC, DIGESTS
from ..objects import StoredObject
from ..refused import Refused
from ..templates import Inheritance, NewKey, data_object, secret_key
from .derivation import Derivation, Derive, Outcome, Request, stream_shape

Prf = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class _Input:
    """The PRF and how its input is laid out, with key handles already read."""

    prf: Prf
    segments: tuple[Segment, ...]
    keys: Mapping[int, bytes]
    dkm_bits: Mapping[bool, int]

    def lay_out(self, count: int, variable: bytes | None, fixed_only: bool = False) -> bytes:
        """The input of round `count`; `variable` None: the iteration variable is the counter itself."""
        return b"".join(self._piece(segment, count, variable, fixed_only) for segment in self.segments)

    def _piece(self, segment: Segment, count: int, variable: bytes | None, fixed_only: bool) -> bytes:
        match segment:
            case ByteArray(data):
                return data
            case SegmentKey(handle):
                return self.keys[handle]
            case DkmLength(width, little, segments):
                return _number(self.dkm_bits[segments], width, little)
            case _ if fixed_only:
                return b""
            case OptionalCounter(width, little):
                return _number(count, width, little)
            case IterationVariable(width, little):
                return _number(count, width or 32, little) if variable is None else variable


def _counter(source: _Input, _iv: bytes) -> Iterator[bytes]:
    count = 0
    while True:
        count += 1
        yield source.prf(source.lay_out(count, None))


def _feedback(source: _Input, iv: bytes) -> Iterator[bytes]:
    count, variable = 0, iv
    while True:
        count += 1
        variable = source.prf(source.lay_out(count, variable))
        yield variable


def _double_pipeline(source: _Input, _iv: bytes) -> Iterator[bytes]:
    count, variable = 0, source.lay_out(0, b"", fixed_only=True)
    while True:
        count += 1
        variable = source.prf(variable)
        yield source.prf(source.lay_out(count, variable))


Rounds = Callable[[_Input, bytes], Iterator[bytes]]


def _kdf(rounds: Rounds, counter_mode: bool, data: bool = False) -> Derive:
    """`data`: what comes of it are data objects, as NSS's mechanisms have it."""

    def derive(request: Request) -> Outcome:
        parameters = request.parameters(Sp800108Kdf)
        _check_segments(parameters.segments, counter_mode)
        prf, size = _prf(parameters.prf, request)
        templates = [request.template, *(cast(Template, extra) for extra in parameters.additional_keys)]
        shapes = [stream_shape(template, request.quirks) for template in templates]
        operands = {handle: request.operand(handle) for handle in parameters.operands}
        source = _Input(prf, parameters.segments, _values(operands), _dkm_bits(shapes, size))
        values = _disjoint(rounds(source, parameters.iv or b""), shapes, size)
        ancestors = (request.base, *operands.values())

        def made(value: bytes, key_type: int, template: Template) -> StoredObject:
            if data:
                return data_object(value, template, Act.DERIVE)
            new = NewKey(value, key_type, ancestors, Inheritance.TEMPLATE, any_ancestor=True)
            return secret_key(new, template, Act.DERIVE, request.quirks)

        objects = tuple(made(v, key_type, t) for v, (key_type, _), t in zip(values, shapes, templates, strict=True))
        return Outcome(objects, lambda handles: Derived(handles[0], additional=handles[1:]))

    return derive


def _values(operands: Mapping[int, StoredObject]) -> dict[int, bytes]:
    return {handle: key.value.reveal() for handle, key in operands.items()}


def _dkm_bits(shapes: Sequence[tuple[int, int]], size: int) -> dict[bool, int]:
    """Bits of keying material: summed over keys (False) or over the PRF outputs that they take (True)."""
    segments = sum(-(-length // size) for _, length in shapes)
    return {False: 8 * sum(length for _, length in shapes), True: 8 * size * segments}


def _disjoint(outputs: Iterator[bytes], shapes: Sequence[tuple[int, int]], size: int) -> list[bytes]:
    """A value per key, none sharing a PRF output with another (section 6.42.7)."""
    return [b"".join(next(outputs) for _ in range(-(-length // size)))[:length] for _, length in shapes]


def _prf(number: int, request: Request) -> tuple[Prf, int]:
    """The PRF under the base key, and its output's length in bytes."""
    secret = request.secret
    if number in BY_HMAC and number != CKM.MD5_HMAC:
        row = BY_HMAC[number]
        return (lambda data: hmac.digest(secret, data, row.name)), row.digest_size
    if number not in (CKM.AES_CMAC, CKM.DES3_CMAC):
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "no PRF of SP 800-108")
    cmac = macs.MECHANISMS[number]
    if request.base.key_type not in cmac.key_types:
        raise Refused(CKR.KEY_TYPE_INCONSISTENT)
    if len(secret) not in cmac.key_sizes:
        raise Refused(CKR.KEY_SIZE_RANGE)
    return (lambda data: cmac.compute(secret, data)), cmac.length


def _check_segments(segments: tuple[Segment, ...], counter_mode: bool) -> None:
    """One iteration variable, at most one counter and one length, no second counter in counter mode (section 6.42.4 to 6)."""
    kinds: list[type[Any]] = [type(segment) for segment in segments]
    counters, lengths = kinds.count(OptionalCounter), kinds.count(DkmLength)
    if kinds.count(IterationVariable) != 1 or counters > (0 if counter_mode else 1) or lengths > 1:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "segments")
    for segment in segments:
        if isinstance(segment, (IterationVariable, OptionalCounter, DkmLength)) and (segment.width_bits or 8) not in _WIDTHS:
            raise Refused(CKR.MECHANISM_PARAM_INVALID, "a counter of whole bytes")


def _number(value: int, width_bits: int, little_endian: bool) -> bytes:
    if value >> width_bits:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "a counter overflows")
    return value.to_bytes(width_bits // 8, "little" if little_endian else "big")


_WIDTHS: Final = range(8, 65, 8)
_BASE_TYPES: Final = frozenset({CKK.GENERIC_SECRET, CKK.HKDF, CKK.AES, CKK.DES2, CKK.DES3, *(d.hmac_key_type for d in DIGESTS)})

DERIVATIONS: Final[Mapping[int, Derivation]] = {
    CKM.SP800_108_COUNTER_KDF: Derivation(_BASE_TYPES, _kdf(_counter, counter_mode=True)),
    CKM.SP800_108_FEEDBACK_KDF: Derivation(_BASE_TYPES, _kdf(_feedback, counter_mode=False)),
    CKM.SP800_108_DOUBLE_PIPELINE_KDF: Derivation(_BASE_TYPES, _kdf(_double_pipeline, counter_mode=False)),
    nss.CKM_NSS_SP800_108_COUNTER_KDF_DERIVE_DATA: Derivation(_BASE_TYPES, _kdf(_counter, True, data=True)),
    nss.CKM_NSS_SP800_108_FEEDBACK_KDF_DERIVE_DATA: Derivation(_BASE_TYPES, _kdf(_feedback, False, data=True)),
    nss.CKM_NSS_SP800_108_DOUBLE_PIPELINE_KDF_DERIVE_DATA: Derivation(_BASE_TYPES, _kdf(_double_pipeline, False, data=True)),
}
