"""Encryption, digests, signatures: a key is judged when an operation begins, and where the data matter they are judged whole.

Under a master secret the data decide what a MAC is (a Finished, an exporter's output, or the key block), so they are gathered
here and the module sees none before all of them are judged; so is what an RSA key of TLS signs without hashing it. What is
signed under any other key goes straight through.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import wraps
from typing import Any, Final, TypeVar

from keyfence.cryptoki import METHODS, CryptokiError, Mechanism, function_name, refusal
from keyfence.cryptoki.constants import CKA, CKR

from ..call import Call, Objection
from ..registry import Entry
from ..roles import Kind
from ..rules.raw_rsa import signs_unhashed
from ..state import OpenSession, Operation, State

T = TypeVar("T")
C = TypeVar("C")

_MOST_DATA: Final = 1 << 16
"""Bytes gathered for one judgement: an exporter's context, its longest part, has fewer."""

_JUDGED_WHOLE: Final = frozenset({Kind.MASTER})
_FULL_MACS: Final = frozenset({Kind.MASTER, Kind.MAC, Kind.FINISHED})
_FUNCTIONS: Final = {
    name: function_name(name) for name in ("encrypt", "decrypt", "digest", "sign", "verify", "sign_recover", "verify_recover")
}


def _in_turn(method: Callable[..., T]) -> Callable[..., T]:
    @wraps(method)
    def call(self: "Operations", session: int, *arguments: Any) -> T:
        function = function_name(method.__name__)
        opened = self._state.session(session, function)
        with opened.turn:
            if self._state.session(session, function) is not opened:  # closed meanwhile, and another one opened in its place
                raise refusal(CKR.SESSION_HANDLE_INVALID, function)
            return method(self, session, *arguments)

    return call


def _one_at_a_time(cls: type[C]) -> type[C]:
    """Every call of `Cryptoki` in its session's turn: else one thread's data come into the operation of another's, which was
    judged with other data. PKCS#11 leaves that to callers; the adversary is one."""
    for name in METHODS:
        if name in vars(cls):
            setattr(cls, name, _in_turn(getattr(cls, name)))
    return cls


