"""Nine ways that got round lists of labels or mechanisms on real modules: each succeeds against the bare token, and fails
against the guard before the same token, by the rule that is there for it."""

import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keyfence.cryptoki import Cryptoki, CryptokiError, Derived, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.params import (
    ByteArray,
    CbcEncryptData,
    DerivationString,
    Ecdh1Derive,
    Hkdf,
    IterationVariable,
    KeyHandle,
    MacGeneral,
    Parameters,
    Raw,
    Sp800108Kdf,
    Tls12KeyMat,
    Tls12MasterKeyDerive,
    TlsKdf,
)
from keyfence.cryptoki.session import Session, secret_key
from keyfence.guard import Guard, MemoryLedger, Policy
from keyfence.guard.policy import ObjectName
from keyfence.guard.roles import Kind
from keyfence.schedule import HkdfLabel, Side, hkdf, key_block, master_secret, suite
from keyfence.schedule.protocol import Version
from keyfence.techniques.ecdh import P256_OID
from keyfence.techniques.pattern_forgery import decrypt_by_signatures
from keyfence.token import Quirks, SoftToken
from keyfence.token.quirks import Randoms

from .conftest import SLOT
from .stack import Stack, prf

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC128 = suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")
CBC256 = suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")
SHA256 = int(CKM.SHA256)
READABLE = {"sensitive": False, "extractable": True}

# NSS honours neither CKA_ALLOWED_MECHANISMS nor lengths of randoms: the token does as it does.
NSS = Quirks(ignore_allowed_mechanisms=True, randoms=Randoms.TRUNCATE)


@contextmanager
def refused_by(rule: str) -> Iterator[None]:
    with pytest.raises(CryptokiError, match=f"guard: {rule}:"):
        yield


def bare(quirks: Quirks = NSS) -> SoftToken:
    token = SoftToken(quirks=quirks)
    token.initialize()
    return token


def guarded(quirks: Quirks = NSS, policy: Policy | None = None) -> Guard:
    return Guard(bare(quirks), policy or Policy.default(), MemoryLedger())


def value(module: Cryptoki, handle: int) -> bytes:
    """What only the token knows."""
    assert isinstance(module, SoftToken)
    return module._state.store.get(handle).value.reveal()


def search(tls: Stack, handle: int) -> int:
    """A key of one byte, told by its HMAC."""
    answer = tls.session.sign(Mechanism(CKM.SHA256_HMAC), handle, b"which")
    return next(byte for byte in range(256) if hmac.digest(bytes([byte]), b"which", "sha256") == answer)


class Way1:
    """Label and randoms cut elsewhere; randoms of another length."""

    @staticmethod
    def moved_label(tls: Stack, master: int) -> int:
        """The first byte of the key block, under the label "k"."""
        client, server = tls.randoms
        parameters = TlsKdf(SHA256, b"k", b"ey expansion" + server, client)
        template = secret_key(CKK.GENERIC_SECRET, 1, sign=True)
        return search(tls, tls.session.derive(Mechanism(CKM.TLS12_KDF, parameters), master, template).handle)

    @staticmethod
    def longer_randoms(tls: Stack, master: int) -> bytes:
        """The stream of the first 32 bytes, cut anew: a new tuple for whoever reads all 40."""
        client, server = tls.randoms
        parameters = Tls12KeyMat(0, 0, 128, client + bytes(8), server + bytes(8), SHA256)
        template = secret_key(CKK.GENERIC_SECRET, 0)
        made = tls.session.derive(Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, parameters), master, template).key_material
        assert made is not None
        assert made.client_iv is not None
        return made.client_iv


def test_1_label_and_randoms() -> None:
    for quirks in (NSS, replace(NSS, randoms=Randoms.ANY)):
        module = bare(quirks)
        tls = Stack.on(module, SLOT)
        client, _ = tls.handshake(GCM)
        written = value(module, client.write[Side.CLIENT])
        if quirks is NSS:
            assert Way1.longer_randoms(tls, client.master) == written
        else:
            assert Way1.moved_label(tls, client.master) == written[0]

    tls = Stack.on(guarded(), SLOT)
    client, _ = tls.handshake(GCM)
    with refused_by("randoms"):
        Way1.moved_label(tls, client.master)
    with refused_by("randoms"):
        Way1.longer_randoms(tls, client.master)


