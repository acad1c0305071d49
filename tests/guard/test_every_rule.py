"""Every rule is needed: an attack that all rules together refuse goes through when just one of them is taken away."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO
from keyfence.cryptoki.params import Ecdh1Derive, Gcm, Hkdf, Raw, Tls12KeyMat, Tls12MasterKeyDerive, TlsKdf
from keyfence.cryptoki.session import secret_key
from keyfence.guard import RULES, Guard, MemoryLedger, Policy
from keyfence.guard.policy import Mode
from keyfence.schedule import HkdfLabel, SeparatedLabel, Side, key_block, suite
from keyfence.schedule.protocol import Version
from keyfence.token import Quirks, SoftToken
from keyfence.token.quirks import Randoms

from .conftest import SLOT
from .stack import PROTECTED, Stack, prf

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC128 = suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")
CBC256 = suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")
SHA256 = int(CKM.SHA256)
BENT = Quirks(ignore_allowed_mechanisms=True, randoms=Randoms.TRUNCATE, wrap_unextractable=True, clear_sensitive_by_set=True)
DEFAULT = Policy.default()

Attack = Callable[[Stack], None]
"""Sets a session up and attacks it; raises where it is refused, and AssertionError where it brings nothing."""


@dataclass(frozen=True)
class Case:
    """An attack on which one rule stands in the way."""

    rule: str
    attack: Attack
    policy: Policy = DEFAULT
    quirks: Quirks = BENT

    def __str__(self) -> str:
        return f"{self.rule}: {self.attack.__name__}"


def master_of(tls: Stack) -> int:
    return tls.handshake(GCM)[0].master


def hmac_under_a_master_secret(tls: Stack) -> None:
    tls.session.sign(Mechanism(CKM.SHA256_HMAC), master_of(tls), b"data")


def key_exchange_decrypted(tls: Stack) -> None:
    public, private = tls.rsa_pair()
    template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=True, extractable=True)
    client = tls.session.generate(Mechanism(CKM.SSL3_PRE_MASTER_KEY_GEN, Raw(b"\x03\x03")), template)
    message = tls.session.wrap(Mechanism(CKM.RSA_PKCS), public, client)
    assert tls.session.decrypt(Mechanism(CKM.RSA_PKCS), private, message)[:2] == b"\x03\x03"


def one_byte_agreed(tls: Stack) -> None:
    (_, private), (public, _) = tls.ec_pair(), tls.ec_pair()
    mechanism = Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(int(CKD.NULL), tls.point(public)))
    tls.session.derive(mechanism, private, secret_key(CKK.GENERIC_SECRET, 1, derive=True, **PROTECTED))


def longer_randoms(tls: Stack) -> None:
    """The old stream, a new tuple, another suite."""
    master = master_of(tls)
    tls.randoms = (tls.randoms[0] + bytes(8), tls.randoms[1] + bytes(8))
    tls.keys(CBC256, master)


def an_old_block_as_ivs(tls: Stack) -> None:
    """No cut stands in the ledger for this session; its write keys come back as IVs."""
    pre_master, _ = tls.ecdhe()
    parameters = Tls12KeyMat(0, 0, 128, *tls.randoms, SHA256)
    derive = Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, parameters)
    made = tls.session.derive(derive, tls.master(GCM, pre_master), secret_key(CKK.GENERIC_SECRET, 0)).key_material
    assert made is not None
    assert len(made.client_iv or b"") == 16


def ivs_of_a_cbc_suite(tls: Stack) -> None:
    pre_master, _ = tls.ecdhe()
    master = tls.master(CBC128, pre_master)
    end = tls.keys(CBC128, master)
    block = key_block(Version.TLS12, prf(CBC128), _value(tls, master), *tls.randoms, 104)
    assert (end.iv[Side.CLIENT] or b"") + (end.iv[Side.SERVER] or b"") == block[72:104]


def _value(tls: Stack, handle: int) -> bytes:
    guard = tls.session.module
    assert isinstance(guard, Guard)
    assert isinstance(guard.module, SoftToken)
    entry = guard._state.registry.find(handle)
    assert entry is not None
    return guard.module._state.store.get(entry.module_handle).value.reveal()


def key_expansion_by_tls_kdf(tls: Stack) -> None:
    client, server = tls.randoms
    parameters = TlsKdf(SHA256, b"key expansion", server, client)
    tls.session.derive(Mechanism(CKM.TLS12_KDF, parameters), master_of(tls), secret_key(CKK.GENERIC_SECRET, 1, sign=True))


def a_separated_key_of_one_byte(tls: Stack) -> None:
    label = SeparatedLabel.of("AES_128_GCM", Side.CLIENT)
    parameters = TlsKdf(SHA256, label.build(), *tls.randoms)
    tls.session.derive(Mechanism(CKM.TLS12_KDF, parameters), master_of(tls), secret_key(CKK.GENERIC_SECRET, 1, sign=True))


def a_prefix_of_a_write_key(tls: Stack) -> None:
    shared, _ = tls.ecdhe()
    traffic = tls.expand(prf(GCM), tls.extract(prf(GCM), shared, salt=_salt()), b"c hs traffic", bytes(32))
    parameters = Hkdf(False, True, SHA256, info=HkdfLabel(16, b"key", b"").encode())
    template = secret_key(CKK.GENERIC_SECRET, 1, sign=True)
    byte = tls.session.derive(Mechanism(CKM.HKDF_DERIVE, parameters), traffic, template).handle
    tls.session.sign(Mechanism(CKM.SHA256_HMAC), byte, b"data")


def _salt() -> bytes:
    from .test_nine_ways import _no_psk_salt

    return _no_psk_salt()


def attributes_cleared(tls: Stack) -> None:
    master = master_of(tls)
    tls.session.module.set_attribute_value(tls.session.handle, master, {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True})
    assert len(tls.session.value(master)) == 48


def a_pre_master_secret_that_stays(tls: Stack) -> None:
    template = secret_key(CKK.GENERIC_SECRET, None, derive=True, token=True, extractable=True, sensitive=True)
    tls.session.generate(Mechanism(CKM.SSL3_PRE_MASTER_KEY_GEN, Raw(b"\x03\x03")), template)
    assert tls.session.find({CKA.TOKEN: True, CKA.CLASS: int(CKO.SECRET_KEY)})


def a_readable_master_secret_in_the_module(tls: Stack) -> None:
    """What the module itself keeps: nothing but the guard stands before it."""
    pre_master, _ = tls.ecdhe()
    template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=False, extractable=True)
    derive = Mechanism(CKM.TLS12_MASTER_KEY_DERIVE_DH, Tls12MasterKeyDerive(*tls.randoms, SHA256))
    master = tls.session.derive(derive, pre_master, template).handle
    if tls.session.attribute(master, CKA.SENSITIVE) is True:
        raise CryptokiError(0, "C_DeriveKey")


def a_master_secret_wrapped(tls: Stack) -> None:
    known = tls.session.create(secret_key(CKK.AES, None, wrap=True) | {CKA.VALUE: bytes(16)})
    tls.session.wrap(Mechanism(CKM.AES_ECB), known, master_of(tls))


def a_secret_that_did_hmac_before(tls: Stack) -> None:
    template = secret_key(CKK.GENERIC_SECRET, 48, derive=True, sign=True, sensitive=True, extractable=False)
    secret = tls.session.generate(Mechanism(CKM.GENERIC_SECRET_KEY_GEN), template)
    tls.keys(GCM, secret)
    tls.session.sign(Mechanism(CKM.SHA256_HMAC), secret, b"data")


def a_gcm_key_in_ecb(tls: Stack) -> None:
    tls.session.encrypt(Mechanism(CKM.AES_ECB), tls.handshake(GCM)[0].write[Side.CLIENT], bytes(16))


def a_tag_of_four_bytes(tls: Stack) -> None:
    key = tls.handshake(GCM)[0].write[Side.CLIENT]
    tls.session.encrypt(Mechanism(CKM.AES_GCM, Gcm(os.urandom(12), b"", 32)), key, b"data")


def two_suites_of_one_session(tls: Stack) -> None:
    tls.keys(CBC256, master_of(tls))


CASES = (
    Case("operands", hmac_under_a_master_secret),
    Case("raw-rsa", key_exchange_decrypted),
    Case("roots-born-tls", one_byte_agreed),
    Case("randoms", longer_randoms),
    Case("suite-shapes", an_old_block_as_ivs),
    Case("ivs-from-outside", ivs_of_a_cbc_suite, replace(DEFAULT, suites=(CBC128, CBC256))),
    Case("prf-inputs", key_expansion_by_tls_kdf),
    Case("separated", a_separated_key_of_one_byte),
    Case("hkdf-schedule", a_prefix_of_a_write_key),
    Case("no-loosening", attributes_cleared),
    Case("no-token-objects", a_pre_master_secret_that_stays),
    Case("templates-rebuilt", a_readable_master_secret_in_the_module),
    Case("wrapping", a_master_secret_wrapped),
    Case("first-use", a_secret_that_did_hmac_before),
    Case("use-binding", a_gcm_key_in_ecb),
    Case("use-binding", a_tag_of_four_bytes),
    Case("one-cut", two_suites_of_one_session),
)


def stack(case: Case, without: str = "") -> Stack:
    token = SoftToken(quirks=case.quirks)
    token.initialize()
    rules = [rule for rule in RULES if rule.id != without]
    return Stack.on(Guard(token, case.policy, MemoryLedger(), rules=rules), SLOT)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_rules_together_stop_it(case: Case) -> None:
    with pytest.raises((CryptokiError, AssertionError)):
        case.attack(stack(case))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_without_the_rule_it_goes_through(case: Case) -> None:
    case.attack(stack(case, without=case.rule))


REBUILDING = ("ivs-from-outside", "templates-rebuilt", "first-use")
"""Rules that rebuild or bind, and object to nothing here."""


@pytest.mark.parametrize("case", [case for case in CASES if case.rule not in REBUILDING], ids=str)
def test_a_rule_that_only_monitors_says_so(case: Case) -> None:
    """The attack goes through, and the journal has it."""
    tls = stack(replace(case, policy=replace(case.policy, modes={case.rule: Mode.MONITOR})))
    case.attack(tls)
    guard = tls.session.module
    assert isinstance(guard, Guard)
    assert guard.journal.counts[(case.rule, Mode.MONITOR)] >= 1


def test_every_rule_has_an_attack() -> None:
    """But for functions that do not exist behind the guard: there is nothing to let through."""
    assert {case.rule for case in CASES} == {rule.id for rule in RULES} - {"known-functions"}


def test_rules_have_reasons_and_names_of_their_own() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(len(type(rule).__doc__ or "") > 100 for rule in RULES)
