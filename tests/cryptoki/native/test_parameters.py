"""Every parameter class reaches C as the structure of the standard: the stub tells what it read, field by field."""

import secrets

import pytest

from keyfence.cryptoki import Derived, KeyMaterial, Mechanism
from keyfence.cryptoki import params as p
from keyfence.cryptoki.constants import CKA, CKD, CKM
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE
from keyfence.cryptoki.native import NativeModule
from keyfence.cryptoki.native.memory import Memory
from keyfence.cryptoki.native.parameters import encode

from .conftest import told

CR, SR = b"\xc1\xc2", b"\x51"
RANDOMS = "randoms.client=c1c2/2 randoms.server=51/1"
SHA256 = f"prf={int(CKM.SHA256)}"

DERIVATIONS = [
    (CKM.SSL3_MASTER_KEY_DERIVE, p.MasterKeyDerive(CR, SR), f"{RANDOMS} version=NULL"),
    (CKM.TLS12_MASTER_KEY_DERIVE, p.Tls12MasterKeyDerive(CR, SR, CKM.SHA256), f"{RANDOMS} {SHA256} version=NULL"),
    (
        CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE,
        p.ExtendedMasterKeyDerive(CKM.SHA256, b"\xaa\xbb"),
        f"{SHA256} hash=aabb/2 version=NULL",
    ),
    (
        CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE,
        p.ExtendedMasterKeyDerive(CKM.TLS_PRF, b"\xaa"),
        f"prf={int(CKM.TLS_PRF)} hash=aa/1 version=NULL",
    ),
    (CKM.WTLS_MASTER_KEY_DERIVE, p.WtlsMasterKeyDerive(CKM.SHA_1, CR, SR), f"digest={int(CKM.SHA_1)} {RANDOMS}"),
    (
        CKM.TLS12_KDF,
        p.TlsKdf(CKM.SHA256, b"\x01", CR, SR),
        f"{SHA256} label=01/1 {RANDOMS} context=NULL/0",
    ),
    (
        CKM.TLS12_KDF,
        p.TlsKdf(CKM.SHA256, b"\x01", CR, SR, context=b""),
        f"{SHA256} label=01/1 {RANDOMS} context=/0",
    ),
    (CKM.TLS12_MAC, p.TlsMac(CKM.SHA256, 12, 2), f"{SHA256} length=12 side=2"),
    (
        CKM.HKDF_DERIVE,
        p.Hkdf(True, False, CKM.SHA256),
        f"extract=1 expand=0 {SHA256} salt_type=1 salt=NULL/0 salt_key=0 info=NULL/0",
    ),
    (
        CKM.HKDF_DERIVE,
        p.Hkdf(False, True, CKM.SHA256, info=b"\x1f", salt=b"\x5a\x17"),
        f"extract=0 expand=1 {SHA256} salt_type=2 salt=5a17/2 salt_key=0 info=1f/1",
    ),
    (
        CKM.HKDF_DERIVE,
        p.Hkdf(True, True, CKM.SHA256, salt=b""),
        f"extract=1 expand=1 {SHA256} salt_type=2 salt=/0 salt_key=0 info=NULL/0",
    ),
    (
        CKM.HKDF_DERIVE,
        p.Hkdf(True, True, CKM.SHA256, salt_key=66),
        f"extract=1 expand=1 {SHA256} salt_type=4 salt=NULL/0 salt_key=66 info=NULL/0",
    ),
    (CKM.ECDH1_DERIVE, p.Ecdh1Derive(CKD.NULL, b"\x04\x05"), "kdf=1 shared=NULL/0 point=0405/2"),
    (CKM.ECDH1_DERIVE, p.Ecdh1Derive(CKD.SHA1_KDF, b"\x04", b"\x06"), "kdf=2 shared=06/1 point=04/1"),
    (CKM.DH_PKCS_DERIVE, p.PublicValue(b"\x09\x08"), "octets=0908/2"),
    (CKM.EXTRACT_KEY_FROM_KEY, p.ExtractParams(129), "number=129"),
    (CKM.CONCATENATE_BASE_AND_KEY, p.KeyHandle(5), "number=5"),
    (CKM.CONCATENATE_BASE_AND_DATA, p.DerivationString(b"\xda"), "data=da/1"),
    (CKM.AES_CBC_ENCRYPT_DATA, p.CbcEncryptData(b"\x11" * 16, b"\xda"), f"iv={'11' * 16}/16 data=da/1"),
    (CKM.DES_CBC_ENCRYPT_DATA, p.CbcEncryptData(b"\x11" * 8, b"\xda"), f"iv={'11' * 8}/8 data=da/1"),
    (
        CKM.IKE_PRF_DERIVE,
        p.IkePrfDerive(CKM.SHA256_HMAC, True, False, b"\x01", b"\x02\x03"),
        "prf=593 data_as_key=1 rekey=0 ni=01/1 nr=0203/2 new_key=0",
    ),
    (
        CKM.IKE_PRF_DERIVE,
        p.IkePrfDerive(CKM.SHA256_HMAC, False, True, b"\x01", b"\x02", 7),
        "prf=593 data_as_key=0 rekey=1 ni=01/1 nr=02/1 new_key=7",
    ),
    (
        CKM.IKE2_PRF_PLUS_DERIVE,
        p.Ike2PrfPlusDerive(CKM.SHA256_HMAC, b"\x0d", 8),
        "prf=593 has_seed_key=1 seed_key=8 seed=0d/1",
    ),
    (CKM.IKE2_PRF_PLUS_DERIVE, p.Ike2PrfPlusDerive(CKM.SHA256_HMAC, b""), "prf=593 has_seed_key=0 seed_key=0 seed=NULL/0"),
    (
        CKM.IKE1_PRF_DERIVE,
        p.Ike1PrfDerive(CKM.SHA256_HMAC, 5, b"\x01", b"\x02", 3, previous_key=6),
        "prf=593 has_previous=1 gxy=5 previous=6 ckyi=01/1 ckyr=02/1 number=3",
    ),
    (
        CKM.IKE1_PRF_DERIVE,
        p.Ike1PrfDerive(CKM.SHA256_HMAC, 5, b"\x01", b"\x02", 0),
        "prf=593 has_previous=0 gxy=5 previous=0 ckyi=01/1 ckyr=02/1 number=0",
    ),
    (CKM.IKE1_EXTENDED_DERIVE, p.Ike1ExtendedDerive(CKM.SHA256_HMAC), "prf=593 has_gxy=0 gxy=0 extra=NULL/0"),
    (CKM.IKE1_EXTENDED_DERIVE, p.Ike1ExtendedDerive(CKM.SHA256_HMAC, b"\xee", 4), "prf=593 has_gxy=1 gxy=4 extra=ee/1"),
]

