"""Sessions, login and the lives of objects, as traces: call, answer."""

import pytest

from keyfence.cryptoki import Pin, PinIncorrect, PinLocked
from keyfence.cryptoki.constants import CKA, CKO, CKR, CKS, CKU, SessionFlag, TokenFlag
from keyfence.token import SO_PIN, USER_PIN, SoftToken

from .bench import refused

RW = int(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)
RO = int(SessionFlag.SERIAL_SESSION)
DATA = {CKA.CLASS: CKO.DATA, CKA.VALUE: b"x"}
WRONG = Pin.of("nothing")


@pytest.fixture
def token() -> SoftToken:
    token = SoftToken()
    token.initialize()
    return token


def test_nothing_but_get_info_works_before_initialize() -> None:
    token = SoftToken()
    assert token.get_info().cryptoki_version == (3, 2)
    with refused(CKR.CRYPTOKI_NOT_INITIALIZED):
        token.get_slot_list(True)
    token.initialize()
    with refused(CKR.CRYPTOKI_ALREADY_INITIALIZED):
        token.initialize()
    assert token.get_slot_list(True) == (1,)


def test_finalize_ends_sessions_and_keeps_token_objects(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    kept = token.create_object(session, DATA | {CKA.TOKEN: True})
    lost = token.create_object(session, DATA)
    token.finalize()
    token.initialize()
    session = token.open_session(1, RW)
    assert token.get_attribute_value(session, kept, [CKA.VALUE]) == {CKA.VALUE: b"x"}
    with refused(CKR.OBJECT_HANDLE_INVALID):
        token.get_attribute_value(session, lost, [CKA.VALUE])


def test_slots_and_flags_of_sessions(token: SoftToken) -> None:
    with refused(CKR.SLOT_ID_INVALID):
        token.open_session(2, RW)
    with refused(CKR.SESSION_PARALLEL_NOT_SUPPORTED):
        token.open_session(1, int(SessionFlag.RW_SESSION))
    with refused(CKR.SESSION_HANDLE_INVALID):
        token.get_session_info(77)
    assert token.get_session_info(token.open_session(1, RO)).state == CKS.RO_PUBLIC_SESSION


def test_handles_are_never_reused(token: SoftToken) -> None:
    first = token.open_session(1, RW)
    an_object = token.create_object(first, DATA)
    token.destroy_object(first, an_object)
    token.close_session(first)
    second = token.open_session(1, RW)
    assert second != first
    assert token.create_object(second, DATA) > an_object
    with refused(CKR.SESSION_HANDLE_INVALID):
        token.close_session(first)


def test_closing_a_session_destroys_its_objects_and_no_others(token: SoftToken) -> None:
    mine, other = token.open_session(1, RW), token.open_session(1, RW)
    gone, stays = token.create_object(mine, DATA), token.create_object(other, DATA)
    token.close_session(mine)
    token.find_objects_init(other, DATA)
    assert token.find_objects(other, 9) == (stays,)
    token.find_objects_final(other)
    with refused(CKR.OBJECT_HANDLE_INVALID):
        token.get_object_size(other, gone)


def test_read_only_sessions_make_session_objects_only(token: SoftToken) -> None:
    reader, writer = token.open_session(1, RO), token.open_session(1, RW)
    token.create_object(reader, DATA)
    with refused(CKR.SESSION_READ_ONLY):
        token.create_object(reader, DATA | {CKA.TOKEN: True})
    on_token = token.create_object(writer, DATA | {CKA.TOKEN: True})
    with refused(CKR.SESSION_READ_ONLY):
        token.set_attribute_value(reader, on_token, {CKA.LABEL: "mine"})
    with refused(CKR.SESSION_READ_ONLY):
        token.destroy_object(reader, on_token)


def test_private_objects_need_login(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    with refused(CKR.USER_NOT_LOGGED_IN):
        token.create_object(session, DATA | {CKA.PRIVATE: True})
    token.login(session, CKU.USER, USER_PIN)
    private = token.create_object(session, DATA | {CKA.PRIVATE: True, CKA.TOKEN: True})
    token.logout(session)
    with refused(CKR.OBJECT_HANDLE_INVALID):
        token.get_attribute_value(session, private, [CKA.VALUE])
    token.find_objects_init(session, {})
    assert token.find_objects(session, 9) == ()
    token.find_objects_final(session)
    token.login(session, CKU.USER, USER_PIN)
    assert token.get_attribute_value(session, private, [CKA.VALUE]) == {CKA.VALUE: b"x"}


def test_logout_destroys_private_session_objects(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    token.login(session, CKU.USER, USER_PIN)
    private = token.create_object(session, DATA | {CKA.PRIVATE: True})
    token.logout(session)
    token.login(session, CKU.USER, USER_PIN)
    with refused(CKR.OBJECT_HANDLE_INVALID):
        token.get_object_size(session, private)


def test_login_is_one_state_for_all_sessions(token: SoftToken) -> None:
    one, two = token.open_session(1, RW), token.open_session(1, RO)
    token.login(one, CKU.USER, USER_PIN)
    assert token.get_session_info(one).state == CKS.RW_USER_FUNCTIONS
    assert token.get_session_info(two).state == CKS.RO_USER_FUNCTIONS
    with refused(CKR.USER_ALREADY_LOGGED_IN):
        token.login(two, CKU.USER, USER_PIN)
    with refused(CKR.SESSION_READ_ONLY_EXISTS):
        token.login(two, CKU.SO, SO_PIN)
    token.close_all_sessions(1)
    with refused(CKR.USER_NOT_LOGGED_IN):
        token.logout(token.open_session(1, RW))


def test_the_security_officer_shuts_read_only_sessions_out(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    token.login(session, CKU.SO, SO_PIN)
    assert token.get_session_info(session).state == CKS.RW_SO_FUNCTIONS
    with refused(CKR.SESSION_READ_WRITE_SO_EXISTS):
        token.open_session(1, RO)
    with refused(CKR.USER_ANOTHER_ALREADY_LOGGED_IN):
        token.login(session, CKU.USER, USER_PIN)


def test_three_wrong_pins_lock(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    for left in (TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED):
        with pytest.raises(PinIncorrect):
            token.login(session, CKU.USER, WRONG)
        assert left in token.get_token_info(1).flags
    with pytest.raises(PinLocked):
        token.login(session, CKU.USER, USER_PIN)
    token.login(session, CKU.SO, SO_PIN)
    token.init_pin(session, Pin.of("new pin"))
    token.logout(session)
    token.login(session, CKU.USER, Pin.of("new pin"))


def test_a_right_pin_forgets_wrong_ones(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    for _ in range(5):
        with refused(CKR.PIN_INCORRECT):
            token.login(session, CKU.USER, WRONG)
        token.login(session, CKU.USER, USER_PIN)
        token.logout(session)


def test_changing_pins(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    with refused(CKR.PIN_INCORRECT):
        token.set_pin(session, WRONG, Pin.of("longer"))
    with refused(CKR.PIN_LEN_RANGE):
        token.set_pin(session, USER_PIN, Pin.of("abc"))
    token.set_pin(session, USER_PIN, Pin.of("longer"))
    token.login(session, CKU.USER, Pin.of("longer"))
    with refused(CKR.USER_NOT_LOGGED_IN):
        token.init_pin(session, Pin.of("again"))
    with refused(CKR.SESSION_READ_ONLY):
        token.set_pin(token.open_session(1, RO), Pin.of("longer"), Pin.of("again"))


def test_a_token_without_user_pin(token: SoftToken) -> None:
    token = SoftToken(user_pin=None)
    token.initialize()
    assert TokenFlag.USER_PIN_INITIALIZED not in token.get_token_info(1).flags
    session = token.open_session(1, RW)
    with refused(CKR.USER_PIN_NOT_INITIALIZED):
        token.login(session, CKU.USER, USER_PIN)
    with refused(CKR.ARGUMENTS_BAD):
        token.login(session, CKU.USER, None)


def test_init_token_erases(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    erased = token.create_object(session, DATA | {CKA.TOKEN: True})
    with refused(CKR.SESSION_EXISTS):
        token.init_token(1, SO_PIN, "fresh")
    token.close_all_sessions(1)
    with refused(CKR.PIN_INCORRECT):
        token.init_token(1, WRONG, "fresh")
    token.init_token(1, SO_PIN, "fresh")
    assert token.get_token_info(1).label == "fresh"
    with refused(CKR.OBJECT_HANDLE_INVALID):
        token.get_object_size(token.open_session(1, RW), erased)


def test_what_a_software_token_does_not_do(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    for call in (
        lambda: token.get_operation_state(session),
        lambda: token.digest_encrypt_update(session, b""),
        lambda: token.sign_recover(session, b""),
    ):
        with refused(CKR.FUNCTION_NOT_SUPPORTED):
            call()
    with refused(CKR.RANDOM_SEED_NOT_SUPPORTED):
        token.seed_random(session, b"seed")
    assert len(token.generate_random(session, 20)) == 20


def test_what_login_and_slots_refuse(token: SoftToken) -> None:
    session = token.open_session(1, RW)
    assert token.get_slot_info(1).description == "keyfence software slot"
    with refused(CKR.SLOT_ID_INVALID):
        token.get_slot_info(0)
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        token.login(session, CKU.CONTEXT_SPECIFIC, USER_PIN)
    with refused(CKR.USER_TYPE_INVALID):
        token.login(session, 99, USER_PIN)
    with refused(CKR.ARGUMENTS_BAD):
        token.generate_random(session, 1 << 40)


def test_the_number_of_sessions_has_an_end(token: SoftToken) -> None:
    for _ in range(1024):
        token.open_session(1, RO)
    with refused(CKR.SESSION_COUNT):
        token.open_session(1, RO)
