"""What a hostile reviewer got through the guard, once. Each was open before the change that came with it."""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from keyfence.cryptoki import Cryptoki, CryptokiError, Mechanism, Template, refusal
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR, MechanismFlag, SessionFlag
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_MASTER_KEY_DERIVE_DH_SHA256, CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.params import (
    Ccm,
    ExtractParams,
    Gcm,
    Hkdf,
    IkePrfDerive,
    Iv,
    MacGeneral,
    Parameters,
    PublicValue,
    Raw,
    Tls12MasterKeyDerive,
    TlsMac,
    TlsPrf,
)
from keyfence.cryptoki.session import Session, secret_key
from keyfence.guard import Guard, LedgerUnavailable, MemoryLedger, Policy
from keyfence.guard.births import foresee
from keyfence.guard.call import Call, Objection
from keyfence.guard.handles import with_module_handles
from keyfence.guard.ledger import Answer
from keyfence.guard.ledger.sql import SqlLedger
from keyfence.guard.policy import BoundKey, ObjectName
from keyfence.guard.registry import Registry, Secret
from keyfence.guard.roles import OTHER, PRIVATE, SHARED
from keyfence.guard.rules.first_use import FirstUse
from keyfence.schedule import Side, Version, suite
from keyfence.techniques.ecdh import P256_OID
from keyfence.token import Quirks, SoftToken

from ..modules import real_module
from .conftest import SLOT
from .stack import Stack

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC = suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")


@contextmanager
def refused_by(rule: str) -> Iterator[None]:
    with pytest.raises(CryptokiError, match=f"guard: {rule}:"):
        yield


# A parameter in another class's clothes


def in_disguise(handle: int) -> tuple[Parameters, ...]:
    """What is a CK_OBJECT_HANDLE in C, and has no handle in it by its class."""
    octets = handle.to_bytes(8, "little")
    return PublicValue(octets), Iv(octets), ExtractParams(handle), MacGeneral(handle)


def sliced_byte(tls: Stack, key: int, index: int) -> int:
    """A byte of a key that is no secret of TLS: sliced out, and told by its HMAC."""
    one = secret_key(CKK.GENERIC_SECRET, 1, sign=True)
    byte = tls.session.derive(Mechanism(CKM.EXTRACT_KEY_FROM_KEY, ExtractParams(8 * index)), key, one).handle
    answer = tls.session.sign(Mechanism(CKM.SHA256_HMAC), byte, b"which")
    return next(value for value in range(256) if hmac.digest(bytes([value]), b"which", "sha256") == answer)


def own_key(tls: Stack) -> int:
    return tls.session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: b"own"})


@pytest.mark.native
def test_a_modules_handle_behind_another_parameters_name() -> None:
    """CKM_CONCATENATE_BASE_AND_KEY takes 8 bytes, and modules count their handles from 1."""
    with real_module("nss") as nss:
        bare = Stack.on(nss.module, nss.slot)
        master = bare.handshake(GCM)[0].master
        for parameters in in_disguise(master):
            concatenate = Mechanism(CKM.CONCATENATE_BASE_AND_KEY, parameters)
            both = bare.session.derive(concatenate, own_key(bare), secret_key(CKK.GENERIC_SECRET, None, derive=True)).handle
            assert bare.session.attribute(both, CKA.VALUE_LEN) == 3 + 48
            sliced_byte(bare, both, 3)

        tls = Stack.on(Guard(nss.module, Policy.default(), MemoryLedger()), nss.slot)
        tls.handshake(GCM)
        own = own_key(tls)
        for parameters in in_disguise(master):
            with refused_by("operands"):
                tls.session.derive(Mechanism(CKM.CONCATENATE_BASE_AND_KEY, parameters), own, secret_key(CKK.GENERIC_SECRET))


