"""Objects and their attributes: the footnotes of section 4 as traces."""

import pytest

from keyfence.cryptoki import Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR, CKU
from keyfence.token import SO_PIN

from .bench import GENERIC, attributes, imported, opened, refused, security

VALUE = {CKA.VALUE: bytes(16)}


@pytest.mark.parametrize(
    ("template", "ckr"),
    [
        ({}, CKR.TEMPLATE_INCOMPLETE),
        ({CKA.CLASS: CKO.SECRET_KEY}, CKR.TEMPLATE_INCOMPLETE),
        (GENERIC, CKR.TEMPLATE_INCOMPLETE),
        (GENERIC | VALUE | {CKA.VALUE_LEN: 16}, CKR.ATTRIBUTE_READ_ONLY),
        (GENERIC | VALUE | {CKA.LOCAL: True}, CKR.ATTRIBUTE_READ_ONLY),
        (GENERIC | VALUE | {CKA.ALWAYS_SENSITIVE: True}, CKR.ATTRIBUTE_READ_ONLY),
        (GENERIC | VALUE | {CKA.UNIQUE_ID: "1"}, CKR.ATTRIBUTE_READ_ONLY),
        (GENERIC | VALUE | {CKA.KEY_GEN_MECHANISM: 1}, CKR.ATTRIBUTE_READ_ONLY),
        (GENERIC | VALUE | {0x7FFFFFFF: b""}, CKR.ATTRIBUTE_TYPE_INVALID),
        (GENERIC | VALUE | {CKA.MODULUS: b"\1"}, CKR.TEMPLATE_INCONSISTENT),
        (GENERIC | VALUE | {CKA.SENSITIVE: 1}, CKR.ATTRIBUTE_VALUE_INVALID),
        (GENERIC | VALUE | {CKA.LABEL: b"bytes"}, CKR.ATTRIBUTE_VALUE_INVALID),
        (GENERIC | VALUE | {CKA.ALLOWED_MECHANISMS: 7}, CKR.ATTRIBUTE_VALUE_INVALID),
        (GENERIC | VALUE | {CKA.CHECK_VALUE: b"abc"}, CKR.ATTRIBUTE_VALUE_INVALID),
        (GENERIC | {CKA.KEY_TYPE: CKK.AES, CKA.VALUE: bytes(15)}, CKR.ATTRIBUTE_VALUE_INVALID),
        (GENERIC | {CKA.KEY_TYPE: CKK.GOST28147, CKA.VALUE: bytes(32)}, CKR.TEMPLATE_INCONSISTENT),
        ({CKA.CLASS: CKO.HW_FEATURE}, CKR.ATTRIBUTE_VALUE_INVALID),
        ({CKA.CLASS: CKO.CERTIFICATE, CKA.VALUE: b"der"}, CKR.TEMPLATE_INCOMPLETE),
    ],
)
def test_templates_that_create_nothing(template: Template, ckr: CKR) -> None:
    session = opened()
    with refused(ckr):
        session.create(template)
    assert session.find() == ()


def test_defaults_of_a_created_key() -> None:
    session = opened()
    key = session.create(GENERIC | VALUE)
    assert security(session, key) == "sEan"
    assert attributes(session, key, CKA.TOKEN, CKA.PRIVATE, CKA.MODIFIABLE, CKA.COPYABLE, CKA.DERIVE, CKA.LOCAL, CKA.SIGN) == {
        CKA.TOKEN: False,
        CKA.PRIVATE: False,
        CKA.MODIFIABLE: True,
        CKA.COPYABLE: True,
        CKA.DERIVE: False,
        CKA.LOCAL: False,
        CKA.SIGN: True,
    }
    assert session.value(key) == bytes(16)


def test_an_imported_key_was_readable_once() -> None:
    session = opened()
    key = session.create(GENERIC | VALUE | {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False})
    assert security(session, key) == "Sean"
    with refused(CKR.ATTRIBUTE_SENSITIVE):
        session.value(key)


