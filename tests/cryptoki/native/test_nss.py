"""NSS softoken through NativeModule: what it derives, MACs and encrypts equals what others compute from the same secret."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation
from cryptography.hazmat.primitives.kdf.kbkdf import Mode as KbkdfMode

from keyfence.cryptoki import AttributeSensitive, Cryptoki, Derived, KeyMaterial, Mechanism, SignatureInvalid, Template
from keyfence.cryptoki import params as p
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO, vendor
from keyfence.schedule import PrfHash, Side, Version, extended_master_secret, key_block, master_secret, prf_tls12, verify_data

from ...modules import real_module

pytestmark = pytest.mark.native

CR, SR = bytes(range(32)), bytes(range(32, 64))
SECRET = bytes(range(100, 148))
READABLE = {CKA.CLASS: CKO.SECRET_KEY, CKA.TOKEN: False, CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
P256 = bytes.fromhex("06082a8648ce3d030107")


@dataclass(frozen=True)
class Token:
    """NSS's generic slot with a session, and the few steps that every test takes."""

    module: Cryptoki
    session: int

    def secret(self, value: bytes, key_type: int = CKK.GENERIC_SECRET) -> int:
        uses = {CKA.DERIVE: True, CKA.SIGN: True, CKA.VERIFY: True, CKA.ENCRYPT: True, CKA.DECRYPT: True, CKA.WRAP: True}
        return self.module.create_object(self.session, {**READABLE, **uses, CKA.KEY_TYPE: key_type, CKA.VALUE: value})

    def value(self, handle: int) -> bytes:
        value = self.module.get_attribute_value(self.session, handle, [CKA.VALUE])[CKA.VALUE]
        assert isinstance(value, bytes)
        return value

    def derive(self, mechanism: int, parameters: p.Parameters | None, base: int, **template: int) -> Derived:
        wanted = {**READABLE, **{CKA[name]: value for name, value in template.items()}}
        return self.module.derive_key(self.session, Mechanism(mechanism, parameters), base, wanted)

    def encrypt(self, mechanism: int, parameters: p.Parameters, key: int, data: bytes) -> bytes:
        self.module.encrypt_init(self.session, Mechanism(mechanism, parameters), key)
        return self.module.encrypt(self.session, data)

    def sign(self, mechanism: int, parameters: p.Parameters | None, key: int, data: bytes) -> bytes:
        self.module.sign_init(self.session, Mechanism(mechanism, parameters), key)
        return self.module.sign(self.session, data)


@pytest.fixture(scope="module")
def token() -> Iterator[Token]:
    with real_module("nss") as real, real.session() as session:
        yield Token(real.module, session)


# TLS


def test_a_session_from_pre_master_to_write_keys(token: Token) -> None:
    pre_master = token.module.generate_key(token.session, Mechanism(CKM.SSL3_PRE_MASTER_KEY_GEN, p.Raw(b"\3\3")), READABLE)
    parameters = p.Tls12MasterKeyDerive(CR, SR, CKM.SHA256, wants_version=True)
    derived = token.derive(CKM.TLS12_MASTER_KEY_DERIVE, parameters, pre_master, KEY_TYPE=CKK.GENERIC_SECRET)
    assert derived.version == (3, 3)
    secret = token.value(pre_master)
    assert secret[:2] == b"\3\3"
    assert token.value(derived.handle) == master_secret(Version.TLS12, PrfHash.SHA256, secret, CR, SR)


def test_the_key_block_of_an_aead_suite(token: Token) -> None:
    parameters = p.Tls12KeyMat(0, 128, 32, CR, SR, CKM.SHA256)
    template = {"KEY_TYPE": CKK.AES, "VALUE_LEN": 16, "ENCRYPT": True}
    derived = token.derive(CKM.TLS12_KEY_AND_MAC_DERIVE, parameters, token.secret(SECRET), **template)
    material = derived.key_material
    assert material is not None
    block = key_block(Version.TLS12, PrfHash.SHA256, SECRET, CR, SR, 40)
    cut = token.value(material.client_key) + token.value(material.server_key)
    assert (cut, material.client_iv, material.server_iv) == (block[:32], block[32:36], block[36:])
    assert derived.handle == 0


@pytest.mark.parametrize(
    ("mechanism", "version"), [(CKM.SSL3_KEY_AND_MAC_DERIVE, Version.SSL3), (CKM.TLS_KEY_AND_MAC_DERIVE, Version.TLS10)]
)
def test_the_key_block_of_a_cbc_suite(token: Token, mechanism: int, version: Version) -> None:
    parameters = p.KeyMat(160, 128, 128, CR, SR)
    derived = token.derive(mechanism, parameters, token.secret(SECRET), KEY_TYPE=CKK.AES, VALUE_LEN=16, ENCRYPT=True)
    material = derived.key_material
    assert material is not None
    parts = [token.value(handle) for handle in material.handles]
    assert b"".join([*parts, material.client_iv or b"", material.server_iv or b""]) == key_block(
        version, None, SECRET, CR, SR, 104
    )


