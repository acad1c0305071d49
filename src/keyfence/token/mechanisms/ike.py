"""IKE's derivations (PKCS#11 3.2 section 6.64, RFC 2409, RFC 7296), which are HMAC under the base key by other names."""

import hmac
from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.constants import vendor as nss
from keyfence.cryptoki.params import Ike1ExtendedDerive, Ike1PrfDerive, Ike2PrfPlusDerive, IkePrfDerive

from ..kernels.digests import DIGESTS, Digest
from ..refused import Refused
from ..templates import Inheritance, NewKey, number
from .derivation import Derivation, Outcome, Request, cut_key, hmac_hash, one_key, stream_shape

_MOST: Final = 255


def _prf(row: Digest, key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, row.name)


def _operand(request: Request, handle: int | None) -> bytes:
    """The value of an optional key inside the parameter."""
    return b"" if handle is None else request.operand(handle).value.reveal()


def _ike_prf(request: Request) -> Outcome:
    """SKEYSEED and SKEYID: prf(Ni | Nr, base), prf(base, Ni | Nr), or prf(base, new key | Ni | Nr)."""
    parameters = request.parameters(IkePrfDerive)
    row = hmac_hash(parameters.prf)
    if parameters.data_as_key and parameters.rekey:
        raise Refused(CKR.ARGUMENTS_BAD, "bDataAsKey and bRekey")
    nonces = parameters.ni + parameters.nr
    if parameters.data_as_key:
        value = _prf(row, nonces, request.secret)
    else:
        new = _operand(request, parameters.new_key) if parameters.rekey else b""
        value = _prf(row, request.secret, new + nonces)
    if number(request.template, CKA.VALUE_LEN) not in (None, len(value)):
        raise Refused(CKR.KEY_SIZE_RANGE, "CKA_VALUE_LEN is not the PRF's")
    return cut_key(request, value, Inheritance.TEMPLATE, natural_type=row.hmac_key_type)


def _ike1_prf(request: Request) -> Outcome:
    """SKEYID_d, _a and _e: prf(base, [previous key |] g^xy | CKYi | CKYr | number)."""
    parameters = request.parameters(Ike1PrfDerive)
    if CKA.KEY_TYPE not in request.template:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_KEY_TYPE")
    secrets = _operand(request, parameters.previous_key) + _operand(request, parameters.keygxy)
    data = secrets + parameters.cky_i + parameters.cky_r + bytes([parameters.key_number & 0xFF])
    return cut_key(request, _prf(hmac_hash(parameters.prf), request.secret, data), Inheritance.TEMPLATE)


def _ike2_prf_plus(request: Request) -> Outcome:
    """prf+: each output is prf(base, the one before | seed | counter)."""
    parameters = request.parameters(Ike2PrfPlusDerive)
    row = hmac_hash(parameters.prf)
    key_type, length = _stream_shape(request, row)
    seed = _operand(request, parameters.seed_key) + parameters.seed_data
    stream, block = b"", b""
    for count in range(1, -(-length // row.digest_size) + 1):
        block = _prf(row, request.secret, block + seed + bytes([count]))
        stream += block
    return one_key(request, NewKey(stream[:length], key_type, (request.base,), Inheritance.TEMPLATE))


def _ike1_extended(request: Request) -> Outcome:
    """RFC 2409 appendix B: the base key cut short where it is long enough, else prf iterated over its own output."""
    parameters = request.parameters(Ike1ExtendedDerive)
    row = hmac_hash(parameters.prf)
    key_type, length = _stream_shape(request, row)
    if length <= row.digest_size and parameters.keygxy is None:
        return cut_key(request, request.secret, Inheritance.TEMPLATE)
    extra = _operand(request, parameters.keygxy) + parameters.extra_data
    stream, block = b"", b""
    while len(stream) < length:
        block = _prf(row, request.secret, (block + extra) or b"\0")
        stream += block
    return one_key(request, NewKey(stream[:length], key_type, (request.base,), Inheritance.TEMPLATE))


def _stream_shape(request: Request, row: Digest) -> tuple[int, int]:
    key_type, length = stream_shape(request.template, request.quirks)
    if length > _MOST * row.digest_size:
        raise Refused(CKR.KEY_SIZE_RANGE, f"{length} bytes")
    return key_type, length


_BASE_TYPES: Final = frozenset({CKK.GENERIC_SECRET, CKK.HKDF, *(row.hmac_key_type for row in DIGESTS)})

_IKE_PRF: Final = Derivation(_BASE_TYPES, _ike_prf)
_IKE1_PRF: Final = Derivation(_BASE_TYPES, _ike1_prf)
_IKE2_PRF_PLUS: Final = Derivation(_BASE_TYPES, _ike2_prf_plus)
_IKE1_EXTENDED: Final = Derivation(_BASE_TYPES, _ike1_extended)

DERIVATIONS: Final[Mapping[int, Derivation]] = {
    CKM.IKE_PRF_DERIVE: _IKE_PRF,
    CKM.IKE1_PRF_DERIVE: _IKE1_PRF,
    CKM.IKE2_PRF_PLUS_DERIVE: _IKE2_PRF_PLUS,
    CKM.IKE1_EXTENDED_DERIVE: _IKE1_EXTENDED,
    nss.CKM_NSS_IKE_PRF_DERIVE: _IKE_PRF,
    nss.CKM_NSS_IKE1_PRF_DERIVE: _IKE1_PRF,
    nss.CKM_NSS_IKE_PRF_PLUS_DERIVE: _IKE2_PRF_PLUS,
    nss.CKM_NSS_IKE1_APP_B_PRF_DERIVE: _IKE1_EXTENDED,
}
