"""Every method calls its C function, through its C prototype, with its arguments in C's order; results come back from there.

The functions here are callbacks. Each notes what it is given, writes to whatever it may write to, and answers CKR_OK.
"""

from collections.abc import Callable
from typing import Any

import pytest

from keyfence.cryptoki import METHODS, Derived, Mechanism, Pin, function_name
from keyfence.cryptoki.constants import CKA, CKM
from keyfence.cryptoki.native import NativeModule
from keyfence.cryptoki.native.prototypes import POSITIONS, PROTOTYPES
from keyfence.cryptoki.native.structures import ffi

MECHANISM, TEMPLATE = Mechanism(CKM.SHA256), {CKA.TOKEN: True}
SEEN_MECHANISM, SEEN_TEMPLATE = "CKM_SHA256", [("CKA_TOKEN", b"\1")]
OUT = b"written"

Seen = list[tuple[str, list[Any]]]


def _note(types: list[str], arguments: tuple[Any, ...]) -> list[Any]:
    """Arguments as Python: octets and templates with the length that follows them, numbers as they are; outputs are filled."""
    noted: list[Any] = []
    pairs = iter(zip(types, arguments, strict=True))
    for kind, argument in pairs:
        if kind == "CK_BYTE *":
            noted.append(_octets(argument, *next(pairs, ("", None))))
        elif kind == "CK_MECHANISM *":
            noted.append(str(CKM(argument.mechanism)))
        elif kind == "CK_ATTRIBUTE *":
            count = next(pairs)[1]
            values = [(str(CKA(a.type)), bytes(ffi.buffer(a.pValue, a.ulValueLen))) for a in argument[0:count]]
            noted.append(values)
        elif kind == "CK_ULONG *":
            argument[0] = 42
        else:
            noted.append(argument)
    return [each for each in noted if each is not None]


def _octets(pointer: Any, length_type: str, length: Any) -> bytes | None:
    if length_type == "CK_ULONG":
        return None if pointer == ffi.NULL else bytes(ffi.buffer(pointer, length))
    if length_type == "CK_ULONG *":
        ffi.memmove(pointer, OUT, len(OUT))
        length[0] = len(OUT)
        return None
    return bytes(ffi.buffer(pointer, 32))  # C_InitToken's label has a fixed length


@pytest.fixture
def recorded(stub32: NativeModule) -> tuple[NativeModule, Seen]:
    """A module of callbacks, and what they have seen."""
    seen: Seen = []
    kept = []
    functions = ffi.new("void *[]", len(POSITIONS))
    for name, prototype in PROTOTYPES.items():
        types = prototype[prototype.index(")(") + 2 : -1].split(", ")

        def called(*arguments: Any, name: str = name, types: list[str] = types) -> int:
            seen.append((name, _note(types, arguments)))
            return 0

        kept.append(ffi.callback(prototype, called, error=5))
        functions[POSITIONS[name]] = ffi.cast("void *", kept[-1])
    library = stub32._library
    library._functions = functions
    library.kept = kept  # type: ignore[attr-defined]
    return stub32, seen


Call = Callable[[NativeModule], Any]

