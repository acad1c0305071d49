"""Ciphers, digests, MACs and signatures through sessions: begun, in parts, ended, refused."""

import hashlib
import hmac

import pytest

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR, MechanismFlag
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_PRF_GENERAL, CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.params import Gcm, Iv, MacGeneral, TlsMac
from keyfence.cryptoki.session import Session
from keyfence.schedule import PrfHash, Side, Version, prf_tls10, prf_tls12, verify_data

from .bench import ec_pair, imported, opened, refused, rsa_pair

GCM = Mechanism(CKM.AES_GCM, Gcm(bytes(12), b"aad"))
HMAC = Mechanism(CKM.SHA256_HMAC)


@pytest.fixture
def session() -> Session:
    return opened()


def test_in_parts_and_whole_agree(session: Session) -> None:
    key, module, handle = imported(session, bytes(16), CKK.AES), session.module, session.handle
    whole = session.encrypt(GCM, key, b"one two three")
    module.encrypt_init(handle, GCM, key)
    parts = module.encrypt_update(handle, b"one ") + module.encrypt_update(handle, b"two three") + module.encrypt_final(handle)
    assert parts == whole
    module.decrypt_init(handle, GCM, key)
    assert module.decrypt_update(handle, whole[:5]) == b"", "nothing is out before the tag is checked"
    assert module.decrypt_update(handle, whole[5:]) + module.decrypt_final(handle) == b"one two three"
    module.decrypt_init(handle, GCM, key)
    module.decrypt_update(handle, whole[:-1])
    with refused(CKR.ENCRYPTED_DATA_INVALID):
        module.decrypt_final(handle)


def test_an_operation_is_begun_once_and_ends_once(session: Session) -> None:
    key, module, handle = imported(session, bytes(16), CKK.AES), session.module, session.handle
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.encrypt(handle, b"")
    module.encrypt_init(handle, GCM, key)
    with refused(CKR.OPERATION_ACTIVE):
        module.encrypt_init(handle, GCM, key)
    module.decrypt_init(handle, GCM, key)
    module.encrypt(handle, b"")
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.encrypt(handle, b"")
    with refused(CKR.ENCRYPTED_DATA_LEN_RANGE):
        module.decrypt(handle, b"")
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.decrypt(handle, b"")
    module.encrypt_init(handle, GCM, key)
    module.encrypt_update(handle, b"x")
    with refused(CKR.OPERATION_ACTIVE):
        module.encrypt(handle, b"y")


def test_cancelling(session: Session) -> None:
    key, module, handle = imported(session, bytes(16), CKK.AES), session.module, session.handle
    module.encrypt_init(handle, GCM, key)
    module.digest_init(handle, Mechanism(CKM.SHA256))
    module.session_cancel(handle, int(MechanismFlag.ENCRYPT))
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.encrypt(handle, b"")
    assert module.digest(handle, b"") == hashlib.sha256().digest()


@pytest.mark.parametrize(
    ("mechanism", "key_type", "ckr"),
    [
        (Mechanism(CKM.AES_GCM), CKK.AES, CKR.MECHANISM_PARAM_INVALID),
        (Mechanism(CKM.AES_CBC, Iv(bytes(8))), CKK.AES, CKR.MECHANISM_PARAM_INVALID),
        (GCM, CKK.GENERIC_SECRET, CKR.KEY_TYPE_INCONSISTENT),
        (HMAC, CKK.AES, CKR.MECHANISM_INVALID),
        (Mechanism(CKM.SHA256), CKK.AES, CKR.MECHANISM_INVALID),
        (Mechanism(0x7777), CKK.AES, CKR.MECHANISM_INVALID),
    ],
)
def test_inits_that_begin_nothing(session: Session, mechanism: Mechanism, key_type: CKK, ckr: CKR) -> None:
    with refused(ckr):
        session.module.encrypt_init(session.handle, mechanism, imported(session, bytes(16), key_type, encrypt=True))
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        session.module.encrypt(session.handle, b"")


@pytest.mark.parametrize("usage", ["encrypt", "decrypt", "sign", "verify"])
def test_usage_flags(session: Session, usage: str) -> None:
    key_type = CKK.AES if "crypt" in usage else CKK.GENERIC_SECRET
    key = imported(session, bytes(16), key_type, **{usage: False})
    begin = getattr(session.module, f"{usage}_init")
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        begin(session.handle, GCM if "crypt" in usage else HMAC, key)


