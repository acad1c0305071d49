"""A key's bytes in a box: no repr, log or traceback shows what is in it."""

import hashlib
import hmac
from typing import NoReturn


class SecretValue:
    """Bytes that are read by `reveal()` only. Equality takes constant time; there is no hash, pickle or order."""

    __slots__ = ("__value",)

    def __init__(self, value: bytes) -> None:
        self.__value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes. Every place that asks for them is a place to review."""
        return self.__value

    def fingerprint(self, key: bytes) -> bytes:
        """A name of this value that tells nothing about it to who lacks `key`: equal values have equal ones."""
        return hmac.digest(key, self.__value, hashlib.sha256)

    def __len__(self) -> int:
        return len(self.__value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretValue) and hmac.compare_digest(self.__value, other.reveal())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} secret bytes>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret value is not serialised")
