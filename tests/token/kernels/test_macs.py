"""MACs against the vectors of their standards; the Finished value and NSS's PRFs against HMAC by hand."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKK, CKM, CKR
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_PRF_GENERAL, CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.params import MacGeneral, TlsMac
from keyfence.token.kernels import digests, macs

h = bytes.fromhex

AES_KEY = h("2b7e151628aed2a6abf7158809cf4f3c")
DES3_KEY = h("8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5")
TEXT = h(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
FIPS_113 = (CKK.DES, h("0123456789abcdef"), b"7654321 Now is the time for ")

VECTORS = {
    "RFC 2202 section 2, case 1": (
        CKM.MD5_HMAC, None, CKK.MD5_HMAC, b"\x0b" * 16, b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d",
    ),
    "RFC 2202 section 2, case 5, 96 bits": (
        CKM.MD5_HMAC_GENERAL, MacGeneral(12), CKK.GENERIC_SECRET, b"\x0c" * 16, b"Test With Truncation",
        "56461ef2342edc00f9bab995",
    ),
    "RFC 2202 section 3, case 1": (
        CKM.SHA_1_HMAC, None, CKK.GENERIC_SECRET, b"\x0b" * 20, b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00",
    ),
    "RFC 2202 section 3, case 6": (
        CKM.SHA_1_HMAC, None, CKK.SHA_1_HMAC, b"\xaa" * 80, b"Test Using Larger Than Block-Size Key - Hash Key First",
        "aa4ae5e15272d00e95705637ce8a3b55ed402112",
    ),
    "RFC 4231 case 1, SHA-224": (
        CKM.SHA224_HMAC, None, CKK.GENERIC_SECRET, b"\x0b" * 20, b"Hi There",
        "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
    ),
    "RFC 4231 case 1, SHA-256": (
        CKM.SHA256_HMAC, None, CKK.SHA256_HMAC, b"\x0b" * 20, b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    "RFC 4231 case 1, SHA-384": (
        CKM.SHA384_HMAC, None, CKK.GENERIC_SECRET, b"\x0b" * 20, b"Hi There",
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
    ),
    "RFC 4231 case 1, SHA-512": (
        CKM.SHA512_HMAC, None, CKK.GENERIC_SECRET, b"\x0b" * 20, b"Hi There",
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
        "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    ),
    "RFC 4231 case 5, 128 bits": (
        CKM.SHA256_HMAC_GENERAL, MacGeneral(16), CKK.GENERIC_SECRET, b"\x0c" * 20, b"Test With Truncation",
        "a3b6167473100ee06e0c796c2955552b",
    ),
    "RFC 4493 example 1": (CKM.AES_CMAC, None, CKK.AES, AES_KEY, b"", "bb1d6929e95937287fa37d129b756746"),
    "RFC 4493 example 2": (CKM.AES_CMAC, None, CKK.AES, AES_KEY, TEXT[:16], "070a16b46b4d4144f79bdd9dd04a287c"),
    "RFC 4493 example 3": (CKM.AES_CMAC, None, CKK.AES, AES_KEY, TEXT[:40], "dfa66747de9ae63030ca32611497c827"),
    "RFC 4493 example 4": (CKM.AES_CMAC, None, CKK.AES, AES_KEY, TEXT, "51f0bebf7e3b9d92fc49741779363cfe"),
    "RFC 4493 example 4, 40 bits": (CKM.AES_CMAC_GENERAL, MacGeneral(5), CKK.AES, AES_KEY, TEXT, "51f0bebf7e"),
    "SP 800-38B, TDEA, no data": (CKM.DES3_CMAC, None, CKK.DES3, DES3_KEY, b"", "b7a688e122ffaf95"),
    "SP 800-38B, TDEA, 20 bytes": (CKM.DES3_CMAC, None, CKK.DES3, DES3_KEY, TEXT[:20], "743ddbe0ce2dc2ed"),
    "SP 800-38B, TDEA, 32 bytes": (
        CKM.DES3_CMAC_GENERAL, MacGeneral(4), CKK.DES3, DES3_KEY, TEXT[:32], "33e6b109",
    ),
    "FIPS 113": (CKM.DES_MAC, None, *FIPS_113, "f1d30f68"),
    "FIPS 113, all of it": (CKM.DES_MAC_GENERAL, MacGeneral(8), *FIPS_113, "f1d30f6849312ca4"),
    "SP 800-38A F.2.1, one block under a zero IV": (CKM.AES_MAC, None, CKK.AES, AES_KEY, TEXT[:16], "3ad77bb40d7a3660"),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_the_standard_vector(name: str) -> None:
    number, parameters, key_type, key, data, expected = VECTORS[name]
    assert macs.mac(Mechanism(number, parameters), key_type, key, data).hex() == expected
    macs.verify(Mechanism(number, parameters), key_type, key, data, h(expected))


@pytest.mark.parametrize("row", digests.DIGESTS, ids=lambda row: row.name)
def test_hmac_is_two_hashes(row: digests.Digest) -> None:
    """RFC 2104 by hand, for the hashes that have no RFC of HMAC vectors too."""
    key = bytes(range(30)) + bytes(row.block_size - 30)
    inner = row.of(bytes(k ^ 0x36 for k in key) + b"data")
    expected = row.of(bytes(k ^ 0x5C for k in key) + inner)
    assert macs.mac(Mechanism(row.hmac), row.hmac_key_type, key[:30], b"data") == expected


@pytest.mark.parametrize(("number", "name", "pad"), [(CKM.SSL3_MD5_MAC, "md5", 48), (CKM.SSL3_SHA1_MAC, "sha1", 40)])
def test_the_mac_of_ssl_3_is_two_hashes(number: CKM, name: str, pad: int) -> None:
    """RFC 6101 section 5.2.3.1 by hand; a stream cipher's record carries all of it."""
    key, data = b"k" * 20, bytes(8) + b"\x17\x00\x05" + b"hello"
    inner = hashlib.new(name, key + b"\x36" * pad + data).digest()
    expected = hashlib.new(name, key + b"\x5c" * pad + inner).digest()
    for length in (4, len(expected)):
        mechanism = Mechanism(number, MacGeneral(length))
        assert macs.mac(mechanism, CKK.GENERIC_SECRET, key, data) == expected[:length]


