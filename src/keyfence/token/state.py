"""What the token's functions share."""

from dataclasses import dataclass

from keyfence.cryptoki.constants import CKR

from .gate import Gate
from .login import Login
from .mechanisms.registry import Registry
from .objects import StoredObject
from .quirks import Quirks
from .refused import Refused
from .schedules.classic import Classic
from .store import Store


@dataclass(slots=True)
class State:
    """One token: its memory, its rules, and its face."""

    store: Store
    login: Login
    registry: Registry
    gate: Gate
    schedule: Classic
    quirks: Quirks
    label: str
    initialized: bool = False

    def key(self, handle: int, missing: CKR = CKR.KEY_HANDLE_INVALID) -> StoredObject:
        """The key of this handle; what is no key is no key handle either."""
        stored = self.store.get(handle, missing)
        if not stored.is_key:
            raise Refused(missing)
        return stored
