"""One call of a caller's, as rules judge it: names resolved, and what will be born of it foreseen."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from keyfence.cryptoki import KeyfenceError, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKR, describe

from .blocks import Cut
from .registry import Block, Entry
from .roles import OTHER, Role


@dataclass(frozen=True, slots=True)
class Birth:
    """What a call will make.

    role       of the key; of the write keys, where four keys are made
    mac_role   of the MAC keys
    cut        the allowed cut that a key block is cut by; None where it is none
    own_iv     bytes of IV that the guard itself gives the caller, per side, where the module is asked for none
    length     that the key must turn out to have, in bytes; None for any
    sendable   a pre-master secret that may leave once, for the server
    block      the key block, in the ledger's terms, that record keys were cut from
    """

    role: Role = OTHER
    mac_role: Role = OTHER
    cut: Cut | None = None
    own_iv: int = 0
    length: int | None = None
    sendable: bool = False
    block: Block | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A C function, its arguments, and what the guard knows of them.

    key        base, operation, wrapping or unwrapping key
    subject    the object that is wrapped, copied, changed or read
    operands   the objects whose handles stand inside the mechanism's parameter
    adopts     the role that an unbound `key` takes by this call
    asked      attribute types that are read
    modulus    bytes of the modulus of an RSA key that signs `data` without hashing them
    """

    function: str
    session: int
    mechanism: Mechanism | None = None
    key: Entry | None = None
    subject: Entry | None = None
    operands: tuple[Entry, ...] = ()
    template: Template = field(default_factory=dict)
    data: bytes = b""
    signature: bytes | None = None
    modulus: int = 0
    asked: tuple[int, ...] = ()
    adopts: Role | None = None
    birth: Birth = Birth()

    @property
    def role(self) -> Role:
        """What the key is, or will be by this call."""
        if self.key is None:
            return OTHER
        return self.adopts if self.adopts is not None and self.key.role.is_unbound else self.key.role

    @property
    def mechanism_type(self) -> int:
        return self.mechanism.type if self.mechanism else -1

    @property
    def used(self) -> Iterable[Entry]:
        """Every object whose value goes into what the call does."""
        every = (self.key, self.subject, *self.operands)
        return tuple(entry for entry in every if entry is not None)


class Objection(KeyfenceError):
    """What a rule says against a call. `ckr` is the mechanism's own word where it has one for this."""

    def __init__(self, why: str, ckr: int = CKR.FUNCTION_REJECTED) -> None:
        self.why = why
        self.ckr = int(ckr)
        super().__init__(why)


def number(template: Template, attribute: int) -> int | None:
    """A CK_ULONG of a template; Objection where it is something else."""
    value = template.get(attribute)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Objection(f"{describe(CKA, attribute)} is no number", CKR.ATTRIBUTE_VALUE_INVALID)
    return value


def flag(template: Template, attribute: int) -> bool | None:
    """A CK_BBOOL of a template; None where it is absent."""
    value = template.get(attribute)
    return None if value is None else bool(value)
