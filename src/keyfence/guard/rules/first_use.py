"""first-use: a secret that is first used outside TLS never becomes one of TLS, and the other way round."""

from typing import ClassVar

from keyfence.cryptoki.constants import CKA, CKR

from ..call import Call, Objection, flag
from ..registry import Entry
from ..roles import OTHER
from ..ways import Left, Terms, Way
from .base import USES, Rule, World


class FirstUse(Rule):
    """A generic secret does anything: HMAC, a PRF of IKE's, concatenation. One that TLS keys come of must not have, and must
    not later, or its streams are read through the other function. What it does first decides, for every copy; being wrapped,
    or copied into the token where others find it, is a use too."""

    id: ClassVar[str] = "first-use"
    functions: ClassVar[frozenset[str]] = USES | frozenset({"C_CopyObject"})

    def judge(self, call: Call, world: World) -> Call:
        if call.key is not None and call.adopts is not None and not world.registry.bind(call.key.secret, call.adopts):
            raise Objection("this secret is for something else", CKR.KEY_FUNCTION_NOT_PERMITTED)
        if call.subject is not None and (call.function != "C_CopyObject" or flag(call.template, CKA.TOKEN)):
            _take_out(call.subject, world)
        for operand in call.operands:
            _take_out(operand, world)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        """A victim's secret has done something in TLS, and is bound by it."""
        return () if way.role.is_unbound else (way,)


def _take_out(entry: Entry, world: World) -> None:
    if entry.role.is_unbound and not world.registry.bind(entry.secret, OTHER):
        raise Objection("this secret is for something else", CKR.KEY_FUNCTION_NOT_PERMITTED)