def test_ok_without_write_keys_and_with_untouched_ivs(token: Token) -> None:
    """NSS where CKA_VALUE_LEN is absent for a key type of variable length: an answer of CKR_OK proves nothing."""
    parameters = p.Tls12KeyMat(0, 128, 32, CR, SR, CKM.SHA256)
    derived = token.derive(CKM.TLS12_KEY_AND_MAC_DERIVE, parameters, token.secret(SECRET), KEY_TYPE=CKK.AES)
    material = derived.key_material
    assert material is not None
    assert (material.client_key, material.server_key, material.client_iv, material.server_iv) == (0, 0, None, None)
    assert material == KeyMaterial(material.client_mac, material.server_mac)


def test_the_extended_master_secret_by_nsss_number(token: Token) -> None:
    parameters = p.ExtendedMasterKeyDerive(CKM.SHA256, b"h" * 32)
    mechanism = vendor.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE_DH
    derived = token.derive(mechanism, parameters, token.secret(SECRET), KEY_TYPE=CKK.GENERIC_SECRET)
    assert token.value(derived.handle) == extended_master_secret(Version.TLS12, PrfHash.SHA256, SECRET, b"h" * 32)


def test_a_finished_value(token: Token) -> None:
    made = token.sign(CKM.TLS_MAC, p.TlsMac(CKM.SHA256, 12, 2), token.secret(SECRET), b"h" * 32)
    assert made == verify_data(Version.TLS12, PrfHash.SHA256, SECRET, Side.CLIENT, b"h" * 32)


def test_the_prf_by_c_sign_fills_the_room_it_gets(token: Token) -> None:
    made = token.sign(vendor.CKM_NSS_TLS_PRF_GENERAL_SHA256, None, token.secret(SECRET), b"key expansion" + SR + CR)
    assert len(made) > 1000
    assert made == prf_tls12(PrfHash.SHA256, SECRET, b"key expansion", SR + CR, len(made))


# General derivations


@pytest.mark.parametrize("salt", [None, b"salt"])
def test_hkdf(token: Token, salt: bytes | None) -> None:
    parameters = p.Hkdf(True, True, CKM.SHA256, info=b"info", salt=salt)
    derived = token.derive(CKM.HKDF_DERIVE, parameters, token.secret(SECRET), KEY_TYPE=CKK.GENERIC_SECRET, VALUE_LEN=40)
    assert token.value(derived.handle) == HKDF(hashes.SHA256(), 40, salt, b"info").derive(SECRET)


def test_hkdf_data_with_a_key_as_salt(token: Token) -> None:
    parameters = p.Hkdf(True, False, CKM.SHA256, salt_key=token.secret(b"s" * 32))
    derived = token.module.derive_key(
        token.session,
        Mechanism(CKM.HKDF_DATA, parameters),
        token.secret(SECRET),
        {CKA.CLASS: CKO.DATA, CKA.TOKEN: False, CKA.VALUE_LEN: 32},
    )
    assert token.value(derived.handle) == hmac.digest(b"s" * 32, SECRET, "sha256")


def test_slices_and_mixtures(token: Token) -> None:
    base = token.secret(SECRET)
    cases: list[tuple[int, p.Parameters, dict[str, int], bytes]] = [
        (CKM.EXTRACT_KEY_FROM_KEY, p.ExtractParams(16), {"VALUE_LEN": 4}, SECRET[2:6]),
        (CKM.XOR_BASE_AND_DATA, p.DerivationString(bytes([255] * 48)), {}, bytes(255 - byte for byte in SECRET)),
        (CKM.CONCATENATE_BASE_AND_DATA, p.DerivationString(b"data"), {}, SECRET + b"data"),
        (CKM.CONCATENATE_DATA_AND_BASE, p.DerivationString(b"data"), {}, b"data" + SECRET),
        (CKM.CONCATENATE_BASE_AND_KEY, p.KeyHandle(token.secret(b"key")), {}, SECRET + b"key"),
    ]
    for mechanism, parameters, template, expected in cases:
        derived = token.derive(mechanism, parameters, base, KEY_TYPE=CKK.GENERIC_SECRET, **template)
        assert token.value(derived.handle) == expected, str(CKM(mechanism))


