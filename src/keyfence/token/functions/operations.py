"""Encryption, decryption, digests, signatures and verification, whole and in parts (sections 5.8 to 5.15).

Data given in parts is gathered, and computed on at the end: an Update then returns nothing, which the standard allows, and an
AEAD's plaintext is never out before its tag is checked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKO, CKR, MechanismFlag

from .. import compute
from ..kernels import digests
from ..objects import StoredObject
from ..refused import Refused
from ..state import State

if TYPE_CHECKING:
    from hashlib import _Hash


T = TypeVar("T")


class Work(Enum):
    """A kind of operation; a session has at most one of each."""

    ENCRYPT = MechanismFlag.ENCRYPT
    DECRYPT = MechanismFlag.DECRYPT
    DIGEST = MechanismFlag.DIGEST
    SIGN = MechanismFlag.SIGN
    VERIFY = MechanismFlag.VERIFY


@dataclass(slots=True)
class Active:
    """An operation between its Init and its end."""

    mechanism: Mechanism
    key: StoredObject | None = None
    gathered: bytearray = field(default_factory=bytearray, repr=False)
    in_parts: bool = False
    running: "_Hash | None" = field(default=None, repr=False)


class Operations:
    """One-key operations."""

    def __init__(self, state: State) -> None:
        self._state = state

    # Encryption

    def encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin(session, Work.ENCRYPT, mechanism, key, "C_EncryptInit")

    def encrypt(self, session: int, data: bytes) -> bytes:
        return self._whole(session, Work.ENCRYPT, lambda a, k: compute.encrypt(a.mechanism, k, data, "C_Encrypt"))

    def encrypt_update(self, session: int, data: bytes) -> bytes:
        return self._gather(session, Work.ENCRYPT, data)

    def encrypt_final(self, session: int) -> bytes:
        return self._last(
            session, Work.ENCRYPT, lambda a, k: compute.encrypt(a.mechanism, k, bytes(a.gathered), "C_EncryptFinal")
        )

    # Decryption

    def decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin(session, Work.DECRYPT, mechanism, key, "C_DecryptInit")

    def decrypt(self, session: int, data: bytes) -> bytes:
        return self._whole(session, Work.DECRYPT, lambda a, k: compute.decrypt(a.mechanism, k, data, "C_Decrypt"))

    def decrypt_update(self, session: int, data: bytes) -> bytes:
        return self._gather(session, Work.DECRYPT, data)

    def decrypt_final(self, session: int) -> bytes:
        return self._last(
            session, Work.DECRYPT, lambda a, k: compute.decrypt(a.mechanism, k, bytes(a.gathered), "C_DecryptFinal")
        )

    # Digests

    def digest_init(self, session: int, mechanism: Mechanism) -> None:
        opened = self._state.store.session(session)
        if Work.DIGEST in opened.operations:
            raise Refused(CKR.OPERATION_ACTIVE)
        self._state.registry.offer(mechanism.type, MechanismFlag.DIGEST)
        if mechanism.parameters is not None:
            raise Refused(CKR.MECHANISM_PARAM_INVALID)
        opened.operations[Work.DIGEST] = Active(mechanism, running=digests.new(mechanism.type))

    def digest(self, session: int, data: bytes) -> bytes:
        active = self._active(session, Work.DIGEST)
        self._end(session, Work.DIGEST)
        if active.in_parts:
            raise Refused(CKR.OPERATION_ACTIVE, "begun in parts")
        running = _running(active)
        running.update(data)
        return running.digest()

    def digest_update(self, session: int, data: bytes) -> None:
        active = self._active(session, Work.DIGEST)
        active.in_parts = True
        _running(active).update(data)

    def digest_key(self, session: int, key: int) -> None:
        active = self._active(session, Work.DIGEST)
        stored = self._state.key(key)
        if stored.object_class != CKO.SECRET_KEY:
            raise Refused(CKR.KEY_INDIGESTIBLE)
        self._state.gate.digest(stored, active.mechanism)
        active.in_parts = True
        _running(active).update(stored.value.reveal())

    def digest_final(self, session: int) -> bytes:
        active = self._active(session, Work.DIGEST)
        self._end(session, Work.DIGEST)
        return _running(active).digest()

    # Signatures and MACs

    def sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin(session, Work.SIGN, mechanism, key, "C_SignInit")

    def sign(self, session: int, data: bytes) -> bytes:
        return self._whole(session, Work.SIGN, lambda a, k: self._signed(a.mechanism, k, data, "C_Sign"))

    def sign_update(self, session: int, data: bytes) -> None:
        self._gather(session, Work.SIGN, data)

    def sign_final(self, session: int) -> bytes:
        return self._last(session, Work.SIGN, lambda a, k: self._signed(a.mechanism, k, bytes(a.gathered), "C_SignFinal"))

    # Verification

    def verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin(session, Work.VERIFY, mechanism, key, "C_VerifyInit")

    def verify(self, session: int, data: bytes, signature: bytes) -> None:
        self._whole(session, Work.VERIFY, lambda a, k: self._verified(a.mechanism, k, data, signature, "C_Verify"))

    def verify_update(self, session: int, data: bytes) -> None:
        self._gather(session, Work.VERIFY, data)

    def verify_final(self, session: int, signature: bytes) -> None:
        self._last(
            session, Work.VERIFY, lambda a, k: self._verified(a.mechanism, k, bytes(a.gathered), signature, "C_VerifyFinal")
        )

    def _signed(self, mechanism: Mechanism, key: StoredObject, data: bytes, function: str) -> bytes:
        self._state.schedule.judge_data(key, mechanism, data)
        return compute.sign(mechanism, key, data, function)

    def _verified(self, mechanism: Mechanism, key: StoredObject, data: bytes, signature: bytes, function: str) -> None:
        self._state.schedule.judge_data(key, mechanism, data)
        compute.verify(mechanism, key, data, signature, function, self._state.quirks)

    # Cancelling

    def session_cancel(self, session: int, flags: int) -> None:
        opened = self._state.store.session(session)
        for work in [work for work in opened.operations if work.value & flags]:
            del opened.operations[work]

    # What all of them do

    def _begin(self, session: int, work: Work, mechanism: Mechanism, key: int, function: str) -> None:
        opened = self._state.store.session(session)
        if work in opened.operations:
            raise Refused(CKR.OPERATION_ACTIVE)
        self._state.registry.offer(mechanism.type, work.value)
        stored = self._state.key(key)
        self._state.gate.use(stored, mechanism, work.value)
        compute.check(mechanism, stored, function, work.value, self._state.quirks)
        opened.operations[work] = Active(mechanism, stored)

    def _whole(self, session: int, work: Work, run: Callable[[Active, StoredObject], T]) -> T:
        active = self._active(session, work)
        self._end(session, work)
        if active.in_parts:
            raise Refused(CKR.OPERATION_ACTIVE, "begun in parts")
        return run(active, _key(active))

    def _gather(self, session: int, work: Work, data: bytes) -> bytes:
        active = self._active(session, work)
        active.in_parts = True
        active.gathered += data
        return b""

    def _last(self, session: int, work: Work, run: Callable[[Active, StoredObject], T]) -> T:
        active = self._active(session, work)
        self._end(session, work)
        return run(active, _key(active))

    def _active(self, session: int, work: Work) -> Active:
        active = self._state.store.session(session).operations.get(work)
        if not isinstance(active, Active):
            raise Refused(CKR.OPERATION_NOT_INITIALIZED)
        return active

    def _end(self, session: int, work: Work) -> None:
        del self._state.store.session(session).operations[work]


def _key(active: Active) -> StoredObject:
    assert active.key is not None
    return active.key


def _running(active: Active) -> "_Hash":
    assert active.running is not None
    return active.running