def test_allowed_mechanisms(session: Session) -> None:
    key = imported(session, bytes(16), CKK.AES, allowed_mechanisms=(int(CKM.AES_GCM),))
    session.encrypt(GCM, key, b"")
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        session.encrypt(Mechanism(CKM.AES_ECB), key, bytes(16))


def test_a_key_of_any_mode_without_an_allow_list(session: Session) -> None:
    """Why GCM keys fall to ECB: the standard binds a key to its type, not to a mode."""
    key = imported(session, bytes(16), CKK.AES)
    keystream = session.encrypt(Mechanism(CKM.AES_ECB), key, bytes(12) + b"\0\0\0\2")
    assert session.encrypt(GCM, key, bytes(16))[:16] == keystream


def test_digests_with_keys(session: Session) -> None:
    module, handle = session.module, session.handle
    key = imported(session, b"secret", sensitive=True, extractable=False)
    module.digest_init(handle, Mechanism(CKM.SHA_1))
    with refused(CKR.OPERATION_ACTIVE):
        module.digest_init(handle, Mechanism(CKM.SHA_1))
    module.digest_update(handle, b"before ")
    module.digest_key(handle, key)
    module.digest_update(handle, b" after")
    assert module.digest_final(handle) == hashlib.sha1(b"before secret after").digest()
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.digest_key(handle, key)
    module.digest_init(handle, Mechanism(CKM.SHA_1))
    with refused(CKR.KEY_INDIGESTIBLE):
        module.digest_key(handle, ec_pair(session)[1])
    module.digest_update(handle, b"")
    with refused(CKR.OPERATION_ACTIVE):
        module.digest(handle, b"")
    with refused(CKR.MECHANISM_PARAM_INVALID):
        module.digest_init(handle, Mechanism(CKM.SHA_1, MacGeneral(3)))


def test_macs(session: Session) -> None:
    key, module, handle = imported(session, b"key"), session.module, session.handle
    mac = hmac.digest(b"key", b"data", "sha256")
    assert session.sign(HMAC, key, b"data") == mac
    assert session.sign(Mechanism(CKM.SHA256_HMAC_GENERAL, MacGeneral(4)), key, b"data") == mac[:4]
    module.sign_init(handle, HMAC, key)
    module.sign_update(handle, b"da")
    module.sign_update(handle, b"ta")
    assert module.sign_final(handle) == mac
    session.verify(HMAC, key, b"data", mac)
    module.verify_init(handle, HMAC, key)
    module.verify_update(handle, b"data")
    module.verify_final(handle, mac)
    with refused(CKR.SIGNATURE_INVALID):
        session.verify(HMAC, key, b"date", mac)
    with refused(CKR.SIGNATURE_LEN_RANGE):
        session.verify(HMAC, key, b"data", mac[:31])
    with refused(CKR.SIGNATURE_LEN_RANGE):
        session.verify(HMAC, key, b"data", b"")


@pytest.mark.parametrize(
    ("prf", "version", "prf_hash"), [(CKM.SHA384, Version.TLS12, PrfHash.SHA384), (CKM.TLS_PRF, Version.TLS10, None)]
)
@pytest.mark.parametrize("mechanism", [CKM.TLS_MAC, CKM.TLS12_MAC])
def test_finished_values(session: Session, prf: CKM, version: Version, prf_hash: PrfHash | None, mechanism: CKM) -> None:
    master = imported(session, bytes(48))
    for number, side in ((1, Side.SERVER), (2, Side.CLIENT)):
        made = session.sign(Mechanism(mechanism, TlsMac(prf, 12, number)), master, b"handshake hash")
        assert made == verify_data(version, prf_hash, bytes(48), side, b"handshake hash")
    for bad in (TlsMac(prf, 11, 1), TlsMac(prf, 12, 3), TlsMac(CKM.SHA224, 12, 1), TlsMac(prf, 1 << 40, 1)):
        with refused(CKR.MECHANISM_PARAM_INVALID):
            session.sign(Mechanism(mechanism, bad), master, b"")


