"""Handles inside mechanism parameters: exchanged, one kind of parameter after the other, for the module's own."""

from collections.abc import Callable
from dataclasses import replace

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.params import (
    Hkdf,
    Ike1ExtendedDerive,
    Ike1PrfDerive,
    Ike2PrfPlusDerive,
    IkePrfDerive,
    KeyHandle,
    Parameters,
    Segment,
    SegmentKey,
    Sp800108Kdf,
)

Exchange = Callable[[int], int]


def with_module_handles(mechanism: Mechanism, exchange: Exchange) -> Mechanism:
    """The mechanism with every operand's handle exchanged. TypeError for a parameter with operands that is not known here."""
    parameters = mechanism.parameters
    return mechanism if parameters is None else replace(mechanism, parameters=_exchanged(parameters, exchange))


def _exchanged(parameters: Parameters, exchange: Exchange) -> Parameters:
    def perhaps(handle: int | None) -> int | None:
        return None if handle is None else exchange(handle)

    match parameters:
        case Hkdf():
            return replace(parameters, salt_key=perhaps(parameters.salt_key))
        case KeyHandle():
            return KeyHandle(exchange(parameters.handle))
        case Sp800108Kdf():
            return replace(parameters, segments=tuple(_segment(segment, exchange) for segment in parameters.segments))
        case IkePrfDerive():
            return replace(parameters, new_key=exchange(parameters.new_key) if parameters.rekey else 0)
        case Ike2PrfPlusDerive():
            return replace(parameters, seed_key=perhaps(parameters.seed_key))
        case Ike1PrfDerive():
            previous = perhaps(parameters.previous_key)
            return replace(parameters, keygxy=exchange(parameters.keygxy), previous_key=previous)
        case Ike1ExtendedDerive():
            return replace(parameters, keygxy=perhaps(parameters.keygxy))
        case _ if not parameters.operands:
            return parameters
        case _:
            raise TypeError(f"operands of {type(parameters).__name__} are not known")


def _segment(segment: Segment, exchange: Exchange) -> Segment:
    return SegmentKey(exchange(segment.handle)) if isinstance(segment, SegmentKey) else segment