def _p_hash(name: str, secret: bytes, seed: bytes) -> bytes:
    """32 bytes or more of P_hash (RFC 5246 section 5)."""
    first = hmac.digest(secret, seed, name)
    second = hmac.digest(secret, first, name)
    return hmac.digest(secret, first + seed, name) + hmac.digest(secret, second + seed, name)


def _prf_tls10(secret: bytes, seed: bytes) -> bytes:
    half = len(secret) // 2
    pair = zip(_p_hash("md5", secret[:half], seed), _p_hash("sha1", secret[half:], seed), strict=False)
    return bytes(a ^ b for a, b in pair)


@pytest.mark.parametrize("number", [CKM.TLS_MAC, CKM.TLS12_MAC], ids=str)
@pytest.mark.parametrize(("who", "label"), [(1, b"server finished"), (2, b"client finished")])
def test_a_finished_value(number: CKM, who: int, label: bytes) -> None:
    master, transcript = bytes(range(48)), b"t" * 36
    sha384 = Mechanism(number, TlsMac(CKM.SHA384, 12, who))
    assert macs.mac(sha384, CKK.GENERIC_SECRET, master, transcript) == _p_hash("sha384", master, label + transcript)[:12]
    tls10 = Mechanism(number, TlsMac(CKM.TLS_PRF, 20, who))
    assert macs.mac(tls10, CKK.GENERIC_SECRET, master, transcript) == _prf_tls10(master, label + transcript)[:20]


