"""HMAC and SSL 3.0's key block from keys made of keys."""

import pytest

from keyfence.cryptoki.constants import CKM
from keyfence.token import Quirks
from keyfence.token.quirks import Sensitivity

from ..modules import RealModule
from .harness import classic, real, separated
from .rebuilt import LENIENT, assert_refused, assert_whole, of


def test_ssl3_and_tls13_are_hashed_out_of_the_token() -> None:
    found = of(classic("hash-derive"), "SSL 3.0", "TLS 1.3", "WTLS")
    assert len(found) == 3
    assert_whole(found)


def test_tls12_where_allowed_mechanisms_are_not_honoured() -> None:
    assert_whole(of(classic("hash-derive", quirks=LENIENT), "TLS 1.2"))
    assert_refused(of(classic("hash-derive"), "TLS 1.2"), "CKR_KEY_FUNCTION_NOT_PERMITTED")


def test_sha384_has_a_longer_block() -> None:
    found = of(classic("hash-derive", suites=("TLS_AES_256_GCM_SHA384",)), "TLS 1.3")
    assert [(finding.recovered_bytes, finding.total_bytes) for finding in found] == [(32, 32)]


FORCED = Quirks(sensitivity=Sensitivity.FORCED)


def test_the_last_hash_may_be_a_digest_instead() -> None:
    found = of(classic("hash-derive", quirks=FORCED), "SSL 3.0", "TLS 1.3")
    assert_whole(found)
    assert all("C_DigestKey" in finding.steps[0] for finding in found)


def test_without_either_there_is_no_way_out() -> None:
    quirks = Quirks(sensitivity=Sensitivity.FORCED, digest_sensitive_keys=False)
    assert_refused(of(classic("hash-derive", quirks=quirks), "SSL 3.0", "TLS 1.3"))


def test_a_token_that_joins_no_keys_has_no_such_hash() -> None:
    found = of(classic("hash-derive", quirks=Quirks(without=frozenset({CKM.CONCATENATE_BASE_AND_KEY}))), "SSL 3.0")
    assert {str(finding.verdict) for finding in found} == {"ABSENT"}


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("hash-derive"))


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    assert_whole(real(nss, "hash-derive"))
