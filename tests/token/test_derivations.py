"""Every other derivation against a published vector, the standard's own example, or the definition written out."""

import hashlib
import hmac

import pytest

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO, CKR
from keyfence.cryptoki.constants.vendor import (
    CKM_NSS_IKE1_PRF_DERIVE,
    CKM_NSS_SP800_108_COUNTER_KDF_DERIVE_DATA,
    CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE,
    CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256,
)
from keyfence.cryptoki.params import (
    ByteArray,
    CbcEncryptData,
    DkmLength,
    Ecdh1Derive,
    ExtendedMasterKeyDerive,
    Hkdf,
    Ike1ExtendedDerive,
    Ike1PrfDerive,
    Ike2PrfPlusDerive,
    IkePrfDerive,
    IterationVariable,
    KeyHandle,
    MasterKeyDerive,
    OptionalCounter,
    Parameters,
    PublicValue,
    SegmentKey,
    Sp800108Kdf,
    Tls12MasterKeyDerive,
    TlsPrf,
    WtlsMasterKeyDerive,
    WtlsPrf,
)
from keyfence.cryptoki.params.derive import Segment
from keyfence.cryptoki.session import Session, secret_key
from keyfence.schedule import PrfHash, Version, exporter, extended_master_secret, master_secret, prf_tls10
from keyfence.schedule.wtls import wtls_master_secret, wtls_prf
from keyfence.token.kernels.curves import P384, X25519

from .bench import (
    CLIENT_RANDOM,
    GENERIC,
    SERVER_RANDOM,
    ec_pair,
    ecdh_to,
    expand,
    extract,
    imported,
    kdf,
    opened,
    refused,
    slice_from,
    with_data,
)

SECRET = bytes(range(1, 49))
HMAC = CKM.SHA256_HMAC


def hmac256(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def derived(
    session: Session,
    mechanism: Mechanism,
    base: bytes | int,
    template: Template | None = None,
    base_type: int = CKK.GENERIC_SECRET,
) -> bytes:
    """The value of what is derived from a base key of this value."""
    handle = imported(session, base, base_type) if isinstance(base, bytes) else base
    return session.value(session.derive(mechanism, handle, template or {}).handle)


# Master secrets


@pytest.mark.parametrize("wants_version", [False, True])
@pytest.mark.parametrize(
    ("mechanism", "version", "prf_hash"),
    [
        (CKM.SSL3_MASTER_KEY_DERIVE, Version.SSL3, None),
        (CKM.TLS_MASTER_KEY_DERIVE, Version.TLS10, None),
        (CKM.TLS12_MASTER_KEY_DERIVE, Version.TLS12, PrfHash.SHA384),
        (CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256, Version.TLS12, PrfHash.SHA256),
    ],
)
def test_master_secrets(mechanism: int, version: Version, prf_hash: PrfHash | None, wants_version: bool) -> None:
    session = opened()
    base = imported(session, b"\x03\x01" + SECRET[2:])
    parameters: Parameters = MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, wants_version)
    if mechanism == CKM.TLS12_MASTER_KEY_DERIVE:
        parameters = Tls12MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, CKM.SHA384, wants_version)
    made = session.derive(Mechanism(mechanism, parameters), base, {})
    expected = master_secret(version, prf_hash, b"\x03\x01" + SECRET[2:], CLIENT_RANDOM, SERVER_RANDOM)
    assert session.value(made.handle) == expected
    assert made.version == ((3, 1) if wants_version else None)


@pytest.mark.parametrize("mechanism", [CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE])
@pytest.mark.parametrize("prf", [CKM.SHA256, CKM.TLS_PRF])
def test_extended_master_secrets(mechanism: int, prf: CKM) -> None:
    version, prf_hash = (Version.TLS10, None) if prf == CKM.TLS_PRF else (Version.TLS12, PrfHash.SHA256)
    parameters = ExtendedMasterKeyDerive(prf, b"session hash")
    value = derived(opened(), Mechanism(mechanism, parameters), SECRET)
    assert value == extended_master_secret(version, prf_hash, SECRET, b"session hash")


def test_wtls_master_secrets_show_one_version_byte() -> None:
    session = opened()
    parameters = WtlsMasterKeyDerive(CKM.SHA_1, bytes(16), bytes(16), wants_version=True)
    made = session.derive(Mechanism(CKM.WTLS_MASTER_KEY_DERIVE, parameters), imported(session, SECRET[:20]), {})
    assert session.value(made.handle) == wtls_master_secret(PrfHash.SHA1, SECRET[:20], bytes(16), bytes(16))
    assert made.version == (SECRET[0], 0)