def test_cbc_encrypt_data(token: Token) -> None:
    derived = token.derive(
        CKM.AES_CBC_ENCRYPT_DATA,
        p.CbcEncryptData(b"i" * 16, b"d" * 32),
        token.secret(b"k" * 16, CKK.AES),
        KEY_TYPE=CKK.GENERIC_SECRET,
        VALUE_LEN=32,
    )
    encryptor = Cipher(algorithms.AES(b"k" * 16), modes.CBC(b"i" * 16)).encryptor()
    assert token.value(derived.handle) == encryptor.update(b"d" * 32)


def test_counter_mode_kdf_with_an_additional_key(token: Token) -> None:
    segments = (p.IterationVariable(32), p.ByteArray(b"label"), p.ByteArray(b"\0"), p.ByteArray(b"context"))
    more: Template = {**READABLE, CKA.KEY_TYPE: CKK.AES, CKA.VALUE_LEN: 16}
    parameters = p.Sp800108Kdf(CKM.SHA256_HMAC, segments, additional_keys=(more,))
    derived = token.derive(
        CKM.SP800_108_COUNTER_KDF, parameters, token.secret(SECRET), KEY_TYPE=CKK.GENERIC_SECRET, VALUE_LEN=32
    )
    # each key begins at a whole output of the PRF, so that the second one is the second output's beginning
    fixed = b"label\0context"
    kdf = KBKDFHMAC(hashes.SHA256(), KbkdfMode.CounterMode, 48, 4, None, CounterLocation.BeforeFixed, None, None, fixed)
    (additional,) = derived.additional
    assert token.value(derived.handle) + token.value(additional) == kdf.derive(SECRET)


def test_ike_prf_by_nsss_number(token: Token) -> None:
    parameters = p.IkePrfDerive(CKM.SHA256_HMAC, False, False, b"Ni", b"Nr")
    template = {"KEY_TYPE": CKK.GENERIC_SECRET, "VALUE_LEN": 32}
    derived = token.derive(vendor.CKM_NSS_IKE_PRF_DERIVE, parameters, token.secret(SECRET), **template)
    assert token.value(derived.handle) == hmac.digest(SECRET, b"NiNr", "sha256")


def test_ike_prf_plus_by_nsss_number(token: Token) -> None:
    parameters = p.Ike2PrfPlusDerive(CKM.SHA256_HMAC, b"seed", token.secret(b"seed key"))
    template = {"KEY_TYPE": CKK.GENERIC_SECRET, "VALUE_LEN": 32}
    derived = token.derive(vendor.CKM_NSS_IKE_PRF_PLUS_DERIVE, parameters, token.secret(SECRET), **template)
    assert token.value(derived.handle) == hmac.digest(SECRET, b"seed keyseed\1", "sha256")


def test_two_parties_agree_by_ecdh(token: Token) -> None:
    mechanism = Mechanism(CKM.EC_KEY_PAIR_GEN)
    private = {CKA.DERIVE: True, CKA.SENSITIVE: False}
    pairs = [token.module.generate_key_pair(token.session, mechanism, {CKA.EC_PARAMS: P256}, private) for _ in range(2)]
    points = [token.module.get_attribute_value(token.session, public, [CKA.EC_POINT])[CKA.EC_POINT] for public, _ in pairs]
    raw = [point[2:] for point in points if isinstance(point, bytes)]  # a DER octet string of 65 bytes
    agreed = [
        token.derive(
            CKM.ECDH1_DERIVE, p.Ecdh1Derive(CKD.NULL, raw[1 - i]), pairs[i][1], KEY_TYPE=CKK.GENERIC_SECRET, VALUE_LEN=32
        )
        for i in range(2)
    ]
    assert token.value(agreed[0].handle) == token.value(agreed[1].handle)


# Ciphers, MACs, wrapping


@pytest.mark.parametrize("layout", p.GcmLayout)
def test_gcm_in_both_layouts(token: Token, layout: p.GcmLayout) -> None:
    """NSS tells the two structures apart by their length."""
    key = token.secret(b"k" * 16, CKK.AES)
    sealed = token.encrypt(CKM.AES_GCM, p.Gcm(b"n" * 12, b"aad", 128, layout), key, b"plain")
    assert sealed == AESGCM(b"k" * 16).encrypt(b"n" * 12, b"plain", b"aad")


def test_gcm_by_messages(token: Token) -> None:
    key, sealed = token.secret(b"k" * 16, CKK.AES), AESGCM(b"k" * 16).encrypt(b"n" * 12, b"plain", b"aad")
    token.module.message_encrypt_init(token.session, Mechanism(CKM.AES_GCM), key)
    assert token.module.encrypt_message(token.session, p.Gcm(b"n" * 12), b"aad", b"plain") == sealed
    token.module.message_encrypt_final(token.session)
    token.module.message_decrypt_init(token.session, Mechanism(CKM.AES_GCM), key)
    assert token.module.decrypt_message(token.session, p.Gcm(b"n" * 12), b"aad", sealed) == b"plain"
    token.module.message_decrypt_final(token.session)


