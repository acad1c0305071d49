"""Keys: generating, deriving, wrapping, encapsulating."""

from ...values import Derived, Mechanism, Template
from ..memory import Memory
from ..parameters import encode_mechanism
from ..structures import ffi
from ..templates import encode
from .base import Calls


class Keys(Calls):
    """C_GenerateKey to C_DeriveKey, C_EncapsulateKey and C_DecapsulateKey."""

    _always_wants_handle: bool

    def generate_key(self, session: int, mechanism: Mechanism, template: Template) -> int:
        with Memory() as memory:
            pointer, _ = encode_mechanism(memory, mechanism)
            handle = memory.ulong()
            self._library.call("C_GenerateKey", session, pointer, *encode(memory, template), handle)
            return int(handle[0])

    def generate_key_pair(self, session: int, mechanism: Mechanism, public: Template, private: Template) -> tuple[int, int]:
        with Memory() as memory:
            pointer, _ = encode_mechanism(memory, mechanism)
            templates = (*encode(memory, public), *encode(memory, private))
            handles = memory.ulong(), memory.ulong()
            self._library.call("C_GenerateKeyPair", session, pointer, *templates, *handles)
            return int(handles[0][0]), int(handles[1][0])

    def wrap_key(self, session: int, mechanism: Mechanism, wrapping_key: int, key: int) -> bytes:
        with Memory() as memory:
            pointer, _ = encode_mechanism(memory, mechanism)
            return self._output(memory, "C_WrapKey", session, pointer, wrapping_key, key)

    def unwrap_key(self, session: int, mechanism: Mechanism, unwrapping_key: int, wrapped: bytes, template: Template) -> int:
        with Memory() as memory:
            pointer, _ = encode_mechanism(memory, mechanism)
            octets = memory.octets(wrapped, "wrapped key")
            arguments = (session, pointer, unwrapping_key, octets, len(wrapped), *encode(memory, template))
            handle = memory.ulong()
            self._library.call("C_UnwrapKey", *arguments, handle)
            return int(handle[0])

    def derive_key(self, session: int, mechanism: Mechanism, base_key: int, template: Template) -> Derived:
        """Where results come back in the parameter, phKey is NULL as the standard asks (PKCS#11 3.0 section 2.40)."""
        with Memory() as memory:
            pointer, parameter = encode_mechanism(memory, mechanism)
            handle = memory.ulong()
            wanted = handle if parameter.returns_handle or self._always_wants_handle else ffi.NULL
            self._library.call("C_DeriveKey", session, pointer, base_key, *encode(memory, template), wanted)
            return parameter.collect(int(handle[0]))

    def encapsulate_key(self, session: int, mechanism: Mechanism, public_key: int, template: Template) -> tuple[bytes, int]:
        with Memory() as memory:
            pointer, _ = encode_mechanism(memory, mechanism)
            handle = memory.ulong()
            arguments = (session, pointer, public_key, *encode(memory, template))
            ciphertext = self._output(memory, "C_EncapsulateKey", *arguments, after=(handle,))
            return ciphertext, int(handle[0])

    def decapsulate_key(
        self, session: int, mechanism: Mechanism, private_key: int, ciphertext: bytes, template: Template
    ) -> int:
        with Memory() as memory:
            pointer, _ = encode_mechanism(memory, mechanism)
            octets = memory.octets(ciphertext, "ciphertext")
            arguments = (session, pointer, private_key, *encode(memory, template), octets, len(ciphertext))
            handle = memory.ulong()
            self._library.call("C_DecapsulateKey", *arguments, handle)
            return int(handle[0])