def test_1_the_string_is_judged_and_not_the_label() -> None:
    """With randoms of 32 bytes, a label that runs into them is still judged as what the PRF sees."""
    tls = Stack.on(guarded(), SLOT)
    client, _ = tls.handshake(GCM)
    for label in (b"key expansion", b"master secret", b"client finished", b"key exp", b"no such label"):
        with refused_by("prf-inputs"):
            parameters = TlsKdf(SHA256, label, b"ansion".ljust(32, b"."), bytes(32))
            tls.session.derive(Mechanism(CKM.TLS12_KDF, parameters), client.master, secret_key(CKK.GENERIC_SECRET, 32))


def salted(tls: Stack, secret: int, length: int) -> bytes:
    """HKDF-Expand's first block, by HKDF-Extract with the victim as salt and the caller's data as input."""
    info = HkdfLabel(length, b"key", b"").encode() + b"\x01"
    base = tls.session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: info})
    parameters = Hkdf(True, False, SHA256, salt_key=secret)
    template = secret_key(CKK.GENERIC_SECRET, 32, **READABLE)
    return tls.session.value(tls.session.derive(Mechanism(CKM.HKDF_DERIVE, parameters), base, template).handle)


def concatenated(tls: Stack, secret: int) -> int:
    """A key of the caller's and the secret behind it, in one: read from the front, the secret follows."""
    own = tls.session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: b"own"})
    template = secret_key(CKK.GENERIC_SECRET, None, sign=True)
    return tls.session.derive(Mechanism(CKM.CONCATENATE_BASE_AND_KEY, KeyHandle(secret)), own, template).handle


def test_2_a_secret_as_an_operand() -> None:
    tls13 = suite("TLS_AES_128_GCM_SHA256")

    def victim(tls: Stack) -> int:
        shared, _ = tls.ecdhe()
        handshake = tls.extract(prf(tls13), shared, salt=_no_psk_salt())
        return tls.expand(prf(tls13), handshake, b"c hs traffic", bytes(32))

    module = bare()
    tls = Stack.on(module, SLOT)
    secret = victim(tls)
    key, _ = tls.traffic(tls13, secret)
    assert salted(tls, secret, 16)[:16] == value(module, key)
    assert value(module, concatenated(tls, secret)) == b"own" + value(module, secret)

    tls = Stack.on(guarded(), SLOT)
    secret = victim(tls)
    tls.traffic(tls13, secret)
    with refused_by("operands"):
        salted(tls, secret, 16)
    with refused_by("operands"):
        concatenated(tls, secret)


def _no_psk_salt() -> bytes:
    sha256 = prf(GCM)
    return hkdf.derive_secret(sha256, hkdf.extract(sha256, b"", bytes(32)), b"derived", b"")


def agreed_again(tls: Stack, private: int, point: bytes, length: int | None = None, kdf: CKD = CKD.NULL) -> bytes:
    template = secret_key(CKK.GENERIC_SECRET, length, **READABLE)
    mechanism = Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(int(kdf), point))
    return tls.session.value(tls.session.derive(mechanism, private, template).handle)


def test_3_the_agreement_again() -> None:
    def session(tls: Stack) -> tuple[int, bytes, int]:
        (_, private), (public, _) = tls.ec_pair(), tls.ec_pair()
        point = tls.point(public)
        return private, point, tls.agree(private, point)

    module = bare()
    tls = Stack.on(module, SLOT)
    private, point, shared = session(tls)
    assert agreed_again(tls, private, point) == value(module, shared)
    assert agreed_again(tls, private, point, 1) == value(module, shared)[-1:]

    tls = Stack.on(guarded(), SLOT)
    private, point, _ = session(tls)
    with refused_by("no-loosening"):
        agreed_again(tls, private, point)
    for length, kdf in ((1, CKD.NULL), (31, CKD.NULL), (32, CKD.SHA256_KDF)):
        with refused_by("roots-born-tls"):
            agreed_again(tls, private, point, length, kdf)


