"""What honest stacks do passes, in the shapes they do it in, before the software token and before NSS softoken."""

import os

import pytest

from keyfence.cryptoki import Cryptoki, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.params import MacGeneral, TlsKdf, TlsMac
from keyfence.cryptoki.session import secret_key
from keyfence.guard import Guard, MemoryLedger, Policy
from keyfence.schedule import CipherSuite, HkdfLabel, SeparatedLabel, Side, Version, hkdf, suite
from keyfence.token import SoftToken

from .conftest import SLOT
from .stack import Stack, Style, aead, prf

SUITES = Policy.default().suites
TLS12 = [each for each in SUITES if each.supports(Version.TLS12)]
TLS13 = [each for each in SUITES if each.supports(Version.TLS13)]
GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC = suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")

Behind = tuple[Cryptoki, int]


def stack(behind: Behind, style: Style = Style.JSSE) -> Stack:
    module, slot = behind
    return Stack.on(Guard(module, Policy.default(), MemoryLedger()), slot, style)


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("negotiated", TLS12, ids=str)
def test_tls12(behind: Behind, negotiated: CipherSuite, style: Style) -> None:
    tls = stack(behind, style)
    client, server = tls.handshake(negotiated)
    tls.exchange(negotiated, client, server)
    transcript = os.urandom(prf(negotiated).digest_size)
    for side in Side:
        verify_data = tls.finished(negotiated, client, side, transcript)
        assert tls.finished(negotiated, server, side, transcript) == verify_data
        assert len(verify_data) == 12


