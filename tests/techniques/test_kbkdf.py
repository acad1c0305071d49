"""SP 800-108's three modes under TLS secrets."""

import pytest

from keyfence.audit import Verdict
from keyfence.token import Quirks
from keyfence.token.quirks import Sensitivity

from ..modules import RealModule
from .harness import classic, exposed, real, separated
from .rebuilt import LENIENT, assert_refused, assert_whole, by, of

COUNTER, FEEDBACK, PIPELINE = (f"CKM_SP800_108_{mode}_KDF" for mode in ("COUNTER", "FEEDBACK", "DOUBLE_PIPELINE"))
DATA = tuple(f"CKM_NSS_SP800_108_{mode}_KDF_DERIVE_DATA" for mode in ("COUNTER", "FEEDBACK", "DOUBLE_PIPELINE"))


def test_double_pipeline_mode_is_the_prf_of_tls12() -> None:
    found = by(of(classic("kbkdf", quirks=LENIENT), "TLS 1.2"), PIPELINE)
    assert_whole(found)
    assert all([call.function for call in finding.trace].count("C_DeriveKey") == 1 for finding in found)


def test_counter_and_feedback_mode_are_hmac() -> None:
    assert_whole(by(of(classic("kbkdf", quirks=LENIENT), "TLS 1.2"), COUNTER, FEEDBACK))


def test_both_give_a_tls13_key_in_one_call() -> None:
    found = by(of(classic("kbkdf"), "TLS 1.3"), COUNTER, FEEDBACK)
    assert_whole(found)
    assert {finding.work_bits for finding in found} == {0}


def test_sensitive_keys_tell_the_stream_by_their_prefixes() -> None:
    found = by(of(classic("kbkdf", quirks=Quirks(sensitivity=Sensitivity.FORCED)), "TLS 1.3"), COUNTER, FEEDBACK)
    assert_whole(found)
    assert {finding.work_bits for finding in found} == {8}


def test_whole_sensitive_keys_tell_nothing() -> None:
    quirks = Quirks(sensitivity=Sensitivity.FORCED, min_derived=16)
    assert_refused(by(of(classic("kbkdf", quirks=quirks), "TLS 1.3"), COUNTER, FEEDBACK))


def test_the_separated_token_refuses() -> None:
    found = by(separated("kbkdf"), COUNTER, FEEDBACK, PIPELINE)
    assert_refused(found)


@pytest.mark.native
def test_nss_gives_data_and_prefixes(nss: RealModule) -> None:
    found = real(nss, "kbkdf")
    assert_whole(by(found, *DATA))
    assert_whole(by(found, PIPELINE))
    assert {finding.work_bits for finding in by(found, PIPELINE)} == {8}
    assert {finding.verdict for finding in by(of(found, "TLS 1.2"), COUNTER, FEEDBACK)} == {Verdict.REFUSED}
    assert {finding.mechanism for finding in exposed(of(found, "TLS 1.3"))} == {COUNTER, FEEDBACK, *DATA[:2]}
