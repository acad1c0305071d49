"""ECDSA, ECDH and their key derivations against RFC 6979, RFC 7748 and NIST's vectors; points with and without their DER."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKD, CKM, CKR
from keyfence.cryptoki.params import Iv
from keyfence.token.kernels import asymmetric, curves, digests, elliptic

h = bytes.fromhex


def private_key(params: bytes, value: str) -> dict[int, bytes]:
    return {CKA.EC_PARAMS: params, CKA.VALUE: h(value)}


# RFC 6979 appendices A.2.5 and A.2.7
P256_KEY = private_key(curves.P256, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
P521_KEY = private_key(
    curves.P521,
    "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466"
    "f6d8fbec67db89ec0c08b0e996b83538",
)
P256_POINT = h(
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
SAMPLES = {
    "P-256, SHA-1": (
        P256_KEY, CKM.ECDSA_SHA1, "sha1",
        "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32"
        "6d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb",
    ),
    "P-256, SHA-256": (
        P256_KEY, CKM.ECDSA_SHA256, "sha256",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    "P-256, SHA-512": (
        P256_KEY, CKM.ECDSA_SHA512, "sha512",
        "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00"
        "2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe",
    ),
    "P-521, SHA-512": (
        P521_KEY, CKM.ECDSA_SHA512, "sha512",
        "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931"
        "d7d4e8455cc91f9b15bf05ec36e377fa"
        "00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a"
        "20f8ccb1dccc43997f1ee0e44da4a67a",
    ),
}  # fmt: skip


def refused(call: object, *arguments: object) -> int:
    with pytest.raises(CryptokiError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.ckr


# Keys


def der_of_oid(dotted: str) -> bytes:
    """X.690 section 8.19."""
    first, second, *rest = map(int, dotted.split("."))
    body = bytearray([40 * first + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        body += bytes(reversed(groups))
    return bytes([6, len(body)]) + bytes(body)


@pytest.mark.parametrize("params", curves.CURVES, ids=lambda params: curves.CURVES[params].algorithm.name)
def test_a_curve_has_its_own_identifier(params: bytes) -> None:
    named = {
        der_of_oid(oid.dotted_string): ec.get_curve_for_oid(oid)
        for oid in vars(ec.EllipticCurveOID).values()
        if hasattr(oid, "dotted_string")
    }
    assert isinstance(curves.CURVES[params].algorithm, named[params])


def test_the_identifiers_of_the_montgomery_curves() -> None:
    assert der_of_oid("1.3.101.110") in curves.MONTGOMERY  # RFC 8410 section 3
    assert der_of_oid("1.3.101.111") in curves.MONTGOMERY
    assert der_of_oid("1.3.6.1.4.1.11591.15.1") in curves.MONTGOMERY


def test_the_public_half_of_a_private_key() -> None:
    public = asymmetric.ec_public_of(P256_KEY)
    assert public == {CKA.EC_PARAMS: curves.P256, CKA.EC_POINT: b"\x04\x41" + P256_POINT}


def test_a_long_point_has_a_long_length() -> None:
    point = asymmetric.ec_public_of(P521_KEY)[CKA.EC_POINT]
    assert (point[:4], len(point)) == (b"\x04\x81\x85\x04", 136)


@pytest.mark.parametrize("params", [*curves.CURVES, *curves.MONTGOMERY], ids=bytes.hex)
def test_a_pair_agrees_with_another(params: bytes) -> None:
    (public, private), (other_public, other_private) = asymmetric.generate_ec(params), asymmetric.generate_ec(params)
    asymmetric.check_ec_public(public)
    shared = asymmetric.ecdh(private, other_public[CKA.EC_POINT])
    assert shared == asymmetric.ecdh(other_private, public[CKA.EC_POINT])
    curve = curves.curve_of(params, "")
    assert len(shared) == curve.width
    bare = curves.bare(other_public[CKA.EC_POINT], curve)
    assert shared == asymmetric.ecdh(private, bare) == asymmetric.ecdh(private, curves.wrapped(bare))


def test_an_unknown_curve_is_not_supported() -> None:
    assert refused(asymmetric.generate_ec, der_of_oid("1.3.132.0.1")) == CKR.CURVE_NOT_SUPPORTED


@pytest.mark.parametrize(
    "key",
    [
        private_key(curves.P256, "00"),
        private_key(curves.P256, "ff" * 32),
        private_key(curves.X25519, "00" * 31),
    ],
    ids=["zero", "above the order", "short"],
)
def test_no_private_key_is(key: dict[int, bytes]) -> None:
    assert refused(asymmetric.ec_public_of, key) == CKR.ATTRIBUTE_VALUE_INVALID


OFF_CURVE = P256_POINT[:-1] + b"\x00"


@pytest.mark.parametrize(
    ("params", "point"),
    [(curves.P256, OFF_CURVE), (curves.P256, b"\x00"), (curves.P384, P256_POINT), (curves.X25519, bytes(31))],
    ids=["off the curve", "infinity", "another curve's", "short"],
)
def test_no_public_key_is_a_point(params: bytes, point: bytes) -> None:
    public = {CKA.EC_PARAMS: params, CKA.EC_POINT: point}
    assert refused(asymmetric.check_ec_public, public) == CKR.ATTRIBUTE_VALUE_INVALID


def test_a_compressed_point_is_a_point() -> None:
    compressed = bytes([2 + P256_POINT[-1] % 2]) + P256_POINT[1:33]
    asymmetric.check_ec_public({CKA.EC_PARAMS: curves.P256, CKA.EC_POINT: curves.wrapped(compressed)})
    own = private_key(curves.P256, "01")
    assert asymmetric.ecdh(own, compressed) == asymmetric.ecdh(own, P256_POINT) == P256_POINT[1:33]


# ECDSA


@pytest.mark.parametrize("name", SAMPLES)
def test_the_signature_of_rfc_6979_verifies_by_message_and_by_digest(name: str) -> None:
    key, number, hash_name, signature = SAMPLES[name]
    public = asymmetric.ec_public_of(key)
    digest = hashlib.new(hash_name, b"sample").digest()
    asymmetric.verify(Mechanism(number), public, b"sample", h(signature))
    asymmetric.verify(Mechanism(CKM.ECDSA), public, digest, h(signature))
    assert refused(asymmetric.verify, Mechanism(number), public, b"simple", h(signature)) == CKR.SIGNATURE_INVALID


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(curves.CURVES)), st.binary(min_size=1, max_size=64))
def test_a_digest_of_any_length_is_signed(params: bytes, digest: bytes) -> None:
    public, private = asymmetric.generate_ec(params)
    signature = asymmetric.sign(Mechanism(CKM.ECDSA), private, digest)
    curve = curves.CURVES[params]
    assert len(signature) == 2 * curve.order_width
    asymmetric.verify(Mechanism(CKM.ECDSA), public, digest, signature)
    if len(digest) < curve.order_width:
        asymmetric.verify(Mechanism(CKM.ECDSA), public, b"\0" + digest, signature)  # the same number


@pytest.mark.parametrize("row", [row for row in digests.DIGESTS if row.ecdsa is not None], ids=lambda row: row.name)
def test_every_hash_signs_its_digest(row: digests.Digest) -> None:
    signature = asymmetric.sign(Mechanism(row.ecdsa or 0), P256_KEY, b"m")
    asymmetric.verify(Mechanism(CKM.ECDSA), asymmetric.ec_public_of(P256_KEY), row.of(b"m"), signature)


def test_signing_is_refused() -> None:
    x25519 = asymmetric.generate_ec(curves.X25519)[1]
    assert refused(asymmetric.sign, Mechanism(CKM.EDDSA), P256_KEY, b"m") == CKR.MECHANISM_INVALID
    assert refused(elliptic.sign, Mechanism(CKM.EDDSA), P256_KEY, b"m") == CKR.MECHANISM_INVALID
    assert refused(asymmetric.sign, Mechanism(CKM.ECDSA, Iv(b"")), P256_KEY, b"m") == CKR.MECHANISM_PARAM_INVALID
    assert refused(asymmetric.sign, Mechanism(CKM.ECDSA), P256_KEY, b"") == CKR.DATA_LEN_RANGE
    assert refused(asymmetric.sign, Mechanism(CKM.ECDSA), P521_KEY, bytes(65)) == CKR.DATA_LEN_RANGE
    assert refused(asymmetric.sign, Mechanism(CKM.ECDSA), x25519, b"m") == CKR.KEY_TYPE_INCONSISTENT
    assert refused(asymmetric.sign, Mechanism(CKM.ECDSA), private_key(curves.P256, "00"), b"m") == CKR.KEY_TYPE_INCONSISTENT
    assert refused(asymmetric.sign, Mechanism(CKM.ECDSA), {CKA.MODULUS: b"n"}, b"m") == CKR.KEY_TYPE_INCONSISTENT


def test_verifying_is_refused() -> None:
    public = asymmetric.ec_public_of(P256_KEY)
    ecdsa = Mechanism(CKM.ECDSA)
    off = {**public, CKA.EC_POINT: OFF_CURVE}
    assert refused(asymmetric.verify, ecdsa, public, b"m", bytes(63)) == CKR.SIGNATURE_LEN_RANGE
    assert refused(asymmetric.verify, ecdsa, public, b"m", bytes(64)) == CKR.SIGNATURE_INVALID
    assert refused(asymmetric.verify, ecdsa, off, b"m", bytes(64)) == CKR.KEY_TYPE_INCONSISTENT
    assert refused(asymmetric.verify, Mechanism(CKM.EDDSA), public, b"m", bytes(64)) == CKR.MECHANISM_INVALID


# ECDH


def test_the_shared_secret_of_nists_first_p_256_vector() -> None:
    """CAVS "ECC CDH Primitive", P-256, count 0."""
    own = private_key(curves.P256, "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534")
    peer = h(
        "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
        "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"
    )
    expected = "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"
    assert asymmetric.ecdh(own, peer).hex() == expected
    assert asymmetric.ecdh(own, curves.wrapped(peer)).hex() == expected


def test_the_shared_secret_of_rfc_7748() -> None:
    """Section 6.1."""
    own = private_key(curves.X25519, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    bob = h("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    assert asymmetric.ec_public_of(own)[CKA.EC_POINT].hex() == (
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    )
    for point in (bob, curves.wrapped(bob)):
        assert asymmetric.ecdh(own, point).hex() == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"


@pytest.mark.parametrize(
    ("params", "point"),
    [(curves.P256, OFF_CURVE), (curves.P256, b""), (curves.X25519, bytes(32)), (curves.X25519, bytes(31))],
    ids=["off the curve", "nothing", "of small order", "short"],
)
def test_nothing_is_shared_with_a_point_that_is(params: bytes, point: bytes) -> None:
    _public, private = asymmetric.generate_ec(params)
    assert refused(asymmetric.ecdh, private, point) == CKR.MECHANISM_PARAM_INVALID


@pytest.mark.parametrize(
    ("kdf", "shared", "expected"),
    [
        (CKD.SHA1_KDF, "1c7d7b5f0597b03d06a018466ed1a93e30ed4b04dc64ccdd", "bf71dffd8f4d99223936beb46fee8ccc"),
        (CKD.SHA256_KDF, "96c05619d56c328ab95fe84b18264b08725b85e33fd34f08", "443024c3dae66b95e6f5670601558f71"),
    ],
    ids=str,
)
def test_the_x9_63_kdf_of_nists_first_vectors(kdf: CKD, shared: str, expected: str) -> None:
    """CAVS "ANSI X9.63-2001", no shared info, 128 bits."""
    assert asymmetric.ecdh_kdf(kdf, h(shared), b"", 16).hex() == expected


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=1, max_size=66), st.binary(max_size=20), st.integers(1, 100))
def test_the_two_kdfs_hash_in_two_orders(shared: bytes, info: bytes, length: int) -> None:
    counters = [count.to_bytes(4, "big") for count in range(1, 5)]
    x963 = b"".join(hashlib.sha384(shared + counter + info).digest() for counter in counters)
    sp800 = b"".join(hashlib.sha384(counter + shared + info).digest() for counter in counters)
    assert asymmetric.ecdh_kdf(CKD.SHA384_KDF, shared, info, length) == x963[:length]
    assert asymmetric.ecdh_kdf(CKD.SHA384_KDF_SP800, shared, info, length) == sp800[:length]


def test_no_kdf_cuts_from_the_leading_end() -> None:
    shared = bytes(range(32))
    assert asymmetric.ecdh_kdf(CKD.NULL, shared) == shared
    assert asymmetric.ecdh_kdf(CKD.NULL, shared, b"", 4) == bytes([28, 29, 30, 31])


@pytest.mark.parametrize(
    ("kdf", "info", "length", "ckr"),
    [
        (CKD.NULL, b"info", None, CKR.MECHANISM_PARAM_INVALID),
        (CKD.NULL, b"", 33, CKR.KEY_SIZE_RANGE),
        (CKD.NULL, b"", 0, CKR.KEY_SIZE_RANGE),
        (CKD.SHA1_KDF, b"", None, CKR.KEY_SIZE_RANGE),
        (CKD.CPDIVERSIFY_KDF, b"", 16, CKR.MECHANISM_PARAM_INVALID),
    ],
)
def test_a_kdf_refuses(kdf: CKD, info: bytes, length: int | None, ckr: CKR) -> None:
    assert refused(asymmetric.ecdh_kdf, kdf, bytes(32), info, length) == ckr