@pytest.mark.parametrize(
    ("mechanism", "length"),
    [(CKM.TLS_MASTER_KEY_DERIVE, 47), (CKM.TLS_MASTER_KEY_DERIVE_DH, 48), (CKM.TLS_MASTER_KEY_DERIVE_DH, 32)],
)
def test_versions_are_for_rsa_pre_masters_of_48_bytes(mechanism: CKM, length: int) -> None:
    session = opened()
    base = imported(session, bytes(length))
    wrong = CKR.KEY_SIZE_RANGE if length == 47 else CKR.MECHANISM_PARAM_INVALID
    with refused(wrong):
        session.derive(Mechanism(mechanism, MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, True)), base, {})
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(
            Mechanism(CKM.TLS_MASTER_KEY_DERIVE_DH, MasterKeyDerive(b"", b"")), base, secret_key(CKK.GENERIC_SECRET, 32)
        )


# PRF output


def test_tls_prf_answers_the_caller() -> None:
    session = opened()
    base = imported(session, SECRET)
    made = session.derive(Mechanism(CKM.TLS_PRF, TlsPrf(b"label", b"seed", 77)), base, {})
    assert made.output == prf_tls10(SECRET, b"label", b"seed", 77)
    assert made.handles == ()
    wtls = session.derive(Mechanism(CKM.WTLS_PRF, WtlsPrf(CKM.SHA_1, b"label", b"seed", 30)), base, {})
    assert wtls.output == wtls_prf(PrfHash.SHA1, SECRET, b"label", b"seed", 30)
    for parameters in (TlsPrf(b"", b"", 1 << 40), WtlsPrf(CKM.SHA_1, b"", b"", 0), WtlsPrf(CKM.TLS_PRF, b"", b"", 8)):
        mechanism = CKM.TLS_PRF if isinstance(parameters, TlsPrf) else CKM.WTLS_PRF
        with refused(CKR.MECHANISM_PARAM_INVALID):
            session.derive(Mechanism(mechanism, parameters), base, {})
    with refused(CKR.MECHANISM_PARAM_INVALID):
        session.derive(kdf(b"label", context=bytes(1 << 16)), base, secret_key(CKK.AES, 16))


@pytest.mark.parametrize("context", [None, b"", b"context"])
@pytest.mark.parametrize("mechanism", [CKM.TLS_KDF, CKM.TLS12_KDF])
def test_exporters(mechanism: CKM, context: bytes | None) -> None:
    value = derived(opened(), kdf(b"key expansion", context=context, mechanism=mechanism), SECRET, secret_key(CKK.AES, 32))
    expected = exporter(Version.TLS12, PrfHash.SHA256, SECRET, b"key expansion", CLIENT_RANDOM, SERVER_RANDOM, 32, context)
    assert value == expected, "the label is nobody's business in the standard's text"
    old = derived(opened(), kdf(b"label", CKM.TLS_PRF), SECRET, secret_key(CKK.GENERIC_SECRET, 10))
    assert old == prf_tls10(SECRET, b"label", CLIENT_RANDOM + SERVER_RANDOM, 10)


# HKDF: RFC 5869 appendix A


