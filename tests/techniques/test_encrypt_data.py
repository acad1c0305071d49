"""Keys made by encrypting the caller's data under a write key."""

import pytest

from keyfence.audit import Verdict
from keyfence.cryptoki.constants import CKM
from keyfence.token.quirks import Quirks, Sensitivity

from ..modules import RealModule
from .harness import classic, exposed, real, separated

BOTH = {"CKM_AES_ECB_ENCRYPT_DATA", "CKM_AES_CBC_ENCRYPT_DATA"}
NO_TLS = Quirks(only=frozenset({CKM.AES_KEY_GEN, CKM.AES_GCM, CKM.AES_ECB_ENCRYPT_DATA, CKM.AES_CBC_ENCRYPT_DATA}))


def test_write_keys_give_the_block_cipher_away() -> None:
    found = exposed(classic("encrypt-data"))
    assert {(finding.mechanism, finding.victim.protocol) for finding in found} == {
        (mechanism, protocol) for mechanism in BOTH for protocol in ("TLS 1.2", "TLS 1.3")
    }
    assert all(finding.evidence and "opened" in finding.evidence.statement for finding in found)


def test_a_key_that_may_not_derive_has_a_copy_that_may() -> None:
    found = classic("encrypt-data", quirks=NO_TLS)
    assert {finding.mechanism for finding in exposed(found)} == BOTH
    for finding in found:
        assert finding.victim.protocol == "bare record key"
        assert [call.function for call in finding.trace][:3] == ["C_DeriveKey", "C_CopyObject", "C_DeriveKey"]


def test_keys_born_sensitive_are_not_read() -> None:
    found = classic("encrypt-data", quirks=Quirks(sensitivity=Sensitivity.FORCED))
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


def test_the_separated_token_refuses() -> None:
    found = separated("encrypt-data")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    assert {finding.mechanism for finding in exposed(real(nss, "encrypt-data"))} == BOTH


@pytest.mark.native
def test_softhsm2(softhsm2: RealModule) -> None:
    found = exposed(real(softhsm2, "encrypt-data"))
    assert {(finding.mechanism, finding.victim.protocol) for finding in found} == {(name, "bare record key") for name in BOTH}
