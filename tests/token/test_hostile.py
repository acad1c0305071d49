"""The separated schedule against a caller that means harm: each test is an attack that worked once."""

import hashlib

import pytest

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR, CKU
from keyfence.cryptoki.params import Ccm, Gcm, PublicValue, Tls12MasterKeyDerive, TlsMac
from keyfence.cryptoki.session import Session, secret_key
from keyfence.schedule import PrfHash, hkdf
from keyfence.techniques.pattern_forgery import decrypt_by_signatures
from keyfence.token import SO_PIN
from keyfence.token.keytypes import check_value
from keyfence.token.token import SoftToken

from .bench import (
    CLIENT_RANDOM,
    PROTECTED,
    SERVER_RANDOM,
    VERSION,
    extended,
    extract,
    imported,
    kdf,
    opened,
    pre_master,
    refused,
    rsa_pair,
    template,
)
from .test_separated import GCM_KEY, GCM_LABEL, HMAC, NONCE, TRANSCRIPT, Tls13, agreed, master, record_key

RSA = Mechanism(CKM.RSA_PKCS)
DIGEST_INFO = {  # RFC 8017 section 9.2, note 1
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha224": bytes.fromhex("302d300d06096086480165030402040500041c"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
WHOLE = secret_key(CKK.GENERIC_SECRET, 48, derive=True)
SHOWING = Mechanism(
    CKM.TLS12_MASTER_KEY_DERIVE, Tls12MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, CKM.SHA256, wants_version=True)
)


@pytest.fixture
def session() -> Session:
    return opened("separated")


def finished(session: Session, pre_master: int) -> bytes:
    """A name for a pre-master secret that its handle is enough to compute."""
    return session.sign(Mechanism(CKM.TLS12_MAC, TlsMac(CKM.SHA256, 12, 1)), extended(session, pre_master), TRANSCRIPT)


def secret_of(session: Session, handle: int) -> bytes:
    """What no caller can do: look into the token's memory."""
    token = session.module
    assert isinstance(token, SoftToken)
    return token._state.store._objects[handle].value.reveal()


# RSA


def test_a_bad_client_key_exchange_opens_otherwise_under_another_key(session: Session) -> None:
    """What the caller's own key cannot open either, compared with what the victim's makes of it: Bleichenbacher's oracle."""
    (_, victims), (_, own) = rsa_pair(session), rsa_pair(session)
    for message in (bytes(127) + b"\2", bytes(126) + b"\3\1", bytes([0, 2]) + bytes(125) + b"\1"):
        opened_by = [finished(session, session.unwrap(RSA, key, message, WHOLE)) for key in (victims, own)]
        assert opened_by[0] != opened_by[1]
        assert finished(session, session.unwrap(RSA, session.copy(victims, {}), message, WHOLE)) == opened_by[0]


def test_the_version_in_a_client_key_exchange_is_no_oracle(session: Session) -> None:
    """Klima, Pokorny and Rosa 2003: a version that shows in a good message only, or shows as sent, tells good from bad."""
    public, private = rsa_pair(session)
    good, older = (session.encrypt(RSA, public, version + bytes(46)) for version in (b"\3\3", b"\3\1"))
    for message in (good, older, session.encrypt(RSA, public, b"short"), bytes(127) + b"\2"):
        base = session.unwrap(RSA, private, message, WHOLE)
        assert session.derive(SHOWING, base, {}).version == (3, 3)
        assert secret_of(session, base).startswith(b"\3\3")
    assert secret_of(session, session.unwrap(RSA, private, good, WHOLE)) == b"\3\3" + bytes(46)
    assert secret_of(session, session.unwrap(RSA, private, older, WHOLE))[2:] != bytes(46)


def decrypted_by_signatures(session: Session, public: int, private: int, message: bytes) -> bytes:
    """Two signatures of the caller's choice, one divided by the other."""
    modulus = session.attribute(public, CKA.MODULUS)
    assert isinstance(modulus, bytes)
    return decrypt_by_signatures(lambda data: session.sign(RSA, private, data), int.from_bytes(modulus, "big"), message)


def test_signatures_decrypt_no_client_key_exchange(session: Session) -> None:
    """Forgery under a fixed pattern (Brier et al. 2001) as a decryption: the standard's text allows it, in two calls."""
    value = b"\3\3" + bytes(range(46))
    outside = opened()
    public, private = rsa_pair(outside)
    assert decrypted_by_signatures(outside, public, private, outside.encrypt(RSA, public, value)).endswith(b"\0" + value)
    public, private = rsa_pair(session)
    with refused(CKR.DATA_INVALID):
        decrypted_by_signatures(session, public, private, session.encrypt(RSA, public, value))
    session.module.message_sign_init(session.handle, RSA, private)
    with refused(CKR.DATA_INVALID):
        session.module.sign_message(session.handle, None, bytes(117))


