"""Modules that err or lie in one way, around the software token: what an audit must not be fooled by."""

from collections.abc import Callable, Collection
from typing import Any, ClassVar

from keyfence.cryptoki import Cryptoki, CryptokiError
from keyfence.cryptoki.constants import CKR
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.errors import refusal
from keyfence.cryptoki.functions import function_name
from keyfence.token import SoftToken

Lie = Callable[[Any, tuple[Any, ...]], Any]
"""(the true answer, the call's arguments) to what is said instead. Raising is an answer too."""


class Lying(Dispatched):
    """Lies about one function, from its `after`-th call on."""

    def __init__(self, method: str, lie: Lie, module: Cryptoki | None = None, after: int = 0) -> None:
        self.module = module or SoftToken()
        self.method, self.lie, self.after = method, lie, after
        self.count = 0

    def _call(self, name: str, *arguments: Any) -> Any:
        answer = getattr(self.module, name)(*arguments)
        if name != self.method:
            return answer
        self.count += 1
        return self.lie(answer, arguments) if self.count > self.after else answer


class Refusing(Dispatched):
    """Refuses calls before they reach the module."""

    def __init__(self, refuses: Callable[[str, tuple[Any, ...]], CKR | None], module: Cryptoki | None = None) -> None:
        self.module = module or SoftToken()
        self.refuses = refuses

    def _call(self, name: str, *arguments: Any) -> Any:
        ckr = self.refuses(name, arguments)
        if ckr is not None:
            raise refusal(ckr, function_name(name))
        return getattr(self.module, name)(*arguments)


SPARED = ("initialize", "finalize", "find_objects_init", "find_objects", "find_objects_final")


def failing_once(number: int, ckr: CKR = CKR.DEVICE_ERROR, spared: Collection[str] = SPARED) -> Refusing:
    """A device with one bad moment: call `number` fails, of those that are not spared (counting objects: see residue)."""
    seen = 0

    def refuses(name: str, _: tuple[Any, ...]) -> CKR | None:
        nonlocal seen
        seen += name not in spared
        return ckr if seen == number and name not in spared else None

    return Refusing(refuses)


class Clinging(Dispatched):
    """Leaves an operation active whose second call is refused, until it is ended: and has room for one, of whatever kind."""

    ENDED_BY: ClassVar = {
        "sign": "sign_final",
        "encrypt": "encrypt_final",
        "verify": "verify_final",
        "decrypt": "decrypt_final",
    }

    def __init__(self, module: Cryptoki | None = None) -> None:
        self.module = module or SoftToken()
        self.stuck = ""
        self.times = 0

    def _call(self, name: str, *arguments: Any) -> Any:
        if self.stuck and name == self.ENDED_BY[self.stuck]:
            self.stuck = ""
            raise refusal(CKR.FUNCTION_FAILED, function_name(name))
        if self.stuck and name.endswith("_init"):
            raise refusal(CKR.OPERATION_ACTIVE, function_name(name))
        try:
            return getattr(self.module, name)(*arguments)
        except CryptokiError:
            if name in self.ENDED_BY:
                self.stuck, self.times = name, self.times + 1
            raise
