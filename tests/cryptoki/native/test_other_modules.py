"""NativeModule on the other modules at hand: an old function list, a PIN, FIPS mode by another getter."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyfence.cryptoki import (
    FunctionNotSupported,
    Mechanism,
    MechanismRefused,
    ModuleCrashed,
    Pin,
    PinIncorrect,
    TemplateRefused,
)
from keyfence.cryptoki import params as p
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKU, SessionFlag
from keyfence.cryptoki.isolation import IsolatedModule, native
from keyfence.cryptoki.native import NativeModule
from keyfence.schedule import Version, key_block

from ...modules import RealModule

pytestmark = pytest.mark.native

CR, SR = bytes(range(32)), bytes(range(32, 64))
SECRET = bytes(range(100, 148))
READABLE = {CKA.CLASS: CKO.SECRET_KEY, CKA.TOKEN: False, CKA.SENSITIVE: False, CKA.EXTRACTABLE: True, CKA.PRIVATE: False}


def test_opencryptoki_cuts_the_key_block_of_ssl3(opencryptoki: RealModule) -> None:
    module = opencryptoki.module
    with opencryptoki.session() as session:
        uses = {**READABLE, CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.DERIVE: True}
        base = module.create_object(session, {**uses, CKA.VALUE: SECRET})
        mechanism = Mechanism(CKM.SSL3_KEY_AND_MAC_DERIVE, p.KeyMat(160, 128, 128, CR, SR))
        template = {**READABLE, CKA.KEY_TYPE: CKK.AES, CKA.VALUE_LEN: 16, CKA.ENCRYPT: True}
        material = module.derive_key(session, mechanism, base, template).key_material
        assert material is not None
        parts = [module.get_attribute_value(session, handle, [CKA.VALUE])[CKA.VALUE] for handle in material.handles]
        block = key_block(Version.SSL3, None, SECRET, CR, SR, 104)
        assert b"".join([*parts, material.client_iv, material.server_iv]) == block  # type: ignore[list-item]


def test_softhsm_encrypts_and_derives(softhsm2: RealModule) -> None:
    module = softhsm2.module
    with softhsm2.session() as session:
        uses = {**READABLE, CKA.KEY_TYPE: CKK.AES, CKA.ENCRYPT: True, CKA.DERIVE: True}
        key = module.create_object(session, {**uses, CKA.VALUE: b"k" * 16})
        module.encrypt_init(session, Mechanism(CKM.AES_GCM, p.Gcm(b"n" * 12, b"aad")), key)
        assert module.encrypt(session, b"plain") == AESGCM(b"k" * 16).encrypt(b"n" * 12, b"plain", b"aad")
        mechanism = Mechanism(CKM.AES_CBC_ENCRYPT_DATA, p.CbcEncryptData(b"i" * 16, b"d" * 32))
        template = {**READABLE, CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE_LEN: 32}
        derived = module.derive_key(session, mechanism, key, template).handle
        expected = Cipher(algorithms.AES(b"k" * 16), modes.CBC(b"i" * 16)).encryptor().update(b"d" * 32)
        assert module.get_attribute_value(session, derived, [CKA.VALUE]) == {CKA.VALUE: expected}


def test_softhsm_keeps_a_mechanism_list_and_a_label(softhsm2: RealModule) -> None:
    module = softhsm2.module
    with softhsm2.session() as session:
        template = {**READABLE, CKA.KEY_TYPE: CKK.AES, CKA.VALUE: b"k" * 16, CKA.LABEL: "schön"}
        key = module.create_object(session, {**template, CKA.ALLOWED_MECHANISMS: (CKM.AES_CBC, CKM.AES_GCM)})
        read = module.get_attribute_value(session, key, [CKA.LABEL, CKA.ALLOWED_MECHANISMS, CKA.KEY_TYPE, CKA.START_DATE])
        assert read[CKA.LABEL] == "schön"
        assert set(read[CKA.ALLOWED_MECHANISMS]) == {CKM.AES_CBC, CKM.AES_GCM}  # type: ignore[arg-type]
        assert (read[CKA.KEY_TYPE], read[CKA.START_DATE]) == (CKK.AES, "")


def test_softhsm_digests_and_refuses(softhsm2: RealModule) -> None:
    module = softhsm2.module
    with softhsm2.session() as session:
        module.digest_init(session, Mechanism(CKM.SHA256))
        assert module.digest(session, b"") == hashlib.sha256(b"").digest()
        with pytest.raises(MechanismRefused, match="C_DigestInit: CKR_MECHANISM_INVALID"):
            module.digest_init(session, Mechanism(CKM.SHA3_256))
        with pytest.raises(FunctionNotSupported, match="C_MessageSignInit"):  # not in a 2.40 list
            module.message_sign_init(session, Mechanism(CKM.RSA_X_509), 1)
        with pytest.raises(TemplateRefused):
            module.create_object(session, {CKA.CLASS: CKO.SECRET_KEY})


def test_a_wrong_pin_is_refused_and_shown_to_nobody(softhsm2: RealModule) -> None:
    """The right one follows, so that the token's counter is where it was."""
    session = softhsm2.module.open_session(softhsm2.slot, SessionFlag.SERIAL_SESSION)
    with pytest.raises(PinIncorrect) as caught:
        softhsm2.module.login(session, CKU.USER, Pin.of("987654"))
    assert "987654" not in repr(caught.value) + str(caught.value)
    softhsm2.module.login(session, CKU.USER, softhsm2.pin)
    assert softhsm2.module.get_session_info(session).slot == softhsm2.slot
    softhsm2.module.logout(session)


