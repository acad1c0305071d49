"""The C name of every `Cryptoki` method: a table that follows the protocol itself."""

import inspect
from functools import cache
from typing import Final

from .protocol import Cryptoki

_IRREGULAR: Final = {"init_pin": "C_InitPIN", "set_pin": "C_SetPIN"}

METHODS: Final = tuple(name for name, member in vars(Cryptoki).items() if inspect.isfunction(member) and name[0] != "_")


@cache
def function_name(method: str) -> str:
    """The C function behind a method: "derive_key" is "C_DeriveKey"."""
    return _IRREGULAR.get(method) or "C_" + "".join(word.capitalize() for word in method.split("_"))