RFC5869 = [
    (
        CKM.SHA256,
        b"\x0b" * 22,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        CKM.SHA256,
        b"\x0b" * 22,
        None,
        b"",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
    (
        CKM.SHA_1,
        b"\x0b" * 11,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        "9b6c18c432a7bf8f0e71c8eb88f4b30baa2ba243",
        "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896",
    ),
]


@pytest.mark.parametrize(("prf_hash", "ikm", "salt", "info", "prk", "okm"), RFC5869)
def test_hkdf_vectors(prf_hash: CKM, ikm: bytes, salt: bytes | None, info: bytes, prk: str, okm: str) -> None:
    session = opened()
    base = imported(session, ikm)
    extracted = session.derive(extract(salt, prf_hash=prf_hash), base, {CKA.DERIVE: True}).handle
    assert session.value(extracted).hex() == prk
    assert session.attribute(extracted, CKA.KEY_TYPE) == CKK.HKDF
    length = len(okm) // 2
    expanded = session.derive(expand(info, prf_hash=prf_hash), extracted, secret_key(CKK.GENERIC_SECRET, length)).handle
    assert session.value(expanded).hex() == okm
    both = Mechanism(CKM.HKDF_DERIVE, Hkdf(True, True, prf_hash, info, salt))
    assert session.value(session.derive(both, base, secret_key(CKK.GENERIC_SECRET, length)).handle).hex() == okm


def test_hkdf_salts_and_inputs() -> None:
    session = opened()
    base, salt = imported(session, b"ikm"), imported(session, b"salt", CKK.HKDF)
    assert derived(session, extract(salt_key=salt), base) == hmac256(b"salt", b"ikm")
    data = session.create({CKA.CLASS: CKO.DATA, CKA.VALUE: bytes(32)})
    assert derived(session, extract(salt_key=salt), data) == hmac256(b"salt", bytes(32))
    with refused(CKR.KEY_HANDLE_INVALID):
        session.derive(expand(b""), data, secret_key(CKK.AES, 16))
    with refused(CKR.KEY_HANDLE_INVALID):
        session.derive(slice_from(0), data, secret_key(CKK.AES, 16))
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        session.derive(extract(salt_key=imported(session, b"s", derive=False)), base, {})
    with refused(CKR.KEY_TYPE_INCONSISTENT):
        session.derive(extract(salt_key=imported(session, bytes(16), CKK.AES)), base, {})
    with refused(CKR.KEY_HANDLE_INVALID):
        session.derive(extract(salt_key=4711), base, {})


def test_hkdf_data_is_for_everybody_to_read() -> None:
    session = opened()
    base = imported(session, SECRET, sensitive=True, extractable=False)
    made = session.derive(expand(b"key", CKM.HKDF_DATA), base, {CKA.CLASS: CKO.DATA, CKA.VALUE_LEN: 40}).handle
    assert session.attribute(made, CKA.CLASS) == CKO.DATA
    assert session.value(made) == hmac256(SECRET, b"key\1") + hmac256(SECRET, hmac256(SECRET, b"key\1") + b"key\2")[:8]
    with refused(CKR.TEMPLATE_INCOMPLETE):
        session.derive(expand(b"key", CKM.HKDF_DATA), base, {})
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(expand(b"key", CKM.HKDF_DATA), base, secret_key(CKK.GENERIC_SECRET, 40))


@pytest.mark.parametrize(
    ("parameters", "template", "ckr"),
    [
        (Hkdf(False, False, CKM.SHA256), {}, CKR.MECHANISM_PARAM_INVALID),
        (Hkdf(True, False, CKM.SHA224), {}, CKR.MECHANISM_PARAM_INVALID),
        (Hkdf(False, True, CKM.SHA256), {}, CKR.TEMPLATE_INCOMPLETE),
        (Hkdf(False, True, CKM.SHA256), GENERIC | {CKA.VALUE_LEN: 255 * 32 + 1}, CKR.KEY_SIZE_RANGE),
        (Hkdf(True, False, CKM.SHA256), GENERIC | {CKA.VALUE_LEN: 16}, CKR.TEMPLATE_INCONSISTENT),
        (Hkdf(False, True, CKM.SHA256), GENERIC | {CKA.VALUE_LEN: 0}, CKR.KEY_SIZE_RANGE),
        (Hkdf(False, True, CKM.SHA256), secret_key(CKK.AES, 17), CKR.KEY_SIZE_RANGE),
        (Hkdf(False, True, CKM.SHA256), secret_key(CKK.CHACHA20, 31), CKR.TEMPLATE_INCONSISTENT),
    ],
)
def test_hkdf_refusals(parameters: Hkdf, template: Template, ckr: CKR) -> None:
    session = opened()
    base = imported(session, SECRET)
    with refused(ckr):
        session.derive(Mechanism(CKM.HKDF_DERIVE, parameters), base, template)


# Slicing: the examples of section 6.43


def test_extract_by_the_standards_example() -> None:
    session = opened()
    base = imported(session, bytes.fromhex("329f84a9"))
    assert derived(session, slice_from(21), base, secret_key(CKK.GENERIC_SECRET, 2)).hex() == "9526"
    with refused(CKR.TEMPLATE_INCOMPLETE):
        session.derive(slice_from(0), base, {})
    with refused(CKR.MECHANISM_PARAM_INVALID):
        session.derive(slice_from(32), base, secret_key(CKK.GENERIC_SECRET, 2))
    with refused(CKR.KEY_SIZE_RANGE):
        session.derive(slice_from(0), base, secret_key(CKK.GENERIC_SECRET, 5))


@pytest.mark.parametrize(
    ("mechanism", "value"),
    [
        (CKM.CONCATENATE_BASE_AND_DATA, "0123456789abcdef"),
        (CKM.CONCATENATE_DATA_AND_BASE, "89abcdef01234567"),
        (CKM.XOR_BASE_AND_DATA, "88888888"),
    ],
)
def test_data_by_the_standards_examples(mechanism: CKM, value: str) -> None:
    session = opened()
    base = imported(session, bytes.fromhex("01234567"))
    assert derived(session, with_data(mechanism, bytes.fromhex("89abcdef")), base).hex() == value
    assert (
        derived(session, with_data(mechanism, bytes.fromhex("89abcdef")), base, secret_key(CKK.GENERIC_SECRET, 3)).hex()
        == value[:6]
    )


def test_concatenating_keys_and_des_parity() -> None:
    session = opened()
    one, two = imported(session, bytes.fromhex("01234567")), imported(session, bytes.fromhex("89abcdef"))
    mechanism = Mechanism(CKM.CONCATENATE_BASE_AND_KEY, KeyHandle(two))
    assert derived(session, mechanism, one).hex() == "0123456789abcdef"
    assert derived(session, mechanism, one, secret_key(CKK.DES)).hex() == "0123456789abcdef"
    even = with_data(CKM.CONCATENATE_BASE_AND_DATA, bytes(4))
    assert derived(session, even, imported(session, bytes(4)), secret_key(CKK.DES)).hex() == "01" * 8
    public, _ = ec_pair(session)
    with refused(CKR.KEY_TYPE_INCONSISTENT):
        session.derive(Mechanism(CKM.CONCATENATE_BASE_AND_KEY, KeyHandle(public)), one, {})


# Hashes and ciphers


@pytest.mark.parametrize(("mechanism", "name"), [(CKM.SHA256_KEY_DERIVATION, "sha256"), (CKM.MD5_KEY_DERIVATION, "md5")])
def test_hashes_of_keys(mechanism: CKM, name: str) -> None:
    digest = hashlib.new(name, SECRET).digest()
    assert derived(opened(), Mechanism(mechanism), SECRET) == digest
    assert derived(opened(), Mechanism(mechanism), SECRET, secret_key(CKK.AES, 16)) == digest[:16]
    with refused(CKR.TEMPLATE_INCOMPLETE):
        derived(opened(), Mechanism(mechanism), SECRET, secret_key(CKK.AES))
    with refused(CKR.KEY_SIZE_RANGE):
        derived(opened(), Mechanism(mechanism), SECRET, secret_key(CKK.GENERIC_SECRET, 65))


def test_encrypted_data_as_keys() -> None:
    """FIPS 197's and SP 800-38A's first AES-128 vectors."""
    session = opened()
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    block = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
    ecb = derived(session, with_data(CKM.AES_ECB_ENCRYPT_DATA, block), key, None, CKK.AES)
    assert ecb.hex() == "3ad77bb40d7a3660a89ecaf32466ef97"
    cbc = Mechanism(CKM.AES_CBC_ENCRYPT_DATA, CbcEncryptData(bytes(range(16)), block))
    assert derived(session, cbc, key, secret_key(CKK.GENERIC_SECRET, 4), CKK.AES).hex() == "7649abac"
    with refused(CKR.DATA_LEN_RANGE):
        derived(session, with_data(CKM.AES_ECB_ENCRYPT_DATA, b"short"), key, None, CKK.AES)
    with refused(CKR.KEY_TYPE_INCONSISTENT):
        derived(session, with_data(CKM.AES_ECB_ENCRYPT_DATA, block), key)
    with refused(CKR.MECHANISM_PARAM_INVALID):
        derived(session, Mechanism(CKM.AES_CBC_ENCRYPT_DATA, CbcEncryptData(bytes(8), block)), key, None, CKK.AES)


# Key agreement


@pytest.mark.parametrize(
    ("params", "mechanism", "width"), [(P384, CKM.EC_KEY_PAIR_GEN, 48), (X25519, CKM.EC_MONTGOMERY_KEY_PAIR_GEN, 32)]
)
def test_both_sides_agree(params: bytes, mechanism: CKM, width: int) -> None:
    session = opened()
    (public_a, private_a), (public_b, private_b) = ec_pair(session, params, mechanism), ec_pair(session, params, mechanism)
    readable = secret_key(CKK.GENERIC_SECRET, None, sensitive=False, extractable=True)
    a = derived(session, ecdh_to(session, public_b), private_a, readable)
    assert a == derived(session, ecdh_to(session, public_a), private_b, readable)
    assert len(a) == width
    short = derived(session, ecdh_to(session, public_b), private_a, readable | {CKA.VALUE_LEN: 8})
    assert short == a[-8:], "truncated from the leading end (section 6.3.17)"
    hashed = Ecdh1Derive(CKD.SHA256_KDF, ecdh_to(session, public_b).parameters.public_data, b"shared")  # type: ignore[union-attr]
    value = derived(session, Mechanism(CKM.ECDH1_DERIVE, hashed), private_a, readable | {CKA.VALUE_LEN: 32})
    assert value == hashlib.sha256(a + b"\0\0\0\1" + b"shared").digest()
    with refused(CKR.MECHANISM_PARAM_INVALID):
        session.derive(Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(CKD.NULL, b"\4" + bytes(2 * width))), private_a, readable)