def test_a_parameter_is_of_its_mechanisms_class(guard: Guard) -> None:
    """CK_TLS_PRF_PARAMS has its output where master-key derives have pVersion; NSS died of it."""
    tls = Stack.on(guard, SLOT)
    shared, _ = tls.ecdhe()
    for mechanism in (CKM.TLS12_MASTER_KEY_DERIVE_DH, CKM_NSS_TLS_MASTER_KEY_DERIVE_DH_SHA256):
        with refused_by("operands"):
            tls.session.derive(Mechanism(mechanism, TlsPrf(*tls.randoms, 48)), shared, secret_key(CKK.GENERIC_SECRET))
    with refused_by("operands"):
        tls.session.sign(Mechanism(CKM.KIP_MAC, Gcm(bytes(8))), own_key(tls), b"data")


@pytest.mark.parametrize("parameters", [Ccm(0, bytes(12), mac_length=16), Raw(bytes(48)), Iv(bytes(16)), None])
def test_a_gcm_key_takes_gcms_parameter(guard: Guard, parameters: Parameters | None) -> None:
    """CK_CCM_PARAMS are as long as CK_GCM_PARAMS; their 16 bytes of tag are 16 bits there. Raw ones say anything."""
    tls = Stack.on(guard, SLOT)
    key = tls.handshake(GCM)[0].write[Side.CLIENT]
    with refused_by("use-binding"):
        tls.session.encrypt(Mechanism(CKM.AES_GCM, parameters), key, b"data")


def test_a_short_tag_is_ccms_alone_and_one_length_stands() -> None:
    """CCM_8 suites cut as GCM's do, and with one of them in a policy GCM keys made tags of 8 bytes."""
    both = tuple(suite(f"TLS_ECDHE_ECDSA_WITH_AES_128_{mode}") for mode in ("CCM", "CCM_8"))
    tls = Stack.on(Guard(like_nss(), replace(Policy.default(), suites=(GCM, *both)), MemoryLedger()), SLOT)
    key = tls.handshake(GCM)[0].write[Side.CLIENT]
    with refused_by("use-binding"):
        tls.session.encrypt(Mechanism(CKM.AES_GCM, Gcm(bytes(12), tag_bits=64)), key, b"data")
    tls.session.encrypt(Mechanism(CKM.AES_CCM, Ccm(4, bytes(12), mac_length=8)), key, b"data")
    for cipher in (Mechanism(CKM.AES_CCM, Ccm(4, bytes(12))), Mechanism(CKM.AES_GCM, Gcm(bytes(12)))):
        with refused_by("use-binding"):
            tls.session.encrypt(cipher, key, b"data")


def test_a_handle_that_is_not_used_does_not_reach_the_module() -> None:
    unused = IkePrfDerive(int(CKM.SHA256_HMAC), data_as_key=True, rekey=False, ni=b"i", nr=b"r", new_key=9)
    exchanged = with_module_handles(Mechanism(CKM.IKE_PRF_DERIVE, unused), lambda handle: handle).parameters
    assert isinstance(exchanged, IkePrfDerive)
    assert exchanged.new_key == 0


# Handles that a module gives again


class Reusing(Dispatched):
    """A module that gives the lowest free handle, as opencryptoki does, before another that counts on."""

    def __init__(self, module: Cryptoki) -> None:
        self.module = module
        self.own: dict[int, int] = {}

    def _call(self, name: str, *arguments: Any) -> Any:
        result = getattr(self.module, name)(*(self._inner(name, place, value) for place, value in enumerate(arguments)))
        if name == "destroy_object":
            del self.own[arguments[1]]
        if name in ("create_object", "copy_object", "generate_key", "unwrap_key"):
            return self._given(result)
        if name in ("generate_key_pair", "find_objects"):
            return tuple(self._given(handle) for handle in result)
        return replace(result, handle=self._given(result.handle)) if name == "derive_key" else result

    def _inner(self, name: str, place: int, value: Any) -> Any:
        takes = {"destroy_object": 1, "get_attribute_value": 1, "derive_key": 2, "sign_init": 2}
        return self.own.get(value, 1 << 30) if takes.get(name) == place else value

    def _given(self, handle: int) -> int:
        for own, inner in self.own.items():
            if inner == handle:
                return own
        own = next(number for number in count(1) if number not in self.own)
        self.own[own] = handle
        return own


