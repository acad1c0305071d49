"""RSA: paddings taken apart with the bare power, schemes checked against the library, refusals of PKCS#11."""

import hashlib
from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKG, CKM, CKR
from keyfence.cryptoki.params import Iv, RsaOaep, RsaPss
from keyfence.token.kernels import asymmetric, digests, rsa, rsa_keys

RAW = Mechanism(CKM.RSA_X_509)
PKCS = Mechanism(CKM.RSA_PKCS)
DIGEST_INFO_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 section 9.2, note 1


@cache
def pair(bits: int = 1024) -> tuple[dict[int, bytes], dict[int, bytes]]:
    return asymmetric.generate_rsa(bits)


def refused(call: object, *arguments: object) -> int:
    with pytest.raises(CryptokiError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.ckr


# Keys


@pytest.mark.parametrize("bits", [1024, 1032, 2048])
def test_a_pair_has_the_size_asked_for_and_one_modulus(bits: int) -> None:
    public, private = pair(bits)
    n, e, d, p, q, dp, dq, qi = (int.from_bytes(private[a], "big") for a in (
        CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT, CKA.PRIME_1, CKA.PRIME_2,
        CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT,
    ))  # fmt: skip
    assert public == {CKA.MODULUS: private[CKA.MODULUS], CKA.PUBLIC_EXPONENT: b"\x01\x00\x01"}
    assert (n.bit_length(), p * q, e) == (bits, n, 65537)
    assert (e * d % (p - 1), e * d % (q - 1), qi * q % p) == (1, 1, 1)
    assert (dp, dq) == (d % (p - 1), d % (q - 1))
    assert all(value[0] for value in private.values())


def test_a_pair_with_exponent_three() -> None:
    public, _private = asymmetric.generate_rsa(1024, 3)
    assert public[CKA.PUBLIC_EXPONENT] == b"\x03"


@pytest.mark.parametrize(
    ("bits", "exponent", "ckr"),
    [(1023, 65537, CKR.KEY_SIZE_RANGE), (4097, 65537, CKR.KEY_SIZE_RANGE), (1024, 5, CKR.ATTRIBUTE_VALUE_INVALID)],
)
def test_no_pair_of(bits: int, exponent: int, ckr: CKR) -> None:
    assert refused(asymmetric.generate_rsa, bits, exponent) == ckr


def test_the_modulus_and_two_exponents_are_a_whole_key() -> None:
    _public, private = pair()
    bare = {a: private[a] for a in (CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT)}
    completed = asymmetric.complete_rsa(bare)
    assert {completed[CKA.PRIME_1], completed[CKA.PRIME_2]} == {private[CKA.PRIME_1], private[CKA.PRIME_2]}
    assert completed.keys() == private.keys()


@pytest.mark.parametrize("swap", [False, True])
def test_primes_stay_in_the_order_given(swap: bool) -> None:
    _public, private = pair()
    p, q = (int.from_bytes(private[a], "big") for a in (CKA.PRIME_1, CKA.PRIME_2))
    if swap:
        d = int.from_bytes(private[CKA.PRIVATE_EXPONENT], "big")
        parts = (q, p, d % (q - 1), d % (p - 1), pow(p, -1, q))
        names = (CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT)
        private = {**private, **{a: v.to_bytes(64, "big").lstrip(b"\0") for a, v in zip(names, parts, strict=True)}}
    assert asymmetric.complete_rsa(private) == private


def test_a_key_with_leading_zeros_is_the_same_key() -> None:
    _public, private = pair()
    assert asymmetric.complete_rsa({a: b"\0" + v for a, v in private.items()}) == private


def test_a_private_key_without_its_public_exponent_is_incomplete() -> None:
    _public, private = pair()
    without = {a: v for a, v in private.items() if a != CKA.PUBLIC_EXPONENT}
    assert refused(asymmetric.complete_rsa, without) == CKR.TEMPLATE_INCOMPLETE


@pytest.mark.parametrize(
    "attribute", [CKA.MODULUS, CKA.PRIVATE_EXPONENT, CKA.PRIME_2, CKA.EXPONENT_1, CKA.COEFFICIENT], ids=str
)
def test_numbers_that_do_not_fit_are_no_key(attribute: CKA) -> None:
    _public, private = pair()
    wrong = (int.from_bytes(private[attribute], "big") ^ 2).to_bytes(len(private[attribute]), "big")
    assert refused(asymmetric.complete_rsa, {**private, attribute: wrong}) == CKR.ATTRIBUTE_VALUE_INVALID


def test_attributes_that_are_no_rsa_key_are_another_type() -> None:
    public, private = pair()
    assert refused(asymmetric.sign, PKCS, public, b"data") == CKR.KEY_TYPE_INCONSISTENT
    assert refused(asymmetric.verify, PKCS, {CKA.EC_POINT: b""}, b"data", bytes(128)) == CKR.KEY_TYPE_INCONSISTENT
    even = {**private, CKA.PUBLIC_EXPONENT: b"\x02"}
    assert refused(asymmetric.encrypt, PKCS, even, b"data") == CKR.KEY_TYPE_INCONSISTENT


# Signatures


def test_pkcs_1_pads_a_digest_info_with_ones() -> None:
    """RFC 8017 section 9.2, undone with the bare public power: both ways of asking give one signature."""
    public, private = pair()
    info = DIGEST_INFO_SHA256 + hashlib.sha256(b"message").digest()
    signature = asymmetric.sign(Mechanism(CKM.SHA256_RSA_PKCS), private, b"message")
    encoded = b"\x00\x01" + b"\xff" * (128 - 3 - len(info)) + b"\x00" + info
    assert asymmetric.encrypt(RAW, public, signature) == encoded
    assert asymmetric.sign(PKCS, private, info) == signature
    assert asymmetric.sign(RAW, private, encoded) == signature
    for mechanism, data in ((Mechanism(CKM.SHA256_RSA_PKCS), b"message"), (PKCS, info), (RAW, encoded)):
        asymmetric.verify(mechanism, public, data, signature)


@pytest.mark.parametrize("row", digests.DIGESTS, ids=lambda row: row.name)
def test_every_hash_signs_as_the_library_verifies(row: digests.Digest) -> None:
    public, private = pair(2048)
    key = rsa_keys.load_public(public, "C_Verify")
    key.verify(asymmetric.sign(Mechanism(row.rsa_pkcs), private, b"m"), b"m", padding.PKCS1v15(), row.primitive())
    if row.rsa_pss is None or row.mgf is None:
        return
    parameters = RsaPss(row.mechanism, row.mgf, row.digest_size)
    message = asymmetric.sign(Mechanism(row.rsa_pss, parameters), private, b"m")
    digest = asymmetric.sign(Mechanism(CKM.RSA_PKCS_PSS, parameters), private, row.of(b"m"))
    pss = padding.PSS(padding.MGF1(row.primitive()), row.digest_size)
    for signature in (message, digest):
        key.verify(signature, b"m", pss, row.primitive())
        asymmetric.verify(Mechanism(row.rsa_pss, parameters), public, b"m", signature)
        asymmetric.verify(Mechanism(CKM.RSA_PKCS_PSS, parameters), public, row.of(b"m"), signature)


PSS = RsaPss(CKM.SHA256, CKG.MGF1_SHA256, 32)
SIGNING = {
    "PKCS": (PKCS, b"data"),
    "X.509": (RAW, b"data"),
    "a hash": (Mechanism(CKM.SHA1_RSA_PKCS), b"data"),
    "PSS of a digest": (Mechanism(CKM.RSA_PKCS_PSS, PSS), bytes(32)),
    "PSS of a message": (Mechanism(CKM.SHA256_RSA_PKCS_PSS, PSS), b"data"),
}


@pytest.mark.parametrize("name", SIGNING)
def test_a_signature_of_something_else_is_invalid(name: str) -> None:
    mechanism, data = SIGNING[name]
    public, private = pair()
    signature = asymmetric.sign(mechanism, private, data)
    other = bytes([data[0] ^ 1]) + data[1:]
    asymmetric.verify(mechanism, public, data, signature)
    assert refused(asymmetric.verify, mechanism, public, other, signature) == CKR.SIGNATURE_INVALID
    assert refused(asymmetric.verify, mechanism, public, data, b"\xff" * 128) == CKR.SIGNATURE_INVALID
    assert refused(asymmetric.verify, mechanism, public, data, signature[1:]) == CKR.SIGNATURE_LEN_RANGE


BAD_SIGNING = {
    "no signature": (Mechanism(CKM.RSA_PKCS_OAEP), b"", CKR.MECHANISM_INVALID),
    "PKCS with a parameter": (Mechanism(CKM.RSA_PKCS, Iv(b"")), b"", CKR.MECHANISM_PARAM_INVALID),
    "a hash with a parameter": (Mechanism(CKM.SHA256_RSA_PKCS, PSS), b"", CKR.MECHANISM_PARAM_INVALID),
    "X.509 with a parameter": (Mechanism(CKM.RSA_X_509, PSS), b"", CKR.MECHANISM_PARAM_INVALID),
    "PSS without one": (Mechanism(CKM.RSA_PKCS_PSS), b"", CKR.MECHANISM_PARAM_INVALID),
    "PSS of another hash": (Mechanism(CKM.SHA384_RSA_PKCS_PSS, PSS), b"", CKR.MECHANISM_PARAM_INVALID),
    "PSS of no hash": (
        Mechanism(CKM.RSA_PKCS_PSS, RsaPss(CKM.AES_ECB, 2, 32)), bytes(32), CKR.MECHANISM_PARAM_INVALID,
    ),
    "PSS without a mask": (
        Mechanism(CKM.RSA_PKCS_PSS, RsaPss(CKM.SHA256, 77, 32)), bytes(32), CKR.MECHANISM_PARAM_INVALID,
    ),
    "a salt that does not fit": (
        Mechanism(CKM.RSA_PKCS_PSS, RsaPss(CKM.SHA256, 2, 95)), bytes(32), CKR.MECHANISM_PARAM_INVALID,
    ),
    "half a digest": (Mechanism(CKM.RSA_PKCS_PSS, PSS), bytes(16), CKR.DATA_LEN_RANGE),
    "too much for PKCS": (PKCS, bytes(118), CKR.DATA_LEN_RANGE),
    "too much for X.509": (RAW, bytes(129), CKR.DATA_LEN_RANGE),
    "a number above the modulus": (RAW, b"\xff" * 128, CKR.DATA_INVALID),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_SIGNING)
def test_signing_is_refused_for(name: str) -> None:
    mechanism, data, ckr = BAD_SIGNING[name]
    assert refused(rsa.sign if name == "no signature" else asymmetric.sign, mechanism, pair()[1], data) == ckr


def test_the_largest_salt_and_the_largest_data_fit() -> None:
    public, private = pair()
    for mechanism, data in ((Mechanism(CKM.RSA_PKCS_PSS, RsaPss(CKM.SHA256, 2, 94)), bytes(32)), (PKCS, bytes(117))):
        asymmetric.verify(mechanism, public, data, asymmetric.sign(mechanism, private, data))


def test_a_key_too_short_for_its_hash() -> None:
    """512 bits hold no DigestInfo of SHA-512."""
    p, q = (1 << 255) + 95, (1 << 256) - 189
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = {CKA.MODULUS: p * q, CKA.PUBLIC_EXPONENT: 65537, CKA.PRIVATE_EXPONENT: d, CKA.PRIME_1: p, CKA.PRIME_2: q}
    short = {a: v.to_bytes(64, "big") for a, v in numbers.items()}
    assert refused(asymmetric.sign, Mechanism(CKM.SHA512_RSA_PKCS), short, b"m") == CKR.KEY_SIZE_RANGE


# Encryption


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=60))
def test_what_is_encrypted_decrypts(data: bytes) -> None:
    public, private = pair()
    oaep = Mechanism(CKM.RSA_PKCS_OAEP, RsaOaep(CKM.SHA_1, CKG.MGF1_SHA256, b"label"))
    for mechanism in (PKCS, oaep):
        assert asymmetric.decrypt(mechanism, private, asymmetric.encrypt(mechanism, public, data)) == data
    assert asymmetric.decrypt(RAW, private, asymmetric.encrypt(RAW, public, data)) == data.rjust(128, b"\0")


