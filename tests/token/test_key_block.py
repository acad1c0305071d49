"""The cut of a key block: against the schedule, and as a caller who means ill uses it."""

import json
from pathlib import Path

import pytest

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256
from keyfence.cryptoki.params import Gcm, KeyMat, Tls12KeyMat, WtlsKeyMat
from keyfence.cryptoki.session import secret_key
from keyfence.schedule import PrfHash, Side, Version, export_iv, export_write_key, key_block
from keyfence.schedule.wtls import wtls_key_block

from .bench import CLIENT_RANDOM, SERVER_RANDOM, cut, imported, key_mat10, key_mat12, master12, opened, pre_master, refused

VECTORS = json.loads((Path(__file__).parents[1] / "schedule" / "vectors" / "ske-vectors.json").read_text())["vectors"]
MASTER = bytes(range(1, 49))
SAFE = CKM.TLS12_KEY_SAFE_DERIVE
AES = secret_key(CKK.AES, 16)


def block12(length: int) -> bytes:
    return key_block(Version.TLS12, PrfHash.SHA256, MASTER, CLIENT_RANDOM, SERVER_RANDOM, length)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["prf_hash"][:6])
def test_ivs_show_the_whole_key_block_of_the_vectors(vector: dict[str, str]) -> None:
    """One call, no keys at all, and the classic block is in the caller's hands."""
    session = opened()
    master = imported(session, bytes.fromhex(vector["master_secret"]))
    randoms = bytes.fromhex(vector["client_random"]), bytes.fromhex(vector["server_random"])
    prf_hash = CKM.TLS_PRF if vector["prf_hash"].startswith("md5") else PrfHash(vector["prf_hash"]).ckm
    mechanism = Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, Tls12KeyMat(0, 0, 8 * 104, *randoms, prf_hash))
    material = cut(session, mechanism, master, {})
    assert (material.client_iv or b"") + (material.server_iv or b"") == bytes.fromhex(vector["classic_key_block_208"])


def test_the_parts_lie_where_rfc_5246_puts_them() -> None:
    session = opened()
    material = cut(session, key_mat12(160, 128, 128), imported(session, MASTER), AES)
    values = [session.value(handle) for handle in material.handles] + [material.client_iv or b"", material.server_iv or b""]
    assert [len(value) for value in values] == [20, 20, 16, 16, 16, 16]
    assert b"".join(values) == block12(104)


@pytest.mark.parametrize(
    ("mechanism", "version", "prf_hash"),
    [
        (CKM.SSL3_KEY_AND_MAC_DERIVE, Version.SSL3, None),
        (CKM.TLS_KEY_AND_MAC_DERIVE, Version.TLS10, None),
        (CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256, Version.TLS12, PrfHash.SHA256),
    ],
)
def test_older_versions(mechanism: CKM, version: Version, prf_hash: PrfHash | None) -> None:
    session = opened()
    material = cut(session, key_mat10(160, 256, 128, mechanism), imported(session, MASTER), secret_key(CKK.AES, 32))
    values = [session.value(handle) for handle in material.handles] + [material.client_iv or b"", material.server_iv or b""]
    assert b"".join(values) == key_block(version, prf_hash, MASTER, CLIENT_RANDOM, SERVER_RANDOM, 136)


@pytest.mark.parametrize(
    ("mechanism", "side"),
    [(CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE, Side.CLIENT), (CKM.WTLS_SERVER_KEY_AND_MAC_DERIVE, Side.SERVER)],
)
def test_wtls_cuts_one_direction_from_a_stream_of_its_own(mechanism: CKM, side: Side) -> None:
    session = opened()
    parameters = WtlsKeyMat(CKM.SHA_1, 160, 192, 64, 3, CLIENT_RANDOM[:16], SERVER_RANDOM[:16])
    base = imported(session, bytes(20))
    material = cut(session, Mechanism(mechanism, parameters), base, secret_key(CKK.GENERIC_SECRET, 24))
    values = [session.value(handle) for handle in material.handles] + [material.client_iv or b""]
    expected = wtls_key_block(PrfHash.SHA1, bytes(20), side, 3, CLIENT_RANDOM[:16], SERVER_RANDOM[:16], 52)
    assert b"".join(values) == expected


