"""Calls: output buffers, lists, texts, PINs, messages, encapsulation, and arguments that C cannot hold."""

import pytest

from keyfence.cryptoki import (
    DataRefused,
    DeviceFailed,
    Mechanism,
    MechanismRefused,
    Pin,
    PinIncorrect,
    SignatureInvalid,
)
from keyfence.cryptoki.constants import CKA, CKM, CKU
from keyfence.cryptoki.native import NativeModule
from keyfence.cryptoki.native.memory import Memory
from keyfence.cryptoki.native.structures import ffi
from keyfence.cryptoki.params import Ccm, ChaCha20Poly1305, Gcm, Iv, Raw, TlsMac

from .conftest import told


def test_texts_lose_their_padding_and_what_is_no_text(stub: NativeModule) -> None:
    info = stub.get_info()
    assert (info.manufacturer, info.description) == ("padded with blanks", "NULs and \N{REPLACEMENT CHARACTER}")
    assert (info.cryptoki_version, info.library_version) == ((2, 40), (7, 9))


def test_a_list_that_grows_between_question_and_answer(stub: NativeModule) -> None:
    assert len(stub.get_slot_list(True)) == len(stub.get_slot_list(False)) - 1
    assert stub.get_slot_list(True)[0] == 100


# Output buffers


def test_a_module_that_needs_more_room_than_anybody_expects_gets_it(stub: NativeModule) -> None:
    assert stub.encrypt(1, b"data") == b"data" + b"\xee" * 100_000


def test_an_output_costs_one_call_and_one_signature(stub: NativeModule) -> None:
    made = []
    for _ in range(2):
        stub.sign_init(1, Mechanism(CKM.TLS12_MAC, TlsMac(CKM.SHA256, 12, 1)), 1)
        made.append(stub.sign(1, b"data")[0])
    assert made[1] == made[0] + 1


def test_a_module_that_claims_more_than_it_was_given_is_not_believed(stub: NativeModule) -> None:
    with pytest.raises(DeviceFailed, match="claims 2049 bytes in a buffer of 2048"):
        stub.digest_final(1)


def test_wrapped_keys_come_back(stub: NativeModule) -> None:
    assert stub.wrap_key(1, Mechanism(CKM.AES_CBC, Iv(b"")), 5, 6) == b"\x05\x06"


def test_refusals_carry_function_and_ckr(stub: NativeModule) -> None:
    with pytest.raises(MechanismRefused, match="C_DeriveKey: CKR_MECHANISM_INVALID"):
        stub.derive_key(1, Mechanism(CKM.MD5_KEY_DERIVATION), 1, {})
    stub.verify(1, b"same", b"same")
    with pytest.raises(SignatureInvalid):
        stub.verify(1, b"same", b"else")
    assert issubclass(SignatureInvalid, DataRefused)


# PINs


def test_a_pin_reaches_the_module(stub: NativeModule) -> None:
    stub.login(1, CKU.USER, Pin(b"1234"))
    assert told(stub) == "user=1 pin=31323334/4"


def test_no_pin_is_a_protected_authentication_path(stub: NativeModule) -> None:
    stub.login(1, CKU.SO, None)
    assert told(stub) == "user=0 pin=NULL/0"


def test_a_wrong_pin_is_in_no_message(stub: NativeModule) -> None:
    with pytest.raises(PinIncorrect) as caught:
        stub.login(1, CKU.USER, Pin(b"wrong"))
    assert "wrong" not in str(caught.value) + repr(caught.value)
    with pytest.raises(TypeError) as unfit:
        stub.login(1, CKU.USER, "98765")  # type: ignore[arg-type]
    assert str(unfit.value) == "a Pin needed, not str"


def test_a_pin_is_wiped_when_its_call_is_over() -> None:
    with Memory() as memory:
        buffer, length = memory.pin(Pin(b"1234"))
        assert bytes(ffi.buffer(buffer, length)) == b"1234"
    assert bytes(ffi.buffer(buffer, length)) == bytes(4)


def test_a_pin_is_wiped_after_a_failed_call_too() -> None:
    memory = Memory()
    buffer, length = memory.pin(Pin(b"1234"))
    with pytest.raises(LookupError), memory:
        raise LookupError
    assert bytes(ffi.buffer(buffer, length)) == bytes(4)


# Arguments that C cannot hold


@pytest.mark.parametrize("handle", [-1, 1 << 64])
def test_a_handle_that_no_ulong_holds(stub: NativeModule, handle: int) -> None:
    with pytest.raises(ValueError, match="C_DeriveKey"):
        stub.derive_key(1, Mechanism(CKM.AES_CBC), handle, {})


def test_a_handle_that_is_no_number(stub: NativeModule) -> None:
    with pytest.raises(TypeError, match="C_GetAttributeValue"):
        stub.get_attribute_value("1", 1, [CKA.CLASS])  # type: ignore[arg-type]


def test_data_that_is_text(stub: NativeModule) -> None:
    with pytest.raises(TypeError, match="bytes needed, not str"):
        stub.encrypt(1, "data")  # type: ignore[arg-type]


def test_a_label_too_long_for_a_token(stub: NativeModule) -> None:
    with pytest.raises(ValueError, match="at most 32 bytes, not 34"):
        stub.init_token(1, Pin(b""), "ä" * 17)


def test_more_random_bytes_than_memory_holds(stub: NativeModule) -> None:
    with pytest.raises(ValueError, match="more than memory holds"):
        stub.generate_random(1, 1 << 62)


# Messages and encapsulation (3.0, 3.2)


def test_a_message_carries_its_tag_at_the_end(stub32: NativeModule) -> None:
    assert stub32.encrypt_message(1, Gcm(b"\x01", tag_bits=96), b"\xaa", b"plain") == b"plain" + b"\x77" * 12
    assert told(stub32) == "iv=01/1 fixed_bits=0 generator=0 tag_bits=96 aad=aa/1"


def test_a_messages_tag_is_taken_from_its_end(stub32: NativeModule) -> None:
    assert stub32.decrypt_message(1, Ccm(6, b"\x02", mac_length=4), b"", b"cipherTAG!") == b"cipher"
    assert told(stub32) == f"data_length=6 nonce=02/1 mac={b'TAG!'.hex()}/4 aad=NULL/0"


def test_additional_data_of_a_message_stands_beside_its_parameters(stub32: NativeModule) -> None:
    with pytest.raises(ValueError, match="beside its parameters"):
        stub32.encrypt_message(1, ChaCha20Poly1305(b"nonce", b"aad"), b"", b"plain")


def test_encapsulation_gives_ciphertext_and_key(stub32: NativeModule) -> None:
    assert stub32.encapsulate_key(1, Mechanism(0x80000001, Raw(b"\x07")), 8, {CKA.TOKEN: True}) == (b"caps", 55)
    assert told(stub32) == "octets=07/1 | key=8 | 1=01/1"


def test_decapsulation_takes_them(stub32: NativeModule) -> None:
    assert stub32.decapsulate_key(1, Mechanism(0x80000001), 8, b"\xca", {CKA.TOKEN: True}) == 56
    assert told(stub32) == "octets=NULL/0 | key=8 | 1=01/1 | cipher=ca/1"