def test_3_the_key_exchange_again() -> None:
    def recorded(tls: Stack) -> tuple[int, bytes, int]:
        public, private = tls.rsa_pair()
        template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=True, extractable=True)
        client = tls.session.generate(Mechanism(CKM.TLS_PRE_MASTER_KEY_GEN, _version()), template)
        return private, tls.session.wrap(Mechanism(CKM.RSA_PKCS), public, client), client

    def unwrapped(tls: Stack, private: int, message: bytes, length: int | None = None) -> bytes:
        template = secret_key(CKK.GENERIC_SECRET, length, **READABLE)
        return tls.session.value(tls.session.unwrap(Mechanism(CKM.RSA_PKCS), private, message, template))

    module = bare()
    tls = Stack.on(module, SLOT)
    private, message, client = recorded(tls)
    secret = value(module, client)
    assert unwrapped(tls, private, message) == secret
    assert tls.session.decrypt(Mechanism(CKM.RSA_PKCS), private, message) == secret
    assert tls.session.decrypt(Mechanism(CKM.RSA_X_509), private, message).endswith(secret)
    sign = partial(tls.session.sign, Mechanism(CKM.RSA_PKCS), private)
    assert decrypt_by_signatures(sign, modulus(tls, private), message).endswith(secret)

    tls = Stack.on(guarded(), SLOT)
    private, message, _ = recorded(tls)
    with refused_by("no-loosening"):
        unwrapped(tls, private, message)
    with refused_by("roots-born-tls"):
        unwrapped(tls, private, message, 16)
    for mechanism in (CKM.RSA_PKCS, CKM.RSA_X_509):
        with refused_by("raw-rsa"):
            tls.session.decrypt(Mechanism(mechanism), private, message)
    with refused_by("raw-rsa"):
        tls.session.sign(Mechanism(CKM.RSA_X_509), private, message)
    with refused_by("raw-rsa"):
        decrypt_by_signatures(partial(tls.session.sign, Mechanism(CKM.RSA_PKCS), private), modulus(tls, private), message)
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + bytes(32)
    assert len(tls.session.sign(Mechanism(CKM.RSA_PKCS), private, digest)) == len(message)


def modulus(tls: Stack, private: int) -> int:
    value = tls.session.attribute(private, CKA.MODULUS)
    assert isinstance(value, bytes)
    return int.from_bytes(value, "big")


def _version() -> Parameters:
    return Raw(Version.TLS12.wire)


def test_3_no_answer_tells_whether_a_key_exchange_opened() -> None:
    """Else whoever has the private key's handle has Bleichenbacher's oracle. The secret instead is the same each time."""
    tls = Stack.on(guarded(), SLOT)
    public, private = tls.rsa_pair()
    message = tls.session.encrypt(Mechanism(CKM.RSA_PKCS), public, b"not 48 bytes")
    garbage = bytes(1) + os.urandom(255)
    for ciphertext in (message, garbage):
        once, again = (tls.open_key_exchange(private, ciphertext) for _ in range(2))
        assert tls.session.attribute(once, CKA.VALUE_LEN) == 48
        rsa = suite("TLS_RSA_WITH_AES_128_GCM_SHA256")
        parameters = Tls12MasterKeyDerive(*tls.randoms, SHA256)
        masters = [
            tls.session.derive(Mechanism(CKM.TLS12_MASTER_KEY_DERIVE, parameters), each, secret_key(CKK.GENERIC_SECRET)).handle
            for each in (once, again)
        ]
        tls.exchange(rsa, *(tls.keys(rsa, master) for master in masters))


def test_4_one_allowed_cut_is_enough() -> None:
    """An old session that no ledger knows: cut as AES_128_CBC_SHA, its IVs are the server key of an AES_256_CBC_SHA session."""
    module = bare()
    session = Session.open(module, SLOT)
    private, point, block = _old_session(module, session)
    server_key = block[72:104]

    def cut_first(tls: Stack, private: int) -> bytes:
        template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=True, extractable=False)
        mechanism = Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(int(CKD.NULL), point))
        shared = tls.session.derive(mechanism, private, template).handle
        end = tls.keys(CBC128, tls.master(CBC128, shared))
        return (end.iv[Side.CLIENT] or b"") + (end.iv[Side.SERVER] or b"")

    randoms = (bytes(32), bytes([1]) * 32)
    tls = Stack(session, randoms=randoms)
    assert cut_first(tls, private) == server_key

    loose = replace(Policy.default(), suites=(CBC128, CBC256))
    tls = Stack.on(Guard(module, loose, MemoryLedger()), SLOT)
    tls.randoms = randoms
    found = tls.session.find({CKA.CLASS: int(CKO.PRIVATE_KEY)})
    assert len(found) == 1
    assert cut_first(tls, found[0]) != server_key

    tls = Stack.on(Guard(module, Policy.default(), MemoryLedger()), SLOT)
    tls.randoms = randoms
    with refused_by("suite-shapes"):
        cut_first(tls, *tls.session.find({CKA.CLASS: int(CKO.PRIVATE_KEY)}))