def test_fips_mode_comes_by_its_own_getter(nss: RealModule, nss_fips: RealModule) -> None:
    (path,) = nss.factory.arguments
    assert NativeModule(path).interface_version == NativeModule(path, function_list="FC_GetFunctionList").interface_version
    assert len(nss.module.get_slot_list(True)) == 2
    assert len(nss_fips.module.get_slot_list(True)) == 1
    with nss_fips.session() as session:
        template = {CKA.VALUE_LEN: 48, CKA.DERIVE: True, CKA.TOKEN: False, CKA.SENSITIVE: True}
        base = nss_fips.module.generate_key(session, Mechanism(CKM.GENERIC_SECRET_KEY_GEN), template)
        mechanism = Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, p.Tls12KeyMat(0, 128, 32, CR, SR, CKM.SHA256))
        keys = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.AES, CKA.VALUE_LEN: 16, CKA.SENSITIVE: True}
        material = nss_fips.module.derive_key(session, mechanism, base, keys).key_material
        assert material is not None
        assert len(material.handles) == 4
        assert material.client_iv is not None


@pytest.mark.parametrize("always_wants_handle", [True, False])
def test_a_shim_that_demands_a_handle_for_key_material(nss: RealModule, tmp_path: Path, always_wants_handle: bool) -> None:
    """OpenSC's pkcs11-spy writes down what phKey points to, and so dies of the NULL that the standard asks for."""
    options = {"library_parameters": nss.preset.library_parameters, "always_wants_handle": always_wants_handle}
    environment = {"PKCS11SPY": nss.factory.arguments[0], "PKCS11SPY_OUTPUT": str(tmp_path / "spy.log")}
    with IsolatedModule(native("pkcs11-spy.so", **options), environment=environment) as module:
        module.initialize()
        session = module.open_session(nss.slot, SessionFlag.SERIAL_SESSION)
        base = module.create_object(
            session, {**READABLE, CKA.KEY_TYPE: CKK.GENERIC_SECRET, CKA.VALUE: SECRET, CKA.DERIVE: True}
        )
        mechanism = Mechanism(CKM.SSL3_KEY_AND_MAC_DERIVE, p.KeyMat(0, 128, 128, CR, SR))
        template = {**READABLE, CKA.KEY_TYPE: CKK.AES, CKA.VALUE_LEN: 16}
        if not always_wants_handle:
            with pytest.raises(ModuleCrashed, match=r"C_DeriveKey: the module's process died \(SIGSEGV\)"):
                module.derive_key(session, mechanism, base, template)
            return
        derived = module.derive_key(session, mechanism, base, template)
        assert derived.handle == 0
        assert derived.key_material is not None
        assert derived.key_material.client_iv == key_block(Version.SSL3, None, SECRET, CR, SR, 64)[32:48]
