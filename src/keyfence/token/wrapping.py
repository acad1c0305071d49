"""C_WrapKey and C_UnwrapKey: who may leave, and what comes in (PKCS#11 3.2 sections 5.18.3, 5.18.4)."""

from typing import Final

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR

from .attributes import Act
from .kernels import ciphers, wrapping
from .keytypes import FIXED, GENERIC, check_length
from .objects import StoredObject
from .quirks import Quirks
from .refused import Refused
from .templates import NewKey, number, secret_key

_CARRIES_LENGTH: Final = (
    CKM.RSA_PKCS,
    CKM.RSA_PKCS_OAEP,
    CKM.AES_KEY_WRAP,
    CKM.AES_KEY_WRAP_PAD,
    CKM.AES_KEY_WRAP_KWP,
    CKM.AES_KEY_WRAP_PKCS7,
)
"""Mechanisms that give a value back as long as it was; so do the padded block modes."""


def wrap(mechanism: Mechanism, wrapping_key: StoredObject, key: StoredObject, quirks: Quirks) -> bytes:
    """The wrapped key, if the key lets itself be wrapped by this one."""
    if not key.flag(CKA.EXTRACTABLE) and not quirks.wrap_unextractable:
        raise Refused(CKR.KEY_UNEXTRACTABLE)
    if key.flag(CKA.WRAP_WITH_TRUSTED) and not wrapping_key.flag(CKA.TRUSTED):
        raise Refused(CKR.KEY_NOT_WRAPPABLE, "CKA_WRAP_WITH_TRUSTED")
    wanted = wrapping_key.attributes.get(CKA.WRAP_TEMPLATE)
    if isinstance(wanted, dict) and not key.matches(wanted):
        raise Refused(CKR.KEY_HANDLE_INVALID, "CKA_WRAP_TEMPLATE")
    if key.object_class != CKO.SECRET_KEY or not len(key.value):
        raise Refused(CKR.KEY_NOT_WRAPPABLE, "secret keys only")
    return wrapping.wrap(mechanism, wrapping_key.key_type, _material(wrapping_key), key.value.reveal())


def opened_value(mechanism: Mechanism, unwrapping_key: StoredObject, wrapped: bytes) -> bytes:
    """What the wrapped key holds, as far as the mechanism keeps its length."""
    return wrapping.unwrap(mechanism, unwrapping_key.key_type, _material(unwrapping_key), wrapped)


def unwrapped(mechanism: Mechanism, value: bytes, template: Template, quirks: Quirks) -> StoredObject:
    """The key that was wrapped, as the template describes it."""
    if template.get(CKA.CLASS, CKO.SECRET_KEY) != CKO.SECRET_KEY:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "secret keys only")
    key_type = number(template, CKA.KEY_TYPE)
    if key_type is None:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_KEY_TYPE")
    if not quirks.readable_unwrap and not (template.get(CKA.SENSITIVE) is True and template.get(CKA.EXTRACTABLE) is False):
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "a readable key")
    value = fitted(mechanism, value, key_type, number(template, CKA.VALUE_LEN), quirks)
    return secret_key(NewKey(value, key_type), template, Act.UNWRAP, quirks)


def fitted(mechanism: Mechanism, value: bytes, key_type: int, said: int | None, quirks: Quirks) -> bytes:
    """The unwrapped bytes as a key of this type and length; WRAPPED_KEY_LEN_RANGE for any conflict (section 5.18.4).

    Mechanisms that pad with zeros, or with nothing, leave the length to type and template: RSA's bare power keeps the last
    bytes (section 6.1.9), blocks the first (section 6.10.3).
    """
    length = FIXED.get(key_type, said)
    if _carries_length(mechanism):
        if length not in (None, len(value)) and not (quirks.unwrap_truncates and (length or 0) < len(value)):
            raise Refused(CKR.WRAPPED_KEY_LEN_RANGE)
        value = value[:length]
    elif length is None and key_type in GENERIC:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN")
    elif length is not None:
        if length > len(value):
            raise Refused(CKR.WRAPPED_KEY_LEN_RANGE)
        value = value[len(value) - length :] if mechanism.type == CKM.RSA_X_509 else value[:length]
    if said not in (None, len(value)) and not quirks.unwrap_truncates:
        raise Refused(CKR.WRAPPED_KEY_LEN_RANGE)
    check_length(key_type, len(value), CKR.WRAPPED_KEY_LEN_RANGE)
    return value


def _carries_length(mechanism: Mechanism) -> bool:
    row = ciphers.MECHANISMS.get(mechanism.type)
    return mechanism.type in _CARRIES_LENGTH or (row is not None and row.block == 1)


def _material(key: StoredObject) -> bytes | Template:
    return key.material() if key.key_type == CKK.RSA else key.value.reveal()
