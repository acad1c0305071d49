"""The registry's cipher suites: every name parses, and what follows from the names is what the RFCs say."""

import subprocess
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.cryptoki.constants import CKK, CKM
from keyfence.schedule import (
    SUITES,
    BadSuiteName,
    CipherSuite,
    Mode,
    PrfHash,
    Shape,
    UnknownSuite,
    Version,
    parse_name,
    parse_suite,
    suite,
)

TLS10, TLS11, TLS12, TLS13, SSL3 = Version.TLS10, Version.TLS11, Version.TLS12, Version.TLS13, Version.SSL3


def test_the_registry_is_whole() -> None:
    """340 names by now: 335 of TLS 1.2 and before, five of RFC 8446; each code point and name once."""
    assert len(SUITES) == len({s.code for s in SUITES}) == len({s.name for s in SUITES}) == 340
    assert [s.code for s in SUITES] == sorted(s.code for s in SUITES)
    assert [s.name for s in SUITES if s.min_version is TLS13] == [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ]


def test_families_are_as_large_as_their_rfcs_make_them() -> None:
    """RFC 6209 (ARIA), RFC 4162 (SEED), RFC 7905 (ChaCha20), RFC 9189 (GOST), RFC 5054 (SRP), RFC 2712 (Kerberos)."""
    families = Counter(s.cipher.algorithm for s in SUITES if s.max_version is not TLS13)
    assert families["ARIA"] == 54
    assert families["SEED"] == 6
    assert families["CHACHA20"] == 7
    assert families["IDEA"] == 3
    assert families["KUZNYECHIK"] == families["MAGMA"] == families["28147"] == 1
    assert sum(s.export for s in SUITES) == 15
    assert Counter(s.key_exchange for s in SUITES)["SRP"] == 9
    assert Counter(s.key_exchange for s in SUITES)["KRB5"] == 14


@pytest.mark.parametrize("each", SUITES, ids=str)
def test_every_suite_has_a_shape_in_each_of_its_versions(each: CipherSuite) -> None:
    for version in Version:
        if not each.supports(version):
            with pytest.raises(ValueError, match="does not negotiate"):
                each.shape(version)
        elif version is not TLS13:
            shape = each.shape(version)
            assert shape.key == each.cipher.material <= each.cipher.key
            assert (shape.mac == 0) == (each.is_aead or each.code == 0)
    assert each.is_aead == (each.cipher.tag > 0)
    assert (each.ckk is None) == (each.cipher.algorithm in ("NULL", "KUZNYECHIK", "MAGMA", "28147"))
    assert each.export == (each.cipher.material == 5)


