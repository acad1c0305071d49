"""Encryption, digests, signatures and random numbers: a few shapes of call, many times."""

from ...values import Mechanism
from ..memory import Memory
from ..structures import ffi
from .base import Calls


class Operations(Calls):
    """C_EncryptInit to C_DecryptVerifyUpdate, C_SeedRandom and C_GenerateRandom."""

    def encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_EncryptInit", session, mechanism, key)

    def encrypt(self, session: int, data: bytes) -> bytes:
        return self._transform("C_Encrypt", session, data)

    def encrypt_update(self, session: int, data: bytes) -> bytes:
        return self._transform("C_EncryptUpdate", session, data)

    def encrypt_final(self, session: int) -> bytes:
        return self._transform("C_EncryptFinal", session)

    def decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_DecryptInit", session, mechanism, key)

    def decrypt(self, session: int, data: bytes) -> bytes:
        return self._transform("C_Decrypt", session, data)

    def decrypt_update(self, session: int, data: bytes) -> bytes:
        return self._transform("C_DecryptUpdate", session, data)

    def decrypt_final(self, session: int) -> bytes:
        return self._transform("C_DecryptFinal", session)

    def digest_init(self, session: int, mechanism: Mechanism) -> None:
        self._begin("C_DigestInit", session, mechanism)

    def digest(self, session: int, data: bytes) -> bytes:
        return self._transform("C_Digest", session, data)

    def digest_update(self, session: int, data: bytes) -> None:
        self._input("C_DigestUpdate", session, data)

    def digest_key(self, session: int, key: int) -> None:
        self._library.call("C_DigestKey", session, key)

    def digest_final(self, session: int) -> bytes:
        return self._transform("C_DigestFinal", session)

    def sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_SignInit", session, mechanism, key)

    def sign(self, session: int, data: bytes) -> bytes:
        return self._transform("C_Sign", session, data)

    def sign_update(self, session: int, data: bytes) -> None:
        self._input("C_SignUpdate", session, data)

    def sign_final(self, session: int) -> bytes:
        return self._transform("C_SignFinal", session)

    def sign_recover_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_SignRecoverInit", session, mechanism, key)

    def sign_recover(self, session: int, data: bytes) -> bytes:
        return self._transform("C_SignRecover", session, data)

    def verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_VerifyInit", session, mechanism, key)

    def verify(self, session: int, data: bytes, signature: bytes) -> None:
        self._input("C_Verify", session, data, signature)

    def verify_update(self, session: int, data: bytes) -> None:
        self._input("C_VerifyUpdate", session, data)

    def verify_final(self, session: int, signature: bytes) -> None:
        self._input("C_VerifyFinal", session, signature)

    def verify_recover_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("C_VerifyRecoverInit", session, mechanism, key)

    def verify_recover(self, session: int, signature: bytes) -> bytes:
        return self._transform("C_VerifyRecover", session, signature)

    def digest_encrypt_update(self, session: int, data: bytes) -> bytes:
        return self._transform("C_DigestEncryptUpdate", session, data)

    def decrypt_digest_update(self, session: int, data: bytes) -> bytes:
        return self._transform("C_DecryptDigestUpdate", session, data)

    def sign_encrypt_update(self, session: int, data: bytes) -> bytes:
        return self._transform("C_SignEncryptUpdate", session, data)

    def decrypt_verify_update(self, session: int, data: bytes) -> bytes:
        return self._transform("C_DecryptVerifyUpdate", session, data)

    def seed_random(self, session: int, seed: bytes) -> None:
        self._input("C_SeedRandom", session, seed)

    def generate_random(self, session: int, length: int) -> bytes:
        with Memory() as memory:
            buffer = memory.array("CK_BYTE", length)
            self._library.call("C_GenerateRandom", session, buffer, length)
            return bytes(ffi.buffer(buffer, length))
