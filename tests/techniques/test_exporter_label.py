"""Exporters under TLS's own labels, and the same PRF input without naming one."""

import pytest

from keyfence.audit import Verdict
from keyfence.token import Quirks
from keyfence.token.quirks import Randoms

from ..modules import RealModule
from .harness import classic, exposed, real, separated
from .rebuilt import assert_refused, assert_whole, by, of

GCM = ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",)


def test_the_key_block_grows_a_byte_at_a_time_where_keys_stay_sensitive() -> None:
    found = classic("exporter-label")
    assert {finding.mechanism for finding in found} == {"CKM_TLS_KDF", "CKM_TLS12_KDF"}
    assert_whole(found)
    assert {finding.work_bits for finding in found} == {8}
    gcm = of(found, "TLS 1.2")[0]
    assert len(gcm.steps) == 32
    assert '"key expansion"' in gcm.steps[0]
    assert "CKA_VALUE_LEN=31" in gcm.steps[-2]
    assert gcm.steps[-1].startswith("search against a record")  # cheaper by a call than a last key


def test_a_check_of_the_label_alone_is_passed_with_randoms_of_other_lengths() -> None:
    found = of(classic("exporter-label", quirks=Quirks(reserved_labels=False)), "TLS 1.2")
    assert_whole(found)
    assert all("label 1 bytes" in finding.steps[0] for finding in found)


def test_a_check_of_label_and_randoms_refuses() -> None:
    found = classic("exporter-label", quirks=Quirks(reserved_labels=False, randoms=Randoms.EXACT))
    assert_refused(found, "CKR_MECHANISM_PARAM_INVALID")


def test_cutting_randoms_short_does_not_help_where_they_may_be_shorter() -> None:
    found = classic("exporter-label", quirks=Quirks(reserved_labels=False, randoms=Randoms.TRUNCATE))
    assert_whole(found)
    assert all("label 14 bytes, randoms of 31 and 32 bytes" in finding.steps[0] for finding in found)


def test_keys_of_at_least_two_bytes_are_searched_by_two() -> None:
    found = by(of(classic("exporter-label", quirks=Quirks(min_derived=2), suites=GCM), "TLS 1.2"), "CKM_TLS12_KDF")
    assert_whole(found)
    assert found[0].work_bits == 16


def test_what_is_too_long_to_search_is_priced_and_not_claimed_as_recovered() -> None:
    found = by(of(classic("exporter-label", quirks=Quirks(min_derived=5), suites=GCM), "TLS 1.2"), "CKM_TLS12_KDF")
    assert [finding.verdict for finding in found] == [Verdict.EXPOSED]
    assert (found[0].work_bits, found[0].recovered_bytes) == (40, 0)


def test_the_separated_token_refuses() -> None:
    found = separated("exporter-label")
    assert {finding.mechanism for finding in found} == {"CKM_TLS_KDF", "CKM_TLS12_KDF"}
    assert_refused(found)
    asked = [call for call in found[0].trace if call.function == "C_DeriveKey"]
    assert any("CKK_AES" in call.arguments[-1] and "CKA_SENSITIVE=FALSE" in call.arguments[-1] for call in asked)


@pytest.mark.native
def test_nss_has_no_exporter(nss: RealModule) -> None:
    found = real(nss, "exporter-label")
    assert not exposed(found)
    assert {finding.verdict for finding in found} == {Verdict.ABSENT}
