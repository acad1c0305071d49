"""Message-based functions (PKCS#11 3.2 sections 5.9, 5.11, 5.14, 5.16): one Init, any number of messages.

Offered for the mechanisms of key pairs, which take neither a parameter per message nor associated data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKR, MechanismFlag
from keyfence.cryptoki.params import Parameters

from .. import compute
from ..objects import StoredObject
from ..refused import Refused
from ..state import State


class MessageWork(Enum):
    """A kind of message-based operation."""

    ENCRYPT = MechanismFlag.MESSAGE_ENCRYPT
    DECRYPT = MechanismFlag.MESSAGE_DECRYPT
    SIGN = MechanismFlag.MESSAGE_SIGN
    VERIFY = MechanismFlag.MESSAGE_VERIFY


@dataclass(frozen=True, slots=True)
class Conversation:
    """A message-based operation between its Init and its Final."""

    mechanism: Mechanism
    key: StoredObject


class Messages:
    """Message-based operations."""

    def __init__(self, state: State) -> None:
        self._state = state

    def message_encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin(session, MessageWork.ENCRYPT, mechanism, key)

    def encrypt_message(self, session: int, parameters: Parameters | None, aad: bytes, plaintext: bytes) -> bytes:
        return self._message(session, MessageWork.ENCRYPT, parameters, aad, compute.encrypt, plaintext, "C_EncryptMessage")

    def message_encrypt_final(self, session: int) -> None:
        self._end(session, MessageWork.ENCRYPT)

    def message_decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin(session, MessageWork.DECRYPT, mechanism, key)

    def decrypt_message(self, session: int, parameters: Parameters | None, aad: bytes, ciphertext: bytes) -> bytes:
        return self._message(session, MessageWork.DECRYPT, parameters, aad, compute.decrypt, ciphertext, "C_DecryptMessage")

    def message_decrypt_final(self, session: int) -> None:
        self._end(session, MessageWork.DECRYPT)

    def message_sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin(session, MessageWork.SIGN, mechanism, key)

    def sign_message(self, session: int, parameters: Parameters | None, data: bytes) -> bytes:
        active = self._active(session, MessageWork.SIGN)
        self._state.schedule.judge_data(active.key, active.mechanism, data)
        return self._message(session, MessageWork.SIGN, parameters, b"", compute.sign, data, "C_SignMessage")

    def message_sign_final(self, session: int) -> None:
        self._end(session, MessageWork.SIGN)

    def message_verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin(session, MessageWork.VERIFY, mechanism, key)

    def verify_message(self, session: int, parameters: Parameters | None, data: bytes, signature: bytes) -> None:
        active = self._active(session, MessageWork.VERIFY)
        _check_bare(parameters, b"")
        self._state.schedule.judge_data(active.key, active.mechanism, data)
        compute.verify(active.mechanism, active.key, data, signature, "C_VerifyMessage", self._state.quirks)

    def message_verify_final(self, session: int) -> None:
        self._end(session, MessageWork.VERIFY)

    def _begin(self, session: int, work: MessageWork, mechanism: Mechanism, key: int) -> None:
        opened = self._state.store.session(session)
        if work in opened.operations:
            raise Refused(CKR.OPERATION_ACTIVE)
        self._state.registry.offer(mechanism.type, work.value)
        stored = self._state.key(key)
        self._state.gate.use(stored, mechanism, work.value)
        opened.operations[work] = Conversation(mechanism, stored)

    def _message(
        self,
        session: int,
        work: MessageWork,
        parameters: Parameters | None,
        aad: bytes,
        run: Callable[[Mechanism, StoredObject, bytes, str], bytes],
        data: bytes,
        function: str,
    ) -> bytes:
        active = self._active(session, work)
        _check_bare(parameters, aad)
        return run(active.mechanism, active.key, data, function)

    def _active(self, session: int, work: MessageWork) -> Conversation:
        active = self._state.store.session(session).operations.get(work)
        if not isinstance(active, Conversation):
            raise Refused(CKR.OPERATION_NOT_INITIALIZED)
        return active

    def _end(self, session: int, work: MessageWork) -> None:
        self._active(session, work)
        del self._state.store.session(session).operations[work]


def _check_bare(parameters: Parameters | None, aad: bytes) -> None:
    if parameters is not None or aad:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "no parameter and no associated data here")