CIPHERS = [
    (CKM.AES_CBC, p.Iv(b"\x01\x02"), "octets=0102/2"),
    (CKM.AES_GCM, p.Gcm(b"\x01" * 12), f"iv={'01' * 12}/12 iv_bits=96 aad=NULL/0 tag_bits=128"),
    (
        CKM.AES_GCM,
        p.Gcm(b"\x01", b"\xaa", 96, p.GcmLayout.NO_IV_BITS),
        "iv=01/1 aad=aa/1 tag_bits=96",
    ),
    (CKM.AES_CCM, p.Ccm(40, b"\x01", b"\xaa", 8), "data_length=40 nonce=01/1 aad=aa/1 mac_length=8"),
    (CKM.AES_CTR, p.Ctr(b"\x07" * 16, 32), f"bits=32 block={'07' * 16}/16"),
    (CKM.CHACHA20_POLY1305, p.ChaCha20Poly1305(b"\x01", b"\xaa"), "nonce=01/1 aad=aa/1"),
    (CKM.RC2_ECB, p.Rc2(40), "number=40"),
    (CKM.RC2_CBC, p.Rc2Cbc(40, b"\x03" * 8), f"bits=40 iv={'03' * 8}/8"),
    (CKM.RSA_PKCS_PSS, p.RsaPss(CKM.SHA256, 2, 32), f"hash={int(CKM.SHA256)} mgf=2 salt=32"),
    (CKM.RSA_PKCS_OAEP, p.RsaOaep(CKM.SHA_1, 1), f"hash={int(CKM.SHA_1)} mgf=1 source=1 data=NULL/0"),
    (CKM.RSA_PKCS_OAEP, p.RsaOaep(CKM.SHA_1, 1, b"\x0e"), f"hash={int(CKM.SHA_1)} mgf=1 source=1 data=0e/1"),
    (CKM.SHA256_HMAC_GENERAL, p.MacGeneral(10), "number=10"),
    (0x80000001, p.Raw(b"\xfe\xed"), "octets=feed/2"),
    (0x80000001, None, "octets=NULL/0"),
]


