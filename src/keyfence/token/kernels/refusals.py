"""Refusals in the words of the function that was called.

A kernel says what is wrong (the key's type, the data's length). C_WrapKey, C_UnwrapKey and C_DecryptMessage have CKRs of
their own for the same faults (PKCS#11 3.0, the functions' return values).
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from keyfence.cryptoki import CryptokiError, Mechanism, Template, refusal
from keyfence.cryptoki.constants import CKA, CKR, describe
from keyfence.cryptoki.params import Parameters

P = TypeVar("P", bound=Parameters)

_WORDS: Final[Mapping[str, Mapping[int, int]]] = {
    "C_WrapKey": {
        CKR.KEY_TYPE_INCONSISTENT: CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
        CKR.KEY_SIZE_RANGE: CKR.WRAPPING_KEY_SIZE_RANGE,
        CKR.DATA_LEN_RANGE: CKR.KEY_SIZE_RANGE,
        CKR.DATA_INVALID: CKR.KEY_NOT_WRAPPABLE,
    },
    "C_UnwrapKey": {
        CKR.KEY_TYPE_INCONSISTENT: CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
        CKR.KEY_SIZE_RANGE: CKR.UNWRAPPING_KEY_SIZE_RANGE,
        CKR.ENCRYPTED_DATA_INVALID: CKR.WRAPPED_KEY_INVALID,
        CKR.ENCRYPTED_DATA_LEN_RANGE: CKR.WRAPPED_KEY_LEN_RANGE,
    },
    "C_DecryptMessage": {CKR.ENCRYPTED_DATA_INVALID: CKR.AEAD_DECRYPT_FAILED},
}


def refuse(ckr: int, function: str, detail: str = "") -> CryptokiError:
    """The error to raise for `ckr`, put as `function` puts it. `detail` must hold no key and no data."""
    return refusal(_WORDS.get(function, {}).get(ckr, ckr), function, detail)


def parameters_of(mechanism: Mechanism, cls: type[P], function: str) -> P:
    """The mechanism's parameter as `cls`; CKR_MECHANISM_PARAM_INVALID where it is another structure or none."""
    if not isinstance(mechanism.parameters, cls):
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, f"{mechanism.name} takes {cls.__name__}")
    return mechanism.parameters


def no_parameters(mechanism: Mechanism, function: str) -> None:
    """CKR_MECHANISM_PARAM_INVALID where a mechanism that takes none was given one."""
    if mechanism.parameters is not None:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, f"{mechanism.name} takes no parameter")


def check_key(key_type: int, key: bytes, types: tuple[int, ...], sizes: range | tuple[int, ...], function: str) -> None:
    """CKR_KEY_TYPE_INCONSISTENT or CKR_KEY_SIZE_RANGE unless the key is of one of `types` and `sizes` (in BYTES)."""
    if key_type not in types:
        raise refuse(CKR.KEY_TYPE_INCONSISTENT, function)
    if len(key) not in sizes:
        raise refuse(CKR.KEY_SIZE_RANGE, function, f"{len(key)} bytes")


def octets(key: Template, attribute: int, function: str, ckr: int = CKR.KEY_TYPE_INCONSISTENT) -> bytes:
    """A key's attribute as bytes; `ckr` where the key has none: whatever it is, it is not a key of the type asked for."""
    value = key.get(attribute)
    if not isinstance(value, bytes):
        raise refuse(ckr, function, f"no {describe(CKA, attribute)}")
    return value


def number(key: Template, attribute: int, function: str, ckr: int = CKR.KEY_TYPE_INCONSISTENT) -> int:
    """A key's attribute as the number it holds, big-endian."""
    return int.from_bytes(octets(key, attribute, function, ckr), "big")
