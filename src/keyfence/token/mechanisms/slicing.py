"""Keys from pieces of keys: EXTRACT, CONCATENATE, XOR (PKCS#11 3.2 section 6.43). What is sensitive stays sensitive.

All of it is allowed by the standard, so a key can be taken apart into keys of a single byte.
"""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKA, CKM, CKR
from keyfence.cryptoki.params import DerivationString, ExtractParams, KeyHandle

from ..keytypes import LENGTHS
from ..refused import Refused
from ..templates import Inheritance
from .derivation import Derivation, Outcome, Request, cut_key


def _concatenate_key(request: Request) -> Outcome:
    other = request.operand(request.parameters(KeyHandle).handle)
    return cut_key(request, request.secret + other.value.reveal(), Inheritance.STICKY, other)


def _concatenate_data(request: Request) -> Outcome:
    return cut_key(request, request.secret + request.parameters(DerivationString).data, Inheritance.STICKY)


def _prepend_data(request: Request) -> Outcome:
    return cut_key(request, request.parameters(DerivationString).data + request.secret, Inheritance.STICKY)


def _xor(request: Request) -> Outcome:
    data = request.parameters(DerivationString).data
    return cut_key(request, bytes(a ^ b for a, b in zip(request.secret, data, strict=False)), Inheritance.STICKY)


def _extract(request: Request) -> Outcome:
    """Bits from `bit_offset` on, round the end of the base key where need be; the template has to say how many."""
    bits = 8 * len(request.secret)
    offset = request.parameters(ExtractParams).bit_offset
    if not 0 <= offset < bits:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "beyond the key's last bit")
    if CKA.KEY_TYPE not in request.template and CKA.VALUE_LEN not in request.template:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_KEY_TYPE or CKA_VALUE_LEN")
    number = int.from_bytes(request.secret, "big")
    turned = (number << offset | number >> bits - offset) & (1 << bits) - 1
    return cut_key(request, turned.to_bytes(bits // 8, "big"), Inheritance.STICKY)


_ANY_SECRET: Final = frozenset(LENGTHS)

DERIVATIONS: Final[Mapping[int, Derivation]] = {
    CKM.CONCATENATE_BASE_AND_KEY: Derivation(_ANY_SECRET, _concatenate_key),
    CKM.CONCATENATE_BASE_AND_DATA: Derivation(_ANY_SECRET, _concatenate_data),
    CKM.CONCATENATE_DATA_AND_BASE: Derivation(_ANY_SECRET, _prepend_data),
    CKM.XOR_BASE_AND_DATA: Derivation(_ANY_SECRET, _xor),
    CKM.EXTRACT_KEY_FROM_KEY: Derivation(_ANY_SECRET, _extract),
}