def _old_session(module: SoftToken, session: Session) -> tuple[int, bytes, bytes]:
    """A server's private key in the token, a peer's recorded point, and the old session's key block."""
    public, private = session.generate_pair(
        Mechanism(CKM.EC_KEY_PAIR_GEN),
        {CKA.EC_PARAMS: P256_OID, CKA.VERIFY: True},
        {CKA.DERIVE: True, CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.TOKEN: True, CKA.LABEL: "server"},
    )
    peer = ec.generate_private_key(ec.SECP256R1())
    numbers = peer.public_key().public_numbers()
    own = session.attribute(public, CKA.EC_POINT)
    assert isinstance(own, bytes)
    shared = peer.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), own[-65:]))
    randoms = (bytes(32), bytes([1]) * 32)
    master = master_secret(Version.TLS12, prf(CBC256), shared, *randoms)
    block = key_block(Version.TLS12, prf(CBC256), master, *randoms, 104)
    return private, b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big"), block


def test_5_two_names_for_one_secret() -> None:
    """A copy that may not sign, and the same derivation again: the second cut of the block, all the same."""

    def others(tls: Stack) -> Iterator[int]:
        pre_master, _ = tls.ecdhe()
        first = tls.master(GCM, pre_master)
        tls.keys(GCM, first)
        yield first
        yield tls.session.copy(first, {CKA.SIGN: False, CKA.VERIFY: False})
        yield tls.master(GCM, pre_master)

    tls = Stack.on(bare(), SLOT)
    for master in others(tls):
        tls.keys(CBC256, master)

    tls = Stack.on(guarded(), SLOT)
    for master in others(tls):
        with refused_by("one-cut"):
            tls.keys(CBC256, master)
        tls.keys(GCM, master)


def version_bytes(tls: Stack, base: int) -> tuple[int, int] | None:
    parameters = Tls12MasterKeyDerive(*tls.randoms, SHA256, wants_version=True)
    template = secret_key(CKK.GENERIC_SECRET, None, derive=True)
    return tls.session.derive(Mechanism(CKM.TLS12_MASTER_KEY_DERIVE, parameters), base, template).version


def test_6_a_master_secret_as_a_pre_master_secret() -> None:
    module = bare()
    tls = Stack.on(module, SLOT)
    client, _ = tls.handshake(GCM)
    assert version_bytes(tls, client.master) == tuple(value(module, client.master)[:2])

    tls = Stack.on(guarded(), SLOT)
    client, _ = tls.handshake(GCM)
    with refused_by("operands"):
        version_bytes(tls, client.master)
    shared, _ = tls.ecdhe()
    with refused_by("operands"):
        version_bytes(tls, shared)