def test_chacha20_poly1305(token: Token) -> None:
    key = token.secret(b"k" * 32, CKK.CHACHA20)
    sealed = token.encrypt(CKM.CHACHA20_POLY1305, p.ChaCha20Poly1305(b"n" * 12, b"aad"), key, b"plain")
    assert sealed == ChaCha20Poly1305(b"k" * 32).encrypt(b"n" * 12, b"plain", b"aad")


def test_ctr_in_parts(token: Token) -> None:
    parameters = p.Ctr(b"c" * 16, 32)
    token.module.encrypt_init(token.session, Mechanism(CKM.AES_CTR, parameters), token.secret(b"k" * 16, CKK.AES))
    parts = [token.module.encrypt_update(token.session, part) for part in (b"one", b"two")]
    parts.append(token.module.encrypt_final(token.session))
    encryptor = Cipher(algorithms.AES(b"k" * 16), modes.CTR(b"c" * 16)).encryptor()
    assert b"".join(parts) == encryptor.update(b"onetwo")


def test_a_truncated_mac_and_its_verification(token: Token) -> None:
    """The CBC-MAC of one block. (NSS 3.87 refuses every length of its HMAC_GENERAL mechanisms.)"""
    key, mechanism = token.secret(b"k" * 16, CKK.AES), Mechanism(CKM.AES_MAC_GENERAL, p.MacGeneral(5))
    mac = token.sign(mechanism.type, mechanism.parameters, key, b"d" * 16)
    assert mac == Cipher(algorithms.AES(b"k" * 16), modes.ECB()).encryptor().update(b"d" * 16)[:5]
    token.module.verify_init(token.session, mechanism, key)
    token.module.verify(token.session, b"d" * 16, mac)
    token.module.verify_init(token.session, mechanism, key)
    with pytest.raises(SignatureInvalid):
        token.module.verify(token.session, b"d" * 16, bytes(5))


def test_a_key_in_a_digest(token: Token) -> None:
    token.module.digest_init(token.session, Mechanism(CKM.SHA256))
    token.module.digest_update(token.session, b"before")
    token.module.digest_key(token.session, token.secret(SECRET))
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"before" + SECRET)
    assert token.module.digest_final(token.session) == digest.finalize()


def test_rsa_padding_parameters(token: Token) -> None:
    template = {CKA.MODULUS_BITS: 2048, CKA.PUBLIC_EXPONENT: b"\1\0\1", CKA.ENCRYPT: True, CKA.VERIFY: True, CKA.TOKEN: False}
    pair = Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN)
    public, private = token.module.generate_key_pair(token.session, pair, template, {CKA.SIGN: True, CKA.DECRYPT: True})
    modulus = token.module.get_attribute_value(token.session, public, [CKA.MODULUS])[CKA.MODULUS]
    assert isinstance(modulus, bytes)
    key = rsa.RSAPublicNumbers(65537, int.from_bytes(modulus, "big")).public_key()
    pss = token.sign(CKM.SHA256_RSA_PKCS_PSS, p.RsaPss(CKM.SHA256, 2, 32), private, b"data")
    key.verify(pss, b"data", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    sealed = key.encrypt(b"plain", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"label"))
    token.module.decrypt_init(token.session, Mechanism(CKM.RSA_PKCS_OAEP, p.RsaOaep(CKM.SHA256, 2, b"label")), private)
    assert token.module.decrypt(token.session, sealed) == b"plain"


def test_a_key_wrapped_and_unwrapped(token: Token) -> None:
    wrapping, mechanism = token.secret(b"w" * 16, CKK.AES), Mechanism(CKM.AES_CBC_PAD, p.Iv(b"i" * 16))
    wrapped = token.module.wrap_key(token.session, mechanism, wrapping, token.secret(SECRET))
    template = {**READABLE, CKA.KEY_TYPE: CKK.GENERIC_SECRET}
    assert token.value(token.module.unwrap_key(token.session, mechanism, wrapping, wrapped, template)) == SECRET


# Objects


def test_objects_are_found_changed_copied_and_gone(token: Token) -> None:
    handle = token.secret(SECRET)
    token.module.set_attribute_value(token.session, handle, {CKA.LABEL: "the one"})
    copy = token.module.copy_object(token.session, handle, {CKA.SENSITIVE: True})
    token.module.find_objects_init(token.session, {CKA.LABEL: "the one"})
    assert set(token.module.find_objects(token.session, 10)) == {handle, copy}
    assert token.module.find_objects(token.session, 10) == ()
    token.module.find_objects_final(token.session)
    with pytest.raises(AttributeSensitive, match=r"\(CKA_VALUE\)"):
        token.value(copy)
    token.module.destroy_object(token.session, copy)