@pytest.mark.parametrize(
    ("name", "version", "shape", "record_iv", "block", "tag", "ckk", "ckm", "prf_hash"),
    [
        # RFC 5246 Appendix C, RFC 2246 Appendix C
        ("TLS_RSA_WITH_NULL_SHA256", TLS12, Shape(32, 0, 0), 0, 1, 0, None, None, PrfHash.SHA256),
        ("TLS_RSA_WITH_RC4_128_MD5", TLS10, Shape(16, 16, 0), 0, 1, 0, CKK.RC4, CKM.RC4, PrfHash.SHA256),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", SSL3, Shape(20, 24, 8), 0, 8, 0, CKK.DES3, CKM.DES3_CBC, PrfHash.SHA256),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", TLS10, Shape(20, 16, 16), 0, 16, 0, CKK.AES, CKM.AES_CBC, PrfHash.SHA256),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", TLS11, Shape(20, 16, 0), 16, 16, 0, CKK.AES, CKM.AES_CBC, PrfHash.SHA256),
        ("TLS_RSA_WITH_AES_256_CBC_SHA256", TLS12, Shape(32, 32, 0), 16, 16, 0, CKK.AES, CKM.AES_CBC, PrfHash.SHA256),
        ("TLS_RSA_WITH_DES_CBC_SHA", TLS10, Shape(20, 8, 8), 0, 8, 0, CKK.DES, CKM.DES_CBC, PrfHash.SHA256),
        ("TLS_RSA_WITH_IDEA_CBC_SHA", TLS11, Shape(20, 16, 0), 8, 8, 0, CKK.IDEA, CKM.IDEA_CBC, PrfHash.SHA256),
        # RFC 2246 §6.3.1: key material 5 bytes, no IV in the key block
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", TLS10, Shape(16, 5, 0), 0, 1, 0, CKK.RC4, CKM.RC4, PrfHash.SHA256),
        ("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", TLS10, Shape(16, 5, 0), 0, 8, 0, CKK.RC2, CKM.RC2_CBC, PrfHash.SHA256),
        ("TLS_DHE_DSS_EXPORT_WITH_DES40_CBC_SHA", SSL3, Shape(20, 5, 0), 0, 8, 0, CKK.DES, CKM.DES_CBC, PrfHash.SHA256),
        ("TLS_KRB5_EXPORT_WITH_DES_CBC_40_MD5", TLS10, Shape(16, 5, 0), 0, 8, 0, CKK.DES, CKM.DES_CBC, PrfHash.SHA256),
        # RFC 5288, RFC 5289, RFC 6655, RFC 7251, RFC 7905
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", TLS12, Shape(0, 32, 4), 8, 16, 16, CKK.AES, CKM.AES_GCM, PrfHash.SHA384),
        (
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
            TLS12,
            Shape(48, 32, 0),
            16,
            16,
            0,
            CKK.AES,
            CKM.AES_CBC,
            PrfHash.SHA384,
        ),
        ("TLS_PSK_DHE_WITH_AES_256_CCM_8", TLS12, Shape(0, 32, 4), 8, 16, 8, CKK.AES, CKM.AES_CCM, PrfHash.SHA256),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM", TLS12, Shape(0, 16, 4), 8, 16, 16, CKK.AES, CKM.AES_CCM, PrfHash.SHA256),
        (
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            TLS12,
            Shape(0, 32, 12),
            0,
            1,
            16,
            CKK.CHACHA20,
            CKM.CHACHA20_POLY1305,
            PrfHash.SHA256,
        ),
        # RFC 6209, RFC 6367, RFC 4162
        ("TLS_RSA_WITH_ARIA_128_GCM_SHA256", TLS12, Shape(0, 16, 4), 8, 16, 16, CKK.ARIA, None, PrfHash.SHA256),
        (
            "TLS_ECDH_RSA_WITH_CAMELLIA_256_CBC_SHA384",
            TLS12,
            Shape(48, 32, 0),
            16,
            16,
            0,
            CKK.CAMELLIA,
            CKM.CAMELLIA_CBC,
            PrfHash.SHA384,
        ),
        ("TLS_DH_anon_WITH_SEED_CBC_SHA", TLS10, Shape(20, 16, 16), 0, 16, 0, CKK.SEED, CKM.SEED_CBC, PrfHash.SHA256),
        # RFC 5487: SHA-2 with PSK, in TLS 1.0 already
        ("TLS_DHE_PSK_WITH_NULL_SHA384", TLS10, Shape(48, 0, 0), 0, 1, 0, None, None, PrfHash.SHA384),
        ("TLS_PSK_WITH_AES_128_CBC_SHA256", TLS10, Shape(32, 16, 16), 0, 16, 0, CKK.AES, CKM.AES_CBC, PrfHash.SHA256),
        # RFC 9189
        ("TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC", TLS12, Shape(32, 32, 8), 0, 16, 0, None, None, None),
        ("TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC", TLS12, Shape(32, 32, 4), 0, 8, 0, None, None, None),
        ("TLS_GOSTR341112_256_WITH_28147_CNT_IMIT", TLS12, Shape(32, 32, 8), 0, 8, 0, None, None, None),
    ],
)
def test_what_the_rfcs_say(
    name: str,
    version: Version,
    shape: Shape,
    record_iv: int,
    block: int,
    tag: int,
    ckk: CKK | None,
    ckm: CKM | None,
    prf_hash: PrfHash | None,
) -> None:
    found = suite(name)
    assert found.shape(version) == shape
    assert found.record_iv(version) == record_iv
    assert (found.cipher.block, found.cipher.tag) == (block, tag)
    assert (found.ckk, found.ckm) == (ckk, ckm)
    assert found.prf_hash is prf_hash