def test_diffie_hellman() -> None:
    """The group of RFC 3526 section 2 (1536 bits)."""
    prime = bytes.fromhex(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
        "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
        "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
        "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF"
    )
    session = opened()
    pairs = [
        session.generate_pair(
            Mechanism(CKM.DH_PKCS_KEY_PAIR_GEN), {CKA.PRIME: prime, CKA.BASE: b"\2"}, {CKA.DERIVE: True, CKA.VALUE_BITS: 256}
        )
        for _ in range(2)
    ]
    readable = secret_key(CKK.GENERIC_SECRET, None, sensitive=False, extractable=True)
    values = set()
    for (_, private), (public, _) in (pairs, reversed(pairs)):
        peer = session.attribute(public, CKA.VALUE)
        assert isinstance(peer, bytes)
        values.add(derived(session, Mechanism(CKM.DH_PKCS_DERIVE, PublicValue(peer)), private, readable))
    assert len(values) == 1
    with refused(CKR.ATTRIBUTE_SENSITIVE):
        session.value(pairs[0][1])


# SP 800-108


def kbkdf(mechanism: CKM, segments: tuple[Segment, ...], iv: bytes | None = None) -> Mechanism:
    return Mechanism(mechanism, Sp800108Kdf(HMAC, segments, iv))


