"""A `Cryptoki` whose every method goes through one: the base of tracing, of isolation, and of whatever else stands between.

A subclass writes `_call(name, arguments)` and nothing more; `name` is the method's, so the C function is `function_name(name)`.
"""

from collections.abc import Sequence
from typing import Any

from .params import Parameters
from .values import (
    AttributeValue,
    Derived,
    Info,
    Mechanism,
    MechanismInfo,
    Pin,
    SessionInfo,
    SlotInfo,
    Template,
    TokenInfo,
)


class Dispatched:
    """Every `Cryptoki` method as `self._call(name, *arguments)`."""

    def _call(self, name: str, *arguments: Any) -> Any:
        raise NotImplementedError

    # General purpose

    def initialize(self) -> None:
        self._call("initialize")

    def finalize(self) -> None:
        self._call("finalize")

    def get_info(self) -> Info:
        result: Info = self._call("get_info")
        return result

    # Slots and tokens

    def get_slot_list(self, token_present: bool) -> tuple[int, ...]:
        result: tuple[int, ...] = self._call("get_slot_list", token_present)
        return result

    def get_slot_info(self, slot: int) -> SlotInfo:
        result: SlotInfo = self._call("get_slot_info", slot)
        return result

    def get_token_info(self, slot: int) -> TokenInfo:
        result: TokenInfo = self._call("get_token_info", slot)
        return result

    def get_mechanism_list(self, slot: int) -> tuple[int, ...]:
        result: tuple[int, ...] = self._call("get_mechanism_list", slot)
        return result

    def get_mechanism_info(self, slot: int, mechanism_type: int) -> MechanismInfo:
        result: MechanismInfo = self._call("get_mechanism_info", slot, mechanism_type)
        return result

    def init_token(self, slot: int, so_pin: Pin, label: str) -> None:
        self._call("init_token", slot, so_pin, label)

    def init_pin(self, session: int, pin: Pin) -> None:
        self._call("init_pin", session, pin)

    def set_pin(self, session: int, old: Pin, new: Pin) -> None:
        self._call("set_pin", session, old, new)

    # Sessions

    def open_session(self, slot: int, flags: int) -> int:
        result: int = self._call("open_session", slot, flags)
        return result

    def close_session(self, session: int) -> None:
        self._call("close_session", session)

    def close_all_sessions(self, slot: int) -> None:
        self._call("close_all_sessions", slot)

    def get_session_info(self, session: int) -> SessionInfo:
        result: SessionInfo = self._call("get_session_info", session)
        return result

    def session_cancel(self, session: int, flags: int) -> None:
        self._call("session_cancel", session, flags)

    def get_operation_state(self, session: int) -> bytes:
        result: bytes = self._call("get_operation_state", session)
        return result

    def set_operation_state(self, session: int, state: bytes, encryption_key: int, authentication_key: int) -> None:
        self._call("set_operation_state", session, state, encryption_key, authentication_key)

    def login(self, session: int, user_type: int, pin: Pin | None) -> None:
        self._call("login", session, user_type, pin)

    def logout(self, session: int) -> None:
        self._call("logout", session)

    # Objects

    def create_object(self, session: int, template: Template) -> int:
        result: int = self._call("create_object", session, template)
        return result

    def copy_object(self, session: int, source: int, template: Template) -> int:
        result: int = self._call("copy_object", session, source, template)
        return result

    def destroy_object(self, session: int, handle: int) -> None:
        self._call("destroy_object", session, handle)

    def get_object_size(self, session: int, handle: int) -> int:
        result: int = self._call("get_object_size", session, handle)
        return result

    def get_attribute_value(self, session: int, handle: int, types: Sequence[int]) -> dict[int, AttributeValue]:
        result: dict[int, AttributeValue] = self._call("get_attribute_value", session, handle, types)
        return result

    def set_attribute_value(self, session: int, handle: int, template: Template) -> None:
        self._call("set_attribute_value", session, handle, template)

    def find_objects_init(self, session: int, template: Template) -> None:
        self._call("find_objects_init", session, template)

    def find_objects(self, session: int, limit: int) -> tuple[int, ...]:
        result: tuple[int, ...] = self._call("find_objects", session, limit)
        return result

    def find_objects_final(self, session: int) -> None:
        self._call("find_objects_final", session)

    # Encryption

    def encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("encrypt_init", session, mechanism, key)

    def encrypt(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("encrypt", session, data)
        return result

    def encrypt_update(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("encrypt_update", session, data)
        return result

    def encrypt_final(self, session: int) -> bytes:
        result: bytes = self._call("encrypt_final", session)
        return result

    # Decryption

    def decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("decrypt_init", session, mechanism, key)

    def decrypt(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("decrypt", session, data)
        return result

    def decrypt_update(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("decrypt_update", session, data)
        return result

    def decrypt_final(self, session: int) -> bytes:
        result: bytes = self._call("decrypt_final", session)
        return result

    # Digests

    def digest_init(self, session: int, mechanism: Mechanism) -> None:
        self._call("digest_init", session, mechanism)

    def digest(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("digest", session, data)
        return result

    def digest_update(self, session: int, data: bytes) -> None:
        self._call("digest_update", session, data)

    def digest_key(self, session: int, key: int) -> None:
        self._call("digest_key", session, key)

    def digest_final(self, session: int) -> bytes:
        result: bytes = self._call("digest_final", session)
        return result

    # Signatures and MACs

    def sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("sign_init", session, mechanism, key)

    def sign(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("sign", session, data)
        return result

    def sign_update(self, session: int, data: bytes) -> None:
        self._call("sign_update", session, data)

    def sign_final(self, session: int) -> bytes:
        result: bytes = self._call("sign_final", session)
        return result

    def sign_recover_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("sign_recover_init", session, mechanism, key)

    def sign_recover(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("sign_recover", session, data)
        return result

    # Verification

    def verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("verify_init", session, mechanism, key)

    def verify(self, session: int, data: bytes, signature: bytes) -> None:
        self._call("verify", session, data, signature)

    def verify_update(self, session: int, data: bytes) -> None:
        self._call("verify_update", session, data)

    def verify_final(self, session: int, signature: bytes) -> None:
        self._call("verify_final", session, signature)

    def verify_recover_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("verify_recover_init", session, mechanism, key)

    def verify_recover(self, session: int, signature: bytes) -> bytes:
        result: bytes = self._call("verify_recover", session, signature)
        return result

    # Two operations in one call

    def digest_encrypt_update(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("digest_encrypt_update", session, data)
        return result

    def decrypt_digest_update(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("decrypt_digest_update", session, data)
        return result

    def sign_encrypt_update(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("sign_encrypt_update", session, data)
        return result

    def decrypt_verify_update(self, session: int, data: bytes) -> bytes:
        result: bytes = self._call("decrypt_verify_update", session, data)
        return result

    # Keys

    def generate_key(self, session: int, mechanism: Mechanism, template: Template) -> int:
        result: int = self._call("generate_key", session, mechanism, template)
        return result

    def generate_key_pair(self, session: int, mechanism: Mechanism, public: Template, private: Template) -> tuple[int, int]:
        result: tuple[int, int] = self._call("generate_key_pair", session, mechanism, public, private)
        return result

    def wrap_key(self, session: int, mechanism: Mechanism, wrapping_key: int, key: int) -> bytes:
        result: bytes = self._call("wrap_key", session, mechanism, wrapping_key, key)
        return result

    def unwrap_key(self, session: int, mechanism: Mechanism, unwrapping_key: int, wrapped: bytes, template: Template) -> int:
        result: int = self._call("unwrap_key", session, mechanism, unwrapping_key, wrapped, template)
        return result

    def derive_key(self, session: int, mechanism: Mechanism, base_key: int, template: Template) -> Derived:
        result: Derived = self._call("derive_key", session, mechanism, base_key, template)
        return result

    def encapsulate_key(self, session: int, mechanism: Mechanism, public_key: int, template: Template) -> tuple[bytes, int]:
        result: tuple[bytes, int] = self._call("encapsulate_key", session, mechanism, public_key, template)
        return result

    def decapsulate_key(
        self, session: int, mechanism: Mechanism, private_key: int, ciphertext: bytes, template: Template
    ) -> int:
        result: int = self._call("decapsulate_key", session, mechanism, private_key, ciphertext, template)
        return result

    # Random numbers

    def seed_random(self, session: int, seed: bytes) -> None:
        self._call("seed_random", session, seed)

    def generate_random(self, session: int, length: int) -> bytes:
        result: bytes = self._call("generate_random", session, length)
        return result

    # Message-based functions (3.0): a parameter per message instead of one per operation

    def message_encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("message_encrypt_init", session, mechanism, key)

    def encrypt_message(self, session: int, parameters: Parameters | None, aad: bytes, plaintext: bytes) -> bytes:
        result: bytes = self._call("encrypt_message", session, parameters, aad, plaintext)
        return result

    def message_encrypt_final(self, session: int) -> None:
        self._call("message_encrypt_final", session)

    def message_decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("message_decrypt_init", session, mechanism, key)

    def decrypt_message(self, session: int, parameters: Parameters | None, aad: bytes, ciphertext: bytes) -> bytes:
        result: bytes = self._call("decrypt_message", session, parameters, aad, ciphertext)
        return result

    def message_decrypt_final(self, session: int) -> None:
        self._call("message_decrypt_final", session)

    def message_sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("message_sign_init", session, mechanism, key)

    def sign_message(self, session: int, parameters: Parameters | None, data: bytes) -> bytes:
        result: bytes = self._call("sign_message", session, parameters, data)
        return result

    def message_sign_final(self, session: int) -> None:
        self._call("message_sign_final", session)

    def message_verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._call("message_verify_init", session, mechanism, key)

    def verify_message(self, session: int, parameters: Parameters | None, data: bytes, signature: bytes) -> None:
        self._call("verify_message", session, parameters, data, signature)

    def message_verify_final(self, session: int) -> None:
        self._call("message_verify_final", session)
