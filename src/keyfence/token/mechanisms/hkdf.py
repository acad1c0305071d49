"""HKDF (PKCS#11 3.2 section 6.62, RFC 5869): extract, expand or both, to a key or to a data object that anybody may read.

The standard wants the input as long as the hash; no TLS 1.3 with ECDHE on another curve's field would work, so it is not asked.
"""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki import Derived
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR
from keyfence.cryptoki.params import Hkdf
from keyfence.schedule import hkdf

from ..attributes import Act
from ..objects import StoredObject
from ..refused import Refused
from ..templates import Inheritance, NewKey, data_object, derived_shape, number
from .derivation import Derivation, Outcome, Request, asks_readable, cut, hash_of, one_key, stream_shape

BASE_TYPES: Final = frozenset({CKK.HKDF, CKK.GENERIC_SECRET})
_MOST: Final = 255


def _derive(request: Request) -> Outcome:
    if asks_readable(request.template) and not request.quirks.readable_hkdf:
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "a readable key")
    key_type, length = _shape(request, request.parameters(Hkdf))
    value = _output(request, length)
    return one_key(request, NewKey(value, key_type, _ancestors(request), Inheritance.TEMPLATE))


def _ancestors(request: Request) -> tuple[StoredObject, ...]:
    """The base key; where data stands for it, the salt key, which is then the only secret there is."""
    if request.base.object_class != CKO.DATA:
        return (request.base,)
    salt_key = request.parameters(Hkdf).salt_key
    return () if salt_key is None else (request.operand(salt_key),)


def _data(request: Request) -> Outcome:
    if not request.quirks.readable_hkdf:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "this pInfo is not given out")
    parameters = request.parameters(Hkdf)
    length = number(request.template, CKA.VALUE_LEN)
    if length is None and parameters.expand:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN")
    value = _output(request, hash_of(parameters.prf_hash).digest_size if length is None else length)
    made = data_object(value, request.template, Act.DERIVE)
    return Outcome((made,), lambda handles: Derived(handles[0]))


def _shape(request: Request, parameters: Hkdf) -> tuple[int, int]:
    """(type, length): said by the template where there is an expand step, the hash's without one."""
    if parameters.expand:
        return stream_shape(request.template, request.quirks, CKK.HKDF)
    return derived_shape(request.template, hash_of(parameters.prf_hash).digest_size, CKK.HKDF)


def _output(request: Request, length: int) -> bytes:
    parameters = request.parameters(Hkdf)
    prf_hash, secret = hash_of(parameters.prf_hash), request.secret
    if not (parameters.extract or parameters.expand):
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "neither bExtract nor bExpand")
    if request.base.object_class == CKO.DATA and not parameters.extract:
        raise Refused(CKR.KEY_HANDLE_INVALID, "data is extracted from, not expanded")
    if parameters.extract:
        secret = hkdf.extract(prf_hash, _salt(request, parameters), secret)
    if parameters.expand:
        if not 1 <= length <= _MOST * prf_hash.digest_size:
            raise Refused(CKR.KEY_SIZE_RANGE, f"{length} bytes")
        return hkdf.expand(prf_hash, secret, parameters.info, length)
    if length != len(secret) and not request.quirks.extract_truncates:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_VALUE_LEN is not the hash's")
    return cut(secret, length, request.quirks)


def _salt(request: Request, parameters: Hkdf) -> bytes:
    if parameters.salt_key is None:
        return parameters.salt or b""
    if not request.quirks.salt_keys:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "no salt from a key")
    key: StoredObject = request.operand(parameters.salt_key)
    if key.key_type not in BASE_TYPES:
        raise Refused(CKR.KEY_TYPE_INCONSISTENT, "the salt key")
    return key.value.reveal()


DERIVATIONS: Final[Mapping[int, Derivation]] = {
    CKM.HKDF_DERIVE: Derivation(BASE_TYPES, _derive, takes_data=True),
    CKM.HKDF_DATA: Derivation(BASE_TYPES, _data, takes_data=True),
}
