"""A hostile caller who calls anything with anything, and an oracle who knows the secrets and watches.

world = World(quirks, guarded)      a token, two ways into it (guards with one ledger, or bare), and a victim's sessions
attack(world, rng, steps)           random calls
world.watch.violations              what the oracle saw
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

from keyfence.cryptoki import Cryptoki, CryptokiError, Derived, Mechanism
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.params import (
    CbcEncryptData,
    Ctr,
    DerivationString,
    Ecdh1Derive,
    ExtractParams,
    Gcm,
    Hkdf,
    Iv,
    KeyHandle,
    MacGeneral,
    Parameters,
    Tls12KeyMat,
    Tls12MasterKeyDerive,
    TlsKdf,
    TlsMac,
)
from keyfence.cryptoki.session import secret_key
from keyfence.guard import Guard, MemoryLedger, Policy
from keyfence.schedule import HkdfLabel, Side, hkdf, suite
from keyfence.techniques.ecdh import P256_OID
from keyfence.token import Quirks, SoftToken

from .conftest import SLOT
from .stack import PROTECTED, Stack, prf

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
TLS13 = suite("TLS_AES_128_GCM_SHA256")
SHA256 = int(CKM.SHA256)

TELLING = 7
"""Bytes of a 128-bit key that leave less than 2^80 to search; no two random strings of a test share so many."""


class Watch(Dispatched):
    """Stands around the token, below guards: it sees every key's value, and what is really done with it."""

    def __init__(self, token: SoftToken) -> None:
        self.token = token
        self.secrets: dict[bytes, str] = {}
        self.own: dict[bytes, frozenset[int]] = {}
        self.violations: list[str] = []

    def _call(self, name: str, *arguments: Any) -> Any:
        result = getattr(self.token, name)(*arguments)
        if name.endswith("_init") and len(arguments) == 3 and isinstance(arguments[1], Mechanism):
            self._used(name, arguments[1], arguments[2])
        if name == "digest_key":
            self._used(name, Mechanism(-1), arguments[1])
        if isinstance(result, Derived):
            for handle in result.handles:
                self._born(name, arguments, handle)
        elif name in ("unwrap_key", "copy_object", "create_object"):
            self._born(name, arguments, result)
        return result

    def value(self, handle: int) -> bytes:
        return self.token._state.store._objects[handle].value.reveal()

    def protect(self, value: bytes, name: str, mechanisms: frozenset[int]) -> None:
        """A secret of the victim's, and the operations that are its own."""
        self.secrets[value] = name
        self.own[value] = mechanisms

    def public(self, output: object, how: str) -> None:
        """Something that the caller sees."""
        for data in _bytes_in(output):
            for secret, name in self.secrets.items():
                if shared(data, secret) >= TELLING:
                    self.violations.append(f"{how} shows {name}")

    def _used(self, name: str, mechanism: Mechanism, handle: int) -> None:
        value = self.value(handle)
        if value in self.own and mechanism.type not in self.own[value]:
            self.violations.append(f"{name} with {mechanism.name} under {self.secrets[value]}")

    def _born(self, name: str, arguments: tuple[Any, ...], handle: int) -> None:
        """A key that is a piece of a victim's key, and not that key again: a second algorithm, or a shorter search."""
        stored = self.token._state.store._objects[handle]
        value = stored.value.reveal()
        if not value or value in self.secrets or name == "create_object":
            return
        for secret, of in self.secrets.items():
            if shared(value, secret) >= min(TELLING, max(4, len(value))):
                self.violations.append(f"{name}({arguments[1]}) makes a key of bytes of {of}")


def shared(data: bytes, secret: bytes) -> int:
    """The length of the longest string in both, if it is four or more."""
    best = 0
    for start in range(len(data) - 3):
        if data[start : start + 4] not in secret:
            continue
        stop = start + 4
        while stop < len(data) and data[start : stop + 1] in secret:
            stop += 1
        best = max(best, stop - start)
    return best


def _bytes_in(output: object) -> Iterator[bytes]:
    match output:
        case bytes():
            yield output
        case Derived(key_material=material, output=written):
            yield written or b""
            if material is not None:
                yield (material.client_iv or b"") + (material.server_iv or b"")
        case dict():
            yield from (value for value in output.values() if isinstance(value, bytes))