def test_digests_are_signed(session: Session) -> None:
    """By CKM_RSA_PKCS with a DigestInfo, as JSSE and NSS do it, and TLS 1.0's two; none wider than a third of the modulus."""
    public, private = rsa_pair(session)
    message = b"message"
    for name, hashed in (("sha1", CKM.SHA1_RSA_PKCS), ("sha224", CKM.SHA224_RSA_PKCS), ("sha256", CKM.SHA256_RSA_PKCS)):
        info = DIGEST_INFO[name] + hashlib.new(name, message).digest()
        assert session.sign(RSA, private, info) == session.sign(Mechanism(hashed), private, message)
        session.verify(RSA, public, info, session.sign(RSA, private, info))
        for wrong in (info[:-1], info + b"xx", b"x" + info[1:]):
            with refused(CKR.DATA_INVALID):
                session.sign(RSA, private, wrong)
    session.sign(RSA, private, bytes(36))
    _, longer = rsa_pair(session, 1600)
    for name in ("sha384", "sha512"):
        info = DIGEST_INFO[name] + hashlib.new(name, message).digest()
        with refused(CKR.DATA_INVALID):
            session.sign(RSA, private, info)
        session.sign(RSA, longer, info)


# Guesses that the token would confirm


def test_no_check_value_is_confirmed(session: Session) -> None:
    """A template with the right one succeeded, with a wrong one failed: three bytes of E(0) for 2^24 calls."""
    base = master(session)
    value = secret_of(session, record_key(session, base))
    for guess in (check_value(CKK.AES, value), b"\0\0\0"):
        assert guess is not None
        with refused(CKR.ATTRIBUTE_TYPE_INVALID):
            session.derive(kdf(GCM_LABEL.build()), base, GCM_KEY | {CKA.CHECK_VALUE: guess})
    record_key(session, base, wanted=GCM_KEY | {CKA.CHECK_VALUE: b""})
    public, private = rsa_pair(session)
    message = session.encrypt(RSA, public, b"\3\3" + bytes(46))
    for make in (
        lambda check: session.unwrap(RSA, private, message, WHOLE | check),
        lambda check: extended(session, pre_master(session), check_value=check[CKA.CHECK_VALUE]),
        lambda check: pre_master(session, check_value=check[CKA.CHECK_VALUE]),
        lambda check: imported(session, b"k" * 16, CKK.AES, check_value=check[CKA.CHECK_VALUE]),
    ):
        with refused(CKR.ATTRIBUTE_TYPE_INVALID):
            make({CKA.CHECK_VALUE: b"abc"})


# Diffie-Hellman


