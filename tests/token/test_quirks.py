"""Every quirk beside the strict token: what the one refuses the other does, and the other way round."""

import hashlib
import hmac
from contextlib import suppress

import pytest

from keyfence.cryptoki import Mechanism, SignatureInvalid, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR, CKU, TokenFlag
from keyfence.cryptoki.params import Gcm, MacGeneral, MasterKeyDerive, TlsKdf, TlsMac, TlsPrf
from keyfence.cryptoki.session import Session, secret_key
from keyfence.schedule import PrfHash, Version, key_block
from keyfence.token import USER_PIN, Keep, Quirks, Randoms, Rounding, Sensitivity, SoftToken, Source

from .bench import (
    CLIENT_RANDOM,
    READABLE,
    SERVER_RANDOM,
    cut,
    ec_pair,
    ecdh_to,
    expand,
    extract,
    imported,
    kdf,
    key_mat10,
    key_mat12,
    master10,
    master12,
    opened,
    pre_master,
    refused,
    rsa_pair,
    security,
    slice_from,
)

MASTER = bytes(range(1, 49))
HMAC = Mechanism(CKM.SHA256_HMAC)


def block(length: int) -> bytes:
    return key_block(Version.TLS12, PrfHash.SHA256, MASTER, CLIENT_RANDOM, SERVER_RANDOM, length)


def ivs(session: Session, mechanism: Mechanism, template: Template) -> bytes:
    material = cut(session, mechanism, imported(session, MASTER), template)
    return (material.client_iv or b"") + (material.server_iv or b"")


# The mechanisms offered


def test_only_and_without() -> None:
    both = opened(only=frozenset({CKM.AES_ECB, CKM.AES_KEY_GEN}), without=frozenset({CKM.AES_ECB}))
    assert both.module.get_mechanism_list(1) == (CKM.AES_KEY_GEN,)
    key = both.generate(Mechanism(CKM.AES_KEY_GEN), secret_key(CKK.AES, 16))
    with refused(CKR.MECHANISM_INVALID):
        both.encrypt(Mechanism(CKM.AES_ECB), key, bytes(16))
    with refused(CKR.MECHANISM_INVALID):
        both.module.get_mechanism_info(1, CKM.AES_ECB)


# Key blocks


def test_max_iv() -> None:
    bent = opened(max_iv=16)
    assert ivs(bent, key_mat12(0, 0, 128), {}) == block(32)
    with refused(CKR.MECHANISM_PARAM_INVALID):
        ivs(bent, key_mat12(0, 0, 136), {})
    assert ivs(opened(), key_mat12(0, 0, 136), {}) == block(34)


def test_allowed_lengths_and_types() -> None:
    bent = opened(mac_lengths=frozenset({20}), key_lengths=frozenset({16, 32}), write_key_types=frozenset({CKK.AES}))
    ivs(bent, key_mat12(160, 128, 128), secret_key(CKK.AES, 16))
    for mechanism, template, ckr in (
        (key_mat12(8, 128, 0), secret_key(CKK.AES, 16), CKR.MECHANISM_PARAM_INVALID),
        (key_mat12(160, 192, 0), secret_key(CKK.AES, 24), CKR.MECHANISM_PARAM_INVALID),
        (key_mat12(160, 0, 0), secret_key(CKK.AES), CKR.MECHANISM_PARAM_INVALID),
        (key_mat12(160, 128, 0), secret_key(CKK.RC4, 16), CKR.TEMPLATE_INCONSISTENT),
    ):
        with refused(ckr):
            ivs(bent, mechanism, template)
        ivs(opened(), mechanism, template)


def test_max_block() -> None:
    ivs(opened(max_block=64), key_mat12(0, 128, 128), secret_key(CKK.AES, 16))
    with refused(CKR.MECHANISM_PARAM_INVALID):
        ivs(opened(max_block=63), key_mat12(0, 128, 128), secret_key(CKK.AES, 16))


