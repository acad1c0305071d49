"""The guard's small parts: roles in text, cuts, points, names, the journal, the ledger in memory."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO
from keyfence.cryptoki.params import KeyHandle, Raw, Sp800108Kdf, TlsMac
from keyfence.cryptoki.params.derive import ByteArray, SegmentKey
from keyfence.cryptoki.session import secret_key
from keyfence.guard import Guard, Journal, MemoryLedger, Policy, Record
from keyfence.guard.blocks import Cuts, payable
from keyfence.guard.handles import with_module_handles
from keyfence.guard.ledger import Answer, LedgerUnavailable
from keyfence.guard.policy import BoundKey, Mode, ObjectName
from keyfence.guard.roles import Kind, Role
from keyfence.guard.rules.roots import field_length
from keyfence.schedule import Part, Side, suite
from keyfence.techniques.ecdh import P256_OID
from keyfence.token import Quirks, SoftToken

from .conftest import SLOT
from .stack import Stack

DEFAULT = Policy.default()
GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC = suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")
CHACHA = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"


@given(
    st.builds(
        Role,
        st.sampled_from(Kind),
        st.sampled_from(["", "TLS10", "SHA384"]),
        st.frozensets(st.integers(0, 2**32)),
        st.frozensets(st.integers(0, 64)),
    )
)
def test_a_role_reads_back(role: Role) -> None:
    assert Role.decode(role.encode()) == role


@pytest.mark.parametrize("line", [b"", b"MASTER;;", b"NOTHING;;;", b"MASTER;;x;"])
def test_what_is_no_role(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Role.decode(line)


class TestCuts:
    def test_the_default_policy_shows_no_key_at_a_payable_price(self) -> None:
        assert payable(DEFAULT) == ()
        assert len(list(Cuts(DEFAULT))) == 5

    @pytest.mark.parametrize(
        ("name", "part", "bits"),
        [
            ("TLS_RSA_WITH_AES_128_CBC_SHA", Part.SERVER_KEY, 64),
            ("TLS_RSA_WITH_AES_128_CBC_SHA256", Part.CLIENT_KEY, 0),
            ("TLS_RSA_WITH_AES_256_CBC_SHA256", Part.CLIENT_KEY, 64),
            ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", Part.SERVER_KEY, 0),
        ],
    )
    def test_chachas_ivs_lie_on_keys_of_suites_that_the_default_leaves_out(self, name: str, part: Part, bits: int) -> None:
        """ChaCha20's fixed IVs are bytes 64 to 87 of the key block."""
        loose = payable(replace(DEFAULT, suites=(*DEFAULT.suites, suite(name))))
        assert (part, bits) in [(shown.part, shown.bits) for shown in loose]
        assert {CHACHA} <= {other.name for shown in loose for other in shown.through}
        assert {shown.suite.name for shown in loose} == {name}

    def test_without_chacha_they_may_stay(self) -> None:
        kept = tuple(each for each in DEFAULT.suites if "CHACHA" not in each.name)
        assert payable(replace(DEFAULT, suites=(*kept, suite("TLS_RSA_WITH_AES_128_CBC_SHA")))) == ()


@pytest.mark.parametrize(
    ("point", "length"),
    [
        (b"\x04" + bytes(64), 32),
        (b"\x04\x3f\x04" + bytes(62), 32),  # its first bytes look like a header of DER
        (b"\x04\x41\x04" + bytes(64), 32),
        (b"\x04\x81\x85\x04" + bytes(132), 66),
        (b"\x02" + bytes(48), 48),
        (bytes(32), 32),
        (bytes(56), 56),
        (b"", None),
        (b"\x04" + bytes(10), None),
    ],
)
def test_a_coordinates_length(point: bytes, length: int | None) -> None:
    assert field_length(point) == length


def test_every_handle_in_a_parameter_is_exchanged() -> None:
    kdf = Sp800108Kdf(1, (ByteArray(b"x"), SegmentKey(3), SegmentKey(4)))
    exchanged = with_module_handles(Mechanism(1, kdf), lambda handle: 10 * handle).parameters
    assert exchanged is not None
    assert exchanged.operands == (30, 40)
    assert with_module_handles(Mechanism(1, KeyHandle(5)), lambda _: 7) == Mechanism(1, KeyHandle(7))


