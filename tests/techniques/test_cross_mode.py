"""A GCM key in another mode: GHASH key and keystream, a record opened and one forged."""

import pytest

from keyfence.audit import Finding, Verdict
from keyfence.audit.findings import Proof
from keyfence.cryptoki.constants import CKM
from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated, verdicts

MODES = {f"CKM_AES_{mode}" for mode in ("ECB", "CBC", "CBC_PAD", "CTR", "OFB", "CFB128")}
NO_TLS = Quirks(only=frozenset({CKM.AES_KEY_GEN, CKM.AES_GCM, CKM.AES_ECB, CKM.AES_CTR}))


def assert_opened_and_forged(finding: Finding) -> None:
    assert finding.verdict is Verdict.EXPOSED
    assert finding.evidence is not None
    assert finding.evidence.proof is Proof.FORGERY
    assert finding.evidence.statement.endswith("accepted by the victim's own key")
    assert (finding.recovered_bytes, finding.total_bytes) == (16, 16)


@pytest.mark.parametrize("protocol", ["TLS 1.2", "TLS 1.3"])
def test_every_mode_gives_the_block_cipher_away(protocol: str) -> None:
    found = [finding for finding in classic("cross-mode") if finding.victim.protocol == protocol]
    assert {finding.mechanism for finding in found} == MODES
    for finding in found:
        assert_opened_and_forged(finding)


def test_ecb_takes_all_blocks_in_one_call() -> None:
    finding = next(finding for finding in classic("cross-mode") if finding.mechanism == "CKM_AES_ECB")
    assert len(finding.steps) == 1
    assert [call.function for call in finding.trace][:2] == ["C_EncryptInit", "C_Encrypt"]


def test_a_suite_without_gcm_is_no_concern() -> None:
    (finding,) = classic("cross-mode", suites=("TLS_RSA_WITH_AES_256_CBC_SHA",))
    assert finding.verdict is Verdict.ABSENT


def test_a_key_that_keeps_to_its_first_mechanism_has_a_copy_that_was_never_used() -> None:
    for finding in classic("cross-mode", quirks=Quirks(one_mechanism_per_key=True)):
        assert [call.function for call in finding.trace][:3] == ["C_EncryptInit", "C_CopyObject", "C_EncryptInit"]
        assert finding.verdict is Verdict.EXPOSED


def test_a_token_without_tls_is_tried_on_a_bare_record_key() -> None:
    found = classic("cross-mode", quirks=NO_TLS)
    assert {finding.victim.protocol for finding in found} == {"bare record key"}
    assert {name for (name, _), verdict in verdicts(found).items() if verdict is Verdict.EXPOSED} == {
        "CKM_AES_ECB",
        "CKM_AES_CTR",
    }
    assert {verdict for (name, _), verdict in verdicts(found).items() if name == "CKM_AES_CBC"} == {Verdict.ABSENT}


def test_the_separated_token_refuses() -> None:
    found = separated("cross-mode")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    found = exposed(real(nss, "cross-mode"))
    assert {finding.mechanism for finding in found} == MODES - {"CKM_AES_OFB", "CKM_AES_CFB128"}
    for finding in found:
        assert_opened_and_forged(finding)


@pytest.mark.native
def test_softhsm2(softhsm2: RealModule) -> None:
    found = exposed(real(softhsm2, "cross-mode"))
    assert {finding.victim.protocol for finding in found} == {"bare record key"}
    assert {finding.mechanism for finding in found} == MODES - {"CKM_AES_OFB", "CKM_AES_CFB128"}
