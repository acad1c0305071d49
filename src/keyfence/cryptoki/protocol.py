"""The one idea that carries keyfence: everything that can make TLS keys is a `Cryptoki`.

A method per PKCS#11 function, named after it (C_DeriveKey is `derive_key`). C's output buffers are return values, CKR_OK is a
return, anything else is raised as a `CryptokiError`. A native module, a software token, a guard around either, a process
boundary: each is one of these, so each can stand in any other's place.
"""

from collections.abc import Sequence
from typing import Protocol

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


class Cryptoki(Protocol):
    """PKCS#11 3.2 as Python sees it. Every method may raise `CryptokiError` or `ModuleFailure`."""

    # General purpose

    def initialize(self) -> None:
        """C_Initialize."""
        ...

    def finalize(self) -> None:
        """C_Finalize."""
        ...

    def get_info(self) -> Info:
        """C_GetInfo."""
        ...

    # Slots and tokens

    def get_slot_list(self, token_present: bool) -> tuple[int, ...]:
        """C_GetSlotList."""
        ...

    def get_slot_info(self, slot: int) -> SlotInfo:
        """C_GetSlotInfo."""
        ...

    def get_token_info(self, slot: int) -> TokenInfo:
        """C_GetTokenInfo."""
        ...

    def get_mechanism_list(self, slot: int) -> tuple[int, ...]:
        """C_GetMechanismList."""
        ...

    def get_mechanism_info(self, slot: int, mechanism_type: int) -> MechanismInfo:
        """C_GetMechanismInfo."""
        ...

    def init_token(self, slot: int, so_pin: Pin, label: str) -> None:
        """C_InitToken: erases the token. The audit never calls it."""
        ...

    def init_pin(self, session: int, pin: Pin) -> None:
        """C_InitPIN."""
        ...

    def set_pin(self, session: int, old: Pin, new: Pin) -> None:
        """C_SetPIN."""
        ...

    # Sessions

    def open_session(self, slot: int, flags: int) -> int:
        """C_OpenSession."""
        ...

    def close_session(self, session: int) -> None:
        """C_CloseSession: destroys the session's objects."""
        ...

    def close_all_sessions(self, slot: int) -> None:
        """C_CloseAllSessions."""
        ...

    def get_session_info(self, session: int) -> SessionInfo:
        """C_GetSessionInfo."""
        ...

    def session_cancel(self, session: int, flags: int) -> None:
        """C_SessionCancel (3.0): ends the active operations named by CKF flags."""
        ...

    def get_operation_state(self, session: int) -> bytes:
        """C_GetOperationState."""
        ...

    def set_operation_state(self, session: int, state: bytes, encryption_key: int, authentication_key: int) -> None:
        """C_SetOperationState."""
        ...

    def login(self, session: int, user_type: int, pin: Pin | None) -> None:
        """C_Login; None is a protected authentication path."""
        ...

    def logout(self, session: int) -> None:
        """C_Logout."""
        ...

    # Objects

    def create_object(self, session: int, template: Template) -> int:
        """C_CreateObject."""
        ...

    def copy_object(self, session: int, source: int, template: Template) -> int:
        """C_CopyObject."""
        ...

    def destroy_object(self, session: int, handle: int) -> None:
        """C_DestroyObject."""
        ...

    def get_object_size(self, session: int, handle: int) -> int:
        """C_GetObjectSize, in bytes."""
        ...

    def get_attribute_value(self, session: int, handle: int, types: Sequence[int]) -> dict[int, AttributeValue]:
        """C_GetAttributeValue: all of `types`, or the module's refusal."""
        ...

    def set_attribute_value(self, session: int, handle: int, template: Template) -> None:
        """C_SetAttributeValue."""
        ...

    def find_objects_init(self, session: int, template: Template) -> None:
        """C_FindObjectsInit."""
        ...

    def find_objects(self, session: int, limit: int) -> tuple[int, ...]:
        """C_FindObjects: at most `limit` handles; none when all are seen."""
        ...

    def find_objects_final(self, session: int) -> None:
        """C_FindObjectsFinal."""
        ...

    # Encryption

    def encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_EncryptInit."""
        ...

    def encrypt(self, session: int, data: bytes) -> bytes:
        """C_Encrypt."""
        ...

    def encrypt_update(self, session: int, data: bytes) -> bytes:
        """C_EncryptUpdate."""
        ...

    def encrypt_final(self, session: int) -> bytes:
        """C_EncryptFinal."""
        ...

    # Decryption

    def decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_DecryptInit."""
        ...

    def decrypt(self, session: int, data: bytes) -> bytes:
        """C_Decrypt."""
        ...

    def decrypt_update(self, session: int, data: bytes) -> bytes:
        """C_DecryptUpdate."""
        ...

    def decrypt_final(self, session: int) -> bytes:
        """C_DecryptFinal."""
        ...

    # Digests

    def digest_init(self, session: int, mechanism: Mechanism) -> None:
        """C_DigestInit."""
        ...

    def digest(self, session: int, data: bytes) -> bytes:
        """C_Digest."""
        ...

    def digest_update(self, session: int, data: bytes) -> None:
        """C_DigestUpdate."""
        ...

    def digest_key(self, session: int, key: int) -> None:
        """C_DigestKey: the value of a secret key becomes input of the digest."""
        ...

    def digest_final(self, session: int) -> bytes:
        """C_DigestFinal."""
        ...

    # Signatures and MACs

    def sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_SignInit."""
        ...

    def sign(self, session: int, data: bytes) -> bytes:
        """C_Sign."""
        ...

    def sign_update(self, session: int, data: bytes) -> None:
        """C_SignUpdate."""
        ...

    def sign_final(self, session: int) -> bytes:
        """C_SignFinal."""
        ...

    def sign_recover_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_SignRecoverInit."""
        ...

    def sign_recover(self, session: int, data: bytes) -> bytes:
        """C_SignRecover."""
        ...

    # Verification

    def verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_VerifyInit."""
        ...

    def verify(self, session: int, data: bytes, signature: bytes) -> None:
        """C_Verify: returns, or raises SignatureInvalid."""
        ...

    def verify_update(self, session: int, data: bytes) -> None:
        """C_VerifyUpdate."""
        ...

    def verify_final(self, session: int, signature: bytes) -> None:
        """C_VerifyFinal."""
        ...

    def verify_recover_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_VerifyRecoverInit."""
        ...

    def verify_recover(self, session: int, signature: bytes) -> bytes:
        """C_VerifyRecover."""
        ...

    # Two operations in one call

    def digest_encrypt_update(self, session: int, data: bytes) -> bytes:
        """C_DigestEncryptUpdate."""
        ...

    def decrypt_digest_update(self, session: int, data: bytes) -> bytes:
        """C_DecryptDigestUpdate."""
        ...

    def sign_encrypt_update(self, session: int, data: bytes) -> bytes:
        """C_SignEncryptUpdate."""
        ...

    def decrypt_verify_update(self, session: int, data: bytes) -> bytes:
        """C_DecryptVerifyUpdate."""
        ...

    # Keys

    def generate_key(self, session: int, mechanism: Mechanism, template: Template) -> int:
        """C_GenerateKey."""
        ...

    def generate_key_pair(self, session: int, mechanism: Mechanism, public: Template, private: Template) -> tuple[int, int]:
        """C_GenerateKeyPair: (public, private)."""
        ...

    def wrap_key(self, session: int, mechanism: Mechanism, wrapping_key: int, key: int) -> bytes:
        """C_WrapKey."""
        ...

    def unwrap_key(self, session: int, mechanism: Mechanism, unwrapping_key: int, wrapped: bytes, template: Template) -> int:
        """C_UnwrapKey."""
        ...

    def derive_key(self, session: int, mechanism: Mechanism, base_key: int, template: Template) -> Derived:
        """C_DeriveKey."""
        ...

    def encapsulate_key(self, session: int, mechanism: Mechanism, public_key: int, template: Template) -> tuple[bytes, int]:
        """C_EncapsulateKey (3.2): (ciphertext, key)."""
        ...

    def decapsulate_key(
        self, session: int, mechanism: Mechanism, private_key: int, ciphertext: bytes, template: Template
    ) -> int:
        """C_DecapsulateKey (3.2)."""
        ...

    # Random numbers

    def seed_random(self, session: int, seed: bytes) -> None:
        """C_SeedRandom."""
        ...

    def generate_random(self, session: int, length: int) -> bytes:
        """C_GenerateRandom, `length` in bytes."""
        ...

    # Message-based functions (3.0): a parameter per message instead of one per operation

    def message_encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_MessageEncryptInit."""
        ...

    def encrypt_message(self, session: int, parameters: Parameters | None, aad: bytes, plaintext: bytes) -> bytes:
        """C_EncryptMessage."""
        ...

    def message_encrypt_final(self, session: int) -> None:
        """C_MessageEncryptFinal."""
        ...

    def message_decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_MessageDecryptInit."""
        ...

    def decrypt_message(self, session: int, parameters: Parameters | None, aad: bytes, ciphertext: bytes) -> bytes:
        """C_DecryptMessage."""
        ...

    def message_decrypt_final(self, session: int) -> None:
        """C_MessageDecryptFinal."""
        ...

    def message_sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_MessageSignInit."""
        ...

    def sign_message(self, session: int, parameters: Parameters | None, data: bytes) -> bytes:
        """C_SignMessage."""
        ...

    def message_sign_final(self, session: int) -> None:
        """C_MessageSignFinal."""
        ...

    def message_verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        """C_MessageVerifyInit."""
        ...

    def verify_message(self, session: int, parameters: Parameters | None, data: bytes, signature: bytes) -> None:
        """C_VerifyMessage."""
        ...

    def message_verify_final(self, session: int) -> None:
        """C_MessageVerifyFinal."""
        ...