def test_names() -> None:
    name = ObjectName(label="server", key_type=int(CKK.EC))
    assert name.matches({CKA.LABEL: "server", CKA.KEY_TYPE: int(CKK.EC), CKA.ID: b"1"})
    assert not name.matches({CKA.LABEL: "server"})
    assert ObjectName().matches({})


def test_memory_ledger() -> None:
    ledger = MemoryLedger()
    block = (b"fingerprint", b"c", b"s")
    assert ledger.committed(*block) is None
    assert ledger.commit(*block, b"cut") is Answer.ACCEPTED
    assert ledger.commit(*block, b"cut") is Answer.SAME
    assert ledger.commit(*block, b"another") is Answer.CONFLICT
    assert ledger.committed(*block) == b"cut"
    assert ledger.hash(b"a", b"bc") != ledger.hash(b"ab", b"c")
    assert ledger.hash(b"a", b"b") != MemoryLedger().hash(b"a", b"b")


class Gone(MemoryLedger):
    """A ledger that nobody reaches."""

    def commit(self, *_block: bytes) -> Answer:
        raise LedgerUnavailable("disk full")


def guard_with(ledger: MemoryLedger, policy: Policy = DEFAULT, journal: Journal | None = None) -> Guard:
    token = SoftToken()
    token.initialize()
    return Guard(token, policy, ledger, journal=journal)


def test_without_the_ledger_nothing_is_derived() -> None:
    with pytest.raises(CryptokiError, match="one-cut: the ledger does not answer: disk full"):
        Stack.on(guard_with(Gone()), SLOT).handshake(GCM)


def test_a_monitor_goes_on_without_it_and_says_so() -> None:
    guard = guard_with(Gone(), replace(DEFAULT, modes={"one-cut": Mode.MONITOR}))
    tls = Stack.on(guard, SLOT)
    tls.exchange(GCM, *tls.handshake(GCM))
    assert guard.journal.counts == {("one-cut", Mode.MONITOR): 2}


def test_a_refusal_is_one_record_without_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Record] = []
    tls = Stack.on(guard_with(MemoryLedger(), journal=Journal(heard.append)), SLOT)
    client, _ = tls.handshake(GCM)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "keyfence.guard"), pytest.raises(CryptokiError) as refused:
        tls.session.encrypt(Mechanism(CKM.AES_ECB), client.write[Side.CLIENT], bytes(16))
    (record,) = caplog.records
    structured: dict[str, Any] = record.__dict__["guard"]
    assert {name: structured[name] for name in ("function", "mechanism", "role", "rule", "mode")} == {
        "function": "C_EncryptInit",
        "mechanism": "CKM_AES_ECB",
        "role": "record-key",
        "rule": "use-binding",
        "mode": "enforce",
    }
    assert "guard: use-binding: " in str(refused.value)
    assert [each.rule for each in heard] == ["use-binding"]


class TestHandles:
    def test_a_modules_handle_names_nothing(self, guard: Guard, token: SoftToken) -> None:
        """What the guard did not hand out does not exist, not even where the module has it."""
        session = guard.open_session(SLOT, 6)
        other = token.open_session(SLOT, 6)
        foreign = token.create_object(other, secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: bytes(48)})
        assert guard.role(foreign) is None
        with pytest.raises(CryptokiError, match="CKR_OBJECT_HANDLE_INVALID"):
            guard.get_attribute_value(session, foreign, [CKA.VALUE])
        guard.find_objects_init(session, {})
        assert guard.find_objects(session, 10) == ()

    def test_a_parameter_that_is_not_understood_is_refused(self, guard: Guard) -> None:
        tls = Stack.on(guard, SLOT)
        key = tls.session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: b"a key of ours"})
        with pytest.raises(CryptokiError, match="guard: operands:"):
            tls.session.derive(Mechanism(0x80000001, Raw(bytes(8))), key, secret_key(CKK.GENERIC_SECRET, 16))

    def test_a_search_by_value_finds_no_secret_of_tls(self, guard: Guard) -> None:
        tls = Stack.on(guard, SLOT)
        tls.handshake(GCM)
        assert tls.session.find({CKA.CLASS: int(CKO.SECRET_KEY)})
        for value in range(4):
            assert tls.session.find({CKA.CLASS: int(CKO.SECRET_KEY), CKA.CHECK_VALUE: bytes([value])}) == ()

    def test_what_was_in_the_token_has_a_role_by_its_class_and_name(self, token: SoftToken) -> None:
        session = token.open_session(SLOT, 6)
        for label in ("web", "mail"):
            token.generate_key_pair(
                session,
                Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN),
                {CKA.MODULUS_BITS: 1024, CKA.PUBLIC_EXPONENT: b"\x01\x00\x01"},
                {CKA.TOKEN: True, CKA.LABEL: label},
            )
        aes = secret_key(CKK.AES, 16, token=True, label="records", encrypt=True)
        token.generate_key(session, Mechanism(CKM.AES_KEY_GEN), aes)
        named = replace(
            DEFAULT,
            outside_tls=(ObjectName(label="mail"),),
            tls_keys=(BoundKey(ObjectName(label="records"), frozenset({int(CKM.AES_GCM)})),),
        )
        guard = Guard(token, named, MemoryLedger())
        tls = Stack.on(guard, SLOT)
        roles = {tls.session.attribute(handle, CKA.LABEL): guard.role(handle) for handle in tls.session.find({CKA.TOKEN: True})}
        assert {label: role.kind for label, role in roles.items() if role} == {
            "web": Kind.PRIVATE,
            "mail": Kind.OUTSIDE_PRIVATE,
            "records": Kind.RECORD,
        }

    def test_a_private_key_keeps_its_name(self, guard: Guard) -> None:
        tls = Stack.on(guard, SLOT)
        _, private = tls.ec_pair()
        with pytest.raises(CryptokiError, match="guard: no-loosening:"):
            guard.set_attribute_value(tls.session.handle, private, {CKA.LABEL: "mail"})


