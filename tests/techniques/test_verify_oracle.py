"""C_Verify tells MACs byte by byte."""

import pytest

from keyfence.audit import Finding
from keyfence.audit.findings import Proof
from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated
from .rebuilt import LENIENT, assert_refused, by, of

BUDGET = 2 * 256 * (32 + 16)
"""Calls at most: two per guess, 32 bytes of A(1) and 16 of the client's write key."""


def assert_client_key(found: list[Finding]) -> None:
    """The client's half of a GCM key block, by verification alone."""
    assert found
    for finding in found:
        assert finding.evidence is not None
        assert finding.evidence.proof is Proof.RECORD
        assert (finding.recovered_bytes, finding.total_bytes) == (16, 32)
        assert finding.calls <= BUDGET
        assert {call.function for call in finding.trace} == {"C_VerifyInit", "C_Verify"}
        assert len(finding.trace) < finding.calls / 10  # pairs of calls are folded


def test_short_macs_by_parameter_and_the_prf() -> None:
    found = exposed(classic("verify-oracle", quirks=LENIENT))
    assert {finding.mechanism for finding in found} == {"CKM_SHA256_HMAC_GENERAL", "CKM_NSS_TLS_PRF_GENERAL_SHA256"}
    assert_client_key(found)


def test_short_signatures_of_a_plain_hmac() -> None:
    quirks = Quirks(ignore_allowed_mechanisms=True, short_signatures=True, general_macs=False)
    found = by(classic("verify-oracle", quirks=quirks), "CKM_SHA256_HMAC")
    assert_client_key(exposed(found))


def test_whole_macs_only_tell_nothing() -> None:
    quirks = Quirks(ignore_allowed_mechanisms=True, general_macs=False)
    found = by(of(classic("verify-oracle", quirks=quirks), "TLS 1.2"), "CKM_SHA256_HMAC", "CKM_SHA256_HMAC_GENERAL")
    assert_refused(found, "CKR_SIGNATURE_LEN_RANGE", "CKR_MECHANISM_PARAM_INVALID")


def test_the_allowed_mechanisms_of_a_tls12_master_secret_refuse() -> None:
    assert_refused(of(classic("verify-oracle"), "TLS 1.2"), "CKR_KEY_FUNCTION_NOT_PERMITTED")


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("verify-oracle"))


@pytest.mark.native
def test_nss_by_its_prf(nss: RealModule) -> None:
    found = exposed(real(nss, "verify-oracle"))
    assert {finding.mechanism for finding in found} == {"CKM_NSS_TLS_PRF_GENERAL_SHA256"}
    assert_client_key(found)