def test_counter_mode_of_nists_example() -> None:
    """SP 800-108 section 5.1 as the standard's sample lays it out: [i]_16 | label | 0 | context | [L]_16."""
    segments = (IterationVariable(16), ByteArray(b"label"), ByteArray(b"\0"), ByteArray(b"ctx"), DkmLength(16))
    value = derived(opened(), kbkdf(CKM.SP800_108_COUNTER_KDF, segments), SECRET, secret_key(CKK.GENERIC_SECRET, 40))
    fixed = b"label\0ctx" + (320).to_bytes(2, "big")
    assert value == (hmac256(SECRET, b"\0\1" + fixed) + hmac256(SECRET, b"\0\2" + fixed))[:40]


def test_feedback_mode() -> None:
    segments = (IterationVariable(None), OptionalCounter(8), ByteArray(b"info"))
    value = derived(opened(), kbkdf(CKM.SP800_108_FEEDBACK_KDF, segments, b"iv"), SECRET, secret_key(CKK.GENERIC_SECRET, 64))
    first = hmac256(SECRET, b"iv" + b"\1info")
    assert value == first + hmac256(SECRET, first + b"\2info")


def test_double_pipeline_mode() -> None:
    segments = (IterationVariable(None), OptionalCounter(8, little_endian=True), ByteArray(b"info"))
    value = derived(opened(), kbkdf(CKM.SP800_108_DOUBLE_PIPELINE_KDF, segments), SECRET, secret_key(CKK.GENERIC_SECRET, 64))
    a1 = hmac256(SECRET, b"info")
    a2 = hmac256(SECRET, a1)
    assert value == hmac256(SECRET, a1 + b"\1info") + hmac256(SECRET, a2 + b"\2info")


