"""The message-based functions of 3.0: a parameter per message instead of one per operation."""

from ...params import Parameters
from ...values import Mechanism
from ..memory import Memory
from ..parameters import encode
from ..parameters.messages import AeadMessage
from .base import AMPLE, Calls


class Messages(Calls):
    """C_MessageEncryptInit to C_MessageVerifyFinal, whole messages only.

    AEAD parameters are those of the ordinary functions; C's per-message structures hold the tag apart, and here it stands at
    the ciphertext's end as everywhere else.
    """

    def message_encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_MessageEncryptInit", session, mechanism, key)

    def encrypt_message(self, session: int, parameters: Parameters | None, aad: bytes, plaintext: bytes) -> bytes:
        with Memory() as memory:
            message = AeadMessage(memory, parameters)
            inputs = (memory.optional(aad, "aad"), len(aad), memory.octets(plaintext, "plaintext"), len(plaintext))
            arguments = (session, message.pointer, message.length, *inputs)
            ciphertext = self._output(memory, "C_EncryptMessage", *arguments, room=len(plaintext) + AMPLE)
            return ciphertext + message.tag

    def message_encrypt_final(self, session: int) -> None:
        self._library.call("C_MessageEncryptFinal", session)

    def message_decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_MessageDecryptInit", session, mechanism, key)

    def decrypt_message(self, session: int, parameters: Parameters | None, aad: bytes, ciphertext: bytes) -> bytes:
        with Memory() as memory:
            message = AeadMessage(memory, parameters)
            body = message.take_tag(ciphertext)
            inputs = (memory.optional(aad, "aad"), len(aad), memory.octets(body, "ciphertext"), len(body))
            arguments = (session, message.pointer, message.length, *inputs)
            return self._output(memory, "C_DecryptMessage", *arguments, room=len(body) + AMPLE)

    def message_decrypt_final(self, session: int) -> None:
        self._library.call("C_MessageDecryptFinal", session)

    def message_sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_MessageSignInit", session, mechanism, key)

    def sign_message(self, session: int, parameters: Parameters | None, data: bytes) -> bytes:
        with Memory() as memory:
            parameter = encode(memory, parameters)
            inputs = (memory.octets(data), len(data))
            return self._output(memory, "C_SignMessage", session, parameter.pointer, parameter.length, *inputs)

    def message_sign_final(self, session: int) -> None:
        self._library.call("C_MessageSignFinal", session)

    def message_verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_MessageVerifyInit", session, mechanism, key)

    def verify_message(self, session: int, parameters: Parameters | None, data: bytes, signature: bytes) -> None:
        with Memory() as memory:
            parameter = encode(memory, parameters)
            inputs = (memory.octets(data), len(data), memory.octets(signature, "signature"), len(signature))
            self._library.call("C_VerifyMessage", session, parameter.pointer, parameter.length, *inputs)

    def message_verify_final(self, session: int) -> None:
        self._library.call("C_MessageVerifyFinal", session)
