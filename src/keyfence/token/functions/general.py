"""General purpose, slots, tokens, sessions and login (sections 5.4 to 5.6)."""

import secrets

from keyfence.cryptoki import Info, MechanismInfo, Pin, SessionInfo, SlotInfo, TokenInfo
from keyfence.cryptoki.constants import CKR, CKU, SessionFlag, SlotFlag, TokenFlag

from ..login import MAX_PIN, MAX_TRIES, MIN_PIN
from ..refused import Refused
from ..state import State
from ..store import SLOT

_MANUFACTURER = "keyfence"
_VERSION = (0, 1)
_MOST_RANDOM = 1 << 24


class General:
    """One slot, one token, always present."""

    def __init__(self, state: State) -> None:
        self._state = state

    def initialize(self) -> None:
        if self._state.initialized:
            raise Refused(CKR.CRYPTOKI_ALREADY_INITIALIZED)
        self._state.initialized = True

    def finalize(self) -> None:
        self._end_sessions()
        self._state.initialized = False

    def get_info(self) -> Info:
        return Info((3, 2), _MANUFACTURER, "keyfence software token", _VERSION)

    def get_slot_list(self, _token_present: bool) -> tuple[int, ...]:
        return (SLOT,)

    def get_slot_info(self, slot: int) -> SlotInfo:
        _check_slot(slot)
        return SlotInfo("keyfence software slot", _MANUFACTURER, SlotFlag.TOKEN_PRESENT)

    def get_token_info(self, slot: int) -> TokenInfo:
        _check_slot(slot)
        return TokenInfo(
            label=self._state.label,
            manufacturer=_MANUFACTURER,
            model=f"soft {self._state.schedule.name}",
            serial="1",
            flags=self._token_flags(),
            min_pin_length=MIN_PIN,
            max_pin_length=MAX_PIN,
        )

    def get_mechanism_list(self, slot: int) -> tuple[int, ...]:
        _check_slot(slot)
        return self._state.registry.mechanisms

    def get_mechanism_info(self, slot: int, mechanism_type: int) -> MechanismInfo:
        _check_slot(slot)
        return self._state.registry.info(mechanism_type)

    def init_token(self, slot: int, so_pin: Pin, label: str) -> None:
        _check_slot(slot)
        if self._state.store.sessions:
            raise Refused(CKR.SESSION_EXISTS)
        self._state.login.prove(CKU.SO, so_pin)
        self._state.store.forget_everything()
        self._state.label = label

    def init_pin(self, session: int, pin: Pin) -> None:
        self._state.store.session(session)
        if self._state.login.user != CKU.SO:
            raise Refused(CKR.USER_NOT_LOGGED_IN)
        self._state.login.change(CKU.USER, pin)

    def set_pin(self, session: int, old: Pin, new: Pin) -> None:
        if not self._state.store.session(session).read_write:
            raise Refused(CKR.SESSION_READ_ONLY)
        user = CKU.SO if self._state.login.user == CKU.SO else CKU.USER
        self._state.login.prove(user, old)
        self._state.login.change(user, new)

    # Sessions

    def open_session(self, slot: int, flags: int) -> int:
        _check_slot(slot)
        if not flags & SessionFlag.SERIAL_SESSION:
            raise Refused(CKR.SESSION_PARALLEL_NOT_SUPPORTED)
        return self._state.store.open(SessionFlag(flags & (SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)))

    def close_session(self, session: int) -> None:
        self._state.store.close(session)

    def close_all_sessions(self, slot: int) -> None:
        _check_slot(slot)
        self._end_sessions()

    def get_session_info(self, session: int) -> SessionInfo:
        opened = self._state.store.session(session)
        return SessionInfo(SLOT, self._state.store.state(opened), opened.flags)

    def login(self, session: int, user_type: int, pin: Pin | None) -> None:
        self._state.store.session(session)
        if pin is None:
            raise Refused(CKR.ARGUMENTS_BAD, "no protected authentication path")
        if user_type == CKU.SO and not all(opened.read_write for opened in self._state.store.sessions.values()):
            raise Refused(CKR.SESSION_READ_ONLY_EXISTS)
        if user_type == CKU.CONTEXT_SPECIFIC:
            raise Refused(CKR.OPERATION_NOT_INITIALIZED)
        self._state.login.enter(user_type, pin)

    def logout(self, session: int) -> None:
        self._state.store.session(session)
        self._state.login.leave()
        self._state.store.forget_private_session_objects()

    # Random numbers

    def seed_random(self, session: int, _seed: bytes) -> None:
        self._state.store.session(session)
        raise Refused(CKR.RANDOM_SEED_NOT_SUPPORTED)

    def generate_random(self, session: int, length: int) -> bytes:
        self._state.store.session(session)
        if not 0 <= length <= _MOST_RANDOM:
            raise Refused(CKR.ARGUMENTS_BAD, "a length beyond all reason")
        return secrets.token_bytes(length)

    def _end_sessions(self) -> None:
        for session in list(self._state.store.sessions):
            self._state.store.close(session)

    def _token_flags(self) -> TokenFlag:
        flags = TokenFlag.RNG | TokenFlag.TOKEN_INITIALIZED
        if self._state.quirks.login_required:
            flags |= TokenFlag.LOGIN_REQUIRED
        if self._state.login.user_pin_set:
            flags |= TokenFlag.USER_PIN_INITIALIZED
        failures = self._state.login.failures(CKU.USER)
        if failures:
            flags |= TokenFlag.USER_PIN_COUNT_LOW
        if failures == MAX_TRIES - 1:
            flags |= TokenFlag.USER_PIN_FINAL_TRY
        if failures >= MAX_TRIES:
            flags |= TokenFlag.USER_PIN_LOCKED
        return flags


def _check_slot(slot: int) -> None:
    if slot != SLOT:
        raise Refused(CKR.SLOT_ID_INVALID)