def test_several_keys_share_no_prf_output() -> None:
    """The standard's example: 48 and 16 bytes take three outputs, and the length is 512 or 768 bits."""
    session = opened()
    for sum_of_segments, bits in ((False, 512), (True, 768)):
        segments = (IterationVariable(8), DkmLength(32, False, sum_of_segments))
        parameters = Sp800108Kdf(HMAC, segments, None, (secret_key(CKK.AES, 16),))
        base = imported(session, SECRET)
        made = session.derive(Mechanism(CKM.SP800_108_COUNTER_KDF, parameters), base, secret_key(CKK.GENERIC_SECRET, 48))
        outputs = [hmac256(SECRET, bytes([count]) + bits.to_bytes(4, "big")) for count in (1, 2, 3)]
        assert session.value(made.handle) == (outputs[0] + outputs[1])[:48]
        assert session.value(made.additional[0]) == outputs[2][:16]


def test_kbkdf_with_cmac_and_a_key_as_segment() -> None:
    session = opened()
    other = imported(session, b"other key")
    parameters = Sp800108Kdf(CKM.AES_CMAC, (IterationVariable(32), SegmentKey(other)))
    base = imported(session, bytes(16), CKK.AES, sign=True)
    value = derived(session, Mechanism(CKM.SP800_108_COUNTER_KDF, parameters), base, secret_key(CKK.AES, 16))
    assert value == session.sign(Mechanism(CKM.AES_CMAC), base, b"\0\0\0\1other key")


def test_nss_gives_the_same_as_data() -> None:
    session = opened()
    base = imported(session, SECRET, sensitive=True, extractable=False)
    parameters = Sp800108Kdf(HMAC, (IterationVariable(8), ByteArray(b"info")))
    mechanism = Mechanism(CKM_NSS_SP800_108_COUNTER_KDF_DERIVE_DATA, parameters)
    made = session.derive(mechanism, base, {CKA.CLASS: CKO.DATA, CKA.VALUE_LEN: 32}).handle
    assert session.value(made) == hmac256(SECRET, b"\1info")


@pytest.mark.parametrize(
    ("mechanism", "segments", "prf"),
    [
        (CKM.SP800_108_COUNTER_KDF, (), HMAC),
        (CKM.SP800_108_COUNTER_KDF, (IterationVariable(32), IterationVariable(32)), HMAC),
        (CKM.SP800_108_COUNTER_KDF, (IterationVariable(32), OptionalCounter(8)), HMAC),
        (CKM.SP800_108_FEEDBACK_KDF, (IterationVariable(None), DkmLength(), DkmLength()), HMAC),
        (CKM.SP800_108_COUNTER_KDF, (IterationVariable(12),), HMAC),
        (CKM.SP800_108_COUNTER_KDF, (IterationVariable(32),), CKM.SHA256),
        (CKM.SP800_108_COUNTER_KDF, (IterationVariable(8), DkmLength(8)), HMAC),
    ],
)
def test_kbkdf_refusals(mechanism: CKM, segments: tuple[Segment, ...], prf: CKM) -> None:
    with refused(CKR.MECHANISM_PARAM_INVALID):
        derived(opened(), Mechanism(mechanism, Sp800108Kdf(prf, segments)), SECRET, secret_key(CKK.GENERIC_SECRET, 32))


def test_cmac_wants_a_key_of_its_cipher() -> None:
    session, parameters = opened(), Sp800108Kdf(CKM.AES_CMAC, (IterationVariable(32),))
    with refused(CKR.KEY_TYPE_INCONSISTENT):
        derived(session, Mechanism(CKM.SP800_108_COUNTER_KDF, parameters), SECRET, secret_key(CKK.AES, 16))


# IKE


def test_ike_prf_has_three_forms() -> None:
    session = opened()
    new = imported(session, b"g^ir")
    forms = [
        (IkePrfDerive(HMAC, True, False, b"Ni", b"Nr"), hmac256(b"NiNr", SECRET)),
        (IkePrfDerive(HMAC, False, False, b"Ni", b"Nr"), hmac256(SECRET, b"NiNr")),
        (IkePrfDerive(HMAC, False, True, b"Ni", b"Nr", new), hmac256(SECRET, b"g^irNiNr")),
    ]
    for parameters, expected in forms:
        assert derived(session, Mechanism(CKM.IKE_PRF_DERIVE, parameters), SECRET) == expected
    with refused(CKR.ARGUMENTS_BAD):
        derived(session, Mechanism(CKM.IKE_PRF_DERIVE, IkePrfDerive(HMAC, True, True, b"", b"", new)), SECRET)
    with refused(CKR.KEY_SIZE_RANGE):
        derived(session, Mechanism(CKM.IKE_PRF_DERIVE, forms[0][0]), SECRET, secret_key(CKK.GENERIC_SECRET, 16))
    with refused(CKR.MECHANISM_PARAM_INVALID):
        derived(session, Mechanism(CKM.IKE_PRF_DERIVE, IkePrfDerive(CKM.SHA256, False, False, b"", b"")), SECRET)