@pytest.mark.parametrize(
    ("name", "key_exchange", "authentication", "minimum", "maximum"),
    [
        ("TLS_NULL_WITH_NULL_NULL", "NULL", "NULL", SSL3, TLS12),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", "RSA", "RSA", SSL3, TLS12),
        ("TLS_DH_anon_EXPORT_WITH_RC4_40_MD5", "DH", "anon", SSL3, TLS10),
        ("TLS_DHE_RSA_WITH_DES_CBC_SHA", "DHE", "RSA", SSL3, TLS11),
        ("TLS_SRP_SHA_DSS_WITH_AES_256_CBC_SHA", "SRP", "DSS", SSL3, TLS12),
        ("TLS_SRP_SHA_WITH_AES_256_CBC_SHA", "SRP", "SRP", SSL3, TLS12),
        ("TLS_RSA_PSK_WITH_NULL_SHA", "RSA", "PSK", SSL3, TLS12),
        ("TLS_PSK_DHE_WITH_AES_128_CCM_8", "DHE", "PSK", TLS12, TLS12),
        ("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "ECDHE", "ECDSA", TLS10, TLS12),
        ("TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256", "ECDH", "RSA", TLS12, TLS12),
        ("TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384", "ECDHE", "PSK", TLS10, TLS12),
        ("TLS_ECCPWD_WITH_AES_256_CCM_SHA384", "ECCPWD", "ECCPWD", TLS12, TLS12),
        ("TLS_CHACHA20_POLY1305_SHA256", None, None, TLS13, TLS13),
    ],
)
def test_exchange_and_versions(
    name: str, key_exchange: str | None, authentication: str | None, minimum: Version, maximum: Version
) -> None:
    found = suite(name)
    assert (found.key_exchange, found.authentication) == (key_exchange, authentication)
    assert (found.min_version, found.max_version) == (minimum, maximum)


def test_code_points_and_first_versions_are_openssls() -> None:
    """What `openssl ciphers -V` prints: code point, name, first version."""
    everything = ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    lines = subprocess.run(everything, capture_output=True, check=True, text=True).stdout.splitlines()
    first = {"SSLv3": SSL3, "TLSv1": TLS10, "TLSv1.2": TLS12, "TLSv1.3": TLS13}
    assert len(lines) > 100
    for code, _, name, _, _, version, *_ in map(str.split, lines):
        high, low = (int(byte, 16) for byte in code.split(","))
        found = suite(high << 8 | low)
        assert (found.name, found.min_version) == (_registered(name), first[version]), code


def _registered(name: str) -> str:
    """OpenSSL swaps what RFC 6655 spells PSK_DHE."""
    swapped = name.replace("TLS_DHE_PSK_WITH_AES", "TLS_PSK_DHE_WITH_AES")
    return swapped if swapped.endswith("_CCM_8") else name


def test_tls13_has_a_nonce_but_no_key_block() -> None:
    found = suite("TLS_AES_128_CCM_8_SHA256")
    assert (found.fixed_iv(TLS13), found.record_iv(TLS13), found.cipher.tag) == (12, 0, 8)
    with pytest.raises(ValueError, match="no key block"):
        found.shape(TLS13)


def test_mac_mechanisms_by_version() -> None:
    assert suite("TLS_RSA_WITH_RC4_128_MD5").ckm_mac(SSL3) is CKM.SSL3_MD5_MAC
    assert suite("TLS_RSA_WITH_AES_128_CBC_SHA").ckm_mac(SSL3) is CKM.SSL3_SHA1_MAC
    assert suite("TLS_RSA_WITH_AES_128_CBC_SHA").ckm_mac(TLS12) is CKM.SHA_1_HMAC
    assert suite("TLS_RSA_WITH_AES_128_GCM_SHA256").ckm_mac(TLS12) is None


@given(st.sampled_from(SUITES))
def test_a_suite_is_found_by_name_number_and_text(each: CipherSuite) -> None:
    assert suite(each.name) is suite(each.name.lower()) is suite(each.code) is suite(f"0x{each.code:04x}") is each
    assert parse_suite(each.code, each.name) == each


def test_unknown_suites() -> None:
    with pytest.raises(UnknownSuite, match="near it: TLS_RSA_WITH_AES_128_GCM_SHA256"):
        suite("TLS_RSA_WITH_AES_128_GCM_SHA255")
    with pytest.raises(UnknownSuite, match=r"is called 'xyzzy'$"):
        suite("xyzzy")
    with pytest.raises(UnknownSuite, match="0x0060"):
        suite(0x0060)
    with pytest.raises(UnknownSuite, match="write it as 0xC02F"):
        suite("0xhello")


@pytest.mark.parametrize(
    "name",
    [
        "TLS_FALLBACK_SCSV",
        "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
        "TLS_RSA_WITH_AES_128_CBC",  # no MAC
        "TLS_RSA_WITH_AES_128_CBC_MD5SUM",
        "TLS_RSA_WITH_AES_CBC_SHA",  # AES says its length
        "TLS_RSA_WITH_SEED_128_CBC_SHA",  # SEED does not
        "TLS_RSA_WITH_RC4_SHA",
        "TLS_RSA_WITH_RC4_256_SHA",
        "TLS_RSA_WITH_SEED_GCM_SHA256",
        "TLS_RSA_WITH_RC4_40_MD5",  # 40 bits without EXPORT
        "TLS_RSA_EXPORT_WITH_RC4_128_MD5",  # EXPORT without 40 bits
        "TLS_DSS_WITH_AES_128_CBC_SHA",
        "TLS_AES_128_CBC_SHA256",  # no AEAD
        "TLS_AES_128_GCM",  # no hash
        "TLS_RSA_WITH_AES_128_GCM_SHA",
        "TLS_RSA_WITH_AES_128_CBC_OMAC",
        "TLS_GOSTR341112_256_WITH_MAGMA_CTR_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_NULL",
        "TLS_NULL_WITH_NULL_SHA",
        "SSL_RSA_WITH_RC4_128_MD5",
        "TLS_RSA_WITH_AES_128_CBC_SHA ",
        "",
    ],
)
def test_names_that_the_grammar_does_not_make(name: str) -> None:
    with pytest.raises(BadSuiteName):
        parse_name(name)


def test_names_outside_the_registry_parse_too() -> None:
    """mbed TLS's suite of the ECJPAKE draft, 0xC0FF, never registered."""
    assert parse_suite(0xC0FF, "TLS_ECJPAKE_WITH_AES_128_CCM_8").shape(TLS12) == Shape(0, 16, 4)


def test_modes() -> None:
    assert {mode for mode in Mode if mode.is_aead} == {Mode.GCM, Mode.CCM, Mode.POLY1305}
    assert str(suite(0xC02F)) == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert suite(0xC02F).mode is Mode.GCM