@pytest.mark.parametrize("hiding", [{CKA.SENSITIVE: True}, {CKA.EXTRACTABLE: False}])
def test_either_flag_hides_the_value(hiding: Template) -> None:
    session = opened()
    key = session.create(GENERIC | VALUE | hiding)
    with refused(CKR.ATTRIBUTE_SENSITIVE):
        session.value(key)
    assert session.attribute(key, CKA.VALUE_LEN) == 16


def test_sensitive_only_goes_up_and_extractable_only_down() -> None:
    session = opened()
    key = session.create(GENERIC | VALUE)
    change = session.module.set_attribute_value
    change(session.handle, key, {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False})
    assert security(session, key) == "Sean"
    with refused(CKR.ATTRIBUTE_READ_ONLY):
        change(session.handle, key, {CKA.SENSITIVE: False})
    with refused(CKR.ATTRIBUTE_READ_ONLY):
        change(session.handle, key, {CKA.EXTRACTABLE: True})
    for loosening in ({CKA.SENSITIVE: False}, {CKA.EXTRACTABLE: True}):
        with refused(CKR.ATTRIBUTE_READ_ONLY):
            session.copy(key, loosening)


@pytest.mark.parametrize(
    ("template", "ckr"),
    [
        ({CKA.KEY_TYPE: CKK.AES}, CKR.ATTRIBUTE_READ_ONLY),
        ({CKA.CLASS: CKO.DATA}, CKR.ATTRIBUTE_READ_ONLY),
        ({CKA.VALUE: b"other"}, CKR.ATTRIBUTE_READ_ONLY),
        ({CKA.VALUE_LEN: 3}, CKR.ATTRIBUTE_READ_ONLY),
        ({CKA.TOKEN: True}, CKR.ATTRIBUTE_READ_ONLY),
        ({CKA.ALLOWED_MECHANISMS: (CKM.AES_GCM,)}, CKR.ATTRIBUTE_READ_ONLY),
        ({CKA.TRUSTED: True}, CKR.ATTRIBUTE_READ_ONLY),
        ({CKA.CHECK_VALUE: b"abc"}, CKR.ATTRIBUTE_VALUE_INVALID),
        ({CKA.APPLICATION: "x"}, CKR.TEMPLATE_INCONSISTENT),
    ],
)
def test_what_may_not_be_set(template: Template, ckr: CKR) -> None:
    session = opened()
    key = session.create(GENERIC | VALUE)
    before = attributes(session, key, *GENERIC, CKA.VALUE, CKA.TOKEN)
    with refused(ckr):
        session.module.set_attribute_value(session.handle, key, {CKA.LABEL: "changed"} | template)
    assert attributes(session, key, *GENERIC, CKA.VALUE, CKA.TOKEN) == before
    assert session.attribute(key, CKA.LABEL) == "", "all of a template or none of it"


def test_usage_flags_may_be_set() -> None:
    """Footnote 8: nothing keeps the owner of a handle from giving a key more uses. Techniques live on it."""
    session = opened()
    key = session.create(GENERIC | VALUE)
    session.module.set_attribute_value(session.handle, key, {CKA.DERIVE: True, CKA.ENCRYPT: True})
    assert session.attribute(key, CKA.DERIVE) is True


def test_trusted_is_the_security_officers() -> None:
    session = opened()
    key = session.create(GENERIC | VALUE)
    session.module.login(session.handle, CKU.SO, SO_PIN)
    session.module.set_attribute_value(session.handle, key, {CKA.TRUSTED: True})
    assert session.attribute(key, CKA.TRUSTED) is True


def test_flags_that_forbid() -> None:
    session = opened()
    key = session.create(GENERIC | VALUE | {CKA.MODIFIABLE: False, CKA.COPYABLE: False, CKA.DESTROYABLE: False})
    with refused(CKR.ACTION_PROHIBITED):
        session.module.set_attribute_value(session.handle, key, {CKA.LABEL: "x"})
    with refused(CKR.ACTION_PROHIBITED):
        session.copy(key, {})
    with refused(CKR.ACTION_PROHIBITED):
        session.destroy(key)


