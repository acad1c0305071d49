"""Sessions, PINs and login."""

from ...constants import SessionFlag
from ...values import Pin, SessionInfo
from ..memory import Memory
from ..structures import ffi
from .base import Calls


class Sessions(Calls):
    """C_InitPIN to C_Logout, and C_SessionCancel."""

    def init_pin(self, session: int, pin: Pin) -> None:
        with Memory() as memory:
            self._library.call("C_InitPIN", session, *memory.pin(pin))

    def set_pin(self, session: int, old: Pin, new: Pin) -> None:
        with Memory() as memory:
            self._library.call("C_SetPIN", session, *memory.pin(old), *memory.pin(new))

    def open_session(self, slot: int, flags: int) -> int:
        with Memory() as memory:
            handle = memory.ulong()
            self._library.call("C_OpenSession", slot, flags, ffi.NULL, ffi.NULL, handle)
            return int(handle[0])

    def close_session(self, session: int) -> None:
        self._library.call("C_CloseSession", session)

    def close_all_sessions(self, slot: int) -> None:
        self._library.call("C_CloseAllSessions", slot)

    def get_session_info(self, session: int) -> SessionInfo:
        info = ffi.new("CK_SESSION_INFO *")
        self._library.call("C_GetSessionInfo", session, info)
        return SessionInfo(info.slotID, info.state, SessionFlag(info.flags), info.ulDeviceError)

    def session_cancel(self, session: int, flags: int) -> None:
        self._library.call("C_SessionCancel", session, flags)

    def get_operation_state(self, session: int) -> bytes:
        return self._transform("C_GetOperationState", session)

    def set_operation_state(self, session: int, state: bytes, encryption_key: int, authentication_key: int) -> None:
        with Memory() as memory:
            octets = memory.octets(state, "state")
            self._library.call("C_SetOperationState", session, octets, len(state), encryption_key, authentication_key)

    def login(self, session: int, user_type: int, pin: Pin | None) -> None:
        with Memory() as memory:
            self._library.call("C_Login", session, user_type, *memory.pin(pin))

    def logout(self, session: int) -> None:
        self._library.call("C_Logout", session)
