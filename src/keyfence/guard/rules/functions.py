"""known-functions: what has not been judged is not called."""

from typing import ClassVar, Final

from ..call import Call, Objection
from ..ways import Left, Terms, Way
from .base import Rule, World

UNJUDGED: Final = frozenset(
    {
        "C_GetOperationState",
        "C_SetOperationState",
        "C_EncapsulateKey",
        "C_DecapsulateKey",
        "C_MessageEncryptInit",
        "C_EncryptMessage",
        "C_MessageEncryptFinal",
        "C_MessageDecryptInit",
        "C_DecryptMessage",
        "C_MessageDecryptFinal",
        "C_MessageSignInit",
        "C_SignMessage",
        "C_MessageSignFinal",
        "C_MessageVerifyInit",
        "C_VerifyMessage",
        "C_MessageVerifyFinal",
    }
)
"""State of an operation is key material in a form that no rule reads; the others are PKCS#11 3.x and wait for their rules."""


class KnownFunctions(Rule):
    """A saved operation state holds what a key has become inside an operation, and may be restored under another key. Functions
    of PKCS#11 3.0 and 3.2 give a parameter per message, or make keys in ways that no rule here has looked at."""

    id: ClassVar[str] = "known-functions"
    functions: ClassVar[frozenset[str]] = UNJUDGED

    def judge(self, call: Call, world: World) -> Call:
        raise Objection("this function is not judged yet")

    def leaves(self, way: Way, terms: Terms) -> Left:
        return ()
