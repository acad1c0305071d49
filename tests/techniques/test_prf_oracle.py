"""Mechanisms that are the PRF: their output is the key block."""

import pytest

from keyfence.audit import Verdict
from keyfence.cryptoki.constants import CKM
from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, real, separated
from .rebuilt import LENIENT, assert_refused, assert_whole, by, of


def test_tls10_by_derivation_and_by_signature() -> None:
    found = of(classic("prf-oracle"), "TLS 1.0")
    assert_whole(found)
    assert [[call.function for call in finding.trace] for finding in found] == [["C_DeriveKey"], ["C_SignInit", "C_Sign"]]


def test_wtls() -> None:
    assert_whole(of(classic("prf-oracle"), "WTLS"))


def test_tls12_by_signature_where_allowed_mechanisms_are_not_honoured() -> None:
    assert_whole(of(classic("prf-oracle", quirks=LENIENT), "TLS 1.2"))
    assert_refused(of(classic("prf-oracle"), "TLS 1.2"), "CKR_KEY_FUNCTION_NOT_PERMITTED")


def test_a_check_of_the_label_alone_is_passed_by_cutting_the_string_elsewhere() -> None:
    found = by(classic("prf-oracle", quirks=Quirks(reserved_labels=False)), "CKM_TLS_PRF")
    assert_whole(found)
    assert "label of 1 bytes" in found[0].steps[0]


def test_a_token_without_the_mechanism_has_nothing_to_show() -> None:
    found = by(classic("prf-oracle", quirks=Quirks(without=frozenset({CKM.TLS_PRF}))), "CKM_TLS_PRF")
    assert [finding.verdict for finding in found] == [Verdict.ABSENT]


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("prf-oracle"))


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    found = real(nss, "prf-oracle")
    assert_whole(by(found, "CKM_NSS_TLS_PRF_GENERAL", "CKM_NSS_TLS_PRF_GENERAL_SHA256"))
    assert {finding.verdict for finding in by(found, "CKM_TLS_PRF")} == {Verdict.ABSENT}
