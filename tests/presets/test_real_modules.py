"""Every preset against the module it describes: its slot is found, its login is what keys need, its GCM layout is the one."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyfence.cryptoki import LoginRefused, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR, SessionFlag, TokenFlag
from keyfence.cryptoki.isolation import IsolatedModule
from keyfence.cryptoki.params import Gcm
from keyfence.presets import presets

from ..modules import KNOWN, RealModule, real_module

pytestmark = pytest.mark.native

AES = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.AES, CKA.ENCRYPT: True, CKA.TOKEN: False}


def test_the_tests_know_every_preset() -> None:
    assert set(KNOWN) == set(presets())


@pytest.mark.parametrize("name", KNOWN)
def test_keys_are_made_as_the_preset_says(name: str) -> None:
    with real_module(name) as real, real.session() as session:
        template = {CKA.VALUE_LEN: 16, CKA.TOKEN: False, CKA.SENSITIVE: True, CKA.PRIVATE: real.pin is not None}
        key = real.module.generate_key(session, Mechanism(CKM.AES_KEY_GEN), template)
        real.module.destroy_object(session, key)


@pytest.mark.parametrize("name", [name for name, facts in presets().items() if facts.login == "pin"])
def test_without_a_login_there_are_no_keys(name: str) -> None:
    with real_module(name) as real:
        session = real.module.open_session(real.slot, SessionFlag.SERIAL_SESSION)
        template = {CKA.VALUE_LEN: 16, CKA.TOKEN: False, CKA.PRIVATE: True}
        with pytest.raises(LoginRefused) as caught:
            real.module.generate_key(session, Mechanism(CKM.AES_KEY_GEN), template)
        assert caught.value.ckr == CKR.USER_NOT_LOGGED_IN


def test_fips_mode_wants_an_empty_login_until_asked_about_its_token() -> None:
    known, facts = KNOWN["nss-fips"], presets()["nss-fips"]
    template = {CKA.VALUE_LEN: 16, CKA.TOKEN: False}
    with IsolatedModule(facts.factory(), environment=known.environment) as module:
        module.initialize()
        (slot,) = module.get_slot_list(True)
        session = module.open_session(slot, SessionFlag.SERIAL_SESSION)
        with pytest.raises(LoginRefused, match="CKR_USER_NOT_LOGGED_IN"):
            module.generate_key(session, Mechanism(CKM.AES_KEY_GEN), template)
        assert not module.get_token_info(slot).flags & TokenFlag.LOGIN_REQUIRED
        module.generate_key(session, Mechanism(CKM.AES_KEY_GEN), template)


def _sealed(real: RealModule, session: int) -> bytes:
    """An AES-GCM ciphertext made by the module in the preset's layout; the key is imported, so that it can be checked."""
    assert real.preset.gcm is not None
    key = real.module.create_object(session, {**AES, CKA.VALUE: b"k" * 16})
    real.module.encrypt_init(session, Mechanism(CKM.AES_GCM, Gcm(b"i" * 12, b"aad", 128, real.preset.gcm)), key)
    return real.module.encrypt(session, b"plaintext")


@pytest.mark.parametrize("name", ["nss", "nss-db", "softhsm2"])  # FIPS mode imports no keys
def test_the_gcm_layout(name: str) -> None:
    with real_module(name) as real, real.session() as session:
        assert _sealed(real, session) == AESGCM(b"k" * 16).encrypt(b"i" * 12, b"plaintext", b"aad")


def test_a_preset_without_a_gcm_layout_has_no_gcm(opencryptoki: RealModule) -> None:
    assert opencryptoki.preset.gcm is None
    assert CKM.AES_GCM not in opencryptoki.module.get_mechanism_list(opencryptoki.slot)


def test_two_modules_serve_one_process(nss: RealModule, softhsm2: RealModule) -> None:
    with nss.session() as one, softhsm2.session() as other:
        assert nss.module.generate_random(one, 16) != softhsm2.module.generate_random(other, 16)