@pytest.mark.parametrize(("rounding", "skipped"), [(Rounding.DOWN, 0), (Rounding.UP, 2)])
def test_rounding(rounding: Rounding, skipped: int) -> None:
    """7 bits of MAC key are no byte in NSS and one in opencryptoki."""
    assert ivs(opened(rounding=rounding), key_mat12(7, 0, 64), {}) == block(16 + skipped)[skipped:]
    with refused(CKR.MECHANISM_PARAM_INVALID):
        ivs(opened(), key_mat12(7, 0, 64), {})


def test_the_template_cuts_and_the_parameter_generates() -> None:
    """NSS: what follows the write keys starts where CKA_VALUE_LEN puts it; beyond the amount generated is nothing."""
    nss = opened(write_key_cut=Source.TEMPLATE, amount=Source.PARAMETER)
    assert ivs(nss, key_mat12(0, 128, 128), secret_key(CKK.GENERIC_SECRET, 1)) == block(34)[2:]
    assert ivs(nss, key_mat12(0, 0, 128), secret_key(CKK.GENERIC_SECRET, 16)) == bytes(32)
    both = opened(write_key_cut=Source.TEMPLATE, amount=Source.TEMPLATE)
    assert ivs(both, key_mat12(0, 0, 128), secret_key(CKK.GENERIC_SECRET, 16)) == block(64)[32:]
    with refused(CKR.TEMPLATE_INCONSISTENT):
        ivs(opened(), key_mat12(0, 128, 128), secret_key(CKK.GENERIC_SECRET, 1))


def test_fixed_types_need_no_length_where_the_template_cuts() -> None:
    nss = opened(write_key_cut=Source.TEMPLATE)
    material = cut(nss, key_mat12(0, 128, 0), imported(nss, MASTER), secret_key(CKK.DES))
    assert len(nss.value(material.client_key)) == 8


def test_silence_without_a_length() -> None:
    """CKR_OK, no write keys, and the IVs never written: a return code is no proof."""
    nss = opened(write_key_cut=Source.TEMPLATE, silent_without_value_len=True)
    material = cut(nss, key_mat12(160, 128, 128), imported(nss, MASTER), secret_key(CKK.AES))
    assert (material.client_key, material.server_key, material.client_iv, material.server_iv) == (0, 0, None, None)
    assert nss.value(material.client_mac) == block(20)
    with refused(CKR.TEMPLATE_INCOMPLETE):
        ivs(opened(write_key_cut=Source.TEMPLATE), key_mat12(160, 128, 128), secret_key(CKK.AES))


def test_a_length_that_is_ignored() -> None:
    assert ivs(opened(ignore_value_len=True), key_mat12(0, 8, 64), secret_key(CKK.GENERIC_SECRET, 16)) == block(18)[2:]


def test_handles_of_empty_mac_keys() -> None:
    none = opened(empty_mac_keys=False)
    material = cut(none, key_mat12(0, 128, 0), imported(none, MASTER), secret_key(CKK.AES, 16))
    assert (material.client_mac, material.server_mac) == (0, 0)


def test_handles_of_empty_write_keys() -> None:
    bent = opened(empty_write_keys=True)
    material = cut(bent, key_mat12(0, 0, 64), imported(bent, MASTER), secret_key(CKK.GENERIC_SECRET))
    assert bent.value(material.client_key) == b""
    with refused(CKR.TEMPLATE_INCONSISTENT):
        cut(bent, key_mat12(0, 0, 64), imported(bent, MASTER), secret_key(CKK.AES))
    strict = opened()
    assert cut(strict, key_mat12(0, 0, 64), imported(strict, MASTER), secret_key(CKK.AES)).client_key == 0


def test_a_readable_key_block() -> None:
    bent, strict = opened(readable_key_mat=True), opened()
    template = secret_key(CKK.AES, 16, **READABLE)
    material = cut(bent, key_mat12(0, 128, 0), master12(bent, pre_master(bent)), template)
    assert len(bent.value(material.client_key)) == 16
    with refused(CKR.TEMPLATE_INCONSISTENT):
        cut(strict, key_mat12(0, 128, 0), master12(strict, pre_master(strict)), template)