def with_size(text: str) -> str:
    """The size is told of all but bare octets, which have none to be wrong."""
    return text if text.startswith("octets") else f"size=right {text}"


@pytest.mark.parametrize(("mechanism", "parameters", "expected"), DERIVATIONS)
def test_a_derivation_reads_what_the_parameter_says(
    stub: NativeModule, mechanism: int, parameters: p.Parameters, expected: str
) -> None:
    derived = stub.derive_key(1, Mechanism(mechanism, parameters), 3, {CKA.VALUE: b"\x0f"})
    assert told(stub) == f"{with_size(expected)} | base=3 key=pointer | 11=0f/1"
    assert derived == Derived(99)


@pytest.mark.parametrize(("mechanism", "parameters", "expected"), CIPHERS)
def test_a_cipher_reads_what_the_parameter_says(
    stub: NativeModule, mechanism: int, parameters: p.Parameters | None, expected: str
) -> None:
    stub.encrypt_init(1, Mechanism(mechanism, parameters), 2)
    assert told(stub) == with_size(expected)


def test_every_class_of_parameters_is_among_those_above_or_below() -> None:
    classes = {cls for cls in vars(p).values() if isinstance(cls, type) and issubclass(cls, p.Parameters)} - {p.Parameters}
    above = {type(parameters) for _, parameters, _ in DERIVATIONS + CIPHERS}
    below = {p.KeyMat, p.Tls12KeyMat, p.WtlsKeyMat, p.TlsPrf, p.WtlsPrf, p.Sp800108Kdf}
    assert classes <= above | below


# What the module writes back


