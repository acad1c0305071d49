"""The ledger's protocol: the first cut of a key block is the only one, for every guard that shares the ledger.

A ledger holds keyed hashes, never a secret's value or its fingerprint as the module gave it. Its hash key is part of it: guards
that share a ledger share the key, a ledger without its key identifies nothing, and then every commit is refused.
"""

import hmac
import secrets
from enum import StrEnum
from threading import Lock
from typing import Protocol

from keyfence.cryptoki import KeyfenceError


class Answer(StrEnum):
    """What became of a commit."""

    ACCEPTED = "accepted"
    """The first for this key block."""
    SAME = "same"
    """The very cut that was committed before."""
    CONFLICT = "conflict"
    """Another cut was committed before, and stands."""


class LedgerUnavailable(KeyfenceError):
    """The ledger can answer nothing now: unreachable, full, corrupt, or without its key. The message says why."""


class Ledger(Protocol):
    """Safe for any number of threads and processes; of two that commit different cuts at once exactly one wins."""

    def hash(self, purpose: bytes, data: bytes) -> bytes:
        """A keyed hash of `data`, 32 bytes, the same in all guards that share the ledger. LedgerUnavailable without the key."""
        ...

    def commit(self, fingerprint: bytes, client_random: bytes, server_random: bytes, cut: bytes) -> Answer:
        """Commits `cut` for a key block unless another is. Durable before it returns; LedgerUnavailable.

        `fingerprint` is a secret's, already hashed by `hash`; `cut` any short string without secrets.
        """
        ...

    def committed(self, fingerprint: bytes, client_random: bytes, server_random: bytes) -> bytes | None:
        """The cut that stands for this key block; None where there is none. LedgerUnavailable."""
        ...


def keyed_hash(key: bytes, purpose: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 of `data` under `key`, apart for each purpose: what every ledger's `hash` is."""
    return hmac.digest(key, len(purpose).to_bytes(1, "big") + purpose + data, "sha256")


class MemoryLedger:
    """A ledger that lasts as long as its process: for tests, and for a single guard whose secrets die with it."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._cuts: dict[tuple[bytes, bytes, bytes], bytes] = {}
        self._lock = Lock()

    def hash(self, purpose: bytes, data: bytes) -> bytes:
        return keyed_hash(self._key, purpose, data)

    def commit(self, fingerprint: bytes, client_random: bytes, server_random: bytes, cut: bytes) -> Answer:
        block = (fingerprint, client_random, server_random)
        with self._lock:
            standing = self._cuts.get(block)
            if standing is None:
                self._cuts[block] = cut
                return Answer.ACCEPTED
        return Answer.SAME if standing == cut else Answer.CONFLICT

    def committed(self, fingerprint: bytes, client_random: bytes, server_random: bytes) -> bytes | None:
        with self._lock:
            return self._cuts.get((fingerprint, client_random, server_random))