def test_randoms_of_other_lengths() -> None:
    split = TlsKdf(CKM.SHA256, b"key", b" expansion" + SERVER_RANDOM, CLIENT_RANDOM)
    mechanism, template = Mechanism(CKM.TLS12_KDF, split), secret_key(CKK.AES, 16)
    strict = opened()
    assert strict.value(strict.derive(mechanism, imported(strict, MASTER), template).handle) == block(16)
    exact, short = opened(randoms=Randoms.EXACT), opened(randoms=Randoms.TRUNCATE)
    with refused(CKR.MECHANISM_PARAM_INVALID):
        exact.derive(mechanism, imported(exact, MASTER), template)
    cut_short = Mechanism(CKM.TLS12_KDF, TlsKdf(CKM.SHA256, b"key", split.client_random[:32], CLIENT_RANDOM))
    values = [short.value(short.derive(each, imported(short, MASTER), template).handle) for each in (mechanism, cut_short)]
    assert values[0] == values[1] != block(16)


# Derived keys


def test_which_bytes_stay() -> None:
    digest = hashlib.sha256(MASTER).digest()
    for keep, expected in ((Keep.FIRST, digest[:8]), (Keep.LAST, digest[-8:]), (Keep.STANDARD, digest[:8])):
        session = opened(keep=keep)
        template = secret_key(CKK.GENERIC_SECRET, 8)
        key = session.derive(Mechanism(CKM.SHA256_KEY_DERIVATION), imported(session, MASTER), template).handle
        assert session.value(key) == expected
    for keep, end in ((Keep.FIRST, slice(8)), (Keep.LAST, slice(-8, None)), (Keep.STANDARD, slice(-8, None))):
        session = opened(keep=keep)
        public, private = ec_pair(session)
        whole, part = (
            session.value(
                session.derive(ecdh_to(session, public), private, secret_key(CKK.GENERIC_SECRET, n, **READABLE)).handle
            )
            for n in (None, 8)
        )
        assert part == whole[end]


def test_parity_left_alone() -> None:
    raw = opened(fix_parity=False)
    key = raw.derive(expand(b""), imported(raw, MASTER), secret_key(CKK.DES3)).handle
    stream = hmac.digest(MASTER, b"\1", "sha256")[:24]
    assert raw.value(key) == stream
    strict = opened()
    fixed = strict.value(strict.derive(expand(b""), imported(strict, MASTER), secret_key(CKK.DES3)).handle)
    assert fixed != stream
    assert all(byte.bit_count() % 2 for byte in fixed)


def test_templates_that_do_not_inherit() -> None:
    bent, strict = opened(inherit=False), opened()
    assert security(bent, master10(bent, pre_master(bent))) == "sEan"
    assert security(strict, master10(strict, pre_master(strict))) == "SeAN"
    block_keys = cut(bent, key_mat10(160, 128, 0), master10(bent, pre_master(bent), sensitive=True), secret_key(CKK.AES, 16))
    assert security(bent, block_keys.client_key) == "sEan", "left out of the template, so readable"
    assert security(bent, bent.derive(slice_from(0), pre_master(bent), secret_key(CKK.GENERIC_SECRET, 1)).handle) == "SeAN"


def test_sensitivity_held_or_forced() -> None:
    held = opened(sensitivity=Sensitivity.BASE)
    with refused(CKR.ATTRIBUTE_VALUE_INVALID):
        master12(held, pre_master(held), sensitive=False)
    with refused(CKR.ATTRIBUTE_VALUE_INVALID):
        master12(held, pre_master(held), extractable=True)
    assert security(held, master12(held, pre_master(held), sensitive=True)) == "SeAN"
    assert security(held, held.derive(expand(b""), imported(held, MASTER), secret_key(CKK.AES, 16)).handle) == "sEan"
    forced = opened(sensitivity=Sensitivity.FORCED)
    assert security(forced, forced.derive(expand(b""), imported(forced, MASTER), secret_key(CKK.AES, 16)).handle) == "Sean"
    with refused(CKR.TEMPLATE_INCONSISTENT):
        forced.derive(expand(b""), imported(forced, MASTER), secret_key(CKK.AES, 16, **READABLE))


