"""Secrets stay where they are: in no repr, message, traceback or pickle; and threads do not get in one another's way."""

import logging
import pickle
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyfence.cryptoki import CryptokiError, Mechanism, Pin
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR, CKU
from keyfence.cryptoki.params import Gcm
from keyfence.cryptoki.session import Session, secret_key
from keyfence.token import SoftToken
from keyfence.token.secret import SecretValue
from keyfence.token.templates import NewKey

from .bench import PROTECTED, cut, expand, imported, key_mat12, master12, opened, pre_master, refused, rsa_pair, slice_from

MARK = b"AVeryRecognisableSecretValue-48-bytes-long-yes!!"
SHOWN = (MARK.decode(), MARK.hex(), repr(MARK)[2:-1], str(list(MARK))[1:-1])


def assert_unseen(text: str) -> None:
    for shape in SHOWN:
        assert shape not in text


def test_a_boxed_value_shows_its_length_only() -> None:
    box = SecretValue(MARK)
    assert_unseen(f"{box!r} {box} {[box]} {NewKey(MARK, CKK.AES)}")
    assert repr(box) == "<48 secret bytes>"
    assert box == SecretValue(MARK)
    assert box != SecretValue(MARK[:-1])
    assert box != MARK
    with pytest.raises(TypeError):
        pickle.dumps(box)
    with pytest.raises(TypeError):
        hash(box)
    assert box.fingerprint(b"a") == SecretValue(MARK).fingerprint(b"a") != box.fingerprint(b"b")


def test_no_object_of_the_token_shows_a_secret() -> None:
    session = opened()
    imported(session, MARK)
    rsa_pair(session)
    token = session.module
    assert isinstance(token, SoftToken)
    state = token._state
    assert_unseen(f"{token!r} {state!r} {vars(state.store)!r} {vars(state.gate)!r} {vars(state.login)!r}")
    for stored in state.store._objects.values():
        assert_unseen(f"{stored!r} {stored.attributes!r} {stored.parts!r} {stored.value!r}")


def test_operations_in_parts_do_not_show_their_data() -> None:
    session = opened()
    key = imported(session, bytes(16), CKK.AES)
    session.module.encrypt_init(session.handle, Mechanism(CKM.AES_GCM, Gcm(bytes(12))), key)
    session.module.encrypt_update(session.handle, MARK)
    token = session.module
    assert isinstance(token, SoftToken)
    assert_unseen(repr(token._state.store.session(session.handle)))


def test_no_refusal_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    session = opened()
    caplog.set_level(logging.DEBUG)
    key = imported(session, MARK, **PROTECTED)
    for call in (
        lambda: session.value(key),
        lambda: session.derive(slice_from(999), key, {CKA.VALUE_LEN: 3}),
        lambda: session.derive(slice_from(0), key, secret_key(CKK.GENERIC_SECRET, 49)),
        lambda: session.derive(expand(b""), key, secret_key(CKK.AES, 17)),
        lambda: session.encrypt(Mechanism(CKM.AES_GCM, Gcm(b"")), key, b""),
        lambda: session.copy(key, {CKA.SENSITIVE: False}),
        lambda: session.create(secret_key(CKK.AES) | {CKA.VALUE: MARK}),
        lambda: session.wrap(Mechanism(CKM.AES_KEY_WRAP), key, key),
    ):
        with pytest.raises(CryptokiError) as caught:
            call()
        error = caught.value
        assert_unseen(f"{error} {error!r} {error.detail}")
        assert error.__cause__ is None
    assert_unseen(caplog.text)


def test_no_refusal_shows_a_pin() -> None:
    session = opened()
    with pytest.raises(CryptokiError) as caught:
        session.module.login(session.handle, CKU.USER, Pin(MARK))
    assert_unseen("".join(traceback.format_exception(caught.value)) + repr(caught.value))


# Threads


def work(session: Session, number: int) -> bytes:
    """A whole session of TLS, by one thread of many on one token."""
    own = Session.open(session.module, 1)
    master = master12(own, pre_master(own))
    keys = cut(own, key_mat12(0, 128, 32), master, secret_key(CKK.AES, 16))
    seal = Mechanism(CKM.AES_GCM, Gcm(number.to_bytes(12, "big")))
    record = own.encrypt(seal, keys.client_key, b"%d" % number)
    opened_again = own.decrypt(seal, keys.client_key, record)
    own.close()
    return opened_again


def test_threads_share_a_token() -> None:
    session = opened()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda number: work(session, number), range(64))) == [b"%d" % number for number in range(64)]
    assert session.find() == ()


def test_threads_never_get_the_same_handle() -> None:
    session = opened()
    with ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda _: imported(session, bytes(16)), range(200)))
    assert len(set(handles)) == 200


def test_one_destroys_what_many_want_to() -> None:
    session = opened()
    handle = imported(session, bytes(16))

    def destroy(_: int) -> bool:
        try:
            session.module.destroy_object(session.handle, handle)
        except CryptokiError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(destroy, range(32))) == 1


def test_an_error_leaves_the_lock_free() -> None:
    session = opened()
    with refused(CKR.OBJECT_HANDLE_INVALID):
        session.value(99)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: session.find()).result(timeout=10) == ()