def test_uses_of_the_four_keys() -> None:
    session = opened()
    material = cut(session, key_mat10(160, 128, 0), imported(session, MASTER), AES)
    mac, write = material.client_mac, material.client_key
    assert session.attribute(mac, CKA.KEY_TYPE) == CKK.GENERIC_SECRET
    assert [session.attribute(mac, use) for use in (CKA.SIGN, CKA.VERIFY, CKA.DERIVE)] == [True, True, True]
    assert [session.attribute(write, use) for use in (CKA.ENCRYPT, CKA.DECRYPT, CKA.DERIVE)] == [True, True, True]
    later = cut(session, key_mat12(160, 128, 0), imported(session, MASTER), AES | {CKA.DERIVE: False, CKA.LABEL: "write"})
    assert session.attribute(later.client_mac, CKA.DERIVE) is False
    assert session.attribute(later.client_key, CKA.DERIVE) is False
    assert session.attribute(later.client_mac, CKA.LABEL) == "write"


def test_safe_derive_gives_keys_and_never_an_iv() -> None:
    session = opened()
    parameters = Tls12KeyMat(0, 128, 128, CLIENT_RANDOM, SERVER_RANDOM, CKM.SHA256)
    material = cut(session, Mechanism(SAFE, parameters), imported(session, MASTER), AES)
    assert (material.client_iv, material.server_iv) == (None, None)
    assert session.value(material.client_key) + session.value(material.server_key) == block12(32)


def test_gcm_asks_for_no_mac_keys_and_gets_empty_ones() -> None:
    """JSSE destroys both MAC handles of an AEAD suite, so there have to be two."""
    session = opened()
    material = cut(session, key_mat12(0, 128, 32), imported(session, MASTER), AES)
    assert session.value(material.client_mac) == b""
    session.destroy(material.client_mac)
    session.destroy(material.server_mac)
    with refused(CKR.KEY_SIZE_RANGE):
        again = cut(session, key_mat12(0, 128, 32), imported(session, MASTER), AES)
        session.sign(Mechanism(CKM.SHA256_HMAC), again.client_mac, b"")


@pytest.mark.parametrize(
    ("mechanism", "template", "ckr"),
    [
        (key_mat12(4, 128, 0), AES, CKR.MECHANISM_PARAM_INVALID),
        (key_mat12(0, 129, 0), secret_key(CKK.GENERIC_SECRET), CKR.MECHANISM_PARAM_INVALID),
        (key_mat12(0, 128, 0), {}, CKR.TEMPLATE_INCOMPLETE),
        (key_mat12(-8, 0, 0), {}, CKR.MECHANISM_PARAM_INVALID),
        (key_mat12(0, 0, 1 << 40), {}, CKR.MECHANISM_PARAM_INVALID),
        (key_mat12(0, 64, 0), secret_key(CKK.AES), CKR.TEMPLATE_INCONSISTENT),
        (key_mat12(0, 128, 0), secret_key(CKK.AES, 32), CKR.TEMPLATE_INCONSISTENT),
        (key_mat12(0, 128, 0), secret_key(CKK.DES), CKR.TEMPLATE_INCONSISTENT),
        (key_mat12(0, 128, 0, CKM.SHA224), AES, CKR.MECHANISM_PARAM_INVALID),
        (Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE), AES, CKR.MECHANISM_PARAM_INVALID),
        (Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, key_mat10(0, 128, 0).parameters), AES, CKR.MECHANISM_PARAM_INVALID),
        (key_mat10(0, 0, 8 * 209, CKM.SSL3_KEY_AND_MAC_DERIVE), {}, CKR.MECHANISM_PARAM_INVALID),
        (
            Mechanism(SAFE, Tls12KeyMat(0, 128, 0, CLIENT_RANDOM, SERVER_RANDOM, CKM.SHA256, is_export=True)),
            AES,
            CKR.MECHANISM_PARAM_INVALID,
        ),
        (
            Mechanism(CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE, WtlsKeyMat(CKM.SHA_1, 0, 128, 0, 1 << 16, b"", b"")),
            AES,
            CKR.MECHANISM_PARAM_INVALID,
        ),
    ],
)
def test_cuts_that_are_none(mechanism: Mechanism, template: dict[int, object], ckr: CKR) -> None:
    session = opened()
    base = imported(session, MASTER)
    with refused(ckr):
        session.derive(mechanism, base, template)  # type: ignore[arg-type]
    assert session.find() == (base,)


