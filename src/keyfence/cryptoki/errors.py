"""Everything that can go wrong, as one tree.

KeyfenceError
├── CryptokiError                a module answered with something else than CKR_OK; carries the CKR and the function
│   ├── MechanismRefused         the mechanism or its parameter
│   ├── TemplateRefused          the template or an attribute in it
│   ├── AttributeSensitive       a value that the module will not show
│   ├── KeyRefused               the key: its type, size, use, or that it may not leave
│   ├── HandleInvalid            an object or key handle that names nothing
│   ├── DataRefused              the data: its length or content, a bad signature or ciphertext
│   │   └── SignatureInvalid
│   ├── OperationRefused         an operation already or not yet begun, or not allowed in this state
│   ├── SessionRefused           the session: closed, read-only, too many
│   ├── LoginRefused             login state
│   │   ├── PinIncorrect
│   │   └── PinLocked
│   ├── TokenRefused             the slot or token: absent, not recognised, write-protected
│   ├── FunctionNotSupported
│   ├── FunctionRejected         refused by policy
│   └── DeviceFailed             general and device errors, memory
└── ModuleFailure                no answer at all
    ├── ModuleNotLoadable        no such file, not a shared object, not a PKCS#11 module
    ├── ModuleCrashed            the process that held the module died
    └── ModuleHung               a call did not return within its time
"""

from typing import Final

from .constants import CKR, describe


class KeyfenceError(Exception):
    """Base of every error that keyfence raises on purpose."""


class CryptokiError(KeyfenceError):
    """A call answered `ckr`. Use `refusal()` to make the class that fits.

    rule    the guard's rule that refused; "" where it was the module
    """

    rule: str = ""

    def __init__(self, ckr: int, function: str, detail: str = "") -> None:
        self.ckr = ckr
        self.function = function
        self.detail = detail
        super().__init__(ckr, function, detail)

    @property
    def ckr_name(self) -> str:
        return describe(CKR, self.ckr)

    def __str__(self) -> str:
        text = f"{self.function}: {self.ckr_name}"
        return f"{text} ({self.detail})" if self.detail else text


class MechanismRefused(CryptokiError):
    """CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID and the domain or curve behind them."""


class TemplateRefused(CryptokiError):
    """CKR_TEMPLATE_*, CKR_ATTRIBUTE_* other than sensitivity."""


class AttributeSensitive(CryptokiError):
    """CKR_ATTRIBUTE_SENSITIVE."""


class KeyRefused(CryptokiError):
    """CKR_KEY_* and the wrapping and unwrapping forms."""


class HandleInvalid(CryptokiError):
    """CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID."""


class DataRefused(CryptokiError):
    """CKR_DATA_*, CKR_ENCRYPTED_DATA_*, CKR_WRAPPED_KEY_*."""


class SignatureInvalid(DataRefused):
    """CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE."""


class OperationRefused(CryptokiError):
    """CKR_OPERATION_*, CKR_STATE_UNSAVEABLE, CKR_SAVED_STATE_INVALID, CKR_ACTION_PROHIBITED."""


class SessionRefused(CryptokiError):
    """CKR_SESSION_*."""


class LoginRefused(CryptokiError):
    """CKR_USER_*, CKR_PIN_*."""


class PinIncorrect(LoginRefused):
    """CKR_PIN_INCORRECT: one try is gone."""


class PinLocked(LoginRefused):
    """CKR_PIN_LOCKED."""


class TokenRefused(CryptokiError):
    """CKR_SLOT_ID_INVALID, CKR_TOKEN_*."""


class FunctionNotSupported(CryptokiError):
    """CKR_FUNCTION_NOT_SUPPORTED, and functions that a module's list leaves out."""


class FunctionRejected(CryptokiError):
    """CKR_FUNCTION_REJECTED: what a policy says."""


class DeviceFailed(CryptokiError):
    """CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_*, CKR_HOST_MEMORY and kin."""


class ModuleFailure(KeyfenceError):
    """The module gave no answer."""


class ModuleNotLoadable(ModuleFailure):
    """There is no PKCS#11 module at this path."""


class ModuleCrashed(ModuleFailure):
    """The process that held the module died inside `function`; `reason` names the signal or exit status."""

    def __init__(self, function: str, reason: str) -> None:
        self.function = function
        self.reason = reason
        super().__init__(function, reason)

    def __str__(self) -> str:
        return f"{self.function}: the module's process died ({self.reason})"


class ModuleHung(ModuleFailure):
    """`function` did not return within `seconds`; its process was stopped."""

    def __init__(self, function: str, seconds: float) -> None:
        self.function = function
        self.seconds = seconds
        super().__init__(function, seconds)

    def __str__(self) -> str:
        return f"{self.function}: no answer within {self.seconds:g} s"


# The first class whose prefix begins the CKR's name decides; exact names stand before families.
_CLASSES: Final[tuple[tuple[str, type[CryptokiError]], ...]] = (
    ("CKR_ATTRIBUTE_SENSITIVE", AttributeSensitive),
    ("CKR_ATTRIBUTE_", TemplateRefused),
    ("CKR_TEMPLATE_", TemplateRefused),
    ("CKR_MECHANISM_", MechanismRefused),
    ("CKR_DOMAIN_PARAMS_INVALID", MechanismRefused),
    ("CKR_CURVE_NOT_SUPPORTED", MechanismRefused),
    ("CKR_KEY_HANDLE_INVALID", HandleInvalid),
    ("CKR_OBJECT_HANDLE_INVALID", HandleInvalid),
    ("CKR_KEY_", KeyRefused),
    ("CKR_WRAPPING_KEY_", KeyRefused),
    ("CKR_UNWRAPPING_KEY_", KeyRefused),
    ("CKR_PUBLIC_KEY_INVALID", KeyRefused),
    ("CKR_SIGNATURE_", SignatureInvalid),
    ("CKR_DATA_", DataRefused),
    ("CKR_ENCRYPTED_DATA_", DataRefused),
    ("CKR_WRAPPED_KEY_", DataRefused),
    ("CKR_AEAD_DECRYPT_FAILED", DataRefused),
    ("CKR_OPERATION_", OperationRefused),
    ("CKR_STATE_UNSAVEABLE", OperationRefused),
    ("CKR_SAVED_STATE_INVALID", OperationRefused),
    ("CKR_ACTION_PROHIBITED", OperationRefused),
    ("CKR_SESSION_", SessionRefused),
    ("CKR_PIN_INCORRECT", PinIncorrect),
    ("CKR_PIN_LOCKED", PinLocked),
    ("CKR_PIN_", LoginRefused),
    ("CKR_USER_", LoginRefused),
    ("CKR_SLOT_", TokenRefused),
    ("CKR_TOKEN_", TokenRefused),
    ("CKR_FUNCTION_NOT_SUPPORTED", FunctionNotSupported),
    ("CKR_FUNCTION_REJECTED", FunctionRejected),
    ("CKR_", DeviceFailed),
)


def refusal(ckr: int, function: str, detail: str = "") -> CryptokiError:
    """The error whose class says what `ckr` means; `function` is the C name, "C_DeriveKey"."""
    name = describe(CKR, ckr)
    for prefix, cls in _CLASSES:
        if name.startswith(prefix):
            return cls(ckr, function, detail)
    return DeviceFailed(ckr, function, detail)
