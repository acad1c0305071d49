"""no-token-objects: secrets of TLS do not outlive their session."""

from typing import ClassVar

from keyfence.cryptoki.constants import CKA, CKR

from ..call import Call, Objection, flag
from ..roles import Kind, Role
from ..ways import Left, Reading, Terms, Way
from .base import KEY_MAKING, Rule, World

_MAY_STAY = frozenset({Kind.PRIVATE, Kind.WRAPPING, Kind.RECORD})


class NoTokenObjects(Rule):
    """A token object is found again by a process whose guard knows nothing of its role, or by one without a guard. Private
    keys, wrapping keys and keys that the policy names stay, since there a name tells the role; no secret that was derived,
    agreed or exchanged does."""

    id: ClassVar[str] = "no-token-objects"
    functions: ClassVar[frozenset[str]] = KEY_MAKING

    def judge(self, call: Call, world: World) -> Call:
        if flag(call.template, CKA.TOKEN) and not _may_stay(call.birth.role, call.function):
            raise Objection("a secret of TLS is no token object", CKR.TEMPLATE_INCONSISTENT)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        return () if isinstance(way, Reading) and way.stays and not _may_stay(way.born, way.function) else (way,)


def _may_stay(born: Role, function: str) -> bool:
    return not born.is_tls or (born.kind in _MAY_STAY and function not in ("C_DeriveKey", "C_CopyObject"))