def test_short_derived_keys() -> None:
    bent, whole = opened(min_derived=8), opened(full_length_only=True)
    for session, mechanism in ((bent, expand(b"")), (bent, slice_from(0)), (bent, kdf(b"l")), (whole, slice_from(0))):
        with refused(CKR.KEY_SIZE_RANGE):
            session.derive(mechanism, imported(session, MASTER), secret_key(CKK.GENERIC_SECRET, 7))
    bent.derive(expand(b""), imported(bent, MASTER), secret_key(CKK.GENERIC_SECRET, 8))
    whole.derive(slice_from(0), imported(whole, MASTER), secret_key(CKK.GENERIC_SECRET, 48))


def test_an_extract_cut_short() -> None:
    bent, template = opened(extract_truncates=True), secret_key(CKK.GENERIC_SECRET, 4)
    value = bent.value(bent.derive(extract(b"s"), imported(bent, MASTER), template).handle)
    assert value == hmac.digest(b"s", MASTER, "sha256")[:4]


def test_hkdf_without_readable_output() -> None:
    bent = opened(readable_hkdf=False)
    base = imported(bent, MASTER, sensitive=True, extractable=False)
    with refused(CKR.MECHANISM_PARAM_INVALID):
        bent.derive(expand(b"", CKM.HKDF_DATA), base, {CKA.VALUE_LEN: 8})
    with refused(CKR.ATTRIBUTE_VALUE_INVALID):
        bent.derive(expand(b""), base, secret_key(CKK.AES, 16, sensitive=False))
    bent.derive(expand(b""), base, secret_key(CKK.AES, 16))


def test_reserved_labels_refused_by_name_only() -> None:
    """The check that looks at the label and not at what the PRF sees."""
    bent = opened(reserved_labels=False)
    base = imported(bent, MASTER)
    for mechanism in (kdf(b"key expansion"), Mechanism(CKM.TLS_PRF, TlsPrf(b"key expansion", b"", 8))):
        with refused(CKR.MECHANISM_PARAM_INVALID):
            bent.derive(mechanism, base, secret_key(CKK.AES, 16))
    split = TlsKdf(CKM.SHA256, b"", b"key expansion" + SERVER_RANDOM, CLIENT_RANDOM)
    assert bent.value(bent.derive(Mechanism(CKM.TLS_KDF, split), base, secret_key(CKK.AES, 16)).handle) == block(16)


def test_versions_looked_at() -> None:
    """A master secret as base shows two of its bytes as pVersion, unless somebody looks."""
    shown = Mechanism(CKM.TLS_MASTER_KEY_DERIVE, MasterKeyDerive(b"", b"", wants_version=True))
    strict, bent = opened(), opened(version_required=True)
    assert strict.derive(shown, imported(strict, MASTER), {}).version == (1, 2)
    with refused(CKR.KEY_TYPE_INCONSISTENT):
        bent.derive(shown, imported(bent, MASTER), {})
    assert bent.derive(shown, pre_master(bent), {}).version == (3, 3)


def test_masters_that_stay_inside() -> None:
    bent = opened(readable_master=False)
    with refused(CKR.ATTRIBUTE_VALUE_INVALID):
        master12(bent, pre_master(bent), sensitive=False)
    assert security(bent, master12(bent, pre_master(bent))) == "SeAN"


def test_master_secrets_cut_short() -> None:
    bent, strict = opened(short_masters=True), opened()
    assert len(bent.value(master10(bent, imported(bent, MASTER), value_len=2))) == 2
    with refused(CKR.TEMPLATE_INCONSISTENT):
        master10(strict, imported(strict, MASTER), value_len=2)


# Uses


def test_flags_and_lists_not_looked_at() -> None:
    careless = opened(ignore_derive_flag=True, ignore_usage_flags=True, ignore_allowed_mechanisms=True)
    careless.derive(expand(b""), imported(careless, MASTER, derive=False), secret_key(CKK.AES, 16))
    careless.sign(HMAC, imported(careless, MASTER, sign=False), b"")
    careless.sign(HMAC, master12(careless, pre_master(careless)), b"")
    strict = opened()
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        strict.sign(HMAC, master12(strict, pre_master(strict)), b"")