CALLS: dict[str, tuple[Call, list[Any], Any]] = {
    "set_operation_state": (lambda m: m.set_operation_state(1, b"state", 2, 3), [1, b"state", 2, 3], None),
    "get_operation_state": (lambda m: m.get_operation_state(1), [1], OUT),
    "init_pin": (lambda m: m.init_pin(1, Pin(b"pin")), [1, b"pin"], None),
    "set_pin": (lambda m: m.set_pin(1, Pin(b"old"), Pin(b"new!")), [1, b"old", b"new!"], None),
    "init_token": (lambda m: m.init_token(1, Pin(b"so"), "täg"), [1, b"so", "täg".encode().ljust(32)], None),
    "login": (lambda m: m.login(1, 2, Pin(b"pin")), [1, 2, b"pin"], None),
    "close_session": (lambda m: m.close_session(1), [1], None),
    "close_all_sessions": (lambda m: m.close_all_sessions(1), [1], None),
    "session_cancel": (lambda m: m.session_cancel(1, 2), [1, 2], None),
    "logout": (lambda m: m.logout(1), [1], None),
    "create_object": (lambda m: m.create_object(1, TEMPLATE), [1, SEEN_TEMPLATE], 42),
    "copy_object": (lambda m: m.copy_object(1, 2, TEMPLATE), [1, 2, SEEN_TEMPLATE], 42),
    "destroy_object": (lambda m: m.destroy_object(1, 2), [1, 2], None),
    "get_object_size": (lambda m: m.get_object_size(1, 2), [1, 2], 42),
    "set_attribute_value": (lambda m: m.set_attribute_value(1, 2, TEMPLATE), [1, 2, SEEN_TEMPLATE], None),
    "find_objects_init": (lambda m: m.find_objects_init(1, TEMPLATE), [1, SEEN_TEMPLATE], None),
    "find_objects": (lambda m: m.find_objects(1, 2), [1, 2], (42, 0)),
    "find_objects_final": (lambda m: m.find_objects_final(1), [1], None),
    "digest_init": (lambda m: m.digest_init(1, MECHANISM), [1, SEEN_MECHANISM], None),
    "digest_key": (lambda m: m.digest_key(1, 2), [1, 2], None),
    "generate_key": (lambda m: m.generate_key(1, MECHANISM, TEMPLATE), [1, SEEN_MECHANISM, SEEN_TEMPLATE], 42),
    "generate_key_pair": (
        lambda m: m.generate_key_pair(1, MECHANISM, TEMPLATE, {CKA.LABEL: "x"}),
        [1, SEEN_MECHANISM, SEEN_TEMPLATE, [("CKA_LABEL", b"x")]],
        (42, 42),
    ),
    "wrap_key": (lambda m: m.wrap_key(1, MECHANISM, 2, 3), [1, SEEN_MECHANISM, 2, 3], OUT),
    "unwrap_key": (
        lambda m: m.unwrap_key(1, MECHANISM, 2, b"wrapped", TEMPLATE),
        [1, SEEN_MECHANISM, 2, b"wrapped", SEEN_TEMPLATE],
        42,
    ),
    "derive_key": (lambda m: m.derive_key(1, MECHANISM, 2, TEMPLATE), [1, SEEN_MECHANISM, 2, SEEN_TEMPLATE], Derived(42)),
    "encapsulate_key": (
        lambda m: m.encapsulate_key(1, MECHANISM, 2, TEMPLATE),
        [1, SEEN_MECHANISM, 2, SEEN_TEMPLATE],
        (OUT, 42),
    ),
    "decapsulate_key": (
        lambda m: m.decapsulate_key(1, MECHANISM, 2, b"caps", TEMPLATE),
        [1, SEEN_MECHANISM, 2, SEEN_TEMPLATE, b"caps"],
        42,
    ),
    "seed_random": (lambda m: m.seed_random(1, b"seed"), [1, b"seed"], None),
    "generate_random": (lambda m: m.generate_random(1, 4), [1, bytes(4)], bytes(4)),
    "sign_message": (lambda m: m.sign_message(1, None, b"data"), [1, ffi.NULL, 0, b"data"], OUT),
    "verify_message": (lambda m: m.verify_message(1, None, b"data", b"sig"), [1, ffi.NULL, 0, b"data", b"sig"], None),
    "encrypt_message": (lambda m: m.encrypt_message(1, None, b"aad", b"data"), [1, ffi.NULL, 0, b"aad", b"data"], OUT),
    "decrypt_message": (lambda m: m.decrypt_message(1, None, b"aad", b"data"), [1, ffi.NULL, 0, b"aad", b"data"], OUT),
}


def _of_one_shape(names: str, arguments: tuple[Any, ...], seen: list[Any], result: Any) -> None:
    for name in names.split():
        CALLS[name] = (lambda m, name=name: getattr(m, name)(*arguments), seen, result)


_BEGINNING = """encrypt_init decrypt_init sign_init sign_recover_init verify_init verify_recover_init
    message_encrypt_init message_decrypt_init message_sign_init message_verify_init"""
_TRANSFORMING = """encrypt encrypt_update decrypt decrypt_update digest sign sign_recover verify_recover
    digest_encrypt_update decrypt_digest_update sign_encrypt_update decrypt_verify_update"""
_CLOSING = "message_encrypt_final message_decrypt_final message_sign_final message_verify_final"

_of_one_shape(_BEGINNING, (1, MECHANISM, 2), [1, SEEN_MECHANISM, 2], None)
_of_one_shape(_TRANSFORMING, (1, b"data"), [1, b"data"], OUT)
_of_one_shape("encrypt_final decrypt_final digest_final sign_final", (1,), [1], OUT)
_of_one_shape("digest_update sign_update verify_update verify_final", (1, b"data"), [1, b"data"], None)
_of_one_shape("verify", (1, b"data", b"sig"), [1, b"data", b"sig"], None)
_of_one_shape(_CLOSING, (1,), [1], None)

# These fill structures, and other tests look at what comes back.
ELSEWHERE = {"initialize", "finalize", "get_info", "get_slot_list", "get_slot_info", "get_token_info", "get_mechanism_list"}
ELSEWHERE |= {"get_mechanism_info", "open_session", "get_session_info", "get_attribute_value"}


@pytest.mark.parametrize("method", CALLS)
def test_a_method_calls_its_function(recorded: tuple[NativeModule, Seen], method: str) -> None:
    (module, seen), (call, arguments, result) = recorded, CALLS[method]
    assert call(module) == result
    assert seen == [(function_name(method), arguments)]


def test_no_method_is_left_out() -> None:
    assert set(CALLS) == set(METHODS) - ELSEWHERE


def test_a_session_is_opened_without_callbacks(recorded: tuple[NativeModule, Seen]) -> None:
    module, seen = recorded
    assert module.open_session(3, 6) == 42
    assert seen == [("C_OpenSession", [3, 6, ffi.NULL, ffi.NULL])]


def test_finalizing_passes_null(recorded: tuple[NativeModule, Seen]) -> None:
    module, seen = recorded
    module.finalize()
    assert seen == [("C_Finalize", [ffi.NULL])]
