"""A user PIN's way into C_Login: from a file or a prompt, never from a command line, and tried once."""

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from ..cryptoki import Cryptoki, KeyfenceError, LoginRefused, Pin, TokenInfo, refusal
from ..cryptoki.constants import CKR, CKU, TokenFlag
from .files import Unreadable, secret_line

PIN_FILE_VARIABLE: Final = "KEYFENCE_PIN_FILE"


class PinMissing(KeyfenceError):
    """A login needs a PIN, and nothing says where it is."""


def find_pin(
    source: str | None = None,
    *,
    token: str = "",
    environment: Mapping[str, str] = os.environ,
    ask: Callable[[str], str] | None = None,
) -> Pin:
    """The user PIN: from `source` (a URI's pin-source), else the file that KEYFENCE_PIN_FILE names, else whoever sits there.

    `ask` is the prompt; without one, the terminal is asked where there is one. `token` is the label shown by it. Raises
    PinMissing or Unreadable.
    """
    if source is not None:
        return pin_from_source(source)
    if path := environment.get(PIN_FILE_VARIABLE):
        return Pin(secret_line(path))
    ask = ask or _terminal()
    if ask is None:
        raise PinMissing(
            f"the token needs a PIN: name a file that holds it in {PIN_FILE_VARIABLE}, or with pin-source in a URI, "
            "or run keyfence on a terminal"
        )
    return _asked(ask, token)


def pin_from_source(source: str) -> Pin:
    """RFC 7512's pin-source: an absolute path, or "file:" and one. A command ("|…") is refused: a URI runs nothing."""
    if source.startswith("|"):
        raise Unreadable("pin-source names a command, and keyfence runs none; name a file")
    if source.startswith("/"):
        return Pin(secret_line(source))
    scheme, authority, path, query, fragment = urlsplit(source)
    if scheme != "file" or authority not in ("", "localhost") or query or fragment:
        raise Unreadable("pin-source is neither an absolute path nor a file: URI of this machine")
    return Pin(secret_line(unquote(path)))


def log_in(module: Cryptoki, session: int, token: TokenInfo, pin: Pin | None) -> None:
    """C_Login as the user, at most once and not at all where a wrong PIN would lock the token, or one already has.

    `pin` is None for a token with a PIN pad of its own. Raises LoginRefused (PinLocked, PinIncorrect) and what C_Login raises;
    a user who is logged in already is no error.
    """
    if token.flags & TokenFlag.USER_PIN_LOCKED:
        raise refusal(CKR.PIN_LOCKED, "C_Login", "not called: the token says that its user PIN is locked")
    if token.flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise refusal(CKR.PIN_LOCKED, "C_Login", "not called: the token says that one more wrong PIN locks it")
    try:
        module.login(session, CKU.USER, pin)
    except LoginRefused as error:
        if error.ckr != CKR.USER_ALREADY_LOGGED_IN:
            raise


def _terminal() -> Callable[[str], str] | None:
    return getpass.getpass if sys.stdin is not None and sys.stdin.isatty() else None


def _asked(ask: Callable[[str], str], token: str) -> Pin:
    try:
        return Pin.of(ask(f"User PIN of token {token!r}: " if token else "User PIN: "))
    except EOFError:
        raise PinMissing("no PIN was given") from None
