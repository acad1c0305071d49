"""no-token-objects: secrets of TLS do not outlive their session."""

from typing import ClassVar

from keyfence.cryptoki.constants import CKA, CKR

from ..call import Call, Objection, flag
from ..roles import Kind
from .base import KEY_MAKING, Rule, World

_MAY_STAY = frozenset({Kind.PRIVATE, Kind.WRAPPING, Kind.RECORD})


class NoTokenObjects(Rule):
    """A token object is found again by a process whose guard knows nothing of its role, or by one without a guard. Private
    keys, wrapping keys and keys that the policy names stay, since there a name tells the role; no secret that was derived,
    agreed or exchanged does."""

    id: ClassVar[str] = "no-token-objects"
    functions: ClassVar[frozenset[str]] = KEY_MAKING

    def judge(self, call: Call, world: World) -> Call:
        born = call.birth.role
        stays = born.kind in _MAY_STAY and call.function != "C_DeriveKey" and call.function != "C_CopyObject"
        if flag(call.template, CKA.TOKEN) and born.is_tls and not stays:
            raise Objection("a secret of TLS is no token object", CKR.TEMPLATE_INCONSISTENT)
        return call