@pytest.mark.parametrize("numbers", ["standard", "NSS"])
@pytest.mark.parametrize("name", ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384"])
def test_extended_master_secret(behind: Behind, name: str, numbers: str) -> None:
    """The token has both numbers; NSS has its own alone, which then stand in for the standard's."""
    has_both = isinstance(behind[0], SoftToken)
    tls = stack(behind)
    client, server = tls.handshake(suite(name), extended=numbers if has_both else "NSS")
    tls.exchange(suite(name), client, server)


def test_resumption_and_renegotiation_have_new_randoms(behind: Behind) -> None:
    tls = stack(behind)
    client, server = tls.handshake(GCM)
    for _ in range(2):
        tls.randoms = os.urandom(32), os.urandom(32)
        tls.exchange(GCM, tls.keys(GCM, client.master), tls.keys(GCM, server.master))
    tls.exchange(CBC, *tls.handshake(CBC))


def test_a_resumed_session_may_be_of_another_suite_with_the_same_prf(behind: Behind) -> None:
    tls = stack(behind)
    client, server = tls.handshake(GCM)
    tls.randoms = os.urandom(32), os.urandom(32)
    tls.exchange(CBC, tls.keys(CBC, client.master), tls.keys(CBC, server.master))


def test_the_same_cut_again_passes(behind: Behind) -> None:
    tls = stack(behind)
    client, _ = tls.handshake(GCM)
    again = tls.keys(GCM, client.master)
    tls.exchange(GCM, client, again)


def test_a_probe_encrypts_nothing(behind: Behind) -> None:
    """JSSE asks a cipher for a tag over nothing, to see that it is there."""
    tls = stack(behind)
    client, _ = tls.handshake(GCM)
    assert len(tls.session.encrypt(aead(GCM, client.iv[Side.CLIENT], bytes(8)), client.write[Side.CLIENT], b"")) == 16


def test_finished_in_parts_and_by_nss_prf(behind: Behind) -> None:
    """NSS gives label and transcript hash one after the other, and asks for 12 bytes."""
    tls = stack(behind)
    client, server = tls.handshake(GCM)
    transcript = os.urandom(32)
    module, session = tls.session.module, tls.session.handle
    module.sign_init(session, Mechanism(CKM_NSS_TLS_PRF_GENERAL_SHA256, MacGeneral(12)), client.master)
    module.sign_update(session, b"client finished")
    module.sign_update(session, transcript)
    assert module.sign_final(session)[:12] == tls.finished(GCM, server, Side.CLIENT, transcript)


def test_finished_is_verified(guard: Guard) -> None:
    tls = Stack.on(guard, SLOT)
    client, server = tls.handshake(GCM)
    transcript = os.urandom(32)
    verify_data = tls.finished(GCM, client, Side.CLIENT, transcript)
    tls.session.verify(Mechanism(CKM.TLS12_MAC, TlsMac(int(CKM.SHA256), 12, 2)), server.master, transcript, verify_data)


def test_exporters(guard: Guard) -> None:
    """What an application exports is its own: readable where it asks for that."""
    tls = Stack.on(guard, SLOT)
    client, server = tls.handshake(GCM)
    values = []
    for end in (client, server):
        parameters = TlsKdf(int(CKM.SHA256), b"EXPORTER-Channel-Binding", *tls.randoms, b"")
        template = secret_key(CKK.GENERIC_SECRET, 32, sign=True)
        handle = tls.session.derive(Mechanism(CKM.TLS12_KDF, parameters), end.master, template).handle
        values.append(tls.session.sign(Mechanism(CKM.SHA256_HMAC), handle, b"bound"))
    assert values[0] == values[1]


def test_an_exporter_by_nss_prf(behind: Behind) -> None:
    tls = stack(behind)
    client, server = tls.handshake(GCM)
    exported = {
        tls.session.sign(
            Mechanism(CKM_NSS_TLS_PRF_GENERAL_SHA256, MacGeneral(32)),
            end.master,
            b"EXPORTER-Channel-Binding" + tls.randoms[0] + tls.randoms[1],
        )
        for end in (client, server)
    }
    assert len(exported) == 1


@pytest.mark.parametrize("algorithm", ["AES_128_GCM", "AES_256_GCM", "CHACHA20_POLY1305", "AES_256_CBC", "HMAC_SHA1"])
def test_separated_keys(guard: Guard, algorithm: str) -> None:
    tls = Stack.on(guard, SLOT)
    ends = tls.handshake(GCM)
    label = SeparatedLabel.of(algorithm, Side.CLIENT)
    length = None if label.facts.fixed_size else label.length
    parameters = TlsKdf(int(CKM.SHA256), label.build(), *tls.randoms)
    uses = {"sign": True, "verify": True} if algorithm.startswith("HMAC") else {"encrypt": True, "decrypt": True}
    template = secret_key(label.facts.key_types[-1], length, **uses)
    keys = [tls.session.derive(Mechanism(CKM.TLS12_KDF, parameters), end.master, template).handle for end in ends]
    if algorithm.startswith("HMAC"):
        mechanism = Mechanism(CKM.SHA_1_HMAC)
        tls.session.verify(mechanism, keys[0], b"data", tls.session.sign(mechanism, keys[1], b"data"))
    elif not algorithm.endswith("CBC"):
        like = suite("TLS_CHACHA20_POLY1305_SHA256" if algorithm.startswith("CHACHA") else "TLS_AES_128_GCM_SHA256")
        cipher = aead(like, bytes(12), b"")
        assert tls.session.decrypt(cipher, keys[0], tls.session.encrypt(cipher, keys[1], b"data")) == b"data"


@pytest.mark.parametrize("zeros", [CKO.SECRET_KEY, CKO.DATA], ids=["zeros as a key", "zeros as data"])
@pytest.mark.parametrize("negotiated", TLS13, ids=str)
def test_tls13(behind: Behind, negotiated: CipherSuite, zeros: int) -> None:
    """The whole chain as NSS makes it: early, handshake and main secrets, records, Finished, a key update, a ticket's PSK."""
    tls = stack(behind, Style.NSS)
    ends = [_Tls13(tls, negotiated, shared, zeros) for shared in tls.ecdhe()]
    for side in Side:
        for name in ("hs", "ap"):
            assert_opens(tls, negotiated, *(end.traffic[name, side] for end in ends))
        updated = [tls.expand(prf(negotiated), end.traffic["ap", side], b"traffic upd") for end in ends]
        assert_opens(tls, negotiated, *updated)
        assert len({end.finished(side) for end in ends}) == 1
    assert len({end.binder() for end in ends}) == 1
    assert len({end.exported() for end in ends}) == 1


def assert_opens(tls: Stack, negotiated: CipherSuite, sender: int, receiver: int) -> None:
    (key, iv), (other, same) = tls.traffic(negotiated, sender), tls.traffic(negotiated, receiver)
    assert iv == same
    cipher = aead(negotiated, iv, b"")
    assert tls.session.decrypt(cipher, other, tls.session.encrypt(cipher, key, b"a record")) == b"a record"


class _Tls13:
    """One end's secrets of TLS 1.3 without PSK (RFC 8446 section 7.1)."""

    def __init__(self, tls: Stack, negotiated: CipherSuite, shared: int, zeros: int) -> None:
        self.tls, self.hash = tls, prf(negotiated)
        self.transcript = self.hash.digest(b"the handshake's messages")
        empty = self.hash.digest(b"")
        nothing = tls.imported(bytes(self.hash.digest_size), zeros)
        early = tls.extract(self.hash, nothing)
        handshake = tls.extract(self.hash, shared, salt_key=tls.expand(self.hash, early, b"derived", empty))
        main = tls.extract(self.hash, nothing, salt_key=tls.expand(self.hash, handshake, b"derived", empty))
        self.traffic = {
            (name, side): tls.expand(self.hash, secret, f"{side[0]} {name} traffic".encode(), self.transcript)
            for name, secret in (("hs", handshake), ("ap", main))
            for side in Side
        }
        self.exporter = tls.expand(self.hash, main, b"exp master", self.transcript)
        self.resumption = tls.expand(self.hash, main, b"res master", self.transcript)

    def finished(self, side: Side) -> bytes:
        key = self.tls.expand(self.hash, self.traffic["hs", side], b"finished", sign=True)
        return self.tls.session.sign(Mechanism(self.hash.ckm_hmac), key, self.transcript)

    def binder(self) -> bytes:
        """A ticket's PSK, and the binder that the next ClientHello carries."""
        psk = self.tls.expand(self.hash, self.resumption, b"resumption", b"\0\0")
        early = self.tls.extract(self.hash, psk)
        binder = self.tls.expand(self.hash, early, b"res binder", self.hash.digest(b""))
        key = self.tls.expand(self.hash, binder, b"finished", sign=True)
        return self.tls.session.sign(Mechanism(self.hash.ckm_hmac), key, self.transcript)

    def exported(self) -> bytes:
        """Exported keying material, which an application reads."""
        of_label = self.tls.expand(self.hash, self.exporter, b"EXPORTER-Channel-Binding", self.hash.digest(b""))
        label = HkdfLabel(32, b"exporter", self.hash.digest(b""))
        template = {CKA.CLASS: int(CKO.DATA), CKA.VALUE_LEN: 32}
        return self.tls.session.value(self.tls.label(self.hash, of_label, label, template, data=True))


def test_an_application_may_compute_the_salt_without_psk_itself(guard: Guard) -> None:
    tls = Stack.on(guard, SLOT)
    salt = hkdf.derive_secret(prf(TLS13[0]), hkdf.extract(prf(TLS13[0]), b"", bytes(32)), b"derived", b"")
    secrets = [
        tls.expand(prf(TLS13[0]), tls.extract(prf(TLS13[0]), shared, salt=salt), b"c hs traffic", bytes(32))
        for shared in tls.ecdhe()
    ]
    assert_opens(tls, TLS13[0], *secrets)


def test_what_is_no_secret_of_tls_goes_its_way(guard: Guard) -> None:
    tls = Stack.on(guard, SLOT)
    key = tls.session.generate(Mechanism(CKM.AES_KEY_GEN), secret_key(CKK.AES, 16, encrypt=True, sensitive=False))
    assert len(tls.session.encrypt(Mechanism(CKM.AES_ECB), key, bytes(16))) == 16
    assert len(tls.session.value(key)) == 16
    generic = tls.session.generate(Mechanism(CKM.GENERIC_SECRET_KEY_GEN), secret_key(CKK.GENERIC_SECRET, 32, sign=True))
    assert len(tls.session.sign(Mechanism(CKM.SHA256_HMAC), generic, b"data")) == 32
    assert tls.session.attribute(generic, CKA.VALUE_LEN) == 32