class World:
    """A token with a server's private key in it, and a victim's sessions: TLS 1.2 with GCM, and TLS 1.3."""

    def __init__(self, quirks: Quirks, guarded: bool) -> None:
        self.watch = Watch(SoftToken(quirks=quirks))
        self.watch.initialize()
        self.point = self._server()
        ledger = MemoryLedger()
        modules: list[Cryptoki] = [Guard(self.watch, Policy.default(), ledger) if guarded else self.watch for _ in range(2)]
        self.ends = [Stack.on(module, SLOT) for module in modules]
        self.randoms = self.ends[0].randoms
        self.handles: list[list[int]] = [list(tls.session.find()) for tls in self.ends]
        self.blobs: list[bytes] = []
        self._victim(self.ends[0], self.handles[0])

    def _server(self) -> bytes:
        tls = Stack.on(self.watch, SLOT)
        stays = PROTECTED | {"token": True, "derive": True}
        tls.session.generate_pair(
            Mechanism(CKM.EC_KEY_PAIR_GEN),
            {CKA.EC_PARAMS: P256_OID, CKA.VERIFY: True},
            {CKA[name.upper()]: value for name, value in stays.items()},
        )
        return tls.point(tls.ec_pair()[0])

    def _victim(self, tls: Stack, handles: list[int]) -> None:
        private = tls.session.find({CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.TOKEN: True})[0]
        shared_secret = tls.agree(private, self.point)
        master = tls.master(GCM, shared_secret)
        end = tls.keys(GCM, master)
        sha256 = prf(TLS13)
        salt = hkdf.derive_secret(sha256, hkdf.extract(sha256, b"", bytes(32)), b"derived", b"")
        traffic = tls.expand(sha256, tls.extract(sha256, shared_secret, salt=salt), b"c hs traffic", bytes(32))
        key, _ = tls.traffic(TLS13, traffic)
        own = frozenset({int(CKM.AES_GCM)})
        finished = frozenset({int(CKM.TLS_MAC), int(CKM.TLS12_MAC), CKM_NSS_TLS_PRF_GENERAL_SHA256})
        for handle, name, mechanisms in (
            (shared_secret, "the shared secret", frozenset[int]()),
            (master, "the master secret", finished),
            (end.write[Side.CLIENT], "the client write key", own),
            (end.write[Side.SERVER], "the server write key", own),
            (traffic, "the traffic secret", frozenset[int]()),
            (key, "TLS 1.3's write key", own),
        ):
            self.watch.protect(self.watch.value(self._module_handle(tls, handle)), name, mechanisms)
            handles.append(handle)

    def _module_handle(self, tls: Stack, handle: int) -> int:
        guard = tls.session.module
        if not isinstance(guard, Guard):
            return handle
        entry = guard._state.registry.find(handle)
        assert entry is not None
        return entry.module_handle


def attack(world: World, rng: Random, steps: int) -> None:
    """Random calls through either way in; refusals are what is hoped for."""
    for _ in range(steps):
        number = rng.randrange(2)
        caller = _Caller(world, rng, number)
        with suppress(CryptokiError):
            rng.choice(caller.moves)()


