"""One row per hash, and no number in two rows."""

import hashlib

import pytest

from keyfence.cryptoki import CryptokiError
from keyfence.cryptoki.constants import CKD, CKG, CKK, CKM, CKR
from keyfence.token.kernels import digests

# "abc": RFC 1321 appendix A.5, FIPS 180-4 and FIPS 202 examples.
ABC = {
    CKM.MD5: "900150983cd24fb0d6963f7d28e17f72",
    CKM.SHA_1: "a9993e364706816aba3e25717850c26c9cd0d89d",
    CKM.SHA224: "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    CKM.SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    CKM.SHA384: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    CKM.SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    CKM.SHA3_224: "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    CKM.SHA3_256: "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    CKM.SHA3_384: "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    CKM.SHA3_512: "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
    "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
}


@pytest.mark.parametrize("number", ABC, ids=str)
def test_the_hash_of_abc(number: CKM) -> None:
    running = digests.new(number)
    running.update(b"a")
    running.update(b"bc")
    row = digests.BY_MECHANISM[number]
    assert running.hexdigest() == row.of(b"abc").hex() == ABC[number]
    assert (row.digest_size, row.block_size) == (running.digest_size, running.block_size)
    assert row.primitive().digest_size == row.digest_size


def test_every_row_is_tested() -> None:
    assert set(ABC) == set(digests.BY_MECHANISM)


def test_the_numbers_of_two_hashes() -> None:
    sha1, sha256 = digests.BY_MECHANISM[CKM.SHA_1], digests.BY_MECHANISM[CKM.SHA256]
    assert (sha1.hmac, sha1.hmac_general, sha1.hmac_key_type) == (CKM.SHA_1_HMAC, CKM.SHA_1_HMAC_GENERAL, CKK.SHA_1_HMAC)
    assert (sha1.key_derivation, sha1.rsa_pkcs, sha1.rsa_pss) == (
        CKM.SHA1_KEY_DERIVATION, CKM.SHA1_RSA_PKCS, CKM.SHA1_RSA_PKCS_PSS,
    )  # fmt: skip
    assert (sha1.mgf, sha1.kdf, sha1.kdf_sp800, sha1.ecdsa) == (
        CKG.MGF1_SHA1, CKD.SHA1_KDF, CKD.SHA1_KDF_SP800, CKM.ECDSA_SHA1,
    )  # fmt: skip
    assert (sha256.mechanism, sha256.hmac, sha256.key_derivation) == (0x250, 0x251, 0x393)
    assert (sha256.mgf, sha256.kdf, sha256.kdf_sp800) == (2, 6, 16)


def test_md5_has_no_pss_mgf_or_kdf() -> None:
    md5 = digests.BY_MECHANISM[CKM.MD5]
    assert (md5.rsa_pss, md5.ecdsa, md5.mgf, md5.kdf, md5.kdf_sp800) == (None,) * 5
    assert md5 not in digests.BY_MGF.values()


@pytest.mark.parametrize(
    ("table", "size"),
    [
        (digests.BY_HMAC, 10), (digests.BY_HMAC_GENERAL, 10), (digests.BY_KEY_DERIVATION, 10), (digests.BY_RSA_PKCS, 10),
        (digests.BY_RSA_PSS, 9), (digests.BY_ECDSA, 9), (digests.BY_MGF, 9), (digests.BY_KDF, 9), (digests.BY_KDF_SP800, 9),
    ],
)  # fmt: skip
def test_no_number_stands_for_two_hashes(table: dict[int, digests.Digest], size: int) -> None:
    assert len(table) == size


def test_an_hmac_is_no_digest() -> None:
    with pytest.raises(CryptokiError) as caught:
        digests.new(CKM.SHA256_HMAC)
    assert (caught.value.ckr, caught.value.function) == (CKR.MECHANISM_INVALID, "C_DigestInit")


def test_a_running_hash_can_be_copied() -> None:
    running = digests.new(CKM.SHA256)
    running.update(b"a")
    copy = running.copy()
    running.update(b"b")
    assert copy.digest() == hashlib.sha256(b"a").digest()
