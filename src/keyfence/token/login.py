"""PINs and who is logged in: one state for the whole token (PKCS#11 3.2 section 3.4, 5.6.8)."""

import hmac
from typing import Final

from keyfence.cryptoki import Pin
from keyfence.cryptoki.constants import CKR, CKU

from .refused import Refused

MAX_TRIES: Final = 3
MIN_PIN: Final = 4
MAX_PIN: Final = 255


class Login:
    """The two PINs, their counters, and the user logged in (None for nobody)."""

    def __init__(self, so_pin: Pin, user_pin: Pin | None) -> None:
        self._pins: dict[int, Pin | None] = {CKU.SO: so_pin, CKU.USER: user_pin}
        self._failures: dict[int, int] = {CKU.SO: 0, CKU.USER: 0}
        self.user: int | None = None

    @property
    def user_pin_set(self) -> bool:
        return self._pins[CKU.USER] is not None

    def failures(self, user: int) -> int:
        """Wrong PINs in a row."""
        return self._failures[user]

    def enter(self, user: int, pin: Pin) -> None:
        """Log in, or say why not."""
        if user not in self._pins:
            raise Refused(CKR.USER_TYPE_INVALID)
        if self.user == user:
            raise Refused(CKR.USER_ALREADY_LOGGED_IN)
        if self.user is not None:
            raise Refused(CKR.USER_ANOTHER_ALREADY_LOGGED_IN)
        self.prove(user, pin)
        self.user = user

    def leave(self) -> None:
        if self.user is None:
            raise Refused(CKR.USER_NOT_LOGGED_IN)
        self.user = None

    def prove(self, user: int, pin: Pin) -> None:
        """Check a PIN; a wrong one counts, and MAX_TRIES of them lock it."""
        expected = self._pins[user]
        if expected is None:
            raise Refused(CKR.USER_PIN_NOT_INITIALIZED)
        if self._failures[user] >= MAX_TRIES:
            raise Refused(CKR.PIN_LOCKED)
        if not hmac.compare_digest(expected.value, pin.value):
            self._failures[user] += 1
            raise Refused(CKR.PIN_INCORRECT)
        self._failures[user] = 0

    def change(self, user: int, pin: Pin) -> None:
        """Set a PIN and unlock it."""
        if not MIN_PIN <= len(pin.value) <= MAX_PIN:
            raise Refused(CKR.PIN_LEN_RANGE)
        self._pins[user] = pin
        self._failures[user] = 0