@given(st.binary(min_size=2, max_size=64).map(lambda b: b[: len(b) // 2 * 2]), st.binary(max_size=80), st.integers(1, 32))
@settings(max_examples=40, deadline=None)
def test_the_prfs_of_nss_sign_label_and_seed_as_one(secret: bytes, data: bytes, length: int) -> None:
    tls10 = macs.prf_sign(Mechanism(CKM_NSS_TLS_PRF_GENERAL), secret, data, length)
    sha256 = macs.prf_sign(Mechanism(CKM_NSS_TLS_PRF_GENERAL_SHA256), secret, data, length)
    assert tls10 == _prf_tls10(secret, data)[:length]
    assert sha256 == _p_hash("sha256", secret, data)[:length]


def _refused(mechanism: Mechanism, key_type: int, key: bytes, data: bytes = b"data") -> int:
    with pytest.raises(CryptokiError) as caught:
        macs.mac(mechanism, key_type, key, data)
    assert caught.value.function == "C_Sign"
    return caught.value.ckr


SECRET = CKK.GENERIC_SECRET
BAD_CALLS = {
    "no MAC": (CKM.SHA256, None, SECRET, 32, CKR.MECHANISM_INVALID),
    "a length nobody asked for": (CKM.SHA256_HMAC, MacGeneral(16), SECRET, 32, CKR.MECHANISM_PARAM_INVALID),
    "no length": (CKM.SHA256_HMAC_GENERAL, None, SECRET, 32, CKR.MECHANISM_PARAM_INVALID),
    "no byte": (CKM.SHA256_HMAC_GENERAL, MacGeneral(0), SECRET, 32, CKR.MECHANISM_PARAM_INVALID),
    "more than there is": (CKM.SHA256_HMAC_GENERAL, MacGeneral(33), SECRET, 32, CKR.MECHANISM_PARAM_INVALID),
    "an AES key for HMAC": (CKM.SHA256_HMAC, None, CKK.AES, 32, CKR.KEY_TYPE_INCONSISTENT),
    "another hash's key": (CKM.SHA256_HMAC, None, CKK.SHA384_HMAC, 32, CKR.KEY_TYPE_INCONSISTENT),
    "an empty key": (CKM.SHA256_HMAC, None, SECRET, 0, CKR.KEY_SIZE_RANGE),
    "a long AES key": (CKM.AES_CMAC, None, CKK.AES, 33, CKR.KEY_SIZE_RANGE),
    "Finished by nobody": (CKM.TLS_MAC, TlsMac(CKM.SHA256, 12, 0), SECRET, 48, CKR.MECHANISM_PARAM_INVALID),
    "Finished of no bytes": (CKM.TLS_MAC, TlsMac(CKM.SHA256, 0, 1), SECRET, 48, CKR.MECHANISM_PARAM_INVALID),
    "Finished with no hash": (CKM.TLS12_MAC, TlsMac(CKM.AES_ECB, 12, 1), SECRET, 48, CKR.MECHANISM_PARAM_INVALID),
    "Finished with no parameter": (CKM.TLS12_MAC, None, SECRET, 48, CKR.MECHANISM_PARAM_INVALID),
    "Finished with an AES key": (CKM.TLS12_MAC, TlsMac(CKM.SHA256, 12, 1), CKK.AES, 32, CKR.KEY_TYPE_INCONSISTENT),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_refused(name: str) -> None:
    number, parameters, key_type, key_length, ckr = BAD_CALLS[name]
    assert _refused(Mechanism(number, parameters), key_type, bytes(key_length)) == ckr


def test_cbc_mac_of_no_data_is_refused() -> None:
    assert _refused(Mechanism(CKM.AES_MAC), CKK.AES, bytes(16), b"") == CKR.DATA_LEN_RANGE


@pytest.mark.parametrize(
    ("signature", "ckr"), [(bytes(31), CKR.SIGNATURE_LEN_RANGE), (bytes(32), CKR.SIGNATURE_INVALID)], ids=["short", "wrong"]
)
def test_verify_refuses_a_signature_that_is(signature: bytes, ckr: CKR) -> None:
    with pytest.raises(CryptokiError) as caught:
        macs.verify(Mechanism(CKM.SHA256_HMAC), CKK.GENERIC_SECRET, bytes(32), b"data", signature)
    assert (caught.value.ckr, caught.value.function) == (ckr, "C_Verify")


@pytest.mark.parametrize(
    ("number", "length", "ckr"),
    [(CKM.SHA256_HMAC, 32, CKR.MECHANISM_INVALID), (CKM_NSS_TLS_PRF_GENERAL, 0, CKR.DATA_LEN_RANGE)],
)
def test_prf_sign_refuses(number: int, length: int, ckr: CKR) -> None:
    with pytest.raises(CryptokiError) as caught:
        macs.prf_sign(Mechanism(number), bytes(48), b"label and seed", length)
    assert caught.value.ckr == ckr