class _Caller:
    def __init__(self, world: World, rng: Random, number: int) -> None:
        self.world, self.rng = world, rng
        self.tls, self.handles = world.ends[number], world.handles[number]
        self.module, self.session = self.tls.session.module, self.tls.session.handle
        derivations = 8 * [self.derive]
        self.moves: list[Callable[[], None]] = [
            *derivations,
            *(self.copy, self.change, self.read, self.wrap, self.unwrap, self.encrypt, self.sign, self.verify),
            *(self.digest, self.find, self.destroy, self.create, self.generate, self.begin, self.end),
        ]

    # Moves

    def derive(self) -> None:
        mechanism = self._derivation()
        derived = self.module.derive_key(self.session, mechanism, self._any(), self._template())
        self.world.watch.public(derived, mechanism.name)
        self.handles.extend(derived.handles)

    def copy(self) -> None:
        self.handles.append(self.module.copy_object(self.session, self._any(), self._some_attributes()))

    def change(self) -> None:
        self.module.set_attribute_value(self.session, self._any(), self._some_attributes())

    def read(self) -> None:
        attributes = self.module.get_attribute_value(
            self.session, self._any(), [self.rng.choice((CKA.VALUE, CKA.CHECK_VALUE, CKA.VALUE_LEN))]
        )
        self.world.watch.public(attributes, "C_GetAttributeValue")

    def wrap(self) -> None:
        self.world.blobs.append(self.module.wrap_key(self.session, self._wrapping(), self._any(), self._any()))

    def unwrap(self) -> None:
        blob = self.rng.choice(self.world.blobs or [bytes(32)])
        cut = blob[: 16 * self.rng.randrange(1, 4)]
        self.handles.append(
            self.module.unwrap_key(self.session, self._wrapping(), self._any(), self.rng.choice((blob, cut)), self._template())
        )

    def encrypt(self) -> None:
        begin = self.rng.choice((self.module.encrypt_init, self.module.decrypt_init))
        begin(self.session, self._cipher(), self._any())
        end = self.module.encrypt if begin == self.module.encrypt_init else self.module.decrypt
        end(self.session, bytes(16))

    def sign(self) -> None:
        self.module.sign_init(self.session, self._mac(), self._any())
        self.world.watch.public(self.module.sign(self.session, self._input()), "C_Sign")

    def verify(self) -> None:
        self.module.verify_init(self.session, self._mac(), self._any())
        self.module.verify(self.session, self._input(), bytes(self.rng.choice((1, 4, 12, 32))))

    def begin(self) -> None:
        """An operation that nobody ends, so that another may be mistaken for it."""
        begin = self.rng.choice((self.module.sign_init, self.module.verify_init, self.module.encrypt_init))
        begin(self.session, self._cipher() if begin == self.module.encrypt_init else self._mac(), self._any())

    def end(self) -> None:
        """The end of an operation that something else may have begun."""
        ends: list[Callable[[], object]] = [
            lambda: self.module.sign(self.session, self._input()),
            lambda: self.module.sign_update(self.session, self._input()),
            lambda: self.module.sign_final(self.session),
            lambda: self.module.verify(self.session, self._input(), bytes(1)),
            lambda: self.module.encrypt(self.session, bytes(16)),
        ]
        self.world.watch.public(self.rng.choice(ends)(), "an operation's end")

    def digest(self) -> None:
        self.module.digest_init(self.session, Mechanism(CKM.SHA256))
        try:
            self.module.digest_key(self.session, self._any())
        finally:
            self.module.digest_final(self.session)

    def find(self) -> None:
        self.handles.extend(handle for handle in self.tls.session.find() if handle not in self.handles)

    def destroy(self) -> None:
        if self.rng.random() < 0.3:
            self.module.destroy_object(self.session, self._any())

    def create(self) -> None:
        value = self.rng.choice((bytes(32), b"known key of ours", HkdfLabel(16, b"key", b"").encode() + b"\x01"))
        kind = self.rng.choice((CKK.GENERIC_SECRET, CKK.GENERIC_SECRET, CKK.AES))
        uses = {"derive": True, "sign": True} if kind == CKK.GENERIC_SECRET else {"wrap": True, "unwrap": True, "decrypt": True}
        template = secret_key(kind, None, **uses) | {CKA.VALUE: value if kind != CKK.AES else bytes(16)}
        self.handles.append(self.module.create_object(self.session, template))

    def generate(self) -> None:
        template = secret_key(CKK.GENERIC_SECRET, 48, derive=True, sign=True, sensitive=True, extractable=False)
        self.handles.append(self.module.generate_key(self.session, Mechanism(CKM.GENERIC_SECRET_KEY_GEN), template))

    # Arguments

    def _any(self) -> int:
        """A handle of the caller's, mostly; or a number that may be one of the module's."""
        return self.rng.choice(self.handles) if self.rng.random() < 0.95 else self.rng.randrange(1, 40)

    def _derivation(self) -> Mechanism:
        client, server = self._randoms()
        mac, key, iv = (self.rng.choice((0, 8, 32, 96, 128, 160, 256)) for _ in range(3))
        if self.rng.random() < 0.4:
            mac, key, iv = self.rng.choice(((0, 128, 32), (0, 256, 32), (160, 256, 0), (160, 256, 128), (0, 256, 96)))
        label, first, second = self._label()
        choices: list[tuple[int, Parameters | None]] = [
            (CKM.TLS12_KEY_AND_MAC_DERIVE, Tls12KeyMat(mac, key, iv, client, server, SHA256)),
            (CKM.TLS12_KEY_SAFE_DERIVE, Tls12KeyMat(mac, key, iv, client, server, SHA256)),
            (CKM.TLS12_MASTER_KEY_DERIVE, Tls12MasterKeyDerive(client, server, SHA256, self.rng.random() < 0.5)),
            (CKM.TLS12_MASTER_KEY_DERIVE_DH, Tls12MasterKeyDerive(client, server, SHA256)),
            (CKM.TLS12_KDF, TlsKdf(SHA256, label, first, second)),
            (CKM.ECDH1_DERIVE, Ecdh1Derive(int(self.rng.choice((CKD.NULL, CKD.SHA256_KDF))), self.world.point)),
            (CKM.HKDF_DERIVE, Hkdf(False, True, SHA256, info=self._info())),
            (CKM.HKDF_DATA, Hkdf(False, True, SHA256, info=self._info())),
            (CKM.HKDF_DERIVE, Hkdf(True, self.rng.random() < 0.5, SHA256, info=self._info(), salt_key=self._any())),
            (CKM.HKDF_DERIVE, Hkdf(True, False, SHA256, salt=self.rng.choice((None, b"", b"own salt")))),
            (CKM.EXTRACT_KEY_FROM_KEY, ExtractParams(8 * self.rng.randrange(16))),
            (CKM.CONCATENATE_BASE_AND_KEY, KeyHandle(self._any())),
            (CKM.CONCATENATE_BASE_AND_DATA, DerivationString(b"data")),
            (CKM.XOR_BASE_AND_DATA, DerivationString(bytes(16))),
            (CKM.SHA256_KEY_DERIVATION, None),
            (CKM.AES_CBC_ENCRYPT_DATA, CbcEncryptData(bytes(16), bytes(16))),
        ]
        return Mechanism(*self.rng.choice(choices))

    def _randoms(self) -> tuple[bytes, bytes]:
        client, server = self.world.randoms
        longer = (client + bytes(8), server + bytes(8))
        return self.rng.choice(((client, server), (client, server), (server, client), longer, (os.urandom(32), server)))

    def _label(self) -> tuple[bytes, bytes, bytes]:
        """The key block's input cut anywhere, or an honest exporter's."""
        client, server = self.world.randoms
        whole = b"key expansion" + server + client
        at = self.rng.randrange(1, 20)
        return self.rng.choice(
            (
                (whole[:13], whole[13:45], whole[45:]),
                (whole[:at], whole[at:-32], whole[-32:]),
                (whole, b"", b""),
                (b"EXPORTER-Channel-Binding", client, server),
                (b"EXPERIMENTAL separated key AES_128_GCM client 128", client, server),
            )
        )

    def _info(self) -> bytes:
        length = self.rng.choice((1, 12, 16, 32))
        label = self.rng.choice((b"key", b"iv", b"finished", b"traffic upd", b"derived", b"c ap traffic", b"exporter"))
        return self.rng.choice((HkdfLabel(length, label, b"").encode(), HkdfLabel(16, b"key", b"").encode(), b"anything"))

    def _template(self) -> dict[int, Any]:
        kind = self.rng.choice((CKK.GENERIC_SECRET, CKK.GENERIC_SECRET, CKK.AES, CKK.HKDF))
        length = self.rng.choice((None, 0, 1, 3, 12, 16, 16, 32, 48))
        if self.rng.random() < 0.1:
            return {CKA.CLASS: int(CKO.DATA), CKA.VALUE_LEN: length or 16}
        return secret_key(kind, length) | self._some_attributes()

    def _some_attributes(self) -> dict[int, Any]:
        names = (CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.TOKEN, CKA.DERIVE, CKA.SIGN, CKA.ENCRYPT, CKA.WRAP)
        chosen = self.rng.sample(names, self.rng.randrange(len(names)))
        template: dict[int, Any] = {int(name): self.rng.random() < 0.5 for name in chosen}
        if self.rng.random() < 0.3:
            template |= {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
        return template

    def _wrapping(self) -> Mechanism:
        return self.rng.choice((Mechanism(CKM.AES_ECB), Mechanism(CKM.AES_CBC, Iv(bytes(16))), Mechanism(CKM.AES_KEY_WRAP)))

    def _cipher(self) -> Mechanism:
        return self.rng.choice(
            (
                Mechanism(CKM.AES_GCM, Gcm(bytes(12), b"", self.rng.choice((128, 32)))),
                Mechanism(CKM.AES_ECB),
                Mechanism(CKM.AES_CBC, Iv(bytes(16))),
                Mechanism(CKM.AES_CTR, Ctr(bytes(16))),
            )
        )

    def _mac(self) -> Mechanism:
        return self.rng.choice(
            (
                Mechanism(CKM.SHA256_HMAC),
                Mechanism(CKM.SHA256_HMAC_GENERAL, MacGeneral(self.rng.choice((1, 12, 32)))),
                Mechanism(CKM.TLS_MAC, TlsMac(SHA256, self.rng.choice((4, 12)), self.rng.choice((0, 1, 2)))),
                Mechanism(CKM_NSS_TLS_PRF_GENERAL_SHA256, MacGeneral(self.rng.choice((12, 40)))),
            )
        )

    def _input(self) -> bytes:
        client, server = self.world.randoms
        info = HkdfLabel(16, b"key", b"").encode() + b"\x01"
        return self.rng.choice((b"key expansion" + server + client, info, bytes(32), b"client finished" + bytes(32)))
