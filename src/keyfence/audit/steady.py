"""What a module does wrong and must not pass for an answer: a `Cryptoki` between an audit's session and its trace.

An operation that an earlier refusal left active is ended, and the call that met it made again: CKR_OPERATION_ACTIVE is no word
about the attack. A "new" handle that is an object's already is not believed: whoever believed it would destroy that object
when its own was no longer needed, and what came later would be refused for want of it. Nor is CKR_OK, where nothing was made.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from keyfence.cryptoki import Cryptoki, CryptokiError, Derived
from keyfence.cryptoki.constants import CKR
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.functions import function_name
from keyfence.techniques.base import Inconclusive

_ENDINGS: Final[Mapping[str, Callable[[Cryptoki, int], object]]] = {
    "encrypt_init": lambda module, session: module.encrypt_final(session),
    "decrypt_init": lambda module, session: module.decrypt_final(session),
    "digest_init": lambda module, session: module.digest_final(session),
    "sign_init": lambda module, session: module.sign_final(session),
    "sign_recover_init": lambda module, session: module.sign_recover(session, b""),
    "verify_init": lambda module, session: module.verify_final(session, b""),
    "find_objects_init": lambda module, session: module.find_objects_final(session),
    "message_decrypt_init": lambda module, session: module.message_decrypt_final(session),
    "message_sign_init": lambda module, session: module.message_sign_final(session),
}
"""What ends an operation that begins with this, in every version of the standard: C_SessionCancel is of 3.0."""

_MAKING: Final = ("create_object", "copy_object", "generate_key", "generate_key_pair", "unwrap_key", "derive_key")


class SteadyModule(Dispatched):
    """Passes calls on to `module`. `present`: the objects that were there before."""

    def __init__(self, module: Cryptoki, present: Iterable[int] = ()) -> None:
        self.module = module
        self.present = set(present)

    def _call(self, name: str, *arguments: Any) -> Any:
        call = getattr(self.module, name)
        try:
            result = call(*arguments)
        except CryptokiError as error:
            if error.ckr != CKR.OPERATION_ACTIVE or name not in _ENDINGS:
                raise
            self._end_operations(arguments[0])
            result = call(*arguments)
        if name in _MAKING:
            self._enter(name, result)
        elif name == "destroy_object":
            self.present.discard(arguments[1])
        return result

    def _end_operations(self, session: int) -> None:
        """All of them: some modules have room for one of any kind."""
        for end in _ENDINGS.values():
            with suppress(CryptokiError):
                end(self.module, session)

    def _enter(self, name: str, result: Any) -> None:
        handles = _handles(result)
        if not handles and (not isinstance(result, Derived) or result == Derived()):
            raise Inconclusive(f"{function_name(name)} answered CKR_OK and made nothing")
        if self.present.intersection(handles):
            raise Inconclusive(f"{function_name(name)} answered CKR_OK and a handle that is another object's")
        self.present.update(handles)


def _handles(result: Any) -> tuple[int, ...]:
    """0 is no object."""
    if isinstance(result, Derived):
        return result.handles
    handles = result if isinstance(result, tuple) else (result,)
    return tuple(handle for handle in handles if handle)
