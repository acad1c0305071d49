"""Key management (section 5.18)."""

from keyfence.cryptoki import Derived, Mechanism, Template
from keyfence.cryptoki.constants import CKA, MechanismFlag

from ..mechanisms.derivation import Request
from ..mechanisms.generation import GENERATIONS, generate
from ..mechanisms.registry import DERIVATIONS
from ..objects import StoredObject
from ..state import State
from ..templates import impose


class Keys:
    """Generating, deriving, wrapping and unwrapping."""

    def __init__(self, state: State) -> None:
        self._state = state

    def generate_key(self, session: int, mechanism: Mechanism, template: Template) -> int:
        opened = self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.GENERATE)
        template = self._state.schedule.judge_generate(mechanism, template)
        key = generate(GENERATIONS[mechanism.type], mechanism, template, self._state.quirks)
        (handle,) = self._state.store.admit(opened, key)
        self._state.schedule.born((key,), mechanism, None)
        return handle

    def derive_key(self, session: int, mechanism: Mechanism, base_key: int, template: Template) -> Derived:
        opened = self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.DERIVE)
        base = self._state.key(base_key)
        self._state.gate.use(base, mechanism, MechanismFlag.DERIVE)
        template = impose(template, base.attributes.get(CKA.DERIVE_TEMPLATE))
        request = self._state.schedule.judge_derive(
            Request(mechanism, base, template, self._state.quirks, lambda handle: self._operand(handle, mechanism))
        )
        outcome = DERIVATIONS[mechanism.type].derive(request)
        handles = self._state.store.admit(opened, *outcome.objects)
        self._state.schedule.born(outcome.objects, mechanism, base)
        return outcome.answer(handles)

    def _operand(self, handle: int, mechanism: Mechanism) -> StoredObject:
        stored = self._state.key(handle)
        self._state.gate.operand(stored, mechanism)
        return stored
