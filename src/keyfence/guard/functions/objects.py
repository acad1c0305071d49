"""Objects: made by the caller, copied, read, changed, found and destroyed, under handles of the guard's own."""

from collections.abc import Sequence
from typing import Final

from keyfence.cryptoki import AttributeValue, Template, refusal
from keyfence.cryptoki.constants import CKA, CKO, CKR

from ..call import Call
from ..registry import Secret
from ..rules.attributes import hides
from ..state import State

_BATCH: Final = 64
_LONGEST_HASH: Final = 64


class Objects:
    """See `Cryptoki`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._module = state.module

    def create_object(self, session: int, template: Template) -> int:
        opened = self._state.session(session, "C_CreateObject")
        call = self._state.judge(Call("C_CreateObject", session, template=dict(template)))
        handle = self._module.create_object(session, call.template)
        secret = Secret(call.birth.role, zeros=_is_zeros(call.template.get(CKA.VALUE)))
        return self._state.admit(opened, handle, secret, _class(call.template), call.template).handle

    def copy_object(self, session: int, source: int, template: Template) -> int:
        opened = self._state.session(session, "C_CopyObject")
        with self._state.using(opened, "C_CopyObject", source, ckr=CKR.OBJECT_HANDLE_INVALID) as (entry,):
            call = self._state.judge(Call("C_CopyObject", session, subject=entry, template=dict(template)))
            handle = self._module.copy_object(session, entry.module_handle, call.template)
            kind: Template = {} if entry.key_type is None else {CKA.KEY_TYPE: entry.key_type}
            secret = Secret(entry.role) if CKA.VALUE in call.template else entry.secret
            stays = call.template.get(CKA.TOKEN, entry.session is None)
            return self._state.admit(opened, handle, secret, entry.object_class, {**kind, CKA.TOKEN: stays}).handle

    def destroy_object(self, session: int, handle: int) -> None:
        opened = self._state.session(session, "C_DestroyObject")
        with self._state.using(opened, "C_DestroyObject", handle, ckr=CKR.OBJECT_HANDLE_INVALID) as (entry,):
            pass
        with self._state.registry.retiring([entry]) as retired:
            if not retired:
                raise refusal(CKR.OBJECT_HANDLE_INVALID, "C_DestroyObject")
            self._module.destroy_object(session, entry.module_handle)

    def get_object_size(self, session: int, handle: int) -> int:
        opened = self._state.session(session, "C_GetObjectSize")
        with self._state.using(opened, "C_GetObjectSize", handle, ckr=CKR.OBJECT_HANDLE_INVALID) as (entry,):
            return self._module.get_object_size(session, entry.module_handle)

    def get_attribute_value(self, session: int, handle: int, types: Sequence[int]) -> dict[int, AttributeValue]:
        opened = self._state.session(session, "C_GetAttributeValue")
        with self._state.using(opened, "C_GetAttributeValue", handle, ckr=CKR.OBJECT_HANDLE_INVALID) as (entry,):
            self._state.judge(Call("C_GetAttributeValue", session, subject=entry, asked=tuple(types)))
            return self._module.get_attribute_value(session, entry.module_handle, types)

    def set_attribute_value(self, session: int, handle: int, template: Template) -> None:
        opened = self._state.session(session, "C_SetAttributeValue")
        with self._state.using(opened, "C_SetAttributeValue", handle, ckr=CKR.OBJECT_HANDLE_INVALID) as (entry,):
            call = self._state.judge(Call("C_SetAttributeValue", session, subject=entry, template=dict(template)))
            if CKA.VALUE in call.template:
                entry.secret.zeros = False
            self._module.set_attribute_value(session, entry.module_handle, call.template)

    # Finding

    def find_objects_init(self, session: int, template: Template) -> None:
        """The module's search, carried through at once. A search by value finds no secret of TLS: finding one tells it."""
        opened = self._state.session(session, "C_FindObjectsInit")
        if opened.found is not None:
            raise refusal(CKR.OPERATION_ACTIVE, "C_FindObjectsInit")
        telling = hides(tuple(template))
        entries = (self._state.meet(opened, handle) for handle in self._all(session, template))
        opened.found = [entry.handle for entry in entries if entry is not None and not (telling and entry.role.is_tls)]

    def _all(self, session: int, template: Template) -> tuple[int, ...]:
        self._module.find_objects_init(session, template)
        handles: list[int] = []
        try:
            while batch := self._module.find_objects(session, _BATCH):
                handles.extend(batch)
        finally:
            self._module.find_objects_final(session)
        return tuple(handles)

    def find_objects(self, session: int, limit: int) -> tuple[int, ...]:
        opened = self._state.session(session, "C_FindObjects")
        if opened.found is None:
            raise refusal(CKR.OPERATION_NOT_INITIALIZED, "C_FindObjects")
        found, opened.found = opened.found[:limit], opened.found[limit:]
        return tuple(found)

    def find_objects_final(self, session: int) -> None:
        opened = self._state.session(session, "C_FindObjectsFinal")
        if opened.found is None:
            raise refusal(CKR.OPERATION_NOT_INITIALIZED, "C_FindObjectsFinal")
        opened.found = None


def _class(template: Template) -> int:
    value = template.get(CKA.CLASS)
    return value if isinstance(value, int) else int(CKO.DATA)


def _is_zeros(value: AttributeValue | None) -> bool:
    """Zeros that TLS 1.3 puts where there is no secret are as long as a hash."""
    return isinstance(value, bytes) and 0 < len(value) <= _LONGEST_HASH and not any(value)
