"""HKDF: RFC 5869 Appendix A, the simple handshake of RFC 8448 §3, OpenSSL, and HkdfLabel's strictness."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.schedule import BadHkdfLabel, HkdfLabel, PrfHash
from keyfence.schedule.hkdf import (
    derive_secret,
    expand,
    expand_label,
    exporter13,
    extract,
    finished,
    finished_key,
    next_traffic_secret,
    traffic_iv,
    traffic_key,
)

from .openssl import DIGESTS, hkdf, tls13_kdf

SHA256 = PrfHash.SHA256


def test_rfc5869_a1() -> None:
    prk = extract(SHA256, bytes(range(13)), b"\x0b" * 22)
    assert prk.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    assert expand(SHA256, prk, bytes(range(0xF0, 0xFA)), 42).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_rfc5869_a2() -> None:
    prk = extract(SHA256, bytes(range(0x60, 0xB0)), bytes(range(0x50)))
    assert prk.hex() == "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244"
    assert expand(SHA256, prk, bytes(range(0xB0, 0x100)), 82).hex() == (
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
    )


def test_rfc5869_a3() -> None:
    prk = extract(SHA256, b"", b"\x0b" * 22)
    assert prk.hex() == "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"
    assert expand(SHA256, prk, b"", 42).hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def test_rfc8448_simple_handshake() -> None:
    early = extract(SHA256, b"", bytes(32))
    assert early.hex() == "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"
    salt = derive_secret(SHA256, early, b"derived", b"")
    assert salt.hex() == "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba"
    shared = bytes.fromhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d")
    handshake = extract(SHA256, salt, shared)
    assert handshake.hex() == "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"
    hellos = bytes.fromhex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8")
    client = expand_label(SHA256, handshake, b"c hs traffic", hellos, 32)
    assert client.hex() == "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"
    server = expand_label(SHA256, handshake, b"s hs traffic", hellos, 32)
    assert server.hex() == "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"
    assert finished_key(SHA256, client).hex() == "b80ad01015fb2f0bd65ff7d4da5d6bf83f84821d1f87fdc7d3c75b5a7b42d9c4"
    assert finished_key(SHA256, server).hex() == "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8"
    master = extract(SHA256, derive_secret(SHA256, handshake, b"derived", b""), bytes(32))
    assert master.hex() == "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"


@pytest.mark.parametrize(
    ("secret", "key", "iv"),
    [
        (
            "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
            "dbfaa693d1762c5b666af5d950258d01",
            "5bd3c71b836e0b76bb73265f",
        ),
        (
            "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
            "3fce516009c21727d0f2e4e86ee403bc",
            "5d313eb2671276ee13000b30",
        ),
        (
            "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
            "17422dda596ed5d9acd890e3c63f5051",
            "5b78923dee08579033e523d9",
        ),
        (
            "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
            "9f02283b6c9c07efc26bb9f2ac92e356",
            "cf782b88dd83549aadf1e984",
        ),
    ],
)
def test_rfc8448_record_keys(secret: str, key: str, iv: str) -> None:
    assert traffic_key(SHA256, bytes.fromhex(secret), 16).hex() == key
    assert traffic_iv(SHA256, bytes.fromhex(secret)).hex() == iv


@settings(max_examples=20)
@given(
    st.sampled_from([PrfHash.SHA256, PrfHash.SHA384, PrfHash.SHA1]),
    st.binary(min_size=1, max_size=80),
    st.binary(min_size=1, max_size=80),
    st.binary(min_size=1, max_size=80),
    st.integers(1, 200),
)
def test_hkdf_is_openssls(prf_hash: PrfHash, key: bytes, salt: bytes, info: bytes, length: int) -> None:
    made = expand(prf_hash, extract(prf_hash, salt, key), info, length)
    assert made == hkdf(DIGESTS[prf_hash], key, salt, info, length)


@pytest.mark.parametrize("prf_hash", [PrfHash.SHA256, PrfHash.SHA384])
def test_labels_of_tls13_are_openssls(prf_hash: PrfHash) -> None:
    digest, size, secret = DIGESTS[prf_hash], prf_hash.digest_size, bytes(range(prf_hash.digest_size))
    assert traffic_key(prf_hash, secret, 32) == tls13_kdf(digest, secret, b"key", b"", 32)
    assert traffic_iv(prf_hash, secret) == tls13_kdf(digest, secret, b"iv", b"", 12)
    assert next_traffic_secret(prf_hash, secret) == tls13_kdf(digest, secret, b"traffic upd", b"", size)
    key = tls13_kdf(digest, secret, b"finished", b"", size)
    assert finished(prf_hash, secret, b"messages") == prf_hash.hmac(key, prf_hash.digest(b"messages"))
    exporting = tls13_kdf(digest, secret, b"EXPORTER-Channel-Binding", prf_hash.digest(b""), size)
    assert exporter13(prf_hash, secret, b"EXPORTER-Channel-Binding", b"", 40) == tls13_kdf(
        digest, exporting, b"exporter", prf_hash.digest(b""), 40
    )


def test_an_expansion_has_255_digests() -> None:
    assert len(expand(SHA256, b"", b"", 255 * 32)) == 255 * 32
    with pytest.raises(ValueError, match="at most 8160 bytes"):
        expand(SHA256, b"", b"", 255 * 32 + 1)


def test_the_info_of_a_write_key() -> None:
    """As RFC 8448 §3 prints it."""
    assert HkdfLabel(16, b"key", b"").encode().hex() == "001009746c733133206b657900"


labels = st.builds(HkdfLabel, st.integers(0, 0xFFFF), st.binary(min_size=1, max_size=249), st.binary(min_size=0, max_size=255))


@given(labels)
def test_hkdf_labels_round_trip(label: HkdfLabel) -> None:
    assert HkdfLabel.parse(label.encode()) == label


@given(labels, st.binary(min_size=1, max_size=9))
def test_nothing_may_follow_an_hkdf_label(label: HkdfLabel, more: bytes) -> None:
    with pytest.raises(BadHkdfLabel, match="left over"):
        HkdfLabel.parse(label.encode() + more)


@given(labels, st.data())
def test_an_hkdf_label_may_not_end_early(label: HkdfLabel, data: st.DataObject) -> None:
    encoded = label.encode()
    with pytest.raises(BadHkdfLabel):
        HkdfLabel.parse(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@given(st.binary(max_size=40))
def test_whatever_parses_encodes_back(info: bytes) -> None:
    try:
        label = HkdfLabel.parse(info)
    except BadHkdfLabel:
        return
    assert label.encode() == info


def test_an_hkdf_label_begins_tls13() -> None:
    with pytest.raises(BadHkdfLabel, match="tls13"):
        HkdfLabel.parse(b"\0\x10\x09dtls13key\0")
    with pytest.raises(BadHkdfLabel, match="1 to 249"):
        HkdfLabel.parse(b"\0\x10\x06tls13 \0")


@pytest.mark.parametrize(
    ("length", "label", "context"),
    [(-1, b"key", b""), (0x10000, b"key", b""), (16, b"", b""), (16, bytes(250), b""), (16, b"key", bytes(256))],
)
def test_values_that_no_hkdf_label_holds(length: int, label: bytes, context: bytes) -> None:
    with pytest.raises(BadHkdfLabel):
        HkdfLabel(length, label, context)
