"""Usage flags are the application's to change: a copy of a key may have them set (C_CopyObject, PKCS#11 3.2 §4.1)."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from keyfence.cryptoki import CryptokiError
from keyfence.cryptoki.constants import CKA, CKR

from .base import Bench

T = TypeVar("T")


def permitted(bench: Bench, handle: int, flag: CKA, use: Callable[[int], T]) -> T:
    """`use` of the key; where its flags forbid that, of a copy with `flag` set. Raises the first refusal."""
    try:
        return use(handle)
    except CryptokiError as refusal:
        if refusal.ckr != CKR.KEY_FUNCTION_NOT_PERMITTED:
            raise
        with suppress(CryptokiError):
            return use(bench.session.copy(handle, {flag: True}))
        raise
