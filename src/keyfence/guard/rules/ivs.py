"""ivs-from-outside: a CBC suite's IVs are none of the key block's."""

import os
from dataclasses import replace
from typing import ClassVar

from keyfence.cryptoki.params import KeyMat, Tls12KeyMat

from ..blocks import Cut
from ..call import Call
from ..ways import Cutting, Left, Terms, Way
from .base import Rule, World


class IvsFromOutside(Rule):
    """AES_128_CBC_SHA with 16-byte IVs publishes bytes 72 to 103 of the key block, which are the server write key of
    AES_256_CBC_SHA, to whoever cuts an old session that way first. TLS 1.1 and later put an IV of their own into each record
    and never use these, so the module is asked for none, and a caller that gave buffers gets bytes of the guard's own."""

    id: ClassVar[str] = "ivs-from-outside"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey"})

    def judge(self, call: Call, world: World) -> Call:
        parameters = call.mechanism.parameters if call.mechanism else None
        cut = call.birth.cut
        if call.mechanism is None or cut is None or cut.shape.iv or not isinstance(parameters, KeyMat | Tls12KeyMat):
            return call
        mechanism = replace(call.mechanism, parameters=replace(parameters, iv_bits=8 * _from_block(cut)))
        return replace(call, mechanism=mechanism, birth=replace(call.birth, own_iv=parameters.iv_bits // 8))

    def leaves(self, way: Way, terms: Terms) -> Left:
        if not isinstance(way, Cutting) or way.cut is None:
            return (way,)
        return (replace(way, iv=frozenset({_from_block(way.cut)})),)


def _from_block(cut: Cut) -> int:
    """The length of IV that the module is asked for: what the suite takes out of the key block."""
    return cut.shape.iv


def own_ivs(length: int) -> tuple[bytes, bytes]:
    """What the caller's IV buffers are filled with."""
    return os.urandom(length), os.urandom(length)
