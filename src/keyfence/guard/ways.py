"""Ways to get at a secret: families of calls with their lengths left open, which rules narrow.

A rule's `judge` decides on one call; its `leaves` says, from the same tables and by the same functions, what it leaves of all
calls of a kind. `prove` starts from what PKCS#11 has and asks each rule in turn. All lengths are in bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .blocks import Cut, Cuts
from .policy import Policy
from .roles import OTHER, Role

if TYPE_CHECKING:  # the model brings a solver with it, which no guard needs
    from keyfence.model import Stream

Sizes = frozenset[int] | None
"""The lengths a caller may choose from; None: any."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Calls that make something of a secret: bytes of `stream`, from its beginning.

    role        the secret's, when the call is made
    stream      what the bytes are of
    mechanism   -1: the function takes none
    operand     the secret stands in the mechanism's parameter, or is what is wrapped
    base        the role of the other key then
    born        the role of the key that comes out
    key_type    CKA_KEY_TYPE of what comes out; None: bytes, in the caller's memory
    readable    the key may be made without CKA_SENSITIVE, or with CKA_EXTRACTABLE
    length      that may be asked for
    whole       the length that TLS gives to what comes out
    oracle      the function of the secret that the call computes on any input ("HMAC-SHA256"), which rebuilds streams
    attribute   that is read or set
    stays       the key may be made a token object
    """

    function: str
    role: Role
    stream: "Stream"
    mechanism: int = -1
    operand: bool = False
    base: Role = OTHER
    born: Role = OTHER
    key_type: int | None = None
    readable: bool = False
    length: Sizes = None
    whole: int | None = None
    oracle: str = ""
    attribute: int | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Cutting:
    """Calls that cut a key block: `stream` in the order of RFC 5246 section 6.3.

    mac, key, iv   lengths of one side's parts that may be asked of the module
    key_type       of the write keys; None: any
    readable       as for a `Reading`
    renamed        the randoms are such that the module sees the stream's own, and a ledger other ones
    cut            the one allowed cut that these calls make; None: any cut
    once           of all these calls one can be made, and any number of times
    """

    role: Role
    stream: "Stream"
    mechanism: int
    mac: Sizes = None
    key: Sizes = None
    iv: Sizes = None
    key_type: int | None = None
    readable: bool = True
    renamed: bool = False
    cut: Cut | None = None
    once: bool = False
    function: str = field(default="C_DeriveKey", init=False)


Way = Reading | Cutting


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of a rule: under which policy, and which cut of the key block stands in the ledger; None: none does."""

    policy: Policy
    cuts: Cuts
    committed: Cut | None = None


Left = Iterable[Way]
"""What a rule leaves of a way: nothing, the way as it was, or narrower ones."""