def test_no_small_subgroup_tells_the_private_value(session: Session) -> None:
    """Lim and Lee 1997: a peer's value of order 3 leaves three secrets to choose from, and Finished says which."""
    prime = 2 * 3 * (2**1279 - 1) * 10 + 1
    while not _probably_prime(prime):
        prime += 2 * 3 * (2**1279 - 1)
    order3 = next(y for g in range(2, 99) if (y := pow(g, (prime - 1) // 3, prime)) != 1)
    group = {CKA.PRIME: prime.to_bytes((prime.bit_length() + 7) // 8, "big"), CKA.BASE: b"\2"}
    _, private = session.generate_pair(Mechanism(CKM.DH_PKCS_KEY_PAIR_GEN), group, {CKA.DERIVE: True})
    with refused(CKR.DOMAIN_PARAMS_INVALID):
        session.derive(Mechanism(CKM.DH_PKCS_DERIVE, PublicValue(_octets(order3))), private, template(derive=True))


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _probably_prime(number: int) -> bool:
    return all(number % small for small in range(3, 2000, 2)) and pow(3, number - 1, number) == 1


# Record keys


def test_a_record_keys_nonces_are_the_records(session: Session) -> None:
    """GCM hashes a longer nonce into its first counter block: with the hash key known, any block is encrypted on request."""
    gcm = record_key(session, master(session))
    ccm = record_key(session, master(session), "AES_128_CCM")
    for nonce in (bytes(8), bytes(11), bytes(13), bytes(16)):
        with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
            session.encrypt(Mechanism(CKM.AES_GCM, Gcm(nonce)), gcm, b"x")
        with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
            session.encrypt(Mechanism(CKM.AES_CCM, Ccm(1, nonce)), ccm, b"x")
    session.encrypt(Mechanism(CKM.AES_CCM, Ccm(1, NONCE)), ccm, b"x")


# Handles that would outlive the session


def test_no_secret_of_tls_becomes_a_token_object(session: Session) -> None:
    """A handle ends with its session, unless a copy of it does not."""
    schedule = Tls13(session)
    for secret in (agreed(session), master(session), record_key(session, master(session)), schedule.handshake):
        with refused(CKR.ATTRIBUTE_READ_ONLY):
            session.copy(secret, {CKA.TOKEN: True})
    lasting = {CKA.TOKEN: True}
    for make in (
        lambda: session.derive(kdf(GCM_LABEL.build()), master(session), GCM_KEY | lasting),
        lambda: extended(session, pre_master(session), token=True),
        lambda: pre_master(session, token=True),
        lambda: session.unwrap(RSA, rsa_pair(session)[1], bytes(128), WHOLE | lasting),
    ):
        with refused(CKR.TEMPLATE_INCONSISTENT):
            make()
    psk = imported(session, b"p" * 32, token=True, **PROTECTED)
    session.derive(extract(), psk, template(derive=True))


# Roles as a weapon


def test_nobody_spoils_the_constants_of_tls_13(session: Session) -> None:
    """Zeros, and what follows from them without a PSK, are known to all: used for something else first, TLS still works."""
    for prf_hash in (PrfHash.SHA256, PrfHash.SHA384):
        zeros = bytes(prf_hash.digest_size)
        early = hkdf.extract(prf_hash, b"", zeros)
        for constant in (zeros, early, hkdf.derive_secret(prf_hash, early, b"derived", b"")):
            session.sign(HMAC, imported(session, constant), b"x")
    Tls13(session).main()
    zeros_as_a_key = imported(session, bytes(32))
    session.derive(extract(), zeros_as_a_key, template(derive=True))


def test_nobody_widens_a_private_keys_uses(session: Session) -> None:
    _, private = session.generate_pair(
        Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN),
        {CKA.MODULUS_BITS: 1024},
        template(decrypt=False, sign=False, unwrap=True),
    )
    for use in (CKA.DECRYPT, CKA.SIGN, CKA.EXTRACTABLE):
        with refused(CKR.ATTRIBUTE_READ_ONLY):
            session.module.set_attribute_value(session.handle, private, {use: True})
        with refused(CKR.ATTRIBUTE_READ_ONLY):
            session.copy(private, {use: True})


# Both schedules


@pytest.mark.parametrize("schedule", ["classic", "separated"])
def test_trusted_is_not_for_everybody_to_say(schedule: str) -> None:
    """Footnote 10: only the security officer sets CKA_TRUSTED to true, in whatever template."""
    session = opened(schedule)
    kek = secret_key(CKK.AES, None, wrap=True, trusted=True) | {CKA.VALUE: bytes(16)}
    public = {CKA.MODULUS_BITS: 1024, CKA.TRUSTED: True}
    for make in (
        lambda: session.create(kek),
        lambda: session.generate(Mechanism(CKM.AES_KEY_GEN), secret_key(CKK.AES, 16, trusted=True)),
        lambda: session.generate_pair(Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN), public, {}),
        lambda: session.create({CKA.CLASS: CKO.CERTIFICATE, CKA.CERTIFICATE_TYPE: 0, CKA.VALUE: b"", CKA.TRUSTED: True}),
    ):
        with refused(CKR.ATTRIBUTE_READ_ONLY):
            make()
    session.module.login(session.handle, CKU.SO, SO_PIN)
    trusted = session.create(kek)
    session.module.logout(session.handle)
    assert session.attribute(session.copy(trusted, {CKA.LABEL: "twin"}), CKA.TRUSTED) is True


def test_a_pre_master_secret_that_may_leave_leaves_under_any_rsa_key(session: Session) -> None:
    """The exception, and its whole width: before its first use, once, to whoever calls first."""
    public, own = rsa_pair(session)
    fresh = session.generate(Mechanism(CKM.TLS_PRE_MASTER_KEY_GEN, VERSION), template(extractable=True))
    message = session.wrap(RSA, public, fresh)
    assert finished(session, session.unwrap(RSA, own, message, WHOLE)) == finished(session, fresh)
    with pytest.raises(CryptokiError, match="KEY_NOT_WRAPPABLE"):
        session.wrap(RSA, public, fresh)
