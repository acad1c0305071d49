"""The ledger's hash key: 32 random bytes in a file of their own, as hexadecimal text that a person can back up.

Whoever has it can tell whether a fingerprint is in the ledger; without it the ledger says nothing. It lies apart from the
ledger, so that a copy of the one is not a copy of both, and every guard that shares the ledger needs the same one.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from .base import LedgerUnavailable

LENGTH: Final = 32
"""Bytes."""


def read(path: Path) -> bytes | None:
    """The key in the file, None where there is none; LedgerUnavailable where it is unreadable, damaged, or open to others."""
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(4 * LENGTH)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerUnavailable(f"the hash key {path}: {error.strerror}") from None
    if mode & 0o077:
        raise LedgerUnavailable(f"the hash key {path} is open to other users: chmod 600 it")
    return _parse(text, path)


def _parse(text: bytes, path: Path) -> bytes:
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != LENGTH:
        raise LedgerUnavailable(f"the hash key {path} is damaged: it should be {2 * LENGTH} hexadecimal digits")
    return key


def create(path: Path) -> bytes:
    """A new key, in the file and on the disk. LedgerUnavailable where the file is there already or cannot be written."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    key = secrets.token_bytes(LENGTH)
    try:
        _write(draft, key.hex().encode() + b"\n")
        try:
            os.link(draft, path)  # whole or not at all, and never over another one
        finally:
            draft.unlink()
        _sync(path.parent)
    except OSError as error:
        raise LedgerUnavailable(f"the hash key {path} cannot be made: {error.strerror}") from None
    return key


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
