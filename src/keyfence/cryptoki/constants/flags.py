"""Flags (CKF_*), by the structure whose `flags` field they stand in; and the two special handles and lengths."""

from enum import IntFlag
from typing import Final

INVALID_HANDLE: Final = 0
UNAVAILABLE_INFORMATION: Final = (1 << 64) - 1  # CK_UNAVAILABLE_INFORMATION: ~0UL


class SlotFlag(IntFlag):
    """CK_SLOT_INFO.flags."""

    TOKEN_PRESENT = 0x01
    REMOVABLE_DEVICE = 0x02
    HW_SLOT = 0x04


class TokenFlag(IntFlag):
    """CK_TOKEN_INFO.flags."""

    RNG = 0x01
    WRITE_PROTECTED = 0x02
    LOGIN_REQUIRED = 0x04
    USER_PIN_INITIALIZED = 0x08
    PROTECTED_AUTHENTICATION_PATH = 0x100
    TOKEN_INITIALIZED = 0x400
    USER_PIN_COUNT_LOW = 0x10000
    USER_PIN_FINAL_TRY = 0x20000
    USER_PIN_LOCKED = 0x40000
    USER_PIN_TO_BE_CHANGED = 0x80000


class SessionFlag(IntFlag):
    """C_OpenSession's flags and CK_SESSION_INFO.flags."""

    RW_SESSION = 0x02
    SERIAL_SESSION = 0x04


class MechanismFlag(IntFlag):
    """CK_MECHANISM_INFO.flags: what a mechanism may be used for."""

    HW = 0x01
    MESSAGE_ENCRYPT = 0x02
    MESSAGE_DECRYPT = 0x04
    MESSAGE_SIGN = 0x08
    MESSAGE_VERIFY = 0x10
    ENCRYPT = 0x100
    DECRYPT = 0x200
    DIGEST = 0x400
    SIGN = 0x800
    SIGN_RECOVER = 0x1000
    VERIFY = 0x2000
    VERIFY_RECOVER = 0x4000
    GENERATE = 0x8000
    GENERATE_KEY_PAIR = 0x10000
    WRAP = 0x20000
    UNWRAP = 0x40000
    DERIVE = 0x80000
    ENCAPSULATE = 0x10000000
    DECAPSULATE = 0x20000000


class HkdfSalt(IntFlag):
    """CK_HKDF_PARAMS.ulSaltType (PKCS#11 3.0 section 2.62.3)."""

    NULL = 0x01
    DATA = 0x02
    KEY = 0x04
