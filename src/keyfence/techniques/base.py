"""What a technique is, and what it may ask of the bench it works on.

A technique is one way to leak. For a victim it names its attacks, one per mechanism it could go through; an attack probes
(on secrets of the lab's own), so that the model can plan the cheapest chain of calls, and executes the chain on the victim.
Nothing here knows a module by name.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol

from keyfence.cryptoki.constants import CKM, CKR, describe
from keyfence.cryptoki.errors import CryptokiError, KeyfenceError
from keyfence.cryptoki.params import GcmLayout
from keyfence.cryptoki.session import Session
from keyfence.cryptoki.values import AttributeValue
from keyfence.model import Capability, Chain, Slice
from keyfence.search.problem import Problem

from .recovery import Recovery
from .victim import Agreement, Kind, Victim


@dataclass(frozen=True, slots=True)
class Known:
    """A secret of the lab's own: its handle, and its value unless the module lets nobody import or read one."""

    handle: int
    value: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """Bits of a victim's key block that searches are told beforehand; a set bit of `mask` is one that `value` tells.

    An audit gives nothing: both are zero. A demonstration gives some, and never a byte whole.
    """

    mask: bytes
    value: bytes = field(repr=False)

    @property
    def bits(self) -> int:
        """How many are given."""
        return int.from_bytes(self.mask).bit_count()


class Bench(Protocol):
    """What the audit lends an attack. `session` is traced: every call through it is on record."""

    session: Session
    gcm_layout: GcmLayout
    max_search_bits: int
    searchable: Collection[str]
    """Ciphers ("des", "rc4", "aes") whose keys engines search here, beside the short searches that need none."""
    on_the_victim: bool
    """Whether the attack is tried once more, with the victim's own keys in place of ours: a module may tell the two apart."""

    def has(self, *mechanisms: int) -> bool:
        """Whether the token lists all of these."""
        ...

    def rehearsal(self, victim: Victim) -> Known:
        """A secret like the victim's master (or traffic) secret, made by the lab, known to it where the module allows."""
        ...

    def given(self, victim: Victim) -> Given:
        """What searches are told of the victim's key block, its secret part, beforehand."""
        ...

    def search(self, wanted: Problem) -> bytes:
        """The key, by the fastest engine here. Inconclusive where no candidate is it."""
        ...

    def pre_master(self, victim: Victim) -> int:
        """A pre-master secret of the lab's own, made as the victim's was; its value nobody knows."""
        ...

    def import_key(self, key_type: int, value: bytes, **attributes: AttributeValue) -> int:
        """A session key with this value, readable where keys may be, by C_CreateObject or whatever else the module offers."""
        ...


class Inconclusive(KeyfenceError):
    """The attack could neither be shown nor ruled out; the message says why."""


class Unprepared(CryptokiError):
    """A call that only prepares an attack was refused: nothing is known of the attack itself."""


@contextmanager
def preparing() -> Iterator[None]:
    """Around calls that make what an attack needs of the caller's own: a refusal of theirs is not the attack's."""
    try:
        yield
    except CryptokiError as refusal:
        raise Unprepared(refusal.ckr, refusal.function, refusal.detail) from refusal


SILENT: Final = frozenset(
    {
        *(CKR.HOST_MEMORY, CKR.DEVICE_ERROR, CKR.DEVICE_MEMORY, CKR.DEVICE_REMOVED, CKR.TOKEN_NOT_PRESENT),
        *(CKR.SESSION_CLOSED, CKR.SESSION_HANDLE_INVALID, CKR.SESSION_COUNT, CKR.USER_NOT_LOGGED_IN),
        *(CKR.OPERATION_ACTIVE, CKR.OPERATION_NOT_INITIALIZED, CKR.CRYPTOKI_NOT_INITIALIZED, CKR.BUFFER_TOO_SMALL),
    }
)
"""What tells of the device, the session or the caller, and nothing of what was asked for."""


def says_something(refusal: CryptokiError) -> bool:
    """Whether the module refused the attack, rather than what came before it or anything at all just then."""
    return not isinstance(refusal, Unprepared) and refusal.ckr not in SILENT


def telling(refusals: Sequence[CryptokiError]) -> CryptokiError:
    """Of several the first that refused the attack; the first of all where none did."""
    return next(filter(says_something, refusals), refusals[0])


@dataclass(frozen=True, slots=True)
class Offer:
    """What probing found: the bytes wanted, the calls the module allows, and what it refused on the way.

    `capabilities` empty means that nothing useful is allowed; `refusals` then say with which CKR. `unexplained`: a call that
    was allowed gave something else than it should, so that refusals of others are not the whole answer.
    """

    target: tuple[Slice, ...]
    capabilities: tuple[Capability, ...]
    refusals: tuple[CryptokiError, ...] = ()
    unexplained: bool = False


class Attack(ABC):
    """One technique, through one mechanism, against one victim."""

    mechanism: int
    """The mechanism the finding names."""
    key: str = "key block"
    """What is attacked, in the field's words: "key block", "master secret", "client write key" …"""

    @property
    def name(self) -> str:
        """What the finding calls the way taken: the mechanism's name, and the function's where that tells more."""
        return describe(CKM, self.mechanism)

    @property
    @abstractmethod
    def requires(self) -> tuple[int, ...]:
        """Every mechanism the attack calls; one missing makes the finding ABSENT."""

    @abstractmethod
    def probe(self, bench: Bench) -> Offer:
        """Finds out, on secrets of the lab's own, what the module allows. A `CryptokiError` raised here is a refusal."""

    @abstractmethod
    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        """Carries the chain out on the victim. Raises CryptokiError (refused after all) or Inconclusive."""

    def steps(self, chain: Chain) -> tuple[str, ...]:
        """The chain in PKCS#11's terms, a line per call, for a reader."""
        return tuple(str(step) for step in chain.steps)


class Technique(ABC):
    """One way to leak. Class attributes are what `keyfence techniques` shows."""

    id: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    """What it does and needs, in a few sentences."""
    section: ClassVar[str]
    """The section of the PKCS#11 standard that defines or allows it."""
    references: ClassVar[tuple[str, ...]]
    remedy: ClassVar[str]
    """What would have refused it."""
    standard: ClassVar[bool] = True
    """Whether the standard's own text allows it. False: a module that leaks this way has a bug."""
    kinds: ClassVar[frozenset[Kind]]
    """The kinds of session it can be aimed at."""
    agreement: ClassVar[Agreement | None] = None
    """The agreement it needs; None for any."""
    agreements: ClassVar[tuple[Agreement, ...]] = ()
    """Several agreements, where each is a session of its own to try; empty: `agreement` says it."""
    one_suite: ClassVar[bool] = False
    """Whether one suite of each kind will do: what is attacked lies before the suite makes a difference."""
    suites: ClassVar[tuple[str, ...]] = ()
    """The victims' suites where only these will do; empty for the audit's choice."""

    @abstractmethod
    def attacks(self, victim: Victim) -> Iterable[Attack]:
        """The attacks on this victim; none where the technique has nothing to do with such a session."""