def test_7_a_wrapping_key() -> None:
    """The secret wrapped in ECB, one block of it unwrapped as a readable key."""
    wrap = Mechanism(CKM.AES_ECB)

    def set_up(tls: Stack) -> tuple[int, int, bytes]:
        template = secret_key(CKK.AES, 32, wrap=True, unwrap=True, label="session cache", sensitive=True, extractable=False)
        kek = tls.session.generate(Mechanism(CKM.AES_KEY_GEN), template)
        pre_master, _ = tls.ecdhe()
        parameters = Tls12MasterKeyDerive(*tls.randoms, SHA256)
        cached = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=True, extractable=True)
        master = tls.session.derive(Mechanism(CKM.TLS12_MASTER_KEY_DERIVE_DH, parameters), pre_master, cached).handle
        return kek, master, b"" if isinstance(tls.session.module, Guard) else tls.session.wrap(wrap, kek, master)

    def one_block(tls: Stack, kek: int, blob: bytes) -> bytes:
        template = secret_key(CKK.GENERIC_SECRET, 16, **READABLE)
        return tls.session.value(tls.session.unwrap(wrap, kek, blob[:16], template))

    module = bare()
    tls = Stack.on(module, SLOT)
    kek, master, blob = set_up(tls)
    assert one_block(tls, kek, blob) == value(module, master)[:16]

    named = replace(Policy.default(), wrapping_keys=(ObjectName(label="session cache"),))
    tls = Stack.on(guarded(replace(NSS, wrap_unextractable=True), named), SLOT)
    kek, master, _ = set_up(tls)
    blob = tls.session.wrap(wrap, kek, master)
    with refused_by("wrapping"):
        one_block(tls, kek, blob)
    with refused_by("no-loosening"):
        tls.session.value(tls.session.unwrap(wrap, kek, blob, secret_key(CKK.GENERIC_SECRET, 48, **READABLE)))
    with refused_by("operands"):
        tls.session.decrypt(wrap, kek, blob)
    again = tls.session.unwrap(wrap, kek, blob, secret_key(CKK.GENERIC_SECRET, 48, derive=True))
    tls.exchange(GCM, tls.keys(GCM, master), tls.keys(GCM, again))


def test_7_a_key_imported_under_a_wrapping_keys_name_is_none() -> None:
    named = replace(Policy.default(), wrapping_keys=(ObjectName(label="session cache"),))
    tls = Stack.on(guarded(NSS, named), SLOT)
    known = secret_key(CKK.AES, None, wrap=True, label="session cache") | {CKA.VALUE: bytes(16)}
    client, _ = tls.handshake(GCM)
    with refused_by("wrapping"):
        tls.session.wrap(Mechanism(CKM.AES_ECB), tls.session.create(known), client.master)


def _hmac(tls: Stack, key: int) -> None:
    tls.session.sign(Mechanism(CKM.SHA256_HMAC), key, b"data")


def _short_hmac(tls: Stack, key: int) -> None:
    tls.session.sign(Mechanism(CKM.SHA256_HMAC_GENERAL, MacGeneral(4)), key, b"data")


def _nss_prf(tls: Stack, key: int) -> None:
    client, server = tls.randoms
    mechanism = Mechanism(CKM_NSS_TLS_PRF_GENERAL_SHA256, MacGeneral(40))
    tls.session.sign(mechanism, key, b"key expansion" + server + client)


def _derived(mechanism: int, parameters: Parameters | None, key_type: int = CKK.GENERIC_SECRET) -> Callable[[Stack, int], None]:
    def ask(tls: Stack, key: int) -> None:
        tls.session.derive(Mechanism(mechanism, parameters), key, secret_key(key_type, 16, sign=True))

    return ask


def _digested(tls: Stack, key: int) -> None:
    module, session = tls.session.module, tls.session.handle
    module.digest_init(session, Mechanism(CKM.SHA256))
    module.digest_key(session, key)


_KBKDF = Sp800108Kdf(int(CKM.SHA256_HMAC), (IterationVariable(), ByteArray(b"info")))


@pytest.mark.parametrize(
    "ask",
    [
        _hmac,
        _short_hmac,
        _nss_prf,
        _digested,
        _derived(CKM.SP800_108_COUNTER_KDF, _KBKDF),
        _derived(CKM.SHA256_KEY_DERIVATION, None),
        _derived(CKM.CONCATENATE_DATA_AND_BASE, DerivationString(b"data")),
        _derived(CKM.XOR_BASE_AND_DATA, DerivationString(bytes(16))),
    ],
)
def test_8_other_functions_of_a_master_secret(ask: Callable[[Stack, int], None]) -> None:
    tls = Stack.on(bare(), SLOT)
    ask(tls, tls.handshake(GCM)[0].master)

    tls = Stack.on(guarded(), SLOT)
    master = tls.handshake(GCM)[0].master
    with refused_by("prf-inputs" if ask is _nss_prf else "operands"):
        ask(tls, master)


