"""One session of a `Cryptoki`, as callers want it: operations in one call, and nothing left behind.

Every object that a call makes is remembered, and `scope()` destroys what was made inside it, also when the scope ends in an
error. Objects are session objects always: CKA_TOKEN is never set here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from .constants import CKA, CKO, SessionFlag
from .errors import CryptokiError, ModuleFailure
from .protocol import Cryptoki
from .values import AttributeValue, Derived, Mechanism, Template

_BATCH = 64


class Session:
    """A session and what it made. `module` is the `Cryptoki`; `handle` the session's."""

    def __init__(self, module: Cryptoki, handle: int) -> None:
        self.module = module
        self.handle = handle
        self._made: list[int] = []

    @classmethod
    def open(cls, module: Cryptoki, slot: int, *, read_write: bool = True) -> "Session":
        flags = SessionFlag.SERIAL_SESSION | (SessionFlag.RW_SESSION if read_write else 0)
        return cls(module, module.open_session(slot, int(flags)))

    def close(self) -> None:
        self.module.close_session(self.handle)

    # What was made, and its end

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Destroys, at its end, every object made inside it that `keep` did not name.

        A module that is gone took them along; what ended it is the error to tell, not that nothing can be destroyed now.
        """
        outer, self._made = self._made, []
        try:
            yield
        finally:
            made, self._made = self._made, outer
            for handle in reversed(made):
                with suppress(CryptokiError, ModuleFailure):
                    self.module.destroy_object(self.handle, handle)

    def keep(self, *handles: int) -> None:
        """Takes objects out of the present scope: somebody else will destroy them."""
        self._made = [handle for handle in self._made if handle not in handles]

    def destroy(self, handle: int) -> None:
        self.module.destroy_object(self.handle, handle)
        self.keep(handle)

    def _own(self, *handles: int) -> None:
        self._made.extend(handle for handle in handles if handle)

    # Objects

    def create(self, template: Template) -> int:
        handle = self.module.create_object(self.handle, template)
        self._own(handle)
        return handle

    def copy(self, source: int, template: Template) -> int:
        handle = self.module.copy_object(self.handle, source, template)
        self._own(handle)
        return handle

    def attribute(self, handle: int, kind: CKA) -> AttributeValue:
        return self.module.get_attribute_value(self.handle, handle, [kind])[kind]

    def value(self, handle: int) -> bytes:
        """CKA_VALUE, or the module's refusal: CKR_ATTRIBUTE_SENSITIVE where the key is protected."""
        value = self.attribute(handle, CKA.VALUE)
        assert isinstance(value, bytes)
        return value

    def find(self, template: Mapping[int, AttributeValue] | None = None) -> tuple[int, ...]:
        """All visible objects that match, each once: a list that repeats itself is at its end."""
        self.module.find_objects_init(self.handle, template or {})
        found: dict[int, None] = {}
        try:
            while batch := [handle for handle in self.module.find_objects(self.handle, _BATCH) if handle not in found]:
                found |= dict.fromkeys(batch)
        finally:
            self.module.find_objects_final(self.handle)
        return tuple(found)

    # Keys

    def generate(self, mechanism: Mechanism, template: Template) -> int:
        handle = self.module.generate_key(self.handle, mechanism, template)
        self._own(handle)
        return handle

    def generate_pair(self, mechanism: Mechanism, public: Template, private: Template) -> tuple[int, int]:
        pair = self.module.generate_key_pair(self.handle, mechanism, public, private)
        self._own(*pair)
        return pair

    def derive(self, mechanism: Mechanism, base: int, template: Template) -> Derived:
        derived = self.module.derive_key(self.handle, mechanism, base, template)
        self._own(*derived.handles)
        return derived

    def wrap(self, mechanism: Mechanism, wrapping_key: int, key: int) -> bytes:
        return self.module.wrap_key(self.handle, mechanism, wrapping_key, key)

    def unwrap(self, mechanism: Mechanism, key: int, wrapped: bytes, template: Template) -> int:
        handle = self.module.unwrap_key(self.handle, mechanism, key, wrapped, template)
        self._own(handle)
        return handle

    # Operations in one call

    def encrypt(self, mechanism: Mechanism, key: int, data: bytes) -> bytes:
        self.module.encrypt_init(self.handle, mechanism, key)
        return self.module.encrypt(self.handle, data)

    def decrypt(self, mechanism: Mechanism, key: int, data: bytes) -> bytes:
        self.module.decrypt_init(self.handle, mechanism, key)
        return self.module.decrypt(self.handle, data)

    def sign(self, mechanism: Mechanism, key: int, data: bytes) -> bytes:
        self.module.sign_init(self.handle, mechanism, key)
        return self.module.sign(self.handle, data)

    def verify(self, mechanism: Mechanism, key: int, data: bytes, signature: bytes) -> None:
        self.module.verify_init(self.handle, mechanism, key)
        self.module.verify(self.handle, data, signature)


def secret_key(key_type: int, length: int | None = None, **attributes: AttributeValue) -> dict[int, AttributeValue]:
    """A template for a secret key: `length` is CKA_VALUE_LEN in bytes, left out when None; names are CKA's, lower case."""
    template: dict[int, AttributeValue] = {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(key_type)}
    if length is not None:
        template[CKA.VALUE_LEN] = length
    return template | {CKA[name.upper()]: value for name, value in attributes.items()}