def test_oaep_is_the_librarys() -> None:
    public, private = pair()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA256(), None)
    theirs = rsa_keys.load_public(public, "").encrypt(b"pre-master", oaep)
    mechanism = Mechanism(CKM.RSA_PKCS_OAEP, RsaOaep(CKM.SHA256, CKG.MGF1_SHA1))
    assert asymmetric.decrypt(mechanism, private, theirs) == b"pre-master"


def test_a_pkcs_padding_undone_with_the_bare_power() -> None:
    """00 02, random bytes none of which is zero, 00, the data (RFC 8017 section 7.2.1)."""
    public, private = pair()
    padded = asymmetric.decrypt(RAW, private, asymmetric.encrypt(PKCS, public, b"pre-master"))
    assert (padded[:2], padded[-11:]) == (b"\x00\x02", b"\x00pre-master")
    assert 0 not in padded[2:-11]


OAEP = Mechanism(CKM.RSA_PKCS_OAEP, RsaOaep(CKM.SHA_1, CKG.MGF1_SHA1))
BAD_ENCRYPTING = {
    "no encryption": (Mechanism(CKM.RSA_PKCS_PSS, PSS), b"", CKR.MECHANISM_INVALID),
    "OAEP without a parameter": (Mechanism(CKM.RSA_PKCS_OAEP), b"", CKR.MECHANISM_PARAM_INVALID),
    "OAEP of no hash": (Mechanism(CKM.RSA_PKCS_OAEP, RsaOaep(0, 1)), b"", CKR.MECHANISM_PARAM_INVALID),
    "too much for PKCS": (PKCS, bytes(118), CKR.DATA_LEN_RANGE),
    "too much for OAEP": (OAEP, bytes(87), CKR.DATA_LEN_RANGE),
    "too much for X.509": (RAW, bytes(129), CKR.DATA_LEN_RANGE),
    "a number above the modulus": (RAW, b"\xff" * 128, CKR.DATA_INVALID),
}


@pytest.mark.parametrize("name", BAD_ENCRYPTING)
def test_encrypting_is_refused_for(name: str) -> None:
    mechanism, data, ckr = BAD_ENCRYPTING[name]
    assert refused(asymmetric.encrypt, mechanism, pair()[0], data) == ckr


@pytest.mark.parametrize(
    ("mechanism", "data", "ckr"),
    [
        (PKCS, bytes(127), CKR.ENCRYPTED_DATA_LEN_RANGE),
        (PKCS, b"\xff" * 128, CKR.ENCRYPTED_DATA_INVALID),
        (OAEP, bytes(128), CKR.ENCRYPTED_DATA_INVALID),
        (RAW, bytes(129), CKR.ENCRYPTED_DATA_LEN_RANGE),
        (RAW, b"\xff" * 128, CKR.ENCRYPTED_DATA_INVALID),
    ],
)
def test_decrypting_is_refused(mechanism: Mechanism, data: bytes, ckr: CKR) -> None:
    assert refused(asymmetric.decrypt, mechanism, pair()[1], data) == ckr