@pytest.mark.parametrize(
    "ask",
    [
        _derived(CKM.AES_CBC_ENCRYPT_DATA, CbcEncryptData(bytes(16), bytes(16))),
        lambda tls, key: tls.session.encrypt(Mechanism(CKM.AES_ECB), key, bytes(16)),
    ],
    ids=["encrypt data", "another mode"],
)
def test_8_other_functions_of_a_record_key(ask: Callable[[Stack, int], None]) -> None:
    quirks = replace(NSS, ignore_derive_flag=True)
    tls = Stack.on(bare(quirks), SLOT)
    ask(tls, tls.handshake(GCM)[0].write[Side.CLIENT])

    tls = Stack.on(guarded(quirks), SLOT)
    key = tls.handshake(GCM)[0].write[Side.CLIENT]
    with refused_by("(operands|use-binding)"):
        ask(tls, key)


def test_8_attributes_loosened() -> None:
    quirks = replace(NSS, clear_sensitive_by_set=True, clear_sensitive_by_copy=True)
    loose: Template = {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
    module = bare(quirks)
    tls = Stack.on(module, SLOT)
    master = tls.handshake(GCM)[0].master
    assert tls.session.value(tls.session.copy(master, loose)) == value(module, master)
    module.set_attribute_value(tls.session.handle, master, loose)
    assert tls.session.value(master) == value(module, master)

    tls = Stack.on(guarded(quirks), SLOT)
    master = tls.handshake(GCM)[0].master
    with refused_by("no-loosening"):
        tls.session.copy(master, loose)
    with refused_by("no-loosening"):
        tls.session.module.set_attribute_value(tls.session.handle, master, loose)


def test_9_token_objects() -> None:
    def stays(tls: Stack) -> int:
        pre_master, _ = tls.ecdhe()
        parameters = Tls12MasterKeyDerive(*tls.randoms, SHA256)
        template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=True, extractable=False, token=True)
        return tls.session.derive(Mechanism(CKM.TLS12_MASTER_KEY_DERIVE_DH, parameters), pre_master, template).handle

    module = bare()
    assert stays(Stack.on(module, SLOT)) in Session.open(module, SLOT).find({CKA.CLASS: int(CKO.SECRET_KEY)})

    guard = guarded()
    with refused_by("no-token-objects"):
        stays(Stack.on(guard, SLOT))


class Littering(Dispatched):
    """A module whose key block derivation fails after it made keys, and leaves them."""

    def __init__(self, module: Cryptoki) -> None:
        self.module = module
        self.littered: tuple[int, ...] = ()

    def _call(self, name: str, *arguments: object) -> object:
        result = getattr(self.module, name)(*arguments)
        if name == "derive_key" and isinstance(result, Derived) and result.key_material and not self._is_probe(arguments):
            self.littered = result.handles
            raise CryptokiError(0x30, "C_DeriveKey")
        return result

    def _is_probe(self, arguments: tuple[object, ...]) -> bool:
        mechanism = arguments[1]
        assert isinstance(mechanism, Mechanism)
        assert isinstance(mechanism.parameters, Tls12KeyMat)
        return mechanism.parameters.client_random.startswith(b"keyfence")


def test_9_handles_left_behind_are_not_found() -> None:
    module = Littering(bare())
    tls = Stack.on(module, SLOT)
    with pytest.raises(CryptokiError):
        tls.handshake(GCM)
    assert set(module.littered) <= set(tls.session.find())

    guard = Guard(module, Policy.default(), MemoryLedger())
    tls = Stack.on(guard, SLOT)
    with pytest.raises(CryptokiError):
        tls.handshake(GCM)
    assert module.littered
    assert all((role := guard.role(handle)) and role.kind is not Kind.RECORD for handle in tls.session.find())
    with pytest.raises(CryptokiError, match="CKR_KEY_HANDLE_INVALID"):
        tls.session.encrypt(Mechanism(CKM.AES_ECB), max(module.littered) + 1000, bytes(16))


def test_functions_that_no_rule_judges_are_refused() -> None:
    guard = guarded()
    tls = Stack.on(guard, SLOT)
    key = tls.handshake(GCM)[0].write[Side.CLIENT]
    session = tls.session.handle
    for ask in (
        lambda: guard.get_operation_state(session),
        lambda: guard.set_operation_state(session, b"state", key, 0),
        lambda: guard.message_encrypt_init(session, Mechanism(CKM.AES_GCM), key),
        lambda: guard.encapsulate_key(session, Mechanism(CKM.RSA_PKCS), key, {}),
    ):
        with refused_by("known-functions"):
            ask()
