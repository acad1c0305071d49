"""Object management (section 5.7)."""

from collections.abc import Sequence

from keyfence.cryptoki import AttributeValue, Template
from keyfence.cryptoki.constants import CKA, CKO, CKR

from ..attributes import TABLES, name
from ..changes import copied, modified
from ..creation import created
from ..keytypes import check_value
from ..objects import StoredObject
from ..refused import Refused
from ..state import State


class Objects:
    """Creating, copying, reading, changing, finding and destroying."""

    def __init__(self, state: State) -> None:
        self._state = state

    def create_object(self, session: int, template: Template) -> int:
        opened = self._state.store.session(session)
        self._state.schedule.judge_create(template)
        newcomer = created(template, self._state.quirks)
        return self._state.store.admit(opened, newcomer)[0]

    def copy_object(self, session: int, source: int, template: Template) -> int:
        opened = self._state.store.session(session)
        original = self._state.store.get(source)
        self._state.schedule.judge_change(original, template)
        twin = copied(original, template, self._state.quirks, self._state.login.user)
        return self._state.store.admit(opened, twin, trusted=original.flag(CKA.TRUSTED))[0]

    def destroy_object(self, session: int, handle: int) -> None:
        self._state.store.destroy(self._state.store.session(session), handle)

    def get_object_size(self, session: int, handle: int) -> int:
        self._state.store.session(session)
        return self._state.store.get(handle).size()

    def get_attribute_value(self, session: int, handle: int, types: Sequence[int]) -> dict[int, AttributeValue]:
        self._state.store.session(session)
        stored = self._state.store.get(handle)
        return {attribute: self._read(stored, attribute) for attribute in types}

    def set_attribute_value(self, session: int, handle: int, template: Template) -> None:
        opened = self._state.store.session(session)
        stored = self._state.store.get(handle)
        self._state.store.may_write(opened, stored)
        self._state.schedule.judge_change(stored, template)
        changed = modified(stored, template, self._state.quirks, self._state.login.user)
        stored.attributes, stored.value = changed.attributes, changed.value

    def find_objects_init(self, session: int, template: Template) -> None:
        opened = self._state.store.session(session)
        if opened.found is not None:
            raise Refused(CKR.OPERATION_ACTIVE)
        opened.found = self._state.store.find(dict(template))

    def find_objects(self, session: int, limit: int) -> tuple[int, ...]:
        opened = self._state.store.session(session)
        if opened.found is None:
            raise Refused(CKR.OPERATION_NOT_INITIALIZED)
        found, opened.found = opened.found[:limit], opened.found[limit:]
        return tuple(found)

    def find_objects_final(self, session: int) -> None:
        opened = self._state.store.session(session)
        if opened.found is None:
            raise Refused(CKR.OPERATION_NOT_INITIALIZED)
        opened.found = None

    def _read(self, stored: StoredObject, attribute: int) -> AttributeValue:
        if attribute not in TABLES[stored.object_class]:
            raise Refused(CKR.ATTRIBUTE_TYPE_INVALID, name(attribute))
        if attribute == CKA.CHECK_VALUE and stored.object_class == CKO.SECRET_KEY:
            return self._check_value(stored)
        return stored.show(attribute)

    def _check_value(self, stored: StoredObject) -> bytes:
        if stored.attributes.get(CKA.CHECK_VALUE) == b"":
            return b""
        supported = self._state.quirks.has_check_value(len(stored.value))
        computed = check_value(stored.key_type, stored.value.reveal()) if supported else None
        if computed is None:
            raise Refused(CKR.ATTRIBUTE_TYPE_INVALID, "CKA_CHECK_VALUE")
        return computed