def test_a_handle_given_again_is_another_object(token: SoftToken) -> None:
    """A token object that another process destroyed left its role to whatever came to stand under its handle."""
    module = Reusing(token)
    guard = Guard(module, Policy.default(), MemoryLedger())
    elsewhere = Session.open(module, SLOT)
    template = secret_key(CKK.GENERIC_SECRET, None, sign=True, token=True, label="ours") | {CKA.VALUE: bytes(16)}
    ours = elsewhere.create(template)
    tls = Stack.on(guard, SLOT)
    (_, private), (public, _) = tls.ec_pair(), tls.ec_pair()
    (stale,) = tls.session.find({CKA.LABEL: "ours"})
    elsewhere.destroy(ours)

    shared = tls.agree(private, tls.point(public))
    assert guard.role(shared) == SHARED
    assert guard.role(stale) is None
    with refused_by("operands"):
        tls.session.sign(Mechanism(CKM.SHA256_HMAC), shared, b"data")


def test_a_token_object_under_another_ones_handle_is_told_anew(token: SoftToken) -> None:
    module = Reusing(token)
    guard = Guard(module, Policy.default(), MemoryLedger())
    elsewhere, tls = Session.open(module, SLOT), Stack.on(guard, SLOT)
    template = secret_key(CKK.GENERIC_SECRET, None, token=True, label="ours") | {CKA.VALUE: bytes(16)}
    ours = [elsewhere.create(template) for _ in range(2)]
    stale = tls.session.find({CKA.LABEL: "ours"})
    for each in ours:
        elsewhere.destroy(each)
    private: Template = {CKA.TOKEN: True, CKA.LABEL: "server", CKA.DERIVE: True}
    pair = elsewhere.generate_pair(Mechanism(CKM.EC_KEY_PAIR_GEN), {CKA.EC_PARAMS: P256_OID}, private)
    assert sorted(pair) == sorted(ours)
    (found,) = tls.session.find()
    assert guard.role(found) == PRIVATE
    assert [guard.role(each) for each in stale] == [None, None]


def test_what_is_destroyed_does_not_take_its_successor_along() -> None:
    """Between the module's C_DestroyObject and the guard's forgetting, another thread's new object has the same handle."""
    registry = Registry()
    first = registry.add(7, SLOT, 1, Secret(OTHER), int(CKO.SECRET_KEY), None)
    with registry.retiring([first]):
        second = registry.add(7, SLOT, 1, Secret(SHARED), int(CKO.SECRET_KEY), None)
    assert registry.by_module_handle(SLOT, 7) is second
    assert registry.find(second.handle) is second
    registry.restore([first])
    assert registry.by_module_handle(SLOT, 7) is second


# Operations


class Hooked(Dispatched):
    """A module that stops where a test wants it to: `before` and `after` are called around the next call of a method."""

    def __init__(self, module: Cryptoki) -> None:
        self.module = module
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[], object]] = {}

    def _call(self, name: str, *arguments: Any) -> Any:
        self.before.pop(name, lambda: None)()
        result = getattr(self.module, name)(*arguments)
        self.after.pop(name, lambda: None)()
        return result


def like_nss(quirks: Quirks = Quirks()) -> SoftToken:  # noqa: B008 - frozen
    """A token where CKA_ALLOWED_MECHANISMS is not looked at."""
    token = SoftToken(quirks=replace(quirks, ignore_allowed_mechanisms=True))
    token.initialize()
    return token


def key_block_asked(tls: Stack) -> bytes:
    client, server = tls.randoms
    return b"key expansion" + server + client


PRF = Mechanism(CKM_NSS_TLS_PRF_GENERAL_SHA256, MacGeneral(40))


def test_two_threads_in_one_session() -> None:
    """One thread's data came between the beginning and the end of another's PRF, whose own data had been judged. NSS gave the
    key block at the tenth attempt."""
    module = Hooked(like_nss())
    guard = Guard(module, Policy.default(), MemoryLedger())
    tls = Stack.on(guard, SLOT)
    master = tls.handshake(GCM)[0].master
    session, answers = tls.session.handle, list[bytes]()

    def attack() -> None:
        with suppress(CryptokiError):
            answers.append(guard.sign(session, key_block_asked(tls)))

    attacker = Thread(target=attack)

    def between() -> None:
        attacker.start()
        attacker.join(0.2)

    module.after["sign_init"] = between
    guard.sign_init(session, PRF, master)
    assert len(guard.sign(session, b"EXPERIMENTAL ours".ljust(100, b"."))) == 40
    attacker.join()
    assert answers == []


