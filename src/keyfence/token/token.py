"""The software token: every `Cryptoki` method under one lock, refusals dressed as PKCS#11 errors."""

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, Final, Literal

from keyfence.cryptoki import METHODS, Pin, function_name, refusal
from keyfence.cryptoki.constants import CKR
from keyfence.cryptoki.dispatch import Dispatched

from .functions.general import General
from .functions.keys import Keys
from .functions.messages import Messages
from .functions.objects import Objects
from .functions.operations import Operations
from .gate import Gate
from .login import Login
from .mechanisms.registry import Registry
from .quirks import Quirks
from .refused import Refused
from .schedules.classic import Classic
from .schedules.separated import Separated
from .state import State
from .store import Store

Schedule = Literal["classic", "separated"]

USER_PIN: Final = Pin.of("1234")
SO_PIN: Final = Pin.of("12345678")
"""PINs of a token that is told no others: it lives in memory, so they guard nothing but the API's login states."""

_SCHEDULES: Final[Mapping[str, Callable[[Quirks], Classic]]] = {"classic": Classic, "separated": Separated}
_ALWAYS_CALLABLE: Final = ("initialize", "get_info")


class SoftToken(Dispatched):
    """A `Cryptoki` in memory with one slot, 1.

    `classic` does what PKCS#11 3.2 allows, bent by `quirks`; `separated` offers the separated key expansion alone, and takes
    only quirks that leave out mechanisms or objects (ValueError for others). Any number of threads may call. Functions it
    lacks raise FunctionNotSupported.
    """

    def __init__(
        self,
        schedule: Schedule = "classic",
        quirks: Quirks = Quirks(),  # noqa: B008 - frozen
        *,
        user_pin: Pin | None = USER_PIN,
        so_pin: Pin = SO_PIN,
        label: str = "keyfence",
    ) -> None:
        if schedule == "separated" and not quirks.only_narrow():
            raise ValueError("quirks that bend the classic schedule are none of the separated one's")
        rules = _SCHEDULES[schedule](quirks)
        quirks = rules.quirks
        login = Login(so_pin, user_pin)
        registry = Registry(quirks, rules.offers())
        self._state = State(Store(login), login, registry, Gate(registry, quirks, rules), rules, quirks, label)
        self._lock = RLock()
        parts = (General, Objects, Operations, Messages, Keys)
        self._methods = _methods(*(part(self._state) for part in parts))

    def _call(self, name: str, *arguments: Any) -> Any:
        function = function_name(name)
        method = self._methods.get(name)
        if method is None:
            raise refusal(CKR.FUNCTION_NOT_SUPPORTED, function)
        with self._lock:
            if not self._state.initialized and name not in _ALWAYS_CALLABLE:
                raise refusal(CKR.CRYPTOKI_NOT_INITIALIZED, function)
            try:
                return method(*arguments)
            except Refused as refused:
                raise refusal(refused.ckr, function, refused.detail) from None

    def __repr__(self) -> str:
        return f"<SoftToken {self._state.schedule.name}>"


def _methods(*parts: object) -> Mapping[str, Callable[..., Any]]:
    """Every `Cryptoki` method that a part has, by name."""
    return {name: getattr(part, name) for part in parts for name in METHODS if hasattr(part, name)}