def test_a_copy_is_another_object_with_the_same_value() -> None:
    session = opened()
    key = imported(session, b"k" * 16)
    twin = session.copy(key, {CKA.LABEL: "twin", CKA.SENSITIVE: True, CKA.MODIFIABLE: False})
    assert security(session, twin) == "SEan"
    assert security(session, key) == "sEan"
    assert session.attribute(twin, CKA.UNIQUE_ID) != session.attribute(key, CKA.UNIQUE_ID)
    session.destroy(key)
    assert session.attribute(twin, CKA.LABEL) == "twin"


def test_a_copy_may_repeat_what_it_may_not_change() -> None:
    session = opened()
    key = imported(session, b"k" * 16)
    session.copy(key, {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.GENERIC_SECRET})
    with refused(CKR.ATTRIBUTE_READ_ONLY):
        session.copy(key, {CKA.KEY_TYPE: CKK.AES})


def test_reading_asks_for_all_or_nothing() -> None:
    session = opened()
    key = imported(session, b"k" * 16)
    with refused(CKR.ATTRIBUTE_TYPE_INVALID):
        attributes(session, key, CKA.LABEL, CKA.MODULUS)
    assert attributes(session, key, CKA.CHECK_VALUE, CKA.VALUE_LEN)[CKA.VALUE_LEN] == 16
    with refused(CKR.OBJECT_HANDLE_INVALID):
        attributes(session, 999, CKA.LABEL)


def test_check_values() -> None:
    """SHA-1 for generic secrets (section 6.8.2), a zero block enciphered for ciphers; an empty one turns it off."""
    session = opened()
    generic = imported(session, b"\0" * 16)
    aes = imported(session, bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), CKK.AES)
    assert session.attribute(generic, CKA.CHECK_VALUE) == bytes.fromhex("e129f2")
    assert session.attribute(aes, CKA.CHECK_VALUE) == bytes.fromhex("7df76b")
    none = imported(session, b"\0" * 16, check_value=b"")
    assert session.attribute(none, CKA.CHECK_VALUE) == b""
    right = imported(session, b"\0" * 16, check_value=bytes.fromhex("e129f2"))
    session.module.set_attribute_value(session.handle, right, {CKA.CHECK_VALUE: b""})
    assert session.attribute(right, CKA.CHECK_VALUE) == b""
    rc4 = imported(session, b"\0" * 5, CKK.RC4)
    with refused(CKR.ATTRIBUTE_TYPE_INVALID):
        session.attribute(rc4, CKA.CHECK_VALUE)


def test_finding() -> None:
    session = opened()
    one = imported(session, b"1" * 16, label="one")
    two = imported(session, b"2" * 16, label="two", sensitive=True)
    session.create({CKA.CLASS: CKO.DATA, CKA.LABEL: "data"})
    assert session.find({CKA.CLASS: CKO.SECRET_KEY}) == (one, two)
    assert session.find({CKA.LABEL: "two"}) == (two,)
    assert session.find({CKA.VALUE: b"1" * 16}) == (one,)
    assert session.find({CKA.VALUE: b"2" * 16}) == (), "a match would tell a sensitive value"
    assert session.find({CKA.MODULUS: b""}) == ()


def test_a_search_is_one_at_a_time_and_comes_in_batches() -> None:
    session = opened()
    module = session.module
    handles = [imported(session, bytes([n]) * 16) for n in range(5)]
    module.find_objects_init(session.handle, {})
    with refused(CKR.OPERATION_ACTIVE):
        module.find_objects_init(session.handle, {})
    assert module.find_objects(session.handle, 2) + module.find_objects(session.handle, 9) == tuple(handles)
    assert module.find_objects(session.handle, 9) == ()
    module.find_objects_final(session.handle)
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.find_objects(session.handle, 1)
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.find_objects_final(session.handle)


def test_data_and_certificates() -> None:
    session = opened()
    data = session.create({CKA.CLASS: CKO.DATA, CKA.VALUE: b"old", CKA.APPLICATION: "test"})
    session.module.set_attribute_value(session.handle, data, {CKA.VALUE: b"new"})
    assert session.value(data) == b"new"
    certificate = session.create({CKA.CLASS: CKO.CERTIFICATE, CKA.CERTIFICATE_TYPE: 0, CKA.VALUE: b"der", CKA.SUBJECT: b""})
    assert session.value(certificate) == b"der"
    assert session.module.get_object_size(session.handle, certificate) > 3