def test_an_operation_cancelled_while_it_begins() -> None:
    """Four threads: the guard took the operation under a master secret for one under a key of the caller's own."""
    module = Hooked(like_nss())
    guard = Guard(module, Policy.default(), MemoryLedger())
    tls = Stack.on(guard, SLOT)
    master = tls.handshake(GCM)[0].master
    own = tls.session.create(secret_key(CKK.GENERIC_SECRET, None, sign=True) | {CKA.VALUE: bytes(16)})
    session, answers = tls.session.handle, list[bytes]()
    begun, go_on = Event(), Event()

    def begin_own() -> None:
        guard.sign_init(session, Mechanism(CKM.SHA256_HMAC), own)

    def cancel_and_sign() -> None:
        with suppress(CryptokiError):
            guard.session_cancel(session, MechanismFlag.SIGN)
            guard.sign_init(session, PRF, master)
            guard.sign(session, b"EXPERIMENTAL ours".ljust(100, b"."))

    def attack() -> None:
        with suppress(CryptokiError):
            answers.append(guard.sign(session, key_block_asked(tls)))

    beginner, canceller, attacker = (Thread(target=each) for each in (begin_own, cancel_and_sign, attack))

    def own_began() -> None:
        begun.set()
        go_on.wait(0.2)

    def master_began() -> None:
        go_on.set()
        beginner.join(0.2)
        attacker.start()
        attacker.join(0.2)

    module.after["sign_init"] = own_began
    beginner.start()
    begun.wait()
    module.before["sign"] = master_began
    canceller.start()
    for thread in (beginner, canceller, attacker):
        thread.join()
    assert answers == []


class Uncancelled(Dispatched):
    """A module of PKCS#11 2.40: it has no C_SessionCancel."""

    def __init__(self, module: Cryptoki) -> None:
        self.module = module

    def _call(self, name: str, *arguments: Any) -> Any:
        if name == "session_cancel":
            raise refusal(CKR.FUNCTION_NOT_SUPPORTED, "C_SessionCancel")
        return getattr(self.module, name)(*arguments)


def test_an_operation_that_is_not_cancelled_is_not_forgotten() -> None:
    """The guard forgot a MAC key's operation that the module still had, and then a MAC of one byte was verified: an oracle."""
    guard = Guard(Uncancelled(like_nss(Quirks(short_signatures=True))), Policy.default(), MemoryLedger())
    tls = Stack.on(guard, SLOT)
    key, session = tls.handshake(CBC)[0].mac[Side.CLIENT], tls.session.handle
    full = tls.session.sign(Mechanism(CKM.SHA_1_HMAC), key, b"data")
    for signature, answer in ((full[:1], "CKR_SIGNATURE_LEN_RANGE"), (full, "")):
        guard.verify_init(session, Mechanism(CKM.SHA_1_HMAC), key)
        with pytest.raises(CryptokiError, match="CKR_FUNCTION_NOT_SUPPORTED"):
            guard.session_cancel(session, MechanismFlag.VERIFY)
        with pytest.raises(CryptokiError, match=answer) if answer else nullcontext():
            guard.verify(session, b"data", signature)


def test_two_first_uses_at_once() -> None:
    """One thread judged a secret as free for TLS while another one used it outside: both went on."""
    tls = Stack.on(guard := Guard(like_nss(), Policy.default(), MemoryLedger()), SLOT)
    free = tls.session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True, sign=True) | {CKA.VALUE: bytes([1]) * 32})
    entry = guard._state.registry.find(free)
    assert entry is not None
    world = guard._state.world
    extract = Mechanism(CKM.HKDF_DERIVE, Hkdf(True, False, int(CKM.SHA256)))
    judged = foresee(Call("C_DeriveKey", tls.session.handle, extract, entry), world.policy, world.cuts)
    tls.session.sign(Mechanism(CKM.SHA256_HMAC), free, b"data")
    with pytest.raises(Objection):
        FirstUse().judge(judged, world)


