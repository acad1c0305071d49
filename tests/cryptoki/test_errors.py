"""One class per meaning; every error carries its CKR and function, through pickling too, and nothing secret."""

import pickle

import pytest

import keyfence.cryptoki as cryptoki
from keyfence.cryptoki import CryptokiError, KeyfenceError, ModuleCrashed, ModuleFailure, ModuleHung, ModuleNotLoadable, refusal
from keyfence.cryptoki.constants import CKR

MEANINGS = {
    cryptoki.MechanismRefused: "MECHANISM_INVALID MECHANISM_PARAM_INVALID DOMAIN_PARAMS_INVALID CURVE_NOT_SUPPORTED",
    cryptoki.TemplateRefused: "TEMPLATE_INCOMPLETE TEMPLATE_INCONSISTENT ATTRIBUTE_READ_ONLY ATTRIBUTE_TYPE_INVALID",
    cryptoki.AttributeSensitive: "ATTRIBUTE_SENSITIVE",
    cryptoki.KeyRefused: "KEY_SIZE_RANGE KEY_FUNCTION_NOT_PERMITTED KEY_UNEXTRACTABLE KEY_INDIGESTIBLE WRAPPING_KEY_SIZE_RANGE",
    cryptoki.HandleInvalid: "OBJECT_HANDLE_INVALID KEY_HANDLE_INVALID",
    cryptoki.DataRefused: "DATA_LEN_RANGE ENCRYPTED_DATA_INVALID WRAPPED_KEY_INVALID AEAD_DECRYPT_FAILED",
    cryptoki.SignatureInvalid: "SIGNATURE_INVALID SIGNATURE_LEN_RANGE",
    cryptoki.OperationRefused: "OPERATION_ACTIVE OPERATION_NOT_INITIALIZED STATE_UNSAVEABLE ACTION_PROHIBITED",
    cryptoki.SessionRefused: "SESSION_CLOSED SESSION_HANDLE_INVALID SESSION_READ_ONLY",
    cryptoki.LoginRefused: "USER_NOT_LOGGED_IN USER_ALREADY_LOGGED_IN PIN_EXPIRED PIN_LEN_RANGE",
    cryptoki.PinIncorrect: "PIN_INCORRECT",
    cryptoki.PinLocked: "PIN_LOCKED",
    cryptoki.TokenRefused: "SLOT_ID_INVALID TOKEN_NOT_PRESENT TOKEN_WRITE_PROTECTED TOKEN_NOT_RECOGNIZED",
    cryptoki.FunctionNotSupported: "FUNCTION_NOT_SUPPORTED",
    cryptoki.FunctionRejected: "FUNCTION_REJECTED",
    cryptoki.DeviceFailed: "GENERAL_ERROR FUNCTION_FAILED DEVICE_ERROR DEVICE_REMOVED HOST_MEMORY BUFFER_TOO_SMALL",
}
CASES = [(name, meaning) for meaning, names in MEANINGS.items() for name in names.split()]


@pytest.mark.parametrize(("name", "meaning"), CASES)
def test_a_ckr_is_raised_as_the_class_of_its_meaning(name: str, meaning: type[CryptokiError]) -> None:
    error = refusal(CKR[name], "C_DeriveKey")
    assert type(error) is meaning
    assert (error.ckr, error.ckr_name, error.function) == (CKR[name], f"CKR_{name}", "C_DeriveKey")
    assert str(error) == f"C_DeriveKey: CKR_{name}"


def test_every_ckr_has_a_class_and_vendors_too() -> None:
    assert all(isinstance(refusal(ckr, "C_Sign"), CryptokiError) for ckr in CKR)
    vendors = refusal(0x80000123, "C_Sign", "slot 3")
    assert type(vendors) is cryptoki.DeviceFailed
    assert str(vendors) == "C_Sign: CKR_0x80000123 (slot 3)"


def test_the_tree() -> None:
    assert issubclass(cryptoki.SignatureInvalid, cryptoki.DataRefused)
    assert issubclass(cryptoki.PinIncorrect, cryptoki.LoginRefused)
    assert issubclass(cryptoki.PinLocked, cryptoki.LoginRefused)
    assert issubclass(CryptokiError, KeyfenceError)
    assert not issubclass(ModuleFailure, CryptokiError)
    assert all(issubclass(failure, ModuleFailure) for failure in (ModuleNotLoadable, ModuleCrashed, ModuleHung))


ERRORS: list[KeyfenceError] = [
    refusal(CKR.KEY_SIZE_RANGE, "C_DeriveKey", "VALUE_LEN"),
    ModuleCrashed("C_DeriveKey", "SIGSEGV"),
    ModuleHung("C_Login", 1.5),
    ModuleNotLoadable("nowhere.so: no such file"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_crosses_a_process_boundary_whole(error: KeyfenceError) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert (str(arrived), vars(arrived)) == (str(error), vars(error))


def test_failures_say_where_and_why() -> None:
    assert str(ModuleCrashed("C_DeriveKey", "SIGSEGV")) == "C_DeriveKey: the module's process died (SIGSEGV)"
    assert str(ModuleHung("C_Login", 1.5)) == "C_Login: no answer within 1.5 s"
