"""Objects: making, copying, finding, and their attributes."""

from collections.abc import Sequence

from ...constants import CKR
from ...errors import refusal
from ...values import AttributeValue, Template
from ..memory import Memory
from ..templates import Query, encode
from .base import Calls


class Objects(Calls):
    """C_CreateObject to C_FindObjectsFinal."""

    def create_object(self, session: int, template: Template) -> int:
        with Memory() as memory:
            handle = memory.ulong()
            self._library.call("C_CreateObject", session, *encode(memory, template), handle)
            return int(handle[0])

    def copy_object(self, session: int, source: int, template: Template) -> int:
        with Memory() as memory:
            handle = memory.ulong()
            self._library.call("C_CopyObject", session, source, *encode(memory, template), handle)
            return int(handle[0])

    def destroy_object(self, session: int, handle: int) -> None:
        self._library.call("C_DestroyObject", session, handle)

    def get_object_size(self, session: int, handle: int) -> int:
        with Memory() as memory:
            size = memory.ulong()
            self._library.call("C_GetObjectSize", session, handle, size)
            return int(size[0])

    def get_attribute_value(self, session: int, handle: int, types: Sequence[int]) -> dict[int, AttributeValue]:
        """Lengths first, then values; once more for each level of templates inside attributes.

        The error names the attributes that the module would not show.
        """
        with Memory() as memory:
            query = Query(memory, types)
            self._read(query, session, handle)
            while query.make_room():
                self._read(query, session, handle)
            return query.values()

    def _read(self, query: Query, session: int, handle: int) -> None:
        ckr = self._library.answer("C_GetAttributeValue", session, handle, query.array, query.count)
        hidden = ", ".join(query.unavailable)
        if ckr != CKR.OK:
            raise refusal(ckr, "C_GetAttributeValue", hidden)
        if hidden:
            raise refusal(CKR.ATTRIBUTE_TYPE_INVALID, "C_GetAttributeValue", f"{hidden}: unavailable, though the answer was OK")

    def set_attribute_value(self, session: int, handle: int, template: Template) -> None:
        with Memory() as memory:
            self._library.call("C_SetAttributeValue", session, handle, *encode(memory, template))

    def find_objects_init(self, session: int, template: Template) -> None:
        with Memory() as memory:
            self._library.call("C_FindObjectsInit", session, *encode(memory, template))

    def find_objects(self, session: int, limit: int) -> tuple[int, ...]:
        with Memory() as memory:
            handles, count = memory.array("CK_ULONG", limit), memory.ulong()
            self._library.call("C_FindObjects", session, handles, limit, count)
            return tuple(handles[i] for i in range(min(count[0], limit)))

    def find_objects_final(self, session: int) -> None:
        self._library.call("C_FindObjectsFinal", session)
