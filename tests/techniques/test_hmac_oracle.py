"""HMAC by C_Sign rebuilds the PRF of TLS 1.2 and HKDF-Expand; TLS 1.0's halves are out of its reach."""

import pytest

from ..modules import RealModule
from .harness import classic, real, separated
from .rebuilt import LENIENT, assert_refused, assert_whole, by, of


def test_a_tls12_master_secret_that_signs_gives_its_key_block() -> None:
    found = of(classic("hmac-oracle", quirks=LENIENT), "TLS 1.2")
    assert {finding.mechanism for finding in found} == {"CKM_SHA256_HMAC", "CKM_SHA256_HMAC_GENERAL"}
    assert_whole(found)
    gcm, cbc = by(found, "CKM_SHA256_HMAC")
    assert [call.function for call in gcm.trace] == ["C_SignInit", "C_Sign"] * 2
    assert cbc.calls == 2 * 8  # A(1) to A(4), and a block of each


def test_suites_with_other_hashes_are_rebuilt_with_theirs() -> None:
    found = classic("hmac-oracle", quirks=LENIENT, suites=("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",))
    tls12 = of(found, "TLS 1.2")
    assert {finding.mechanism for finding in tls12} == {"CKM_SHA384_HMAC", "CKM_SHA384_HMAC_GENERAL"}
    assert all((finding.recovered_bytes, finding.total_bytes) == (64, 64) for finding in tls12)


def test_wtls_is_p_hash_too() -> None:
    assert_whole(of(classic("hmac-oracle"), "WTLS"))


def test_the_allowed_mechanisms_of_a_tls12_master_secret_refuse() -> None:
    assert_refused(of(classic("hmac-oracle"), "TLS 1.2"), "CKR_KEY_FUNCTION_NOT_PERMITTED")


def test_an_hkdf_key_is_no_hmac_key() -> None:
    assert_refused(of(classic("hmac-oracle"), "TLS 1.3"), "CKR_KEY_TYPE_INCONSISTENT")


def test_tls10_is_never_aimed_at() -> None:
    assert not of(classic("hmac-oracle"), "TLS 1.0", "SSL 3.0")


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("hmac-oracle"))


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    found = real(nss, "hmac-oracle")
    assert_whole(by(found, "CKM_SHA256_HMAC"))
    assert_refused(by(found, "CKM_SHA256_HMAC_GENERAL"), "CKR_MECHANISM_PARAM_INVALID", "CKR_KEY_TYPE_INCONSISTENT")
