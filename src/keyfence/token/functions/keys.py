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
from ..wrapping import unwrap, wrap


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

    def generate_key_pair(self, session: int, mechanism: Mechanism, public: Template, private: Template) -> tuple[int, int]:
        opened = self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.GENERATE_KEY_PAIR)
        private = self._state.schedule.judge_generate(mechanism, private)
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
        template = self._state.schedule.judge_unwrap(mechanism, unwrapper, template)
        key = unwrap(mechanism, unwrapper, wrapped, template, self._state.quirks)
        (handle,) = self._state.store.admit(opened, key)
        self._state.schedule.born((key,), mechanism, unwrapper)
        return handle

    def derive_key(self, session: int, mechanism: Mechanism, base_key: int, template: Template) -> Derived:
        opened = self._state.store.session(session)
        self._state.registry.offer(mechanism.type, MechanismFlag.DERIVE)
        base = self._base(base_key, mechanism)
        template = impose(template, base.attributes.get(CKA.DERIVE_TEMPLATE))
        request = self._state.schedule.judge_derive(
            Request(mechanism, base, template, self._state.quirks, lambda handle: self._operand(handle, mechanism))
        )
        outcome = DERIVATIONS[mechanism.type].derive(request)
        handles = self._state.store.admit(opened, *outcome.objects)
        self._state.schedule.born(outcome.objects, mechanism, base)
        return outcome.answer(handles)

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
