"""General purpose, slots, sessions, login, random numbers: what goes through, and what is remembered of it."""

from typing import Final

from keyfence.cryptoki import Info, MechanismInfo, Pin, SessionInfo, SlotInfo, TokenInfo, refusal
from keyfence.cryptoki.constants import CKA, CKR, MechanismFlag

from ..mechanisms import is_offered
from ..state import State

_FLAGS: Final = {
    "encrypt": MechanismFlag.ENCRYPT,
    "decrypt": MechanismFlag.DECRYPT,
    "digest": MechanismFlag.DIGEST,
    "sign": MechanismFlag.SIGN,
    "verify": MechanismFlag.VERIFY,
    "sign_recover": MechanismFlag.SIGN_RECOVER,
    "verify_recover": MechanismFlag.VERIFY_RECOVER,
}
"""C_SessionCancel names operations by these (PKCS#11 3.0 section 5.6.10)."""


class General:
    """See `Cryptoki`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._module = state.module

    def initialize(self) -> None:
        self._module.initialize()

    def finalize(self) -> None:
        self._module.finalize()
        sessions = self._state.sessions_of()
        self._state.closing(sessions)
        self._state.registry.clear()

    def get_info(self) -> Info:
        return self._module.get_info()

    def get_slot_list(self, token_present: bool) -> tuple[int, ...]:
        return self._module.get_slot_list(token_present)

    def get_slot_info(self, slot: int) -> SlotInfo:
        return self._module.get_slot_info(slot)

    def get_token_info(self, slot: int) -> TokenInfo:
        return self._module.get_token_info(slot)

    def get_mechanism_list(self, slot: int) -> tuple[int, ...]:
        """Without the mechanisms of TLS versions that the policy does not have."""
        versions = self._state.world.policy.versions
        return tuple(m for m in self._module.get_mechanism_list(slot) if is_offered(m, versions))

    def get_mechanism_info(self, slot: int, mechanism_type: int) -> MechanismInfo:
        if not is_offered(mechanism_type, self._state.world.policy.versions):
            raise refusal(CKR.MECHANISM_INVALID, "C_GetMechanismInfo")
        return self._module.get_mechanism_info(slot, mechanism_type)

    def init_token(self, slot: int, so_pin: Pin, label: str) -> None:
        self._module.init_token(slot, so_pin, label)
        self._state.registry.forget(self._state.registry.of_slot(slot))

    def init_pin(self, session: int, pin: Pin) -> None:
        self._state.session(session, "C_InitPIN")
        self._module.init_pin(session, pin)

    def set_pin(self, session: int, old: Pin, new: Pin) -> None:
        self._state.session(session, "C_SetPIN")
        self._module.set_pin(session, old, new)

    # Sessions

    def open_session(self, slot: int, flags: int) -> int:
        session = self._module.open_session(slot, flags)
        self._state.opened(session, slot)
        return session

    def close_session(self, session: int) -> None:
        opened = self._state.session(session, "C_CloseSession")
        self._state.closing([session])
        try:
            with opened.turn, self._state.registry.retiring(self._state.registry.of_sessions([session])):
                self._module.close_session(session)
        except BaseException:
            self._state.opened(session, opened.slot)
            raise

    def close_all_sessions(self, slot: int) -> None:
        sessions = self._state.sessions_of(slot)
        self._state.closing(sessions)
        with self._state.registry.retiring(self._state.registry.of_sessions(sessions)):
            self._module.close_all_sessions(slot)

    def get_session_info(self, session: int) -> SessionInfo:
        self._state.session(session, "C_GetSessionInfo")
        return self._module.get_session_info(session)

    def session_cancel(self, session: int, flags: int) -> None:
        """What the module does not cancel goes on, and is known here."""
        opened = self._state.session(session, "C_SessionCancel")
        with opened.turn:
            active = [name for name, flag in _FLAGS.items() if flags & flag and name in opened.operations]
            only_here = all(opened.operations[name].deferred for name in active)
            if not (active and only_here):
                self._module.session_cancel(session, flags)
            for name in active:
                del opened.operations[name]

    def login(self, session: int, user_type: int, pin: Pin | None) -> None:
        self._state.session(session, "C_Login")
        self._module.login(session, user_type, pin)

    def logout(self, session: int) -> None:
        """Private session objects die with the login (PKCS#11 3.2 section 5.6.9), and their handles may serve again."""
        opened = self._state.session(session, "C_Logout")
        every = self._state.registry.of_slot(opened.slot)
        with self._state.registry.retiring(every) as retired:
            self._module.logout(session)
            alive = [e for e in retired if e.session and self._state.attribute(session, e.module_handle, CKA.CLASS) is not None]
        self._state.registry.restore(alive)

    # Random numbers

    def seed_random(self, session: int, seed: bytes) -> None:
        self._state.session(session, "C_SeedRandom")
        self._module.seed_random(session, seed)

    def generate_random(self, session: int, length: int) -> bytes:
        self._state.session(session, "C_GenerateRandom")
        return self._module.generate_random(session, length)
