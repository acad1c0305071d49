"""The token's memory: objects and sessions, whose handles are never used twice, and who may see what."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from keyfence.cryptoki.constants import CKA, CKR, CKS, CKU, SessionFlag

from .attributes import Attributes
from .login import Login
from .objects import StoredObject
from .refused import Refused

SLOT = 1
MAX_SESSIONS = 1024
MAX_OBJECTS = 65536


@dataclass(slots=True, eq=False)
class Session:
    """An open session: its operations in progress and the rest of its search."""

    handle: int
    flags: SessionFlag
    operations: dict[Any, Any] = field(default_factory=dict)
    found: list[int] | None = None

    @property
    def read_write(self) -> bool:
        return SessionFlag.RW_SESSION in self.flags


class Store:
    """Objects and sessions of one token. Not thread-safe: the token locks around it."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.sessions: dict[int, Session] = {}
        self._objects: dict[int, StoredObject] = {}
        self._handles = count(1)
        self._session_handles = count(1)

    # Sessions

    def open(self, flags: SessionFlag) -> int:
        """A new session's handle. A read-only session cannot stand beside a security officer's login (section 5.6.1)."""
        if len(self.sessions) >= MAX_SESSIONS:
            raise Refused(CKR.SESSION_COUNT)
        if self.login.user == CKU.SO and SessionFlag.RW_SESSION not in flags:
            raise Refused(CKR.SESSION_READ_WRITE_SO_EXISTS)
        session = Session(next(self._session_handles), flags)
        self.sessions[session.handle] = session
        return session.handle

    def close(self, handle: int) -> None:
        """End a session and its objects; the last one to go logs the user out (section 5.6.2)."""
        del self.sessions[self.session(handle).handle]
        self._forget(lambda stored: stored.owner == handle)
        if not self.sessions:
            self.login.user = None

    def session(self, handle: int) -> Session:
        session = self.sessions.get(handle)
        if session is None:
            raise Refused(CKR.SESSION_HANDLE_INVALID)
        return session

    def state(self, session: Session) -> CKS:
        """The session's state (section 3.4)."""
        if self.login.user == CKU.SO:
            return CKS.RW_SO_FUNCTIONS
        if self.login.user == CKU.USER:
            return CKS.RW_USER_FUNCTIONS if session.read_write else CKS.RO_USER_FUNCTIONS
        return CKS.RW_PUBLIC_SESSION if session.read_write else CKS.RO_PUBLIC_SESSION

    # Objects

    def admit(self, session: Session, *newcomers: StoredObject, trusted: bool = False) -> tuple[int, ...]:
        """Take objects in, all or none, and return their handles. `trusted`: copies of what is CKA_TRUSTED already."""
        if len(self._objects) + len(newcomers) > MAX_OBJECTS:
            raise Refused(CKR.DEVICE_MEMORY)
        for newcomer in newcomers:
            self._may_enter(session, newcomer)
            if newcomer.flag(CKA.TRUSTED) and not trusted and self.login.user != CKU.SO:
                raise Refused(CKR.ATTRIBUTE_READ_ONLY, "CKA_TRUSTED is the security officer's")  # footnote 10
        for newcomer in newcomers:
            newcomer.handle = next(self._handles)
            newcomer.owner = None if newcomer.flag(CKA.TOKEN) else session.handle
            newcomer.attributes[CKA.UNIQUE_ID] = f"{newcomer.handle:016x}"
            self._objects[newcomer.handle] = newcomer
        return tuple(newcomer.handle for newcomer in newcomers)

    def get(self, handle: int, missing: CKR = CKR.OBJECT_HANDLE_INVALID) -> StoredObject:
        """The object, if there is one and the login state shows it; else `missing`."""
        stored = self._objects.get(handle)
        if stored is None or not self._visible(stored):
            raise Refused(missing)
        return stored

    def destroy(self, session: Session, handle: int) -> None:
        """C_DestroyObject (section 5.7.3)."""
        stored = self.get(handle)
        self.may_write(session, stored)
        if not stored.flag(CKA.DESTROYABLE):
            raise Refused(CKR.ACTION_PROHIBITED, "CKA_DESTROYABLE is false")
        del self._objects[handle]

    def may_write(self, session: Session, stored: StoredObject) -> None:
        """A read-only session changes session objects only (section 3.4)."""
        if stored.owner is None and not session.read_write:
            raise Refused(CKR.SESSION_READ_ONLY)

    def find(self, wanted: Attributes) -> list[int]:
        """Handles of the visible objects that match, oldest first."""
        return [handle for handle, stored in self._objects.items() if self._visible(stored) and stored.matches(wanted)]

    def forget_private_session_objects(self) -> None:
        """What C_Logout destroys (section 5.6.9)."""
        self._forget(lambda stored: stored.owner is not None and stored.flag(CKA.PRIVATE))

    def forget_everything(self) -> None:
        """What C_InitToken destroys."""
        self._objects.clear()

    def _forget(self, doomed: Any) -> None:
        for handle in [handle for handle, stored in self._objects.items() if doomed(stored)]:
            del self._objects[handle]

    def _may_enter(self, session: Session, newcomer: StoredObject) -> None:
        if newcomer.flag(CKA.TOKEN) and not session.read_write:
            raise Refused(CKR.SESSION_READ_ONLY)
        if not self._visible(newcomer):
            raise Refused(CKR.USER_NOT_LOGGED_IN)

    def _visible(self, stored: StoredObject) -> bool:
        return self.login.user == CKU.USER or not stored.flag(CKA.PRIVATE)
