"""Parameters of `params.base` in C."""

from collections.abc import Callable

from ...params import MacGeneral, Raw
from ..memory import Memory
from .encoded import Encoded, of_structure


def raw(memory: Memory, p: Raw) -> Encoded:
    return Encoded(memory.octets(p.data, "pParameter"), len(p.data))


def mac_general(memory: Memory, p: MacGeneral) -> Encoded:
    return of_structure(memory.ulong(p.length, "CK_MAC_GENERAL_PARAMS"))


ENCODERS: dict[type, Callable[..., Encoded]] = {Raw: raw, MacGeneral: mac_general}