def test_one_mechanism_per_key() -> None:
    bent = opened(one_mechanism_per_key=True)
    key = imported(bent, bytes(16), CKK.AES)
    bent.encrypt(Mechanism(CKM.AES_GCM, Gcm(bytes(12))), key, b"")
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        bent.encrypt(Mechanism(CKM.AES_ECB), key, bytes(16))
    bent.encrypt(Mechanism(CKM.AES_ECB), imported(bent, bytes(16), CKK.AES), bytes(16))


def test_a_shortest_hmac_key() -> None:
    bent = opened(min_hmac_key=14)
    with refused(CKR.KEY_SIZE_RANGE):
        bent.sign(HMAC, imported(bent, bytes(13)), b"")
    bent.sign(HMAC, imported(bent, bytes(14)), b"")
    strict = opened()
    strict.sign(HMAC, imported(strict, bytes(1)), b"")


def test_macs_at_full_length_only() -> None:
    bent = opened(general_macs=False)
    key = imported(bent, MASTER)
    with refused(CKR.MECHANISM_PARAM_INVALID):
        bent.sign(Mechanism(CKM.SHA256_HMAC_GENERAL, MacGeneral(4)), key, b"")
    bent.sign(Mechanism(CKM.SHA256_HMAC_GENERAL, MacGeneral(32)), key, b"")


def test_short_signatures_tell_a_mac_byte_by_byte() -> None:
    bent = opened(short_signatures=True)
    key = imported(bent, MASTER)
    known = b""
    for _ in range(4):
        for guess in range(256):
            with suppress(SignatureInvalid):
                bent.verify(HMAC, key, b"data", known + bytes([guess]))
                known += bytes([guess])
                break
    assert known == hmac.digest(MASTER, b"data", "sha256")[:4]
    with refused(CKR.SIGNATURE_LEN_RANGE):
        bent.verify(HMAC, key, b"data", b"")
    finished = Mechanism(CKM.TLS12_MAC, TlsMac(CKM.SHA256, 1, 1))
    bent.verify(finished, key, b"hash", bent.sign(finished, key, b"hash"))


def test_keys_that_are_not_digested() -> None:
    for quirks, key in (({"digest_sensitive_keys": False}, MASTER), ({"max_digest_key": 16}, bytes(17))):
        bent = opened(**quirks)
        bent.module.digest_init(bent.handle, Mechanism(CKM.MD5))
        with refused(CKR.KEY_INDIGESTIBLE):
            bent.module.digest_key(bent.handle, imported(bent, key, sensitive=True))
        bent.module.digest_key(bent.handle, imported(bent, bytes(16)))


def test_without_raw_rsa() -> None:
    bent = opened(raw_rsa=False)
    public, private = rsa_pair(bent)
    raw = Mechanism(CKM.RSA_X_509)
    bent.encrypt(raw, public, bytes(128))
    for use in (bent.decrypt, bent.sign):
        with refused(CKR.MECHANISM_INVALID):
            use(raw, private, bytes(128))
    with refused(CKR.MECHANISM_INVALID):
        bent.module.message_sign_init(bent.handle, raw, private)


def test_without_salt_keys() -> None:
    bent = opened(salt_keys=False)
    with refused(CKR.MECHANISM_PARAM_INVALID):
        bent.derive(extract(salt_key=imported(bent, MASTER)), imported(bent, MASTER), {})


# Objects


def test_wrapping_what_may_not_leave() -> None:
    bent = opened(wrap_unextractable=True)
    kek, wrap = imported(bent, bytes(16), CKK.AES, wrap=True, unwrap=True), Mechanism(CKM.AES_KEY_WRAP)
    wrapped = bent.wrap(wrap, kek, imported(bent, MASTER, sensitive=True, extractable=False))
    assert bent.value(bent.unwrap(wrap, kek, wrapped, secret_key(CKK.GENERIC_SECRET, **READABLE))) == MASTER