class TestOperations:
    def test_a_second_operation_does_not_hide_the_first(self) -> None:
        """Else a MAC's verification, forgotten by the guard and alive in the module, would take a shortened MAC."""
        token = SoftToken(quirks=Quirks(short_signatures=True, ignore_allowed_mechanisms=True))
        token.initialize()
        tls = Stack.on(Guard(token, DEFAULT, MemoryLedger()), SLOT)
        client, _ = tls.handshake(CBC)
        module, session, mac_key = tls.session.module, tls.session.handle, client.mac[Side.CLIENT]
        mac = tls.session.sign(Mechanism(CKM.SHA_1_HMAC), mac_key, b"data")
        finished = Mechanism(CKM.TLS_MAC, TlsMac(int(CKM.SHA256), 12, 2))
        module.verify_init(session, Mechanism(CKM.SHA_1_HMAC), mac_key)
        with pytest.raises(CryptokiError, match="CKR_OPERATION_ACTIVE"):
            module.verify_init(session, finished, client.master)
        with pytest.raises(CryptokiError, match="guard: use-binding:"):
            module.verify(session, b"data", mac[:1])
        with pytest.raises(CryptokiError, match="CKR_OPERATION_NOT_INITIALIZED"):
            module.verify(session, b"data", mac[:1])
        module.verify_init(session, finished, client.master)
        module.verify_update(session, bytes(16))
        with pytest.raises(CryptokiError, match="guard: prf-inputs:"):
            module.verify_final(session, bytes(12))
        tls.session.verify(Mechanism(CKM.SHA_1_HMAC), mac_key, b"data", mac)

    def test_what_was_not_begun_does_not_go_on(self, guard: Guard) -> None:
        session = guard.open_session(SLOT, 6)
        for end in (
            lambda: guard.encrypt(session, b""),
            lambda: guard.sign_update(session, b""),
            lambda: guard.verify(session, b"", b""),
            lambda: guard.digest_key(session, 1),
            lambda: guard.digest_final(session),
        ):
            with pytest.raises(CryptokiError, match="CKR_OPERATION_NOT_INITIALIZED"):
                end()


class TestOutsideTls:
    def test_what_a_key_outside_agrees_on_is_the_applications(self) -> None:
        named = replace(DEFAULT, outside_tls=(ObjectName(label="mail"),))
        token = SoftToken()
        token.initialize()
        tls = Stack.on(Guard(token, named, MemoryLedger()), SLOT)
        public, _ = tls.ec_pair()
        module, session = tls.session.module, tls.session.handle
        _, mail = module.generate_key_pair(
            session,
            Mechanism(CKM.EC_KEY_PAIR_GEN),
            {CKA.EC_PARAMS: P256_OID},
            {CKA.DERIVE: True, CKA.LABEL: "mail"},
        )
        shared = tls.agree(mail, tls.point(public))
        with pytest.raises(CryptokiError, match="guard: operands:"):
            tls.master(GCM, shared)
