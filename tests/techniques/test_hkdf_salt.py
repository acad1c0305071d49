"""A victim's secret as HKDF's salt key."""

import pytest

from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, real, separated
from .rebuilt import LENIENT, assert_refused, assert_whole, of


def test_tls13_in_one_call_of_hkdf() -> None:
    found = of(classic("hkdf-salt"), "TLS 1.3")
    assert {finding.mechanism for finding in found} == {"CKM_HKDF_DERIVE", "CKM_HKDF_DATA"}
    assert_whole(found)
    assert all([call.function for call in finding.trace].count("C_DeriveKey") == 1 for finding in found)


def test_tls12_in_two_calls_per_digest() -> None:
    found = of(classic("hkdf-salt", quirks=LENIENT), "TLS 1.2")
    assert_whole(found)
    assert [[call.function for call in finding.trace].count("C_DeriveKey") for finding in found] == [2, 2, 8, 8]


def test_a_token_that_takes_no_salt_key_refuses() -> None:
    assert_refused(of(classic("hkdf-salt", quirks=Quirks(salt_keys=False)), "TLS 1.3"), "CKR_MECHANISM_PARAM_INVALID")


def test_the_operands_allowed_mechanisms_count() -> None:
    assert_refused(of(classic("hkdf-salt"), "TLS 1.2"), "CKR_KEY_FUNCTION_NOT_PERMITTED")


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("hkdf-salt"))


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    assert_whole(real(nss, "hkdf-salt"))
