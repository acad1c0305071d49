"""Key management (section 5.18)."""

from keyfence.cryptoki import Derived, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKO, CKR, MechanismFlag

from ..mechanisms.derivation import Request
from ..mechanisms.generation import GENERATIONS, generate
from ..mechanisms.pairs import generate_pair
from ..mechanisms.registry import DERIVATIONS
from ..objects import StoredObject
from ..refused import Refused
from ..state import State
from ..templates import impose
from ..wrapping import opened_value, unwrapped, wrap


class Keys:
    """Generating, deriving, wrapping and unwrapping."""

    def __init__(self, state: State) -> None:
        self._state = state

    def generate_key(self, session: int, mechanism: Mechanism, template: Template) -> int:
        opened = self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.GENERATE)
        template, role = self._state.schedule.judge_generate(mechanism, template)
        key = generate(GENERATIONS[mechanism.type], mechanism, template, self._state.quirks)
        self._state.schedule.born((key,), role)
        return self._state.store.admit(opened, key)[0]

    def generate_key_pair(self, session: int, mechanism: Mechanism, public: Template, private: Template) -> tuple[int, int]:
        opened = self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.GENERATE_KEY_PAIR)
        pair = generate_pair(mechanism, public, private, self._state.quirks)
        public_handle, private_handle = self._state.store.admit(opened, *pair)
        return public_handle, private_handle

    def wrap_key(self, session: int, mechanism: Mechanism, wrapping_key: int, key: int) -> bytes:
        self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.WRAP)
        wrapper = self._state.key(wrapping_key, CKR.WRAPPING_KEY_HANDLE_INVALID)
        wrapped = self._state.key(key)
        self._state.gate.use(wrapper, mechanism, MechanismFlag.WRAP)
        self._state.schedule.judge_wrap(wrapped, mechanism)
        return wrap(mechanism, wrapper, wrapped, self._state.quirks)

    def unwrap_key(self, session: int, mechanism: Mechanism, unwrapping_key: int, wrapped: bytes, template: Template) -> int:
        opened = self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.UNWRAP)
        unwrapper = self._state.key(unwrapping_key, CKR.UNWRAPPING_KEY_HANDLE_INVALID)
        self._state.gate.use(unwrapper, mechanism, MechanismFlag.UNWRAP)
        template = impose(template, unwrapper.attributes.get(CKA.UNWRAP_TEMPLATE))
        schedule = self._state.schedule
        template, role = schedule.judge_unwrap(mechanism, template)
        value = schedule.opened(mechanism, unwrapper, wrapped, lambda: opened_value(mechanism, unwrapper, wrapped))
        key = unwrapped(mechanism, value, template, self._state.quirks)
        schedule.born((key,), role)
        return self._state.store.admit(opened, key)[0]

    def derive_key(self, session: int, mechanism: Mechanism, base_key: int, template: Template) -> Derived:
        opened = self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.DERIVE)
        base = self._base(base_key, mechanism)
        template = impose(template, base.attributes.get(CKA.DERIVE_TEMPLATE))
        request, role = self._state.schedule.judge_derive(
            Request(mechanism, base, template, self._state.quirks, lambda handle: self._operand(handle, mechanism))
        )
        outcome = DERIVATIONS[mechanism.type].derive(request)
        self._state.schedule.born(outcome.objects, role)
        return outcome.answer(self._state.store.admit(opened, *outcome.objects))

    def _base(self, handle: int, mechanism: Mechanism) -> StoredObject:
        """The base key; a data object where the mechanism takes one, for which there is nothing to allow."""
        stored = self._state.store.get(handle, CKR.KEY_HANDLE_INVALID)
        if stored.object_class == CKO.DATA and DERIVATIONS[mechanism.type].takes_data:
            return stored
        if not stored.is_key:
            raise Refused(CKR.KEY_HANDLE_INVALID)
        self._state.gate.use(stored, mechanism, MechanismFlag.DERIVE)
        return stored

    def _operand(self, handle: int, mechanism: Mechanism) -> StoredObject:
        stored = self._state.key(handle)
        if stored.object_class != CKO.SECRET_KEY:
            raise Refused(CKR.KEY_TYPE_INCONSISTENT)
        self._state.gate.operand(stored, mechanism)
        return stored
