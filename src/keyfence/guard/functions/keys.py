"""Keys: generated, derived, wrapped and unwrapped, as the rules let the template be; what is born has its role before anybody
has its handle."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from keyfence.cryptoki import CryptokiError, Derived, KeyMaterial, Mechanism, Template, refusal
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR

from ..call import Birth, Call, Objection
from ..handles import with_module_handles
from ..ledger import LedgerUnavailable
from ..registry import Secret
from ..roles import OTHER, PUBLIC, Kind
from ..rules.ivs import own_ivs
from ..rules.wrapping import blob_line, blob_name
from ..state import OpenSession, State

_PRE_MASTER: Final = 48
_BEFOREHAND: Final = frozenset(
    {
        *(CKR.HOST_MEMORY, CKR.DEVICE_MEMORY, CKR.DEVICE_REMOVED, CKR.TOKEN_NOT_PRESENT, CKR.CRYPTOKI_NOT_INITIALIZED),
        *(CKR.SESSION_CLOSED, CKR.SESSION_HANDLE_INVALID, CKR.SESSION_READ_ONLY, CKR.USER_NOT_LOGGED_IN),
        *(CKR.MECHANISM_INVALID, CKR.MECHANISM_PARAM_INVALID, CKR.FUNCTION_NOT_SUPPORTED),
        *(CKR.KEY_HANDLE_INVALID, CKR.KEY_TYPE_INCONSISTENT, CKR.KEY_FUNCTION_NOT_PERMITTED),
        *(CKR.UNWRAPPING_KEY_HANDLE_INVALID, CKR.UNWRAPPING_KEY_SIZE_RANGE, CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT),
    }
)
"""Errors that say nothing of what a ClientKeyExchange holds. All others are answers to it, and are kept to ourselves."""

ANSWER: Final = "module-answer"
"""Not a rule but what a rule found when the module had answered: the key is not as it was to be."""


class Keys:
    """See `Cryptoki`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._module = state.module

    def generate_key(self, session: int, mechanism: Mechanism, template: Template) -> int:
        opened = self._state.session(session, "C_GenerateKey")
        call = self._state.judge(Call("C_GenerateKey", session, mechanism, template=dict(template)))
        handle = self._module.generate_key(session, mechanism, call.template)
        return self._admit(opened, handle, call.birth, call.template)

    def generate_key_pair(self, session: int, mechanism: Mechanism, public: Template, private: Template) -> tuple[int, int]:
        opened = self._state.session(session, "C_GenerateKeyPair")
        call = self._state.judge(Call("C_GenerateKeyPair", session, mechanism, template=dict(private)))
        own, other = self._module.generate_key_pair(session, mechanism, public, call.template)
        state = self._state
        first = state.admit(opened, own, Secret(PUBLIC), CKO.PUBLIC_KEY, public).handle
        return first, state.admit(opened, other, Secret(call.birth.role), CKO.PRIVATE_KEY, call.template).handle

    # Derivation

    def derive_key(self, session: int, mechanism: Mechanism, base_key: int, template: Template) -> Derived:
        opened = self._state.session(session, "C_DeriveKey")
        operands = mechanism.parameters.operands if mechanism.parameters else ()
        with self._state.using(opened, "C_DeriveKey", base_key, *operands) as (base, *others):
            call = Call("C_DeriveKey", session, mechanism, base, operands=tuple(others), template=dict(template))
            call = self._state.judge(call)
            assert call.mechanism is not None
            own = {entry.handle: entry.module_handle for entry in others}
            exchanged = with_module_handles(call.mechanism, lambda handle: own[handle])
            derived = self._module.derive_key(session, exchanged, base.module_handle, call.template)
            return self._born(opened, call, derived)

    def _born(self, opened: OpenSession, call: Call, derived: Derived) -> Derived:
        """The answer with handles of the guard's own. What is not as it was to be is destroyed unseen."""
        try:
            self._check(opened, call, derived)
        except Objection as objection:
            self._state.discard(opened.handle, derived.handles)
            raise self._state.refused(ANSWER, call, objection) from objection
        material = derived.key_material and self._material(opened, call, derived.key_material)
        handle = derived.handle and self._admit(opened, derived.handle, call.birth, call.template)
        additional = tuple(self._admit(opened, each, Birth(OTHER), {}) for each in derived.additional)
        return replace(derived, handle=handle, key_material=material, additional=additional)

    def _check(self, opened: OpenSession, call: Call, derived: Derived) -> None:
        birth = call.birth
        if birth.length is not None and derived.handle:
            length = self._state.attribute(opened.handle, derived.handle, CKA.VALUE_LEN)
            if length not in (None, birth.length):
                raise Objection("the module made a secret of another length", CKR.DEVICE_ERROR)
        if birth.cut is not None and birth.cut.shape.iv and call.mechanism_type != CKM.TLS12_KEY_SAFE_DERIVE:
            made = derived.key_material
            ivs = (made.client_iv, made.server_iv) if made else (None, None)
            if {len(iv or b"") for iv in ivs} != {birth.cut.shape.iv}:
                raise Objection("the module wrote no IVs", CKR.DEVICE_ERROR)

    def _material(self, opened: OpenSession, call: Call, made: KeyMaterial) -> KeyMaterial:
        birth = call.birth
        macs: Template = {CKA.KEY_TYPE: int(CKK.GENERIC_SECRET)}
        mac, key = Birth(birth.mac_role), Birth(birth.role, block=birth.block)

        def admit(handle: int, kind: Birth, template: Template) -> int:
            return self._admit(opened, handle, kind, template) if handle else 0

        client_iv, server_iv = own_ivs(birth.own_iv) if birth.own_iv else (made.client_iv, made.server_iv)
        return KeyMaterial(
            admit(made.client_mac, mac, macs),
            admit(made.server_mac, mac, macs),
            admit(made.client_key, key, call.template),
            admit(made.server_key, key, call.template),
            client_iv,
            server_iv,
        )

    def _admit(self, opened: OpenSession, handle: int, birth: Birth, template: Template) -> int:
        secret = Secret(birth.role, sendable=birth.sendable, block=birth.block)
        object_class = template.get(CKA.CLASS)
        kind = object_class if isinstance(object_class, int) else int(CKO.SECRET_KEY)
        return self._state.admit(opened, handle, secret, kind, template).handle

    # Wrapping

    def wrap_key(self, session: int, mechanism: Mechanism, wrapping_key: int, key: int) -> bytes:
        opened = self._state.session(session, "C_WrapKey")
        with self._state.using(opened, "C_WrapKey", wrapping_key, key) as (wrapper, subject):
            call = self._state.judge(Call("C_WrapKey", session, mechanism, wrapper, subject))
            wrapped = self._module.wrap_key(session, mechanism, wrapper.module_handle, subject.module_handle)
            if wrapper.role.kind is Kind.WRAPPING:
                self._issue(call, wrapped)
            return wrapped

    def _issue(self, call: Call, wrapped: bytes) -> None:
        """Puts down what the blob is before the caller has it."""
        assert call.subject is not None
        subject, ledger = call.subject, self._state.world.ledger
        key_type, length = (
            self._state.attribute(call.session, subject.module_handle, kind) for kind in (CKA.KEY_TYPE, CKA.VALUE_LEN)
        )
        if not isinstance(key_type, int) or not isinstance(length, int):
            raise refusal(CKR.KEY_NOT_WRAPPABLE, "C_WrapKey", "guard: type and length are unknown")
        try:
            ledger.commit(blob_name(ledger, call, wrapped), b"", b"", blob_line(key_type, length, subject.role))
        except LedgerUnavailable as error:
            self._state.object("wrapping", call, Objection(f"the ledger does not answer: {error}"))

    def unwrap_key(self, session: int, mechanism: Mechanism, unwrapping_key: int, wrapped: bytes, template: Template) -> int:
        opened = self._state.session(session, "C_UnwrapKey")
        with self._state.using(opened, "C_UnwrapKey", unwrapping_key) as (wrapper,):
            call = Call("C_UnwrapKey", session, mechanism, wrapper, template=dict(template), data=wrapped)
            call = self._state.judge(call)

            exchanged = call.birth.role.kind is Kind.PREMASTER
            asked = _without_length(call.template) if exchanged else call.template

            def unwrap() -> int:
                return self._module.unwrap_key(session, mechanism, wrapper.module_handle, wrapped, asked)

            handle = self._pre_master(session, call, unwrap) if exchanged else unwrap()
            return self._admit(opened, handle, call.birth, call.template)

    def _pre_master(self, session: int, call: Call, unwrap: Callable[[], int]) -> int:
        """A ClientKeyExchange that does not open gives a random secret, the same each time, and no error: an error would be
        Bleichenbacher's oracle, in the hands of whoever holds the private key's handle (RFC 5246 section 7.4.7.1). The random
        secret is made first in any case, so that nothing that goes wrong with it tells that it was needed. Without
        CKA_VALUE_LEN the module shows the length of what it found; with it some would cut it."""
        try:
            instead = self._instead(session, call)
        except LedgerUnavailable as error:
            self._state.object("roots-born-tls", call, Objection(f"the ledger does not answer: {error}"))
            return unwrap()
        opened = 0
        try:
            opened = unwrap()
        except CryptokiError as error:
            if error.ckr in _BEFOREHAND:
                self._state.discard(session, [instead])
                raise
        length = self._state.attribute(session, opened or instead, CKA.VALUE_LEN)
        kept, other = (opened, instead) if opened and length in (None, _PRE_MASTER) else (instead, opened)
        self._state.discard(session, [other] if other else [])
        return kept

    def _instead(self, session: int, call: Call) -> int:
        seed = self._state.world.ledger.hash(b"no pre-master secret", call.data)
        value = hmac.digest(seed, b"value", "sha384")
        try:
            return self._module.create_object(session, {**_without_length(call.template), CKA.VALUE: value})
        except CryptokiError as error:
            raise refusal(error.ckr, "C_UnwrapKey", "guard: nothing can stand in for a pre-master secret") from error


def _without_length(template: Template) -> Mapping[int, Any]:
    return {attribute: value for attribute, value in template.items() if attribute != CKA.VALUE_LEN}