@pytest.mark.parametrize("mechanism", [CKM.IKE1_PRF_DERIVE, CKM_NSS_IKE1_PRF_DERIVE])
def test_ike1_keys(mechanism: int) -> None:
    session = opened()
    shared, previous = imported(session, b"gxy"), imported(session, b"SKEYID_d")
    first = Ike1PrfDerive(HMAC, shared, b"CKYi", b"CKYr", 0)
    assert derived(session, Mechanism(mechanism, first), SECRET, secret_key(CKK.GENERIC_SECRET)) == hmac256(
        SECRET, b"gxyCKYiCKYr\0"
    )
    second = Ike1PrfDerive(HMAC, shared, b"CKYi", b"CKYr", 1, previous)
    value = derived(session, Mechanism(mechanism, second), SECRET, secret_key(CKK.AES, 16))
    assert value == hmac256(SECRET, b"SKEYID_dgxyCKYiCKYr\1")[:16]
    with refused(CKR.TEMPLATE_INCOMPLETE):
        derived(session, Mechanism(mechanism, first), SECRET)


def test_prf_plus() -> None:
    session = opened()
    seed = imported(session, b"seed key ")
    parameters = Ike2PrfPlusDerive(HMAC, b"data", seed)
    value = derived(session, Mechanism(CKM.IKE2_PRF_PLUS_DERIVE, parameters), SECRET, secret_key(CKK.GENERIC_SECRET, 70))
    t1 = hmac256(SECRET, b"seed key data\1")
    t2 = hmac256(SECRET, t1 + b"seed key data\2")
    assert value == (t1 + t2 + hmac256(SECRET, t2 + b"seed key data\3"))[:70]
    with refused(CKR.KEY_SIZE_RANGE):
        derived(session, Mechanism(CKM.IKE2_PRF_PLUS_DERIVE, parameters), SECRET, secret_key(CKK.GENERIC_SECRET, 255 * 32 + 1))


def test_ike1_appendix_b() -> None:
    session = opened()
    short = Mechanism(CKM.IKE1_EXTENDED_DERIVE, Ike1ExtendedDerive(HMAC))
    assert derived(session, short, SECRET, secret_key(CKK.GENERIC_SECRET, 20)) == SECRET[:20], "the base key itself, cut short"
    k1 = hmac256(SECRET, b"\0")
    assert derived(session, short, SECRET, secret_key(CKK.GENERIC_SECRET, 64)) == k1 + hmac256(SECRET, k1)
    with_key = Mechanism(CKM.IKE1_EXTENDED_DERIVE, Ike1ExtendedDerive(HMAC, b"extra", imported(session, b"gxy")))
    first = hmac256(SECRET, b"gxyextra")
    assert derived(session, with_key, SECRET, secret_key(CKK.GENERIC_SECRET, 32)) == first


# What every derivation asks for


def test_flags_and_types_of_base_keys() -> None:
    session = opened()
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        session.derive(Mechanism(CKM.SHA256_KEY_DERIVATION), imported(session, SECRET, derive=False), {})
    with refused(CKR.KEY_TYPE_INCONSISTENT):
        session.derive(expand(b""), imported(session, bytes(16), CKK.AES), secret_key(CKK.AES, 16))
    with refused(CKR.KEY_HANDLE_INVALID):
        session.derive(expand(b""), 99, {})
    with refused(CKR.MECHANISM_INVALID):
        session.derive(Mechanism(CKM.AES_GCM), imported(session, SECRET), {})
    with refused(CKR.MECHANISM_INVALID):
        session.derive(Mechanism(CKM.X9_42_DH_DERIVE), imported(session, SECRET), {})
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(expand(b""), imported(session, SECRET), {CKA.CLASS: CKO.DATA, CKA.VALUE_LEN: 3})
    with refused(CKR.MECHANISM_PARAM_INVALID):
        session.derive(Mechanism(CKM.SHA256_KEY_DERIVATION, KeyHandle(1)), imported(session, SECRET), {})