def test_the_base_is_48_bytes_of_generic_secret() -> None:
    session = opened()
    with refused(CKR.KEY_SIZE_RANGE):
        session.derive(key_mat12(0, 128, 0), imported(session, bytes(47)), AES)
    with refused(CKR.KEY_TYPE_INCONSISTENT):
        session.derive(key_mat12(0, 128, 0), imported(session, bytes(48), CKK.HKDF), AES)


@pytest.mark.parametrize(
    ("version", "mechanism"), [(Version.SSL3, CKM.SSL3_KEY_AND_MAC_DERIVE), (Version.TLS10, CKM.TLS_KEY_AND_MAC_DERIVE)]
)
def test_export_suites_stretch_short_keys(version: Version, mechanism: CKM) -> None:
    session = opened()
    parameters = KeyMat(128, 40, 64, CLIENT_RANDOM, SERVER_RANDOM, is_export=True)
    base = imported(session, MASTER)
    material = cut(session, Mechanism(mechanism, parameters), base, secret_key(CKK.RC2, 16) | {CKA.KEY_TYPE: CKK.RC2})
    short = key_block(version, None, MASTER, CLIENT_RANDOM, SERVER_RANDOM, 42)[32:37]
    expected = export_write_key(version, short, Side.CLIENT, CLIENT_RANDOM, SERVER_RANDOM, 16)
    assert session.value(material.client_key) == expected
    assert material.client_iv == export_iv(version, Side.CLIENT, CLIENT_RANDOM, SERVER_RANDOM, 8)


def test_an_attack_on_strict_classic_from_end_to_end() -> None:
    """Made inside, sensitive, never extractable; and yet its record opens outside."""
    session = opened()
    master = master12(session, pre_master(session))
    victim = cut(session, key_mat12(0, 128, 32), master, secret_key(CKK.AES, 16))
    with refused(CKR.ATTRIBUTE_SENSITIVE):
        session.value(victim.client_key)
    nonce = (victim.client_iv or b"") + bytes(8)
    record = session.encrypt(Mechanism(CKM.AES_GCM, Gcm(nonce)), victim.client_key, b"application data")
    leak = cut(session, key_mat12(0, 0, 128), master, {})
    outside = imported(session, leak.client_iv or b"", CKK.AES)
    assert session.decrypt(Mechanism(CKM.AES_GCM, Gcm(nonce)), outside, record) == b"application data"


def test_ssl3_exports_no_more_than_an_md5() -> None:
    """A triple DES key of 16 bytes, an IV shorter than asked for: both once came of it."""
    session = opened()
    master = imported(session, MASTER)
    for iv_bits, wanted in ((64, secret_key(CKK.DES3)), (136, secret_key(CKK.RC4, 16))):
        parameters = KeyMat(128, 40, iv_bits, CLIENT_RANDOM, SERVER_RANDOM, is_export=True)
        with refused(CKR.MECHANISM_PARAM_INVALID):
            session.derive(Mechanism(CKM.SSL3_KEY_AND_MAC_DERIVE, parameters), master, wanted)
