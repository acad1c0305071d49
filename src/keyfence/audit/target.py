"""A token opened for an audit: the traced module, one session, the lab and the bench, and the way back after a crash."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from keyfence.cryptoki import Cryptoki, CryptokiError, KeyfenceError, Mechanism, ModuleFailure, Pin
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR, CKU, TokenFlag
from keyfence.cryptoki.params import Gcm, GcmLayout
from keyfence.cryptoki.session import Session, secret_key
from keyfence.techniques import searching as engines
from keyfence.techniques.base import Inconclusive
from keyfence.techniques.victim import Profile, Victim

from .bench import AuditBench, Searching, untold
from .demonstration import NOTE, Demonstration
from .findings import ModuleRef
from .lab import Lab
from .steady import SteadyModule
from .trace import Listener, TracedModule


class CannotAudit(KeyfenceError):
    """The token cannot be opened for an audit; the message says why in one line."""


@runtime_checkable
class Protecting(Protocol):
    """A module with a guard before it, which tells the keys that its policy protects from those it leaves alone."""

    def protects(self, handle: int, /) -> bool:
        """Whether this object is one of the policy's."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to open. `start` gives the module, freshly and each time it is called; `pin` is asked for once, when needed.

    slot    None: the only slot with a token, or an error that lists them; a callable finds it in the initialised module
    """

    path: str
    start: Callable[[], Cryptoki]
    slot: int | Callable[[Cryptoki], int] | None = None
    pin: Callable[[], Pin | None] = lambda: None
    gcm_layout: GcmLayout | None = None
    notes: tuple[str, ...] = ()


class Opened:
    """One token, open. `close()` ends the session and the module.

    max_search_bits   searches of up to 2^this trials are run
    searchable        ciphers whose keys engines may search; default: what this machine can
    demonstration     the lab imports the secrets of its sessions and tells searches part of them
    searching         is told how far a search by an engine is
    """

    def __init__(
        self,
        target: Target,
        *,
        max_calls: int | None = None,
        listener: Listener | None = None,
        max_search_bits: int = 16,
        searchable: Collection[str] | None = None,
        demonstration: Demonstration | None = None,
        searching: Searching = untold,
    ) -> None:
        self.target = target
        self.notes: list[str] = [*target.notes, *([NOTE] if demonstration else [])]
        self.lost = False  # whether the victim of the last attack is gone
        self._max_search_bits = max_search_bits
        self._searchable = engines.searchable() if searchable is None else searchable
        self._demonstration = demonstration
        self._searching = searching
        self._pin: Pin | None = None
        self._failures: dict[Profile, str] = {}
        self.traced = TracedModule(target.start(), max_calls, listener)
        try:
            self._open()
        except BaseException:
            self._end_module()
            raise

    def _open(self) -> None:
        self.traced.initialize()
        self.slot = self._choose_slot()
        self.session = self._session()
        self._log_in()
        self.mechanisms = frozenset(self.traced.get_mechanism_list(self.slot))
        self._baseline = frozenset(self.session.find())
        self.session.module = SteadyModule(self.traced, self._baseline)
        layout = self.target.gcm_layout or self._gcm_layout()
        self.lab = Lab(self.session, self.mechanisms, layout, self._failures, self._demonstration)
        limits = (self._max_search_bits, self._searchable)
        self.bench = AuditBench(self.session, self.mechanisms, layout, *limits, self.lab.given, self._searching)
        self.reference = self._reference()

    def reopen(self) -> None:
        """After a crash or a hang: the module anew; every victim is gone and will be set up again."""
        self.lab.forget()
        restart = getattr(self.traced.module, "restart", None)
        if restart is None:
            raise CannotAudit("the module failed, and without isolation there is no way to start it again")
        restart()
        self._open()
        self.lost = True

    def close(self) -> None:
        """Closes the session, and the module; a module that is gone already is fine."""
        with suppress(CryptokiError, ModuleFailure):
            self.session.close()
        self._end_module()

    def _end_module(self) -> None:
        with suppress(CryptokiError, ModuleFailure):
            self.traced.finalize()
        closer = getattr(self.traced.module, "close", None)
        if closer is not None:
            closer()

    # Objects

    @property
    def objects_before(self) -> int:
        """How many there were when the token was opened, before anything was made."""
        return len(self._baseline)

    def count_objects(self) -> int:
        """How many objects the session sees."""
        return len(self.session.find())

    @contextmanager
    def attack_scope(self) -> Iterator[None]:
        """Everything made inside is destroyed at the end, also what a failed call made and gave no handle for."""
        self.lost = False
        try:
            with self.session.scope():
                try:
                    yield
                finally:
                    self.traced.hold()
        finally:
            if not self.lost:
                with suppress(CryptokiError, ModuleFailure):
                    self.sweep()

    def sweep(self) -> None:
        """Destroys session objects that are neither from before the audit nor a victim's."""
        for handle in set(self.session.find()) - self._baseline - self.lab.handles:
            with suppress(CryptokiError):
                if self.session.attribute(handle, CKA.TOKEN) is False:
                    self.session.destroy(handle)

    # Victims

    def holds(self, victim: Victim) -> bool:
        """Whether every object of the victim's is still there."""
        try:
            return all(self.session.attribute(handle, CKA.CLASS) is not None for handle in victim.handles.all)
        except CryptokiError:
            return False

    def lose(self, victim: Victim) -> None:
        """What is left of it is for the sweep, and its like will be set up again."""
        self.lab.lose(victim)
        self.lost = True

    # Opening

    def _choose_slot(self) -> int:
        if callable(self.target.slot):
            return self.target.slot(self.traced)
        slots = self.traced.get_slot_list(True)
        if self.target.slot is not None:
            if self.target.slot not in self.traced.get_slot_list(False):
                raise CannotAudit(f"there is no slot {self.target.slot}; the module has {_list(slots)}")
            if self.target.slot not in slots:
                raise CannotAudit(f"slot {self.target.slot} holds no token; tokens are in {_list(slots)}")
            return self.target.slot
        if len(slots) != 1:
            raise CannotAudit(f"name a slot: the module has tokens in {_list(slots)}" if slots else "no slot holds a token")
        return slots[0]

    def _session(self) -> Session:
        try:
            return Session.open(self.traced, self.slot)
        except CryptokiError as error:
            if error.ckr != CKR.TOKEN_WRITE_PROTECTED:
                raise
            return Session.open(self.traced, self.slot, read_write=False)

    def _log_in(self) -> None:
        """One try with one PIN. A wrong one ends the audit: a second try could lock the token."""
        flags = self.traced.get_token_info(self.slot).flags
        if not flags & TokenFlag.LOGIN_REQUIRED:
            return
        if flags & TokenFlag.USER_PIN_LOCKED:
            raise CannotAudit("the user PIN is locked")
        if not flags & TokenFlag.USER_PIN_INITIALIZED:
            raise CannotAudit("the token wants a login, and its user PIN is not set")
        pin = self._pin or self.target.pin()
        if pin is None and not flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH:
            raise CannotAudit("the token wants a login: give a PIN by pin-source=file:… in a URI, or --pin-file")
        if flags & TokenFlag.USER_PIN_FINAL_TRY and self._pin is None:
            raise CannotAudit("one wrong PIN would lock the token (CKF_USER_PIN_FINAL_TRY): log in once by other means first")
        try:
            self.traced.login(self.session.handle, CKU.USER, pin)
        except CryptokiError as error:
            if error.ckr != CKR.USER_ALREADY_LOGGED_IN:
                raise CannotAudit(f"login failed: {error}") from error
        self._pin = pin

    def _gcm_layout(self) -> GcmLayout:
        """The CK_GCM_PARAMS this module reads: the one under which a key of our own encrypts."""
        if not {CKM.AES_GCM, CKM.AES_KEY_GEN} <= self.mechanisms:
            return GcmLayout.IV_BITS
        with self.session.scope():
            for layout in GcmLayout:
                with suppress(CryptokiError, Inconclusive):
                    template = secret_key(CKK.AES, 16, encrypt=True, sensitive=True)
                    key = self.session.generate(Mechanism(CKM.AES_KEY_GEN), template)
                    sealed = self.session.encrypt(Mechanism(CKM.AES_GCM, Gcm(bytes(12), b"", 128, layout)), key, b"probe")
                    if len(sealed) == len(b"probe") + 16:
                        return layout
        return GcmLayout.IV_BITS

    def _reference(self) -> ModuleRef:
        info, token = self.traced.get_info(), self.traced.get_token_info(self.slot)
        version = "{}.{}".format(*info.library_version)
        return ModuleRef(self.target.path, info.description or info.manufacturer, version, self.slot, token.label)


def _list(slots: tuple[int, ...]) -> str:
    return "slots " + ", ".join(str(slot) for slot in slots) if slots else "no slot"


__all__ = ["CannotAudit", "Opened", "Target"]
