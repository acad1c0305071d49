"""The separated schedule: honest sessions work from end to end, and everything the specification lists is refused."""

import json
from pathlib import Path

import pytest

from keyfence.cryptoki import CryptokiError, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO, CKR
from keyfence.cryptoki.params import (
    CbcEncryptData,
    Ccm,
    ChaCha20Poly1305,
    Ecdh1Derive,
    ExtendedMasterKeyDerive,
    Gcm,
    Hkdf,
    IkePrfDerive,
    IterationVariable,
    Iv,
    KeyHandle,
    MacGeneral,
    SegmentKey,
    Sp800108Kdf,
    Tls12MasterKeyDerive,
    TlsKdf,
    TlsMac,
)
from keyfence.cryptoki.session import Session, secret_key
from keyfence.schedule import HkdfLabel, PrfHash, SeparatedLabel, Side, Version, exporter, hkdf, separated_key, verify_data

from .bench import (
    CLIENT_RANDOM,
    PROTECTED,
    READABLE,
    SERVER_RANDOM,
    VERSION,
    ec_pair,
    ecdh_to,
    expand,
    extended,
    extract,
    imported,
    kdf,
    key_mat10,
    key_mat12,
    master12,
    opened,
    pre_master,
    refused,
    rsa_pair,
    security,
    slice_from,
    template,
    with_data,
)

VECTORS = json.loads((Path(__file__).parents[1] / "schedule" / "vectors" / "ske-vectors.json").read_text())["vectors"]
GCM_LABEL = SeparatedLabel.of("AES_128_GCM", Side.CLIENT)
GCM_KEY = secret_key(CKK.AES, 16)
NONCE = bytes(12)
GCM = Mechanism(CKM.AES_GCM, Gcm(NONCE))
HMAC = Mechanism(CKM.SHA256_HMAC)
TRANSCRIPT = bytes(range(32))
DENIED = CKR.KEY_FUNCTION_NOT_PERMITTED


@pytest.fixture
def session() -> Session:
    return opened("separated")


def agreed(session: Session) -> int:
    public, private = ec_pair(session)
    return session.derive(ecdh_to(session, public), private, secret_key(CKK.GENERIC_SECRET, 32, derive=True)).handle


def master(session: Session) -> int:
    return extended(session, agreed(session), CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH)


def record_key(session: Session, base: int, algorithm: str = "AES_128_GCM", wanted: Template = GCM_KEY) -> int:
    return session.derive(kdf(SeparatedLabel.of(algorithm, Side.CLIENT).build()), base, wanted).handle


# Honest sessions


def test_ecdhe_to_records_and_finished(session: Session) -> None:
    """Two sessions of one token play client and server: each derives its own, and they understand one another."""
    (client_public, client_private), (server_public, server_private) = ec_pair(session), ec_pair(session)
    masters = []
    for private, public in ((client_private, server_public), (server_private, client_public)):
        shared = session.derive(ecdh_to(session, public), private, template(derive=True)).handle
        masters.append(extended(session, shared, CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH))
    keys = [record_key(session, each) for each in masters]
    record = session.encrypt(GCM, keys[0], b"application data")
    assert session.decrypt(GCM, keys[1], record) == b"application data"
    finished = Mechanism(CKM.TLS12_MAC, TlsMac(CKM.SHA256, 12, 2))
    session.verify(finished, masters[1], TRANSCRIPT, session.sign(finished, masters[0], TRANSCRIPT))
    exported = session.derive(kdf(b"EXPORTER-Channel-Binding"), masters[0], secret_key(CKK.GENERIC_SECRET, 32)).handle
    assert security(session, exported) == "SeAN"


def test_rsa_from_client_to_server(session: Session) -> None:
    public, private = rsa_pair(session)
    client = session.generate(Mechanism(CKM.TLS_PRE_MASTER_KEY_GEN, VERSION), template(extractable=True))
    message = session.wrap(Mechanism(CKM.RSA_PKCS), public, client)
    server = session.unwrap(Mechanism(CKM.RSA_PKCS), private, message, secret_key(CKK.GENERIC_SECRET, 48, derive=True))
    keys = [record_key(session, extended(session, base)) for base in (client, server)]
    assert session.decrypt(GCM, keys[1], session.encrypt(GCM, keys[0], b"hello")) == b"hello"