@pytest.fixture(autouse=True)
def filling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output buffers begin as zeros, which the stub never writes: a random filling would be met by chance now and then."""
    monkeypatch.setattr(secrets, "token_bytes", bytes)


def test_a_version_comes_back_where_it_was_wanted(stub: NativeModule) -> None:
    wanted = Mechanism(CKM.SSL3_MASTER_KEY_DERIVE, p.MasterKeyDerive(CR, SR, wants_version=True))
    assert stub.derive_key(1, wanted, 3, {}) == Derived(99, version=(3, 3))
    assert "version=pointer" in told(stub)


def test_a_version_left_untouched_is_none(stub: NativeModule) -> None:
    wanted = Mechanism(CKM.TLS12_MASTER_KEY_DERIVE, p.Tls12MasterKeyDerive(CR, SR, CKM.SHA256, wants_version=True))
    assert stub.derive_key(1, wanted, 3, {}) == Derived(99, version=None)
    assert "version=pointer" in told(stub)


def test_wtls_has_one_byte_of_version(stub: NativeModule) -> None:
    wanted = Mechanism(CKM.WTLS_MASTER_KEY_DERIVE, p.WtlsMasterKeyDerive(CKM.SHA_1, CR, SR, wants_version=True))
    assert stub.derive_key(1, wanted, 3, {}).version == (1, 0)


def test_key_material_comes_back_and_no_handle_is_asked_for(stub: NativeModule) -> None:
    mechanism = Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, p.Tls12KeyMat(160, 128, 96, CR, SR, CKM.SHA256))
    derived = stub.derive_key(1, mechanism, 3, {CKA.VALUE_LEN: 16})
    assert derived == Derived(0, KeyMaterial(21, 22, 23, 24, b"\xc0" * 12, b"\x50" * 12))
    assert told(stub) == (
        f"size=right mac=160 key=128 iv=96 is_export=0 {RANDOMS} {SHA256} ivs=pointers "
        "| base=3 key=NULL | 161=1000000000000000/8"
    )


def test_a_partly_written_iv_is_an_iv_and_an_untouched_one_is_none(stub: NativeModule) -> None:
    mechanism = Mechanism(CKM.SSL3_KEY_AND_MAC_DERIVE, p.KeyMat(128, 128, 128, CR, SR, is_export=True))
    material = stub.derive_key(1, mechanism, 3, {}).key_material
    assert material is not None
    assert material.handles == (11, 12, 13)
    assert material.client_iv is not None
    assert len(material.client_iv) == 16
    assert material.server_iv is None
    assert told(stub).startswith(f"size=right mac=128 key=128 iv=128 is_export=1 {RANDOMS} |")


def test_no_iv_asked_is_null_and_none(stub: NativeModule) -> None:
    mechanism = Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, p.Tls12KeyMat(0, 128, 0, CR, SR, CKM.SHA256))
    assert stub.derive_key(1, mechanism, 3, {}).key_material == KeyMaterial(21, 22, 23, 24)
    assert "ivs=NULL" in told(stub)


def test_iv_bits_that_end_inside_a_byte_have_room_for_it(stub: NativeModule) -> None:
    mechanism = Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, p.Tls12KeyMat(0, 128, 33, CR, SR, CKM.SHA256))
    material = stub.derive_key(1, mechanism, 3, {}).key_material
    assert material is not None
    assert material.client_iv == b"\xc0" * 5


def test_wtls_key_material_stands_on_the_client_side(stub: NativeModule) -> None:
    mechanism = Mechanism(CKM.WTLS_SERVER_KEY_AND_MAC_DERIVE, p.WtlsKeyMat(CKM.SHA_1, 160, 128, 64, 9, CR, SR))
    material = KeyMaterial(client_mac=31, client_key=32, client_iv=b"\xc5" * 8)
    assert stub.derive_key(1, mechanism, 3, {}) == Derived(0, material)
    digest = f"digest={int(CKM.SHA_1)}"
    assert told(stub).startswith(
        f"size=right {digest} mac=160 key=128 iv=64 sequence=9 is_export=0 {RANDOMS} | base=3 key=NULL"
    )


def test_a_module_may_demand_a_handle_for_key_material(stub: NativeModule) -> None:
    demanding = NativeModule(stub.path, always_wants_handle=True)
    mechanism = Mechanism(CKM.SSL3_KEY_AND_MAC_DERIVE, p.KeyMat(0, 128, 0, CR, SR))
    assert demanding.derive_key(1, mechanism, 3, {}).handle == 99
    assert "key=pointer" in told(demanding)


def test_prf_output_is_as_long_as_the_module_says(stub: NativeModule) -> None:
    mechanism = Mechanism(CKM.TLS_PRF, p.TlsPrf(b"\x1a", b"\x5e\xed", 20))
    assert stub.derive_key(1, mechanism, 3, {}) == Derived(0, output=b"\xab" * 16)
    assert told(stub) == "size=right seed=5eed/2 label=1a/1 | base=3 key=NULL |"


def test_prf_output_left_untouched_is_none(stub: NativeModule) -> None:
    mechanism = Mechanism(CKM.WTLS_PRF, p.WtlsPrf(CKM.SHA_1, b"\x1a", b"\x5e", 20))
    assert stub.derive_key(1, mechanism, 3, {}) == Derived(0, output=None)
    assert told(stub).startswith(f"size=right digest={int(CKM.SHA_1)} seed=5e/1 label=1a/1 length=20 |")


def test_counter_mode_kdf_with_every_segment_and_additional_keys(stub: NativeModule) -> None:
    segments = (
        p.IterationVariable(16, little_endian=True),
        p.ByteArray(b"\xb0"),
        p.DkmLength(24, sum_of_segments=True),
        p.SegmentKey(8),
    )
    parameters = p.Sp800108Kdf(CKM.SHA256_HMAC, segments, additional_keys=({CKA.VALUE_LEN: 1}, {CKA.TOKEN: False}))
    derived = stub.derive_key(1, Mechanism(CKM.SP800_108_COUNTER_KDF, parameters), 3, {})
    assert derived == Derived(99, additional=(41, 42))
    assert derived.handles == (99, 41, 42)
    assert told(stub) == (
        "size=right prf=593 [1 little=1 width=16 size=right] [4 octets=b0/1 ] [3 method=2 little=0 width=24 size=right] "
        "[5 key=8 size=8] { 161=0100000000000000/8 } { 1=00/1 } | base=3 key=pointer |"
    )


def test_feedback_mode_kdf_with_an_iv_and_an_optional_counter(stub: NativeModule) -> None:
    segments = (p.IterationVariable(None), p.OptionalCounter(8), p.DkmLength(32, little_endian=True))
    parameters = p.Sp800108Kdf(CKM.SHA256_HMAC, segments, iv=b"\x1f\x2f")
    assert stub.derive_key(1, Mechanism(CKM.SP800_108_FEEDBACK_KDF, parameters), 3, {}) == Derived(99)
    assert told(stub) == (
        "size=right prf=593 [1 NULL/0] [2 little=0 width=8 size=right] [3 method=1 little=1 width=32 size=right] "
        "iv=1f2f/2 | base=3 key=pointer |"
    )


# What C cannot hold is refused before C is reached

UNFIT = [
    (p.MacGeneral(-1), ValueError, "CK_MAC_GENERAL_PARAMS: -1 does not fit"),
    (p.MacGeneral(1 << 64), ValueError, "CK_MAC_GENERAL_PARAMS: 18446744073709551616 does not fit"),
    (p.Iv("text"), TypeError, "iv: bytes needed, not str"),  # type: ignore[arg-type]
    (p.KeyHandle(None), TypeError, "CK_OBJECT_HANDLE"),  # type: ignore[arg-type]
    (p.KeyMat(0, -128, 0, b"", b""), ValueError, "CK_SSL3_KEY_MAT_PARAMS.ulKeySizeInBits: -128 does not fit"),
    (p.KeyMat(0, 128, -8, b"", b""), ValueError, "ulIVSizeInBits: -8 does not fit"),
    (p.KeyMat(0, 128, 1 << 63, b"", b""), ValueError, "more than memory holds"),
    (p.Tls12KeyMat(0, 128, 0, b"", b"", "SHA"), TypeError, "CK_TLS12_KEY_MAT_PARAMS.prfHashMechanism"),  # type: ignore[arg-type]
    (p.Ctr(b"short"), ValueError, "CK_AES_CTR_PARAMS.cb: 16 bytes needed, not 5"),
    (p.Rc2Cbc(40, b"nine bytes"), ValueError, "CK_RC2_CBC_PARAMS.iv: 8 bytes needed, not 10"),
    (p.CbcEncryptData(b"twelve bytes", b""), ValueError, "iv: 8 or 16 bytes needed, not 12"),
    (p.Hkdf(True, True, CKM.SHA256, salt=b"", salt_key=1), ValueError, "a salt is data or a key, not both"),
    (p.Ike1PrfDerive(CKM.SHA256_HMAC, 1, b"", b"", 256), ValueError, "CK_IKE1_PRF_DERIVE_PARAMS.keyNumber: 256 does not fit"),
    (p.Parameters(), TypeError, "Parameters is no mechanism parameter known here"),
]


@pytest.mark.parametrize(("parameters", "error", "message"), UNFIT)
def test_values_that_c_cannot_hold(parameters: p.Parameters, error: type[Exception], message: str) -> None:
    with Memory() as memory, pytest.raises(error, match=message.replace("|", "[|]")):
        encode(memory, parameters)