@pytest.mark.native
def test_a_token_object_is_one_however_true_is_written() -> None:
    """1 is CK_TRUE in C: a secret in the token, which other processes find, was free to become one of TLS."""
    with real_module("softhsm2") as softhsm, softhsm.session() as session:
        guard = Guard(softhsm.module, Policy.default(), MemoryLedger())
        own = guard.open_session(softhsm.slot, int(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION))
        template: Template = {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.GENERIC_SECRET), CKA.VALUE: bytes(16)}
        key = guard.create_object(own, {**template, CKA.TOKEN: 1})
        try:
            assert guard.role(key) == OTHER
        finally:
            guard.destroy_object(own, key)
        assert session


# Names


def test_a_record_key_in_the_token_keeps_its_name() -> None:
    """Under another name it was any key, to the next process."""
    module, ledger = like_nss(), MemoryLedger()
    policy = replace(Policy.default(), tls_keys=(BoundKey(ObjectName(label="records"), frozenset({int(CKM.AES_GCM)})),))
    ours = Session.open(Guard(module, policy, ledger), SLOT)
    template = secret_key(CKK.AES, 16, token=True, label="records", encrypt=True, sensitive=True, extractable=False)
    key = ours.generate(Mechanism(CKM.AES_KEY_GEN), template)
    with refused_by("no-loosening"):
        ours.module.set_attribute_value(ours.handle, key, {CKA.LABEL: "any"})
    theirs = Session.open(Guard(module, policy, ledger), SLOT)
    (found,) = theirs.find({CKA.CLASS: int(CKO.SECRET_KEY)})
    with refused_by("use-binding"):
        theirs.encrypt(Mechanism(CKM.AES_ECB), found, bytes(16))


@pytest.mark.parametrize("way", ["set", "copied"])
def test_a_key_that_decrypts_never_gets_a_wrapping_keys_name(way: str) -> None:
    """Named so afterwards, it wrapped a master secret in one process, and decrypted it in another that knew it from before."""
    module, ledger = like_nss(Quirks(wrap_unextractable=True)), MemoryLedger()
    policy = replace(Policy.default(), wrapping_keys=(ObjectName(label="session cache"),))
    ours = Session.open(Guard(module, policy, ledger), SLOT)
    template = secret_key(CKK.AES, 16, token=True, wrap=True, decrypt=True, label="ours", sensitive=True, extractable=False)
    key = ours.generate(Mechanism(CKM.AES_KEY_GEN), template)
    name: Template = {CKA.LABEL: "session cache", CKA.TOKEN: True}
    with refused_by("no-loosening"):
        if way == "set":
            ours.module.set_attribute_value(ours.handle, key, {CKA.LABEL: name[CKA.LABEL]})
        else:
            ours.copy(key, name)

    tls = Stack.on(Guard(module, policy, ledger), SLOT)
    master = tls.handshake(GCM)[0].master
    with refused_by("wrapping"):
        tls.session.wrap(Mechanism(CKM.AES_ECB), tls.session.find({CKA.KEY_TYPE: int(CKK.AES), CKA.TOKEN: True})[0], master)


@pytest.mark.parametrize("name", [ObjectName(label="session cache"), ObjectName(key_type=int(CKK.AES))], ids=["label", "type"])
@pytest.mark.parametrize("mechanism", [CKM.PKCS5_PBKD2, 0x80000001], ids=["a password", "a vendor's"])
def test_a_wrapping_key_is_made_at_random(token: SoftToken, name: ObjectName, mechanism: int) -> None:
    """A key made of the caller's password is local and was never extractable, as a wrapping key has to be; and is known."""
    guard = Guard(token, replace(Policy.default(), wrapping_keys=(name,)), MemoryLedger())
    template: Template = {CKA.CLASS: int(CKO.SECRET_KEY), CKA.LABEL: "session cache", CKA.TOKEN: True, CKA.WRAP: True}
    with refused_by("wrapping"):
        Session.open(guard, SLOT).generate(Mechanism(mechanism, Raw(bytes(48))), template)