def test_nss_prfs_answer_as_signatures(session: Session) -> None:
    master = imported(session, bytes(48))
    made = session.sign(Mechanism(CKM_NSS_TLS_PRF_GENERAL, MacGeneral(100)), master, b"key expansion" + bytes(64))
    assert made == prf_tls10(bytes(48), b"key expansion", bytes(64), 100)
    sha256 = session.sign(Mechanism(CKM_NSS_TLS_PRF_GENERAL_SHA256), master, b"key expansion" + bytes(64))
    assert sha256 == prf_tls12(PrfHash.SHA256, bytes(48), b"key expansion", bytes(64), len(sha256))
    with refused(CKR.MECHANISM_PARAM_INVALID):
        session.sign(Mechanism(CKM_NSS_TLS_PRF_GENERAL, MacGeneral(0)), master, b"")


def test_a_key_destroyed_between_init_and_end_still_serves(session: Session) -> None:
    key = imported(session, b"key")
    session.module.sign_init(session.handle, HMAC, key)
    session.destroy(key)
    assert session.module.sign(session.handle, b"data") == hmac.digest(b"key", b"data", "sha256")
    with refused(CKR.KEY_HANDLE_INVALID):
        session.module.sign_init(session.handle, HMAC, key)


def test_data_is_no_key(session: Session) -> None:
    data = session.create({CKA.CLASS: CKO.DATA, CKA.VALUE: bytes(16)})
    with refused(CKR.KEY_HANDLE_INVALID):
        session.module.sign_init(session.handle, HMAC, data)


# Key pairs and the message forms


def test_rsa_and_ec_signatures(session: Session) -> None:
    (rsa_public, rsa_private), (ec_public, ec_private) = rsa_pair(session), ec_pair(session)
    for mechanism, public, private in (
        (Mechanism(CKM.SHA256_RSA_PKCS), rsa_public, rsa_private),
        (Mechanism(CKM.ECDSA_SHA256), ec_public, ec_private),
    ):
        signature = session.sign(mechanism, private, b"message")
        session.verify(mechanism, public, b"message", signature)
        with refused(CKR.SIGNATURE_INVALID):
            session.verify(mechanism, public, b"massage", signature)
        with refused(CKR.KEY_TYPE_INCONSISTENT):
            session.sign(mechanism, public, b"message")
        with refused(CKR.KEY_TYPE_INCONSISTENT):
            session.verify(mechanism, private, b"message", signature)


def test_raw_rsa_in_its_four_forms(session: Session) -> None:
    """Decrypt, sign and both message forms are one private operation."""
    public, private = rsa_pair(session)
    module, handle, raw = session.module, session.handle, Mechanism(CKM.RSA_X_509)
    plaintext = b"\0\2" + bytes(126)
    ciphertext = session.encrypt(raw, public, plaintext)
    assert session.decrypt(raw, private, ciphertext) == plaintext
    assert session.sign(raw, private, ciphertext) == plaintext
    module.message_decrypt_init(handle, raw, private)
    assert [module.decrypt_message(handle, None, b"", ciphertext) for _ in range(2)] == [plaintext] * 2
    module.message_decrypt_final(handle)
    module.message_sign_init(handle, raw, private)
    assert module.sign_message(handle, None, ciphertext) == plaintext
    module.message_sign_final(handle)
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.sign_message(handle, None, ciphertext)


def test_message_forms_end_to_end(session: Session) -> None:
    public, private = rsa_pair(session)
    module, handle, oaep = session.module, session.handle, Mechanism(CKM.RSA_PKCS)
    module.message_encrypt_init(handle, oaep, public)
    with refused(CKR.OPERATION_ACTIVE):
        module.message_encrypt_init(handle, oaep, public)
    ciphertext = module.encrypt_message(handle, None, b"", b"hello")
    with refused(CKR.MECHANISM_PARAM_INVALID):
        module.encrypt_message(handle, Iv(b""), b"", b"hello")
    module.message_encrypt_final(handle)
    assert session.decrypt(oaep, private, ciphertext) == b"hello"
    signing = Mechanism(CKM.SHA256_RSA_PKCS)
    module.message_sign_init(handle, signing, private)
    signature = module.sign_message(handle, None, b"hello")
    module.message_verify_init(handle, signing, public)
    module.verify_message(handle, None, b"hello", signature)
    with refused(CKR.SIGNATURE_INVALID):
        module.verify_message(handle, None, b"hallo", signature)
    module.session_cancel(handle, int(MechanismFlag.MESSAGE_VERIFY))
    with refused(CKR.OPERATION_NOT_INITIALIZED):
        module.message_verify_final(handle)
    with refused(CKR.MECHANISM_INVALID):
        module.message_verify_init(handle, HMAC, imported(session, b"key"))
