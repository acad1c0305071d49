"""The PRFs: vectors published on the IETF TLS list, and OpenSSL's answer to random questions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki.constants import CKK, CKM
from keyfence.schedule import PrfHash, Version, p_hash, prf_tls10, prf_tls12, tls_prf

from .openssl import DIGESTS, tls1_prf

IETF_LIST_VECTORS = [
    (
        PrfHash.SHA256,
        "9bbe436ba940f017b17652849a71db35",
        "a0ba9f936cda311827a6f796ffd5198c",
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
        "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
        "87347b66",
    ),
    (
        PrfHash.SHA384,
        "b80b733d6ceefcdc71566ea48e5567df",
        "cd665cf6a8447dd6ff8b27555edb7465",
        "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0"
        "e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
        "9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070"
        "3d73e56f",
    ),
    (
        PrfHash.SHA512,
        "b0323523c1853599584d88568bbb05eb",
        "d4640e12e4bcdbfb437f03e6ae418ee5",
        "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc75c45"
        "e20eb40c1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fe"
        "c702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a845658dc9c3975"
        "45401d40b9f46c7a400ee1b8f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e6"
        "40d4d898",
    ),
]


@pytest.mark.parametrize(("prf_hash", "secret", "seed", "output"), IETF_LIST_VECTORS)
def test_tls12_prf_vectors(prf_hash: PrfHash, secret: str, seed: str, output: str) -> None:
    made = prf_tls12(prf_hash, bytes.fromhex(secret), b"test label", bytes.fromhex(seed), len(output) // 2)
    assert made.hex() == output


def test_tls10_prf_vector() -> None:
    made = prf_tls10(b"\xab" * 48, b"PRF Testvector", b"\xcd" * 64, 104)
    assert made.hex() == (
        "d3d4d1e349b5d515044666d51de32bab258cb521b6b053463e354832fd976754443bcf9a296519bc289abcbc1187e4eb"
        "d31e602353776c408aafb74cbc85eff69255f9788faa184cbb957a9819d84a5d7eb006eb459d3ae8de9810454b8b2d8f"
        "1afbc655a8c9a013"
    )


@settings(max_examples=20)
@given(st.binary(min_size=1, max_size=65), st.binary(min_size=1, max_size=64), st.integers(1, 200))
def test_tls10_prf_is_openssls(secret: bytes, seed: bytes, length: int) -> None:
    assert prf_tls10(secret, b"label", seed, length) == tls1_prf("MD5-SHA1", secret, b"label" + seed, length)


@settings(max_examples=30)
@given(
    st.sampled_from([PrfHash.SHA256, PrfHash.SHA384, PrfHash.SHA512]),
    st.binary(min_size=1, max_size=200),
    st.binary(min_size=1, max_size=64),
    st.integers(1, 200),
)
def test_tls12_prf_is_openssls(prf_hash: PrfHash, secret: bytes, seed: bytes, length: int) -> None:
    assert prf_tls12(prf_hash, secret, b"label", seed, length) == tls1_prf(DIGESTS[prf_hash], secret, b"label" + seed, length)


@given(st.sampled_from(PrfHash), st.binary(), st.binary(), st.integers(0, 100), st.integers(0, 100))
def test_a_shorter_output_is_a_prefix(prf_hash: PrfHash, secret: bytes, seed: bytes, a: int, b: int) -> None:
    short, long = sorted((a, b))
    assert p_hash(prf_hash, secret, seed, long)[:short] == p_hash(prf_hash, secret, seed, short)


@given(st.binary(), st.binary(), st.integers(0, 50))
def test_where_the_label_ends_does_not_show(secret: bytes, text: bytes, cut: int) -> None:
    assert prf_tls12(PrfHash.SHA256, secret, text[:cut], text[cut:], 32) == prf_tls12(PrfHash.SHA256, secret, b"", text, 32)


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 bytes"):
        p_hash(PrfHash.SHA256, b"", b"", -1)


def test_each_version_has_its_prf() -> None:
    assert tls_prf(Version.TLS11, None, b"s", b"l", b"x", 20) == prf_tls10(b"s", b"l", b"x", 20)
    assert tls_prf(Version.TLS12, PrfHash.SHA384, b"s", b"l", b"x", 20) == prf_tls12(PrfHash.SHA384, b"s", b"l", b"x", 20)
    with pytest.raises(ValueError, match="needs the cipher suite's PRF hash"):
        tls_prf(Version.TLS12, None, b"s", b"l", b"x", 20)
    for version in (Version.SSL3, Version.TLS13):
        with pytest.raises(ValueError, match="has no PRF"):
            tls_prf(version, PrfHash.SHA256, b"s", b"l", b"x", 20)


def test_hashes_know_their_numbers_in_pkcs11() -> None:
    assert (PrfHash.SHA1.ckm, PrfHash.SHA1.ckm_hmac, PrfHash.SHA1.ckk_hmac) == (
        CKM.SHA_1,
        CKM.SHA_1_HMAC,
        CKK.SHA_1_HMAC,
    )
    for prf_hash in PrfHash:
        assert PrfHash.of_mechanism(prf_hash.ckm) is prf_hash
        assert PrfHash.of_mechanism(prf_hash.ckm_hmac) is prf_hash
    with pytest.raises(ValueError, match="0x00001082"):
        PrfHash.of_mechanism(CKM.AES_CBC)