# What tells that a ClientKeyExchange did not open


def opened(tls: Stack, private: int, message: bytes, template: Template) -> tuple[str, bytes]:
    """All that a caller sees of a ClientKeyExchange: the error's name, or the Finished that the secret comes to."""
    try:
        pre_master = tls.session.unwrap(Mechanism(CKM.RSA_PKCS), private, message, template)
    except CryptokiError as error:
        return f"{error.function}: {error.ckr_name}", b""
    derive = Mechanism(CKM.TLS12_MASTER_KEY_DERIVE, Tls12MasterKeyDerive(*tls.randoms, int(CKM.SHA256)))
    master = tls.session.derive(derive, pre_master, secret_key(CKK.GENERIC_SECRET)).handle
    return "", tls.session.sign(Mechanism(CKM.TLS_MAC, TlsMac(int(CKM.SHA256), 12, 2)), master, bytes(32))


def test_a_length_in_the_template_tells_nothing() -> None:
    """A module that cuts to CKA_VALUE_LEN gave the start of any message that was padded well, and without it the secret that
    stands for one that was not: two answers where there should be one."""
    tls = Stack.on(Guard(like_nss(Quirks(unwrap_truncates=True)), Policy.default(), MemoryLedger()), SLOT)
    public, private = tls.rsa_pair()
    message = tls.session.encrypt(Mechanism(CKM.RSA_PKCS), public, Version.TLS12.wire + bytes(98))
    answers = {opened(tls, private, message, secret_key(CKK.GENERIC_SECRET, length)) for length in (None, 48)}
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("quirks", "attributes"),
    [
        (Quirks(), {CKA.LABEL: b"\xff"}),
        (Quirks(), {CKA.PRIVATE: True}),
        (Quirks(import_keys=False), {}),
    ],
    ids=["no text", "without login", "no imports"],
)
def test_no_error_tells_either(quirks: Quirks, attributes: Template) -> None:
    """Templates that one of C_UnwrapKey and C_CreateObject refuses, and a FIPS module that imports nothing."""
    tls = Stack.on(Guard(like_nss(quirks), Policy.default(), MemoryLedger()), SLOT)
    public, private = tls.rsa_pair()
    encrypt = Mechanism(CKM.RSA_PKCS)
    messages = [tls.session.encrypt(encrypt, public, data) for data in (b"", bytes(20), bytes(48))]
    template = {**secret_key(CKK.GENERIC_SECRET), **attributes}
    answers = {opened(tls, private, message, template)[0] for message in messages}
    assert len(answers) == 1
    assert answers.pop().startswith("C_UnwrapKey: CKR_")


@pytest.mark.native
def test_no_type_tells_on_nss() -> None:
    """A CKK_HKDF secret that was unwrapped derived with another error than one that was created."""
    with real_module("nss") as nss:
        tls = Stack.on(Guard(nss.module, Policy.default(), MemoryLedger()), nss.slot)
        public, private = tls.rsa_pair()
        message = tls.session.encrypt(Mechanism(CKM.RSA_PKCS), public, bytes(48))
        with refused_by("roots-born-tls"):
            tls.session.unwrap(Mechanism(CKM.RSA_PKCS), private, message, secret_key(CKK.HKDF))


# The ledger's files


def test_a_deleted_log_is_a_deleted_ledger(tmp_path: Path) -> None:
    """Without its write-ahead log, one process went on in a file that the next did not find: two cuts of one block."""
    ledger = SqlLedger(tmp_path / "ledger.db")
    block = ledger.hash(b"master", b"secret"), bytes(32), bytes(32)
    ledger.close()
    assert ledger.committed(*block) is None
    for log in tmp_path.glob("ledger.db-*"):
        log.unlink()
    with pytest.raises(LedgerUnavailable, match="moved or deleted"):
        ledger.commit(*block, b"a cut")
    assert SqlLedger(tmp_path / "ledger.db").commit(*block, b"another cut") is Answer.ACCEPTED
    with pytest.raises(LedgerUnavailable, match="moved or deleted"):
        ledger.commit(*block, b"a cut")
