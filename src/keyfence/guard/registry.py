"""The objects a guard knows, under handles of its own. The caller never sees a module's handle, nor can name one.

    Secret   a value: its role, shared by all objects that hold it
    Entry    an object: virtual handle, module's handle, secret
    Registry virtual handles to entries and back, with each session's own

While an entry is in use by a call, it is not destroyed: the module could give its handle to another object in between, and what
was judged of the one would be done with the other.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Condition, RLock

from keyfence.cryptoki.constants import CKO

from .roles import Role

Block = tuple[bytes, bytes, bytes]
"""What names a key block in the ledger: fingerprint, client random, server random."""


@dataclass(eq=False, slots=True)
class Secret:
    """A value inside the module. `role` changes once at most, from unbound; `sendable`: may leave once, for the server."""

    role: Role
    sendable: bool = False
    zeros: bool = False
    """The caller brought it, and it is all zeros: no secret, where TLS 1.3 puts zeros for a secret that there is none of."""
    block: Block | None = None
    """The key block that a record key was cut from."""
    fingerprints: dict[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(eq=False, slots=True)
class Entry:
    """One object. `session` owns it; None for token objects."""

    handle: int
    module_handle: int
    object_class: int
    key_type: int | None
    secret: Secret
    session: int | None
    slot: int
    users: int = 0
    gone: bool = False

    @property
    def role(self) -> Role:
        return self.secret.role

    @property
    def is_secret_key(self) -> bool:
        return self.object_class == CKO.SECRET_KEY


class Registry:
    """All entries. Safe for any number of threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._idle = Condition(self._lock)
        self._numbers = count(1)
        self._entries: dict[int, Entry] = {}
        self._by_module: dict[tuple[int, int], Entry] = {}

    def add(
        self, module_handle: int, slot: int, session: int | None, secret: Secret, object_class: int, key_type: int | None
    ) -> Entry:
        """A new entry, for an object that was made just now. Another one under its handle is of an object that is no more:
        somebody else destroyed it, and modules give handles again."""
        with self._lock:
            stale = self._by_module.get((slot, module_handle))
            if stale is not None:
                self._drop(stale)
            entry = Entry(next(self._numbers), module_handle, object_class, key_type, secret, session, slot)
            self._entries[entry.handle] = entry
            self._by_module[(slot, module_handle)] = entry
            return entry

    def find(self, handle: int) -> Entry | None:
        """The entry of a virtual handle."""
        with self._lock:
            return self._entries.get(handle)

    def by_module_handle(self, slot: int, module_handle: int) -> Entry | None:
        """The entry of the module's object."""
        with self._lock:
            return self._by_module.get((slot, module_handle))

    @contextmanager
    def using(self, slot: int, handles: Iterable[int]) -> Iterator[tuple[Entry | None, ...]]:
        """The entries of these virtual handles, None for what the guard never issued; kept alive until the end."""
        with self._lock:
            entries = tuple(self._live(handle, slot) for handle in handles)
            for entry in entries:
                if entry is not None:
                    entry.users += 1
        try:
            yield entries
        finally:
            with self._idle:
                for entry in entries:
                    if entry is not None:
                        entry.users -= 1
                self._idle.notify_all()

    @contextmanager
    def retiring(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, ...]]:
        """No new use of these entries from here on; waits for uses under way. Gone at the end, unless that is an error.

        Gives those of them that nobody else is retiring already.
        """
        with self._idle:
            retired = tuple(entry for entry in entries if not entry.gone)
            for entry in retired:
                entry.gone = True
            self._idle.wait_for(lambda: not any(entry.users for entry in retired))
        try:
            yield retired
        except BaseException:
            with self._lock:
                for entry in retired:
                    entry.gone = False
            raise
        self.forget(retired)

    def forget(self, entries: Iterable[Entry]) -> None:
        """These objects are no more."""
        with self._lock:
            for entry in entries:
                self._drop(entry)

    def restore(self, entries: Iterable[Entry]) -> None:
        """These objects are there after all, where no other one has taken its place since."""
        with self._lock:
            for entry in entries:
                if (entry.slot, entry.module_handle) in self._by_module:
                    continue
                entry.gone = False
                self._entries[entry.handle] = entry
                self._by_module[(entry.slot, entry.module_handle)] = entry

    def clear(self) -> None:
        """All objects are gone."""
        with self._lock:
            self._entries.clear()
            self._by_module.clear()

    def of_sessions(self, sessions: Iterable[int]) -> tuple[Entry, ...]:
        """The objects that die with these sessions."""
        owners = frozenset(sessions)
        with self._lock:
            return tuple(entry for entry in self._entries.values() if entry.session in owners)

    def of_slot(self, slot: int) -> tuple[Entry, ...]:
        with self._lock:
            return tuple(entry for entry in self._entries.values() if entry.slot == slot)

    def bind(self, secret: Secret, role: Role) -> bool:
        """Gives an unbound secret its role. False where it has another already."""
        with self._lock:
            if secret.role.is_unbound:
                secret.role = role
            return secret.role == role

    def narrow(self, secret: Secret, mechanism: int, tag: int | None) -> bool:
        """Of several mechanisms and lengths of tags that a record key could be used with, these are the ones. False where it
        has others already."""
        with self._lock:
            role = secret.role
            if mechanism not in role.mechanisms or (tag is not None and tag not in role.lengths):
                return False
            lengths = role.lengths if tag is None else frozenset({tag})
            secret.role = replace(role, mechanisms=frozenset({mechanism}), lengths=lengths)
            return True

    def send(self, secret: Secret) -> bool:
        """Whether a pre-master secret may leave now; it may not again."""
        with self._lock:
            fresh, secret.sendable = secret.sendable, False
            return fresh

    def _drop(self, entry: Entry) -> None:
        """The module's handle may be another object's already."""
        entry.gone = True
        self._entries.pop(entry.handle, None)
        place = (entry.slot, entry.module_handle)
        if self._by_module.get(place) is entry:
            del self._by_module[place]

    def _live(self, handle: int, slot: int) -> Entry | None:
        entry = self._entries.get(handle)
        return entry if entry is not None and not entry.gone and entry.slot == slot else None