def test_the_version_of_a_pre_master_secret_is_public(session: Session) -> None:
    parameters = Tls12MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, CKM.SHA256, wants_version=True)
    base = pre_master(session)
    made = session.derive(Mechanism(CKM.TLS12_MASTER_KEY_DERIVE, parameters), base, {})
    assert made.version == (3, 3)
    assert security(session, made.handle) == security(session, base) == "SeAN"


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["prf_hash"] in ("sha256", "sha384")], ids=lambda v: v["prf_hash"])
def test_every_vector(vector: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Records made with the token's keys open with the vectors' and MACs agree: the values themselves nobody gets."""
    session, prf_hash = opened("separated"), PrfHash(vector["prf_hash"])
    value, client, server = (bytes.fromhex(str(vector[n])) for n in ("master_secret", "client_random", "server_random"))
    monkeypatch.setattr("keyfence.token.mechanisms.master.extended_master_secret", lambda *_: value)
    parameters = ExtendedMasterKeyDerive(prf_hash.ckm, bytes(prf_hash.digest_size))
    base = session.derive(Mechanism(CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, parameters), pre_master(session), {}).handle
    for entry in vector["keys"]:  # type: ignore[attr-defined]
        label = SeparatedLabel.parse(entry["label"].encode())
        mechanism = Mechanism(CKM.TLS12_KDF, TlsKdf(prf_hash.ckm, label.build(), client, server))
        wanted = secret_key(label.facts.key_types[0], label.length)
        if label.facts.mechanism is None:
            with refused(CKR.TEMPLATE_INCONSISTENT):
                session.derive(mechanism, base, wanted)
            continue
        key = session.derive(mechanism, base, wanted).handle
        assert session.attribute(key, CKA.ALLOWED_MECHANISMS) == (label.facts.mechanism,)
        assert security(session, key) == "SeAN"
        outside = opened()
        twin = imported(outside, bytes.fromhex(entry["key"]), label.facts.key_types[0])
        use = _use(label)
        assert use(session, key) == use(outside, twin), entry["label"]


def _use(label: SeparatedLabel):  # type: ignore[no-untyped-def]
    parameters = {
        CKM.AES_GCM: Gcm(NONCE),
        CKM.AES_CCM: Ccm(4, NONCE, b"", 8 if label.algorithm.endswith("_8") else 16),
        CKM.CHACHA20_POLY1305: ChaCha20Poly1305(NONCE),
        CKM.DES3_CBC: Iv(bytes(8)),
    }
    mechanism = label.facts.mechanism
    assert mechanism is not None
    if label.algorithm.startswith("HMAC"):
        return lambda session, key: session.sign(Mechanism(mechanism), key, b"data")
    data = b"data" if mechanism in (CKM.AES_GCM, CKM.AES_CCM, CKM.CHACHA20_POLY1305) else bytes(16)
    used = Mechanism(mechanism, parameters.get(mechanism, Iv(bytes(16))))
    return lambda session, key: session.encrypt(used, key, data)


# TLS 1.2: what a master secret is not for


def test_mechanisms_that_do_not_exist_here(session: Session) -> None:
    offered = set(session.module.get_mechanism_list(1))
    for gone in (
        CKM.SSL3_KEY_AND_MAC_DERIVE,
        CKM.TLS_KEY_AND_MAC_DERIVE,
        CKM.TLS12_KEY_AND_MAC_DERIVE,
        CKM.TLS12_KEY_SAFE_DERIVE,
        CKM.SSL3_MASTER_KEY_DERIVE,
        CKM.TLS_MASTER_KEY_DERIVE,
        CKM.TLS_PRF,
        CKM.WTLS_PRF,
        CKM.RSA_X_509,
    ):
        assert gone not in offered
    assert not [n for n in offered if 0xCE534365 <= n <= 0xCE53436A or n == 0x80000373]
    for mechanism in (key_mat12(0, 128, 32), key_mat10(160, 128, 0)):
        with refused(CKR.MECHANISM_INVALID):
            session.derive(mechanism, master(session), GCM_KEY)


def derivations(session: Session, secret: int) -> list[tuple[Mechanism, int]]:
    """Every way to put `secret` into a derivation, as base or as another operand."""
    other = imported(session, bytes(32))
    counter = (IterationVariable(32),)
    return [
        (slice_from(0), secret),
        (with_data(CKM.XOR_BASE_AND_DATA, bytes(48)), secret),
        (with_data(CKM.CONCATENATE_BASE_AND_DATA, b"x"), secret),
        (with_data(CKM.CONCATENATE_DATA_AND_BASE, b"x"), secret),
        (Mechanism(CKM.CONCATENATE_BASE_AND_KEY, KeyHandle(other)), secret),
        (Mechanism(CKM.CONCATENATE_BASE_AND_KEY, KeyHandle(secret)), other),
        (Mechanism(CKM.SHA256_KEY_DERIVATION), secret),
        (Mechanism(CKM.SP800_108_COUNTER_KDF, Sp800108Kdf(CKM.SHA256_HMAC, counter)), secret),
        (Mechanism(CKM.SP800_108_COUNTER_KDF, Sp800108Kdf(CKM.SHA256_HMAC, (*counter, SegmentKey(secret)))), other),
        (Mechanism(CKM.IKE_PRF_DERIVE, IkePrfDerive(CKM.SHA256_HMAC, False, False, b"", b"")), secret),
        (Mechanism(CKM.IKE_PRF_DERIVE, IkePrfDerive(CKM.SHA256_HMAC, False, True, b"", b"", secret)), other),
        (expand(b"info"), secret),
        (expand(HkdfLabel(16, b"key", b"").encode()), secret),
        (expand(b"info", CKM.HKDF_DATA), secret),
        (extract(b"salt"), secret),
        (extract(salt_key=secret), imported(session, bytes(32), **PROTECTED)),
        (kdf(b"EXPORTER-Channel-Binding", CKM.SHA384), secret),
        (kdf(b"EXPORTER-Channel-Binding", CKM.TLS_PRF), secret),
        (kdf(b"key expansion"), secret),
    ]


SECRETS = {
    "pre-master": lambda s: pre_master(s),
    "agreed": agreed,
    "master": master,
    "record key": lambda s: record_key(s, master(s)),
    "MAC key": lambda s: record_key(s, master(s), "HMAC_SHA256", secret_key(CKK.SHA256_HMAC, 32)),
    "traffic": lambda s: Tls13(s).traffic(b"c hs traffic"),
    "handshake": lambda s: Tls13(s).handshake,
}


@pytest.mark.parametrize("secret", SECRETS)
def test_no_other_function_is_keyed_with_a_secret_of_tls(session: Session, secret: str) -> None:
    handle = SECRETS[secret](session)
    for usage in (CKA.DERIVE, CKA.SIGN, CKA.ENCRYPT, CKA.WRAP):
        if session.attribute(handle, usage) is False:
            with refused(CKR.ATTRIBUTE_READ_ONLY):
                session.module.set_attribute_value(session.handle, handle, {usage: True})
    for mechanism, base in derivations(session, handle):
        before = session.find()
        with pytest.raises(CryptokiError, match="C_DeriveKey"):
            session.derive(mechanism, base, secret_key(CKK.GENERIC_SECRET, 16))
        assert session.find() == before, mechanism
    for mechanism in (HMAC, Mechanism(CKM.SHA_1_HMAC), Mechanism(CKM.SHA256_HMAC_GENERAL, MacGeneral(1))):
        if secret != "MAC key" or mechanism != HMAC:
            with pytest.raises(CryptokiError, match="C_SignInit"):
                session.sign(mechanism, handle, b"")
    session.module.digest_init(session.handle, Mechanism(CKM.SHA256))
    with refused(CKR.KEY_INDIGESTIBLE):
        session.module.digest_key(session.handle, handle)
    kek = imported(session, bytes(16), CKK.AES, wrap=True)
    with refused(CKR.KEY_NOT_WRAPPABLE):
        session.wrap(Mechanism(CKM.AES_KEY_WRAP_PAD), kek, handle)
    with refused(CKR.ATTRIBUTE_SENSITIVE):
        session.value(handle)
    with refused(CKR.ATTRIBUTE_TYPE_INVALID):
        session.attribute(handle, CKA.CHECK_VALUE)


@pytest.mark.parametrize(
    "parameters",
    [
        TlsKdf(CKM.SHA256, b"key expansion", SERVER_RANDOM, CLIENT_RANDOM),
        TlsKdf(CKM.SHA256, b"k", b"ey expansion" + SERVER_RANDOM[:20], SERVER_RANDOM[20:] + CLIENT_RANDOM[:20]),
        TlsKdf(CKM.SHA256, b"", b"key expansion" + SERVER_RANDOM, CLIENT_RANDOM),
        TlsKdf(CKM.SHA256, b"master secret", CLIENT_RANDOM, SERVER_RANDOM),
        TlsKdf(CKM.SHA256, b"client finished", CLIENT_RANDOM, SERVER_RANDOM),
        TlsKdf(CKM.SHA256, b"extended master secret", CLIENT_RANDOM, SERVER_RANDOM),
        TlsKdf(CKM.SHA256, b"my own label", CLIENT_RANDOM, SERVER_RANDOM),
        TlsKdf(CKM.SHA256, b"EXPORTER-Channel-Binding", CLIENT_RANDOM, SERVER_RANDOM[:31]),
        TlsKdf(CKM.SHA256, GCM_LABEL.build(), CLIENT_RANDOM, SERVER_RANDOM, b""),
        TlsKdf(CKM.SHA256, GCM_LABEL.build() + b" ", CLIENT_RANDOM, SERVER_RANDOM),
        TlsKdf(CKM.SHA256, GCM_LABEL.build().replace(b"128", b"064"), CLIENT_RANDOM, SERVER_RANDOM),
        TlsKdf(CKM.SHA256, GCM_LABEL.build()[:-1], b"8" + CLIENT_RANDOM[:31], CLIENT_RANDOM[31:] + SERVER_RANDOM),
    ],
)
def test_inputs_that_are_refused(session: Session, parameters: TlsKdf) -> None:
    base = master(session)
    for mechanism in (CKM.TLS_KDF, CKM.TLS12_KDF):
        with refused(CKR.MECHANISM_PARAM_INVALID):
            session.derive(Mechanism(mechanism, parameters), base, GCM_KEY)


@pytest.mark.parametrize(
    "wanted",
    [
        secret_key(CKK.AES, 32),
        secret_key(CKK.AES),
        secret_key(CKK.GENERIC_SECRET, 16),
        secret_key(CKK.DES2),
        GCM_KEY | template(sensitive=False),
        GCM_KEY | template(extractable=True),
        GCM_KEY | template(derive=True),
        GCM_KEY | template(sign=True),
        GCM_KEY | template(wrap=True),
        GCM_KEY | template(allowed_mechanisms=(CKM.AES_GCM, CKM.AES_ECB)),
        GCM_KEY | template(allowed_mechanisms=()),
    ],
)
def test_templates_that_disagree_with_the_label(session: Session, wanted: Template) -> None:
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(kdf(GCM_LABEL.build()), master(session), wanted)


def test_a_record_key_has_one_mechanism_and_whole_tags(session: Session) -> None:
    key = record_key(session, master(session))
    for mechanism in (
        Mechanism(CKM.AES_ECB),
        Mechanism(CKM.AES_CBC, Iv(bytes(16))),
        Mechanism(CKM.AES_CCM, Ccm(0, NONCE)),
        Mechanism(CKM.AES_GCM, Gcm(NONCE, tag_bits=32)),
        Mechanism(CKM.AES_GCM, Gcm(NONCE, tag_bits=120)),
    ):
        with refused(DENIED):
            session.encrypt(mechanism, key, bytes(16))
        with refused(DENIED):
            session.decrypt(mechanism, key, bytes(32))
    ccm8 = record_key(session, master(session), "AES_128_CCM_8")
    session.encrypt(Mechanism(CKM.AES_CCM, Ccm(1, NONCE, b"", 8)), ccm8, b"x")
    with refused(DENIED):
        session.encrypt(Mechanism(CKM.AES_CCM, Ccm(1, NONCE, b"", 4)), ccm8, b"x")


def test_encrypt_data_under_a_record_key(session: Session) -> None:
    key = record_key(session, master(session), "AES_128_CBC")
    with refused(CKR.ATTRIBUTE_READ_ONLY):
        session.module.set_attribute_value(session.handle, key, {CKA.DERIVE: True})
    twin_of_a_bare_key = session.generate(Mechanism(CKM.AES_KEY_GEN), secret_key(CKK.AES, 16, derive=True, **PROTECTED))
    session.encrypt(Mechanism(CKM.AES_CBC, Iv(bytes(16))), twin_of_a_bare_key, bytes(16))
    with refused(DENIED):
        session.derive(Mechanism(CKM.AES_CBC_ENCRYPT_DATA, CbcEncryptData(bytes(16), bytes(16))), twin_of_a_bare_key, {})


def test_copies_are_never_looser(session: Session) -> None:
    for handle in (record_key(session, master(session)), master(session), agreed(session), pre_master(session)):
        twin = session.copy(handle, {CKA.LABEL: "twin"})
        for looser in (
            {CKA.SENSITIVE: False},
            {CKA.EXTRACTABLE: True},
            {CKA.WRAP: True},
            {CKA.ALLOWED_MECHANISMS: (int(CKM.AES_ECB),)},
        ):
            with refused(CKR.ATTRIBUTE_READ_ONLY):
                session.copy(twin, looser)
            with refused(CKR.ATTRIBUTE_READ_ONLY):
                session.module.set_attribute_value(session.handle, twin, looser)


def test_a_role_goes_with_the_value(session: Session) -> None:
    """A pre-master secret that the caller knows anyway, and imports: still a pre-master secret."""
    public, private = rsa_pair(session)
    value = b"\3\3" + bytes(range(46))
    message = session.encrypt(Mechanism(CKM.RSA_PKCS), public, value)
    session.unwrap(Mechanism(CKM.RSA_PKCS), private, message, secret_key(CKK.GENERIC_SECRET, 48))
    twin = imported(session, value)
    for use in (
        lambda: session.sign(HMAC, twin, b""),
        lambda: session.derive(Mechanism(CKM.SHA256_KEY_DERIVATION), twin, {}),
        lambda: session.derive(slice_from(0), twin, secret_key(CKK.GENERIC_SECRET, 1)),
    ):
        with refused(DENIED):
            use()


# Roots


def test_roots_are_born_protected(session: Session) -> None:
    for looser in ({"sensitive": False}, {"sensitive": False, "extractable": True}):
        with refused(CKR.TEMPLATE_INCONSISTENT):
            pre_master(session, **looser)
        with refused(CKR.TEMPLATE_INCONSISTENT):
            master12(session, pre_master(session), **looser)
    public, private = ec_pair(session)
    for looser in (template(sensitive=False), template(extractable=True), secret_key(CKK.AES, 16), secret_key(CKK.DES)):
        with refused(CKR.TEMPLATE_INCONSISTENT):
            session.derive(ecdh_to(session, public), private, looser)


def test_an_agreed_secret_is_whole_and_agreed_again_the_same(session: Session) -> None:
    public, private = ec_pair(session)
    with refused(CKR.KEY_SIZE_RANGE):
        session.derive(ecdh_to(session, public), private, secret_key(CKK.GENERIC_SECRET, 1))
    hashed = Ecdh1Derive(CKD.SHA256_KDF, ecdh_to(session, public).parameters.public_data)  # type: ignore[union-attr]
    with refused(CKR.MECHANISM_PARAM_INVALID):
        session.derive(Mechanism(CKM.ECDH1_DERIVE, hashed), private, secret_key(CKK.GENERIC_SECRET, 32))


def test_a_client_key_exchange_opens_as_nothing_else(session: Session) -> None:
    public, private = rsa_pair(session)
    rsa = Mechanism(CKM.RSA_PKCS)
    message = session.encrypt(rsa, public, b"\3\3" + bytes(46))
    for looser in (
        secret_key(CKK.GENERIC_SECRET, 48, **READABLE),
        secret_key(CKK.GENERIC_SECRET, 2),
        secret_key(CKK.DES),
        secret_key(CKK.AES, 32),
    ):
        with refused(CKR.TEMPLATE_INCONSISTENT):
            session.unwrap(rsa, private, message, looser)
    for use in (session.decrypt,):
        with refused(CKR.MECHANISM_INVALID):
            use(rsa, private, message)
    for raw in (session.decrypt, session.sign):
        with refused(CKR.MECHANISM_INVALID):
            raw(Mechanism(CKM.RSA_X_509), private, message)
    with refused(CKR.MECHANISM_INVALID):
        session.module.message_decrypt_init(session.handle, rsa, private)


def test_a_bad_client_key_exchange_tells_nothing(session: Session) -> None:
    """Wrong padding, wrong length: a secret all the same, and always the same one (RFC 5246 section 7.4.7.1)."""
    public, private = rsa_pair(session)
    rsa, wanted = Mechanism(CKM.RSA_PKCS), secret_key(CKK.GENERIC_SECRET, 48, derive=True)
    for message in (session.encrypt(rsa, public, b"short"), bytes(127) + b"\2"):
        finished = {
            session.sign(
                Mechanism(CKM.TLS12_MAC, TlsMac(CKM.SHA256, 12, 1)),
                extended(session, session.unwrap(rsa, private, message, wanted)),
                TRANSCRIPT,
            )
            for _ in range(2)
        }
        assert len(finished) == 1
    with refused(CKR.WRAPPED_KEY_LEN_RANGE):
        session.unwrap(rsa, private, bytes(5), wanted)


def test_a_pre_master_secret_leaves_once_and_for_a_server(session: Session) -> None:
    public, _ = rsa_pair(session)
    rsa, fresh = Mechanism(CKM.RSA_PKCS), template(extractable=True)
    kek = imported(session, bytes(16), CKK.AES, wrap=True)
    client = session.generate(Mechanism(CKM.TLS_PRE_MASTER_KEY_GEN, VERSION), fresh)
    with refused(CKR.KEY_NOT_WRAPPABLE):
        session.wrap(Mechanism(CKM.AES_KEY_WRAP), kek, client)
    session.wrap(rsa, public, client)
    with refused(CKR.KEY_NOT_WRAPPABLE):
        session.wrap(rsa, public, client)
    used = session.generate(Mechanism(CKM.TLS_PRE_MASTER_KEY_GEN, VERSION), fresh)
    extended(session, used)
    with refused(CKR.KEY_NOT_WRAPPABLE):
        session.wrap(rsa, public, session.copy(used, {}))
    with refused(CKR.KEY_NOT_WRAPPABLE):
        session.wrap(rsa, public, pre_master(session))


def test_a_master_secret_is_no_pre_master_secret(session: Session) -> None:
    """Else pVersion would show two of its bytes."""
    parameters = Tls12MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, CKM.SHA256, wants_version=True)
    shown = Mechanism(CKM.TLS12_MASTER_KEY_DERIVE, parameters)
    for secret in (master(session), imported(session, bytes(48), **PROTECTED), agreed_384(session)):
        with refused(DENIED):
            session.derive(shown, secret, {})
    with refused(DENIED):
        extended(session, master(session), CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH)
    with refused(DENIED):
        extended(session, pre_master(session), CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH)


def agreed_384(session: Session) -> int:
    """48 bytes of P-384: as long as an RSA pre-master secret."""
    public, private = ec_pair(session, bytes.fromhex("06052b81040022"))
    return session.derive(ecdh_to(session, public), private, template(derive=True)).handle


@pytest.mark.parametrize(
    "parameters",
    [
        Tls12MasterKeyDerive(CLIENT_RANDOM[:31], SERVER_RANDOM, CKM.SHA256),
        Tls12MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, CKM.SHA_1),
        ExtendedMasterKeyDerive(CKM.SHA256, bytes(31)),
        None,
    ],
)
def test_master_derivations_are_the_specifications(session: Session, parameters: object) -> None:
    mechanism = Mechanism(CKM.TLS12_MASTER_KEY_DERIVE, parameters)  # type: ignore[arg-type]
    with refused(CKR.MECHANISM_PARAM_INVALID):
        session.derive(mechanism, pre_master(session), {})
    with refused(CKR.TEMPLATE_INCONSISTENT):
        master12(session, pre_master(session), allowed_mechanisms=(CKM.TLS12_KEY_AND_MAC_DERIVE,))


# Finished


@pytest.mark.parametrize(
    ("parameters", "data", "ckr"),
    [
        (TlsMac(CKM.SHA256, 13, 1), TRANSCRIPT, CKR.DATA_LEN_RANGE),
        (TlsMac(CKM.SHA256, 12, 1), TRANSCRIPT[:31], CKR.DATA_LEN_RANGE),
        (TlsMac(CKM.SHA256, 12, 1), b"", CKR.DATA_LEN_RANGE),
        (TlsMac(CKM.SHA384, 12, 1), TRANSCRIPT, CKR.MECHANISM_PARAM_INVALID),
        (TlsMac(CKM.TLS_PRF, 12, 1), TRANSCRIPT, CKR.MECHANISM_PARAM_INVALID),
        (TlsMac(CKM.SHA256, 12, 3), TRANSCRIPT, CKR.MECHANISM_PARAM_INVALID),
        (TlsMac(CKM.SHA256, 1, 1), TRANSCRIPT, CKR.MECHANISM_PARAM_INVALID),
    ],
)
def test_finished_and_nothing_like_it(session: Session, parameters: TlsMac, data: bytes, ckr: CKR) -> None:
    base = master(session)
    with refused(ckr):
        session.sign(Mechanism(CKM.TLS12_MAC, parameters), base, data)
    with refused(ckr):
        session.verify(Mechanism(CKM.TLS12_MAC, parameters), base, data, bytes(parameters.mac_length))


def test_truncated_macs_are_not_verified(session: Session) -> None:
    key = record_key(session, master(session), "HMAC_SHA256", secret_key(CKK.GENERIC_SECRET, 32))
    mac = session.sign(HMAC, key, b"data")
    session.verify(HMAC, key, b"data", mac)
    with refused(CKR.SIGNATURE_LEN_RANGE):
        session.verify(HMAC, key, b"data", mac[:1])
    with refused(DENIED):
        session.verify(Mechanism(CKM.SHA256_HMAC_GENERAL, MacGeneral(1)), key, b"data", mac[:1])
    finished = Mechanism(CKM.TLS12_MAC, TlsMac(CKM.SHA256, 12, 1))
    with refused(CKR.SIGNATURE_LEN_RANGE):
        session.verify(finished, master(session), TRANSCRIPT, b"x")


def test_finished_values_are_tls_12s(monkeypatch: pytest.MonkeyPatch) -> None:
    session, value = opened("separated"), bytes(range(48))
    monkeypatch.setattr("keyfence.token.mechanisms.master.extended_master_secret", lambda *_: value)
    base = extended(session, pre_master(session))
    for number, side in ((1, Side.SERVER), (2, Side.CLIENT)):
        made = session.sign(Mechanism(CKM.TLS_MAC, TlsMac(CKM.SHA256, 12, number)), base, TRANSCRIPT)
        assert made == verify_data(Version.TLS12, PrfHash.SHA256, value, side, TRANSCRIPT)
    exported = session.derive(kdf(b"EXPERIMENTAL test"), base, secret_key(CKK.GENERIC_SECRET, 32)).handle
    expected = exporter(Version.TLS12, PrfHash.SHA256, value, b"EXPERIMENTAL test", CLIENT_RANDOM, SERVER_RANDOM, 32)
    outside = opened()
    assert session.sign(HMAC, exported, b"x") == outside.sign(HMAC, imported(outside, expected), b"x")
    assert separated_key(PrfHash.SHA256, value, GCM_LABEL, CLIENT_RANDOM, SERVER_RANDOM) != expected[:16]


# TLS 1.3


class Tls13:
    """RFC 8446 section 7.1 with an ECDHE secret and no PSK, all of it inside the token."""

    def __init__(self, session: Session, shared: int | None = None) -> None:
        self.session = session
        zeros = session.create({CKA.CLASS: CKO.DATA, CKA.VALUE: bytes(32)})
        early = self.extract(zeros)
        derived = self.expand(early, b"derived", PrfHash.SHA256.digest(b""))
        self.handshake = self.extract(shared or agreed(session), derived)
        self.zeros = zeros

    def main(self) -> int:
        return self.extract(self.zeros, self.expand(self.handshake, b"derived", PrfHash.SHA256.digest(b"")))

    def traffic(self, label: bytes) -> int:
        return self.expand(self.handshake, label, TRANSCRIPT)

    def extract(self, ikm: int, salt: int | None = None) -> int:
        return self.session.derive(extract(salt_key=salt), ikm, template(derive=True)).handle

    def expand(self, base: int, label: bytes, context: bytes = b"", length: int = 32) -> int:
        wanted = secret_key(CKK.GENERIC_SECRET, length, derive=True)
        return self.session.derive(expand(HkdfLabel(length, label, context).encode()), base, wanted).handle

    def key(self, base: int, **attributes: object) -> int:
        wanted = secret_key(CKK.AES, 16) | template(**attributes)
        return self.session.derive(expand(HkdfLabel(16, b"key", b"").encode()), base, wanted).handle

    def iv(self, base: int) -> bytes:
        mechanism = expand(HkdfLabel(12, b"iv", b"").encode(), CKM.HKDF_DATA)
        return self.session.value(self.session.derive(mechanism, base, {CKA.CLASS: CKO.DATA, CKA.VALUE_LEN: 12}).handle)


def test_a_tls_13_handshake(session: Session) -> None:
    """Both peers, to application data, Finished, key update, resumption and an exporter."""
    (client_public, client_private), (server_public, server_private) = ec_pair(session), ec_pair(session)
    sides = [
        Tls13(session, session.derive(ecdh_to(session, public), private, template(derive=True)).handle)
        for private, public in ((client_private, server_public), (server_private, client_public))
    ]
    finished = [side.expand(side.traffic(b"s hs traffic"), b"finished") for side in sides]
    session.verify(HMAC, finished[0], TRANSCRIPT, session.sign(HMAC, finished[1], TRANSCRIPT))
    mains = [side.main() for side in sides]
    traffic = [side.expand(main, b"c ap traffic", TRANSCRIPT) for side, main in zip(sides, mains, strict=True)]
    for _ in range(2):
        keys, ivs = zip(*((s.key(t), s.iv(t)) for s, t in zip(sides, traffic, strict=True)), strict=True)
        assert ivs[0] == ivs[1]
        seal = Mechanism(CKM.AES_GCM, Gcm(ivs[0]))
        assert session.decrypt(seal, keys[1], session.encrypt(seal, keys[0], b"application data")) == b"application data"
        traffic = [side.expand(t, b"traffic upd") for side, t in zip(sides, traffic, strict=True)]
    resumption = sides[0].expand(mains[0], b"res master", TRANSCRIPT)
    psk = sides[0].expand(resumption, b"resumption", b"\0\1")
    binder = sides[0].expand(sides[0].extract(psk), b"res binder", PrfHash.SHA256.digest(b""))
    session.sign(HMAC, sides[0].expand(binder, b"finished"), TRANSCRIPT)
    exporting = sides[0].expand(mains[0], b"exp master", TRANSCRIPT)
    label = sides[0].expand(exporting, b"EXPORTER-Channel-Binding", PrfHash.SHA256.digest(b""))
    material = sides[0].expand(label, b"exporter", PrfHash.SHA256.digest(b""), 20)
    assert security(session, material) in ("SeAN", "Sean")


def test_the_handshake_secret_from_a_salt_computed_outside(session: Session) -> None:
    """Without a PSK that salt is a constant, and stacks compute it themselves. So do we: the same secret either way."""
    early = hkdf.extract(PrfHash.SHA256, b"", bytes(32))
    salt = hkdf.derive_secret(PrfHash.SHA256, early, b"derived", b"")
    shared = agreed(session)
    outside = session.derive(extract(salt), shared, template(derive=True)).handle
    schedule = Tls13(session, shared)
    finished = [
        schedule.expand(schedule.expand(base, b"c hs traffic", TRANSCRIPT), b"finished")
        for base in (outside, schedule.handshake)
    ]
    session.verify(HMAC, finished[0], b"data", session.sign(HMAC, finished[1], b"data"))


@pytest.mark.parametrize(
    ("label", "context", "length", "wanted"),
    [
        (b"c ap traffic", TRANSCRIPT, 32, secret_key(CKK.HKDF, 32)),  # of the main secret, not of this one
        (b"my own", TRANSCRIPT, 32, secret_key(CKK.HKDF, 32)),
        (b"c hs traffic", b"", 32, secret_key(CKK.HKDF, 32)),
        (b"c hs traffic", TRANSCRIPT, 16, secret_key(CKK.HKDF, 16)),
        (b"derived", TRANSCRIPT, 32, secret_key(CKK.HKDF, 32)),
        (b"key", b"", 16, secret_key(CKK.AES, 16)),
    ],
)
def test_labels_that_are_not_a_stages(session: Session, label: bytes, context: bytes, length: int, wanted: Template) -> None:
    schedule = Tls13(session)
    with refused(CKR.MECHANISM_PARAM_INVALID):
        session.derive(expand(HkdfLabel(length, label, context).encode()), schedule.handshake, wanted)


@pytest.mark.parametrize(
    ("info", "mechanism", "wanted", "ckr"),
    [
        (HkdfLabel(16, b"key", b""), CKM.HKDF_DATA, {CKA.VALUE_LEN: 16}, CKR.MECHANISM_PARAM_INVALID),
        (HkdfLabel(12, b"iv", b""), CKM.HKDF_DERIVE, secret_key(CKK.GENERIC_SECRET, 12), CKR.MECHANISM_PARAM_INVALID),
        (HkdfLabel(16, b"iv", b""), CKM.HKDF_DATA, {CKA.VALUE_LEN: 16}, CKR.MECHANISM_PARAM_INVALID),
        (HkdfLabel(12, b"iv", b"x"), CKM.HKDF_DATA, {CKA.VALUE_LEN: 12}, CKR.MECHANISM_PARAM_INVALID),
        (HkdfLabel(12, b"iv", b""), CKM.HKDF_DATA, {CKA.VALUE_LEN: 8}, CKR.TEMPLATE_INCONSISTENT),
        (HkdfLabel(16, b"key", b""), CKM.HKDF_DERIVE, secret_key(CKK.AES, 32), CKR.TEMPLATE_INCONSISTENT),
        (HkdfLabel(8, b"key", b""), CKM.HKDF_DERIVE, secret_key(CKK.DES), CKR.TEMPLATE_INCONSISTENT),
        (HkdfLabel(1, b"key", b""), CKM.HKDF_DERIVE, secret_key(CKK.GENERIC_SECRET, 1), CKR.TEMPLATE_INCONSISTENT),
        (HkdfLabel(24, b"key", b""), CKM.HKDF_DERIVE, secret_key(CKK.AES, 24), CKR.TEMPLATE_INCONSISTENT),
        (HkdfLabel(16, b"key", b""), CKM.HKDF_DERIVE, secret_key(CKK.AES, 16, **READABLE), CKR.TEMPLATE_INCONSISTENT),
        (HkdfLabel(16, b"key", b""), CKM.HKDF_DERIVE, secret_key(CKK.AES), CKR.TEMPLATE_INCONSISTENT),
        (b"key", CKM.HKDF_DERIVE, secret_key(CKK.AES, 16), CKR.MECHANISM_PARAM_INVALID),
        (HkdfLabel(16, b"key", b"").encode() + b"\0", CKM.HKDF_DERIVE, secret_key(CKK.AES, 16), CKR.MECHANISM_PARAM_INVALID),
    ],
)
def test_what_a_traffic_secret_does_not_give(
    session: Session, info: HkdfLabel | bytes, mechanism: CKM, wanted: Template, ckr: CKR
) -> None:
    traffic = Tls13(session).traffic(b"c hs traffic")
    encoded = info.encode() if isinstance(info, HkdfLabel) else info
    with refused(ckr):
        session.derive(expand(encoded, mechanism), traffic, wanted)
    with refused(DENIED):
        session.derive(expand(encoded, mechanism, CKM.SHA384), traffic, wanted)


def test_gcm_and_ccm_are_not_one_key(session: Session) -> None:
    """RFC 8446 derives both alike, and CCM's counter blocks can meet GCM's: whichever comes first, the other is refused."""
    schedule = Tls13(session)
    traffic = schedule.traffic(b"c hs traffic")
    ccm = schedule.key(traffic, allowed_mechanisms=(CKM.AES_CCM,))
    session.encrypt(Mechanism(CKM.AES_CCM, Ccm(1, NONCE)), ccm, b"x")
    with refused(DENIED):
        schedule.key(traffic)
    with refused(CKR.TEMPLATE_INCONSISTENT):
        schedule.key(schedule.traffic(b"s hs traffic"), allowed_mechanisms=(CKM.AES_ECB,))


def test_salts_and_inputs_of_extracts(session: Session) -> None:
    schedule = Tls13(session)
    derived = schedule.expand(schedule.handshake, b"derived", PrfHash.SHA256.digest(b""))
    known = imported(session, bytes(range(32)))
    for mechanism, base, ckr in (
        (extract(salt_key=derived), agreed(session), DENIED),  # the main secret is extracted from zeros
        (extract(salt_key=derived), known, DENIED),
        (extract(salt_key=schedule.handshake), schedule.zeros, DENIED),
        (extract(salt_key=known), agreed(session), DENIED),
        (extract(b"my own salt"), agreed(session), CKR.MECHANISM_PARAM_INVALID),
        (extract(), agreed(session), DENIED),  # an early secret is extracted from a PSK
        (extract(), known, DENIED),  # a readable PSK
        (extract(), session.create({CKA.CLASS: CKO.DATA, CKA.VALUE: b"psk"}), DENIED),
        (Mechanism(CKM.HKDF_DERIVE, Hkdf(True, True, CKM.SHA256)), schedule.zeros, CKR.MECHANISM_PARAM_INVALID),
        (Mechanism(CKM.HKDF_DATA, Hkdf(True, False, CKM.SHA256)), schedule.zeros, CKR.MECHANISM_PARAM_INVALID),
        (extract(prf_hash=CKM.SHA_1), schedule.zeros, CKR.MECHANISM_PARAM_INVALID),
    ):
        with refused(ckr):
            session.derive(mechanism, base, secret_key(CKK.HKDF, 32, derive=True))


def test_a_psk_from_elsewhere_is_protected_and_unspent(session: Session) -> None:
    psk = imported(session, b"p" * 32, **PROTECTED)
    early = session.derive(extract(), psk, template(derive=True)).handle
    assert security(session, early) == "Sean"
    with refused(DENIED):
        session.sign(HMAC, psk, b"")
    spent = imported(session, b"q" * 32, **PROTECTED)
    session.sign(HMAC, spent, b"")
    with refused(DENIED):
        session.derive(extract(), spent, {})


# Keys that are none of TLS's


def test_a_key_does_what_it_did_first(session: Session) -> None:
    key = session.generate(Mechanism(CKM.AES_KEY_GEN), secret_key(CKK.AES, 16, derive=True))
    session.decrypt(GCM, key, session.encrypt(GCM, key, b"x"))
    for mechanism in (Mechanism(CKM.AES_ECB), Mechanism(CKM.AES_CBC, Iv(bytes(16)))):
        with refused(DENIED):
            session.encrypt(mechanism, session.copy(key, {}), bytes(16))
    with refused(DENIED):
        session.derive(slice_from(0), key, secret_key(CKK.GENERIC_SECRET, 1))


def test_other_work_goes_on(session: Session) -> None:
    """KBKDF, slicing, hashing and wrapping of keys that are the application's own."""
    for mechanism in (slice_from(8), Mechanism(CKM.SHA256_KEY_DERIVATION)):
        session.derive(mechanism, imported(session, bytes([mechanism.type % 251]) * 32), secret_key(CKK.GENERIC_SECRET, 16))
    kek, wrap = imported(session, b"k" * 16, CKK.AES, wrap=True, unwrap=True), Mechanism(CKM.AES_KEY_WRAP)
    wrapped = session.wrap(wrap, kek, imported(session, bytes(16), CKK.AES))
    session.unwrap(wrap, kek, wrapped, secret_key(CKK.AES))
    public, private = rsa_pair(session)
    signing = Mechanism(CKM.SHA256_RSA_PKCS)
    session.verify(signing, public, b"m", session.sign(signing, private, b"m"))
    session.module.digest_init(session.handle, Mechanism(CKM.SHA256))
    session.module.digest_key(session.handle, imported(session, b"not secret"))
