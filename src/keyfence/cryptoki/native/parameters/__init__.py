"""Every class of `params` as the C structure it stands for: one file per family, as there."""

from collections.abc import Callable
from typing import Final

from ...params import Parameters
from ...values import Mechanism
from ..memory import CData, Memory
from . import ciphers, derive, plain, tls
from .encoded import NOTHING, Encoded

_ENCODERS: Final[dict[type, Callable[..., Encoded]]] = {
    **plain.ENCODERS,
    **ciphers.ENCODERS,
    **derive.ENCODERS,
    **tls.ENCODERS,
}


def encode(memory: Memory, parameters: Parameters | None) -> Encoded:
    """The C form of `parameters`; NULL and 0 for None. Raises TypeError for a class that has no C form."""
    if parameters is None:
        return NOTHING
    encoder = _ENCODERS.get(type(parameters))
    if encoder is None:
        raise TypeError(f"{type(parameters).__name__} is no mechanism parameter known here")
    return encoder(memory, parameters)


def encode_mechanism(memory: Memory, mechanism: Mechanism) -> tuple[CData, Encoded]:
    """A CK_MECHANISM pointer, and its parameter for reading back what the module wrote there."""
    encoded = encode(memory, mechanism.parameters)
    fields = {"mechanism": mechanism.type, "pParameter": encoded.pointer, "ulParameterLen": encoded.length}
    return memory.structure("CK_MECHANISM", **fields), encoded


__all__ = ["Encoded", "encode", "encode_mechanism"]