def test_clearing_sensitive() -> None:
    by_set, by_copy = opened(clear_sensitive_by_set=True), opened(clear_sensitive_by_copy=True)
    hidden = {"sensitive": True, "extractable": False}
    key = imported(by_set, MASTER, **hidden)
    with refused(CKR.ATTRIBUTE_READ_ONLY):
        by_set.copy(key, {CKA.SENSITIVE: False})
    by_set.module.set_attribute_value(by_set.handle, key, {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True})
    assert by_set.value(key) == MASTER
    key = imported(by_copy, MASTER, **hidden)
    with refused(CKR.ATTRIBUTE_READ_ONLY):
        by_copy.module.set_attribute_value(by_copy.handle, key, {CKA.SENSITIVE: False})
    assert by_copy.value(by_copy.copy(key, {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True})) == MASTER


def test_copies_with_other_mechanisms() -> None:
    bent, strict, wider = opened(copy_changes_mechanisms=True), opened(), {CKA.ALLOWED_MECHANISMS: (int(CKM.SHA256_HMAC),)}
    bent.sign(HMAC, bent.copy(master12(bent, pre_master(bent)), wider), b"")
    with refused(CKR.ATTRIBUTE_READ_ONLY):
        strict.copy(master12(strict, pre_master(strict)), wider)


def test_unwrapping_less_than_was_wrapped() -> None:
    bent = opened(unwrap_truncates=True)
    public, private = rsa_pair(bent)
    wrapped = bent.wrap(Mechanism(CKM.RSA_PKCS), public, imported(bent, MASTER))
    for template, length in ((secret_key(CKK.GENERIC_SECRET, 2), 2), (secret_key(CKK.DES), 8)):
        assert len(bent.value(bent.unwrap(Mechanism(CKM.RSA_PKCS), private, wrapped, template))) == length


def test_unwrapped_keys_stay_inside() -> None:
    bent = opened(readable_unwrap=False)
    public, private = rsa_pair(bent)
    wrapped = bent.wrap(Mechanism(CKM.RSA_PKCS), public, imported(bent, MASTER))
    with refused(CKR.ATTRIBUTE_VALUE_INVALID):
        bent.unwrap(Mechanism(CKM.RSA_PKCS), private, wrapped, secret_key(CKK.GENERIC_SECRET, 48))
    bent.unwrap(
        Mechanism(CKM.RSA_PKCS), private, wrapped, secret_key(CKK.GENERIC_SECRET, 48, sensitive=True, extractable=False)
    )


def test_check_values_not_for_all() -> None:
    bent, none = opened(min_check_value_key=8), opened(check_values=False)
    assert bent.attribute(imported(bent, bytes(8)), CKA.CHECK_VALUE)
    for session in (bent, none):
        with refused(CKR.ATTRIBUTE_TYPE_INVALID):
            session.attribute(imported(session, bytes(7)), CKA.CHECK_VALUE)


def test_nothing_imported() -> None:
    bent = opened(import_keys=False)
    with refused(CKR.TEMPLATE_INCONSISTENT):
        imported(bent, MASTER)
    bent.create({CKA.CLASS: CKO.DATA})


def test_nothing_without_login() -> None:
    bent = opened(login_required=True)
    assert TokenFlag.LOGIN_REQUIRED in bent.module.get_token_info(1).flags
    with refused(CKR.USER_NOT_LOGGED_IN):
        pre_master(bent)
    bent.module.login(bent.handle, CKU.USER, USER_PIN)
    pre_master(bent)
    ec_pair(bent)


def test_the_separated_schedule_is_not_bent() -> None:
    SoftToken("separated", Quirks(without=frozenset({CKM.AES_CBC}), login_required=True))
    for bending in (Quirks(wrap_unextractable=True), Quirks(ignore_allowed_mechanisms=True), Quirks(short_signatures=True)):
        with pytest.raises(ValueError, match="bend"):
            SoftToken("separated", bending)
