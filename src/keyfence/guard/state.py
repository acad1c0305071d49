"""What the parts of a guard share: the module, the objects, open sessions, the rules, and what rules say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import RLock
from typing import Final

from keyfence.cryptoki import AttributeValue, Cryptoki, CryptokiError, Mechanism, Template, refusal
from keyfence.cryptoki.constants import CKA, CKM, CKR, describe

from .births import foresee, found
from .call import Call, Objection
from .journal import Journal, Record
from .policy import Mode
from .registry import Entry, Registry, Secret
from .rules import Rule, World

_TELLING: Final = (CKA.CLASS, CKA.TOKEN, CKA.KEY_TYPE, CKA.LABEL, CKA.ID, CKA.LOCAL, CKA.NEVER_EXTRACTABLE)
"""The attributes by which a token object that was there before the guard is told."""


@dataclass(slots=True)
class Operation:
    """An operation that is under way in a session. `deferred`: its data are gathered here, to be judged whole before the module
    sees any."""

    key: Entry | None
    mechanism: Mechanism
    deferred: bool = False
    data: bytearray = field(default_factory=bytearray, repr=False)


@dataclass(slots=True)
class OpenSession:
    """One session that was opened through the guard. `turn`: of calls that concern its operations one is let in at a time, so
    that what the guard knows of them and what the module has are the same."""

    handle: int
    slot: int
    operations: dict[str, Operation] = field(default_factory=dict)
    found: list[int] | None = None
    turn: RLock = field(default_factory=RLock, repr=False)


class State:
    """Shared by the guard's parts; any number of threads."""

    def __init__(self, module: Cryptoki, world: World, rules: Sequence[Rule], journal: Journal) -> None:
        self.module = module
        self.world = world
        self.journal = journal
        self.registry: Registry = world.registry
        self._rules = _by_function(rules)
        self._sessions: dict[int, OpenSession] = {}
        self._lock = RLock()

    # Sessions

    def opened(self, handle: int, slot: int) -> None:
        with self._lock:
            self._sessions[handle] = OpenSession(handle, slot)

    def session(self, handle: int, function: str) -> OpenSession:
        """A session that was opened through this guard, or CKR_SESSION_HANDLE_INVALID."""
        opened = self._sessions.get(handle)
        if opened is None:
            raise refusal(CKR.SESSION_HANDLE_INVALID, function)
        return opened

    def closing(self, handles: Sequence[int]) -> None:
        """No call finds these sessions from here on."""
        with self._lock:
            for handle in handles:
                self._sessions.pop(handle, None)

    def sessions_of(self, slot: int | None = None) -> tuple[int, ...]:
        with self._lock:
            return tuple(handle for handle, opened in self._sessions.items() if slot in (None, opened.slot))

    # Objects

    @contextmanager
    def using(
        self, session: OpenSession, function: str, *handles: int, ckr: int = CKR.KEY_HANDLE_INVALID
    ) -> Iterator[tuple[Entry, ...]]:
        """The objects of these handles, alive until the end; what the guard never issued does not exist."""
        with self.registry.using(session.slot, handles) as entries:
            if None in entries:
                raise refusal(ckr, function)
            yield tuple(entry for entry in entries if entry is not None)

    def admit(
        self,
        session: OpenSession,
        module_handle: int,
        secret: Secret,
        object_class: int,
        template: Template,
    ) -> Entry:
        """A new object of the caller's. One that is born into a session that closed meanwhile is gone with it."""
        key_type = template.get(CKA.KEY_TYPE)
        owner = None if template.get(CKA.TOKEN) else session.handle
        kind = key_type if isinstance(key_type, int) else None
        with self._lock:
            if session.handle not in self._sessions:
                raise refusal(CKR.SESSION_CLOSED, "C_CloseSession")
            return self.registry.add(module_handle, session.slot, owner, secret, object_class, kind)

    def meet(self, session: OpenSession, module_handle: int) -> Entry | None:
        """The entry of an object that a search found; None where it shall not be seen: another's session object."""
        known = self.registry.by_module_handle(session.slot, module_handle)
        if known is not None and (known.gone or known.session is not None):
            return None if known.gone else known
        attributes = self._telling(session.handle, module_handle)
        if attributes.get(CKA.TOKEN) is not True:
            if known is not None and CKA.TOKEN in attributes:
                self.registry.forget([known])
            return None
        object_class, role = attributes.get(CKA.CLASS), found(attributes, self.world.policy)
        kind = object_class if isinstance(object_class, int) else -1
        with self._lock:
            known = self.registry.by_module_handle(session.slot, module_handle)
            if known is not None and known.object_class == kind and (known.role.is_tls or not role.is_tls):
                return None if known.gone else known
            return self.admit(session, module_handle, Secret(role), kind, attributes)

    def _telling(self, session: int, module_handle: int) -> Template:
        read = ((kind, self.attribute(session, module_handle, kind)) for kind in _TELLING)
        return {int(kind): value for kind, value in read if value is not None}

    def attribute(self, session: int, module_handle: int, kind: int) -> AttributeValue | None:
        """One attribute of a module's object; None where the module does not show it."""
        with suppress(CryptokiError):
            return self.module.get_attribute_value(session, module_handle, [kind])[kind]
        return None

    def discard(self, session: int, module_handles: Sequence[int]) -> None:
        """Destroys objects that the caller shall never see."""
        for handle in module_handles:
            with suppress(CryptokiError):
                self.module.destroy_object(session, handle)

    # Judgement

    def judge(self, call: Call) -> Call:
        """The call as the module may see it. A refusal, where a rule that is enforced objects."""
        call = foresee(call, self.world.policy, self.world.cuts)
        for rule in self._rules.get(call.function, ()):
            try:
                call = rule.judge(call, self.world)
            except Objection as objection:
                self.object(rule.id, call, objection)
        return call

    def object(self, rule: str, call: Call, objection: Objection) -> None:
        """Says what a rule has against a call; raises where it is enforced."""
        refused = self.refused(rule, call, objection)
        if self.world.policy.mode(rule) is Mode.ENFORCE:
            raise refused from objection

    def refused(self, rule: str, call: Call, objection: Objection) -> CryptokiError:
        """Puts an objection on record; gives the error that it is to the caller, where it is enforced."""
        mode = self.world.policy.mode(rule)
        mechanism = describe(CKM, call.mechanism.type) if call.mechanism else ""
        role = call.subject.role if call.subject is not None and call.key is None else call.role
        self.journal.note(Record(call.function, mechanism, str(role), rule, mode, objection.why))
        refused = refusal(objection.ckr, call.function, f"guard: {rule}: {objection.why}")
        refused.rule = rule
        return refused


def _by_function(rules: Sequence[Rule]) -> Mapping[str, tuple[Rule, ...]]:
    functions = {function for rule in rules for function in rule.functions}
    return {function: tuple(rule for rule in rules if function in rule.functions) for function in functions}