@_one_at_a_time
class Operations:
    """See `Cryptoki`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._module = state.module

    # Beginning

    def encrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("encrypt", session, mechanism, key)

    def decrypt_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("decrypt", session, mechanism, key)

    def sign_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("sign", session, mechanism, key)

    def sign_recover_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("sign_recover", session, mechanism, key)

    def verify_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("verify", session, mechanism, key)

    def verify_recover_init(self, session: int, mechanism: Mechanism, key: int) -> None:
        self._begin("verify_recover", session, mechanism, key)

    def _begin(self, name: str, session: int, mechanism: Mechanism, key: int) -> None:
        function = function_name(f"{name}_init")
        opened = self._state.session(session, function)
        active = opened.operations.get(name)
        with self._state.using(opened, function, key) as (entry,):
            call = self._state.judge(Call(function, session, mechanism, entry))
            assert call.mechanism is not None
            whole = entry.role.kind in _JUDGED_WHOLE or (name == "sign" and signs_unhashed(call))
            if active is not None and (whole or active.deferred):
                raise refusal(CKR.OPERATION_ACTIVE, function)
            if whole:
                opened.operations[name] = Operation(entry, call.mechanism, deferred=True)
                return
            getattr(self._module, f"{name}_init")(session, _plain(call.mechanism, entry), entry.module_handle)
        opened.operations[name] = Operation(entry, call.mechanism)

    # Encryption and decryption

    def encrypt(self, session: int, data: bytes) -> bytes:
        return self._end("encrypt", session, self._module.encrypt, data)

    def encrypt_update(self, session: int, data: bytes) -> bytes:
        return self._go_on("encrypt", session, self._module.encrypt_update, data)

    def encrypt_final(self, session: int) -> bytes:
        return self._end("encrypt", session, self._module.encrypt_final)

    def decrypt(self, session: int, data: bytes) -> bytes:
        return self._end("decrypt", session, self._module.decrypt, data)

    def decrypt_update(self, session: int, data: bytes) -> bytes:
        return self._go_on("decrypt", session, self._module.decrypt_update, data)

    def decrypt_final(self, session: int) -> bytes:
        return self._end("decrypt", session, self._module.decrypt_final)

    def sign_recover(self, session: int, data: bytes) -> bytes:
        return self._end("sign_recover", session, self._module.sign_recover, data)

    def verify_recover(self, session: int, signature: bytes) -> bytes:
        return self._end("verify_recover", session, self._module.verify_recover, signature)

    def _end(self, name: str, session: int, finish: Callable[..., bytes], *data: bytes) -> bytes:
        self._ended(self._state.session(session, _FUNCTIONS[name]), name)
        return finish(session, *data)

    def _go_on(self, name: str, session: int, update: Callable[[int, bytes], T], data: bytes) -> T:
        opened = self._state.session(session, _FUNCTIONS[name])
        self._active(opened, name)
        try:
            return update(session, data)
        except CryptokiError:
            opened.operations.pop(name, None)  # an error ends an operation (PKCS#11 3.2 section 5.1.2)
            raise

    def _active(self, opened: OpenSession, name: str) -> Operation:
        """The operation under way. What the guard did not begin does not go on, whatever the module thinks."""
        operation = opened.operations.get(name)
        if operation is None:
            raise refusal(CKR.OPERATION_NOT_INITIALIZED, _FUNCTIONS[name])
        return operation

    def _ended(self, opened: OpenSession, name: str) -> Operation:
        operation = self._active(opened, name)
        del opened.operations[name]
        return operation

    # Digests

    def digest_init(self, session: int, mechanism: Mechanism) -> None:
        opened = self._state.session(session, "C_DigestInit")
        self._module.digest_init(session, mechanism)
        opened.operations["digest"] = Operation(None, mechanism)

    def digest(self, session: int, data: bytes) -> bytes:
        return self._end("digest", session, self._module.digest, data)

    def digest_update(self, session: int, data: bytes) -> None:
        self._go_on("digest", session, self._module.digest_update, data)

    def digest_key(self, session: int, key: int) -> None:
        opened = self._state.session(session, "C_DigestKey")
        mechanism = self._active(opened, "digest").mechanism
        with self._state.using(opened, "C_DigestKey", key) as (entry,):
            self._state.judge(Call("C_DigestKey", session, mechanism, entry))
            self._module.digest_key(session, entry.module_handle)

    def digest_final(self, session: int) -> bytes:
        return self._end("digest", session, self._module.digest_final)

    # Signatures and MACs

    def sign(self, session: int, data: bytes) -> bytes:
        opened = self._state.session(session, "C_Sign")
        operation = self._ended(opened, "sign")
        if not operation.deferred:
            return self._module.sign(session, data)
        return self._sign_whole(opened, operation, data)

    def sign_update(self, session: int, data: bytes) -> None:
        self._gather("sign", session, data, self._module.sign_update)

    def sign_final(self, session: int) -> bytes:
        opened = self._state.session(session, "C_SignFinal")
        operation = self._ended(opened, "sign")
        if not operation.deferred:
            return self._module.sign_final(session)
        return self._sign_whole(opened, operation, bytes(operation.data))

    def _sign_whole(self, opened: OpenSession, operation: Operation, data: bytes) -> bytes:
        with self._alive(opened, operation, "C_Sign") as (entry,):
            call = Call("C_Sign", opened.handle, operation.mechanism, entry, data=data)
            if signs_unhashed(call):
                call = replace(call, modulus=self._modulus(opened, entry))
            call = self._state.judge(call)
            assert call.mechanism is not None
            self._module.sign_init(opened.handle, call.mechanism, entry.module_handle)
            return self._module.sign(opened.handle, data)

    def _modulus(self, opened: OpenSession, key: Entry) -> int:
        """Bytes of an RSA private key's modulus, which the module has to tell (PKCS#11 3.2 §6.1.3)."""
        value = self._module.get_attribute_value(opened.handle, key.module_handle, [CKA.MODULUS])[CKA.MODULUS]
        return len(value) if isinstance(value, bytes) else 0

    def verify(self, session: int, data: bytes, signature: bytes) -> None:
        opened = self._state.session(session, "C_Verify")
        operation = self._ended(opened, "verify")
        if operation.deferred:
            self._verify_whole(opened, operation, data, signature)
            return
        end = self._module.verify
        self._check_signature(opened, operation, signature, lambda full: end(session, data, full))
        end(session, data, signature)

    def verify_update(self, session: int, data: bytes) -> None:
        self._gather("verify", session, data, self._module.verify_update)

    def verify_final(self, session: int, signature: bytes) -> None:
        opened = self._state.session(session, "C_VerifyFinal")
        operation = self._ended(opened, "verify")
        if operation.deferred:
            self._verify_whole(opened, operation, bytes(operation.data), signature)
            return
        end = self._module.verify_final
        self._check_signature(opened, operation, signature, lambda full: end(session, full))
        end(session, signature)

    def _verify_whole(self, opened: OpenSession, operation: Operation, data: bytes, signature: bytes) -> None:
        with self._alive(opened, operation, "C_Verify") as (entry,):
            call = Call("C_Verify", opened.handle, operation.mechanism, entry, data=data, signature=signature)
            call = self._state.judge(call)
            assert call.mechanism is not None
            self._module.verify_init(opened.handle, call.mechanism, entry.module_handle)
            self._module.verify(opened.handle, data, signature)

    def _check_signature(
        self, opened: OpenSession, operation: Operation, signature: bytes, end: Callable[[bytes], None]
    ) -> None:
        """A MAC of another length is refused before the module sees it; the module's operation is ended with zeros instead."""
        if operation.key is None or operation.key.role.kind not in _FULL_MACS:
            return
        call = Call("C_Verify", opened.handle, operation.mechanism, operation.key, signature=signature)
        try:
            self._state.judge(call)
        except CryptokiError:
            with suppress(CryptokiError):
                end(bytes(max(operation.key.role.lengths, default=1)))
            raise

    def _gather(self, name: str, session: int, data: bytes, update: Callable[[int, bytes], None]) -> None:
        opened = self._state.session(session, _FUNCTIONS[name])
        operation = self._active(opened, name)
        if not operation.deferred:
            self._go_on(name, session, update, data)
            return
        if len(operation.data) + len(data) > _MOST_DATA:
            del opened.operations[name]
            raise refusal(CKR.DATA_LEN_RANGE, _FUNCTIONS[name])
        operation.data += data

    def _alive(self, opened: OpenSession, operation: Operation, function: str) -> AbstractContextManager[tuple[Entry, ...]]:
        assert operation.key is not None
        return self._state.using(opened, function, operation.key.handle)

    # Two operations in one call

    def digest_encrypt_update(self, session: int, data: bytes) -> bytes:
        return self._both(session, "C_DigestEncryptUpdate", self._module.digest_encrypt_update, data)

    def decrypt_digest_update(self, session: int, data: bytes) -> bytes:
        return self._both(session, "C_DecryptDigestUpdate", self._module.decrypt_digest_update, data)

    def sign_encrypt_update(self, session: int, data: bytes) -> bytes:
        return self._both(session, "C_SignEncryptUpdate", self._module.sign_encrypt_update, data)

    def decrypt_verify_update(self, session: int, data: bytes) -> bytes:
        return self._both(session, "C_DecryptVerifyUpdate", self._module.decrypt_verify_update, data)

    def _both(self, session: int, function: str, update: Callable[[int, bytes], bytes], data: bytes) -> bytes:
        """Not where a secret of TLS is in one of the two: data that were to be judged whole would be missing a part."""
        opened = self._state.session(session, function)
        concerned = next((o for o in opened.operations.values() if o.key is not None and o.key.role.is_tls), None)
        if concerned is not None:
            call = Call(function, session, concerned.mechanism, concerned.key)
            self._state.object("known-functions", call, Objection("two operations in one call, one under a secret of TLS"))
        return update(session, data)


def _plain(mechanism: Mechanism, entry: Entry) -> Mechanism:
    """A full-length MAC whose caller said the length all the same: modules take no parameter there."""
    if entry.role.kind in (Kind.MAC, Kind.FINISHED) and not _is_general(mechanism):
        return Mechanism(mechanism.type)
    return mechanism


def _is_general(mechanism: Mechanism) -> bool:
    return mechanism.name.endswith(("_GENERAL", "_MAC"))
