"""What a rule is: a named objection to calls, with its reason in its docstring. One small class each, registered once."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

from ..blocks import Cuts
from ..call import Call
from ..fingerprint import Fingerprints
from ..ledger import Ledger
from ..policy import Policy
from ..registry import Registry
from ..ways import Left, Terms, Way

OPERATIONS: Final = frozenset(
    {"C_EncryptInit", "C_DecryptInit", "C_SignInit", "C_VerifyInit", "C_SignRecoverInit", "C_VerifyRecoverInit"}
)
"""Functions that begin an operation with a key."""

KEY_MAKING: Final = frozenset(
    {"C_DeriveKey", "C_GenerateKey", "C_GenerateKeyPair", "C_CreateObject", "C_UnwrapKey", "C_CopyObject"}
)
"""Functions that make objects."""

USES: Final = OPERATIONS | frozenset({"C_DeriveKey", "C_WrapKey", "C_UnwrapKey", "C_DigestKey"})
"""Functions that use a key's value."""


@dataclass(frozen=True, slots=True)
class World:
    """What rules may ask."""

    policy: Policy
    cuts: Cuts
    ledger: Ledger
    fingerprints: Fingerprints
    registry: Registry


class Rule(ABC):
    """One rule. `judge` returns the call, rewritten where the rule rebuilds, or raises Objection; `leaves` says the same of all
    calls of a kind at once."""

    id: ClassVar[str]
    functions: ClassVar[frozenset[str]]
    """The C functions that concern it."""

    @abstractmethod
    def judge(self, call: Call, world: World) -> Call:
        """The call as it may go on."""

    def leaves(self, way: Way, terms: Terms) -> Left:
        """What the rule leaves of a way, one of its `functions`; a rule of whose concern the model knows nothing leaves all."""
        return (way,)
