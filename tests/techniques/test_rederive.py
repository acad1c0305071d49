"""The key agreement again: the pre-master secret, read."""

import pytest

from keyfence.audit import Verdict
from keyfence.audit.findings import Proof
from keyfence.token.quirks import Quirks, Sensitivity

from ..modules import RealModule
from .harness import classic, exposed, real, separated

KINDS = {"SSL 3.0", "TLS 1.0", "TLS 1.2", "TLS 1.3"}


def test_every_session_by_ecdh_loses_its_pre_master_secret() -> None:
    found = classic("rederive")
    assert {finding.victim.protocol for finding in exposed(found)} >= KINDS
    for finding in found:
        assert finding.verdict is Verdict.EXPOSED
        assert finding.evidence is not None
        assert finding.evidence.proof is Proof.RECORD
        assert (finding.recovered_bytes, finding.total_bytes, finding.work_bits) == (32, 32, 0)
        assert [call.function for call in finding.trace] == ["C_DeriveKey", "C_GetAttributeValue"]


@pytest.mark.parametrize("sensitivity", [Sensitivity.BASE, Sensitivity.FORCED])
def test_a_module_whose_derived_keys_are_as_protected_as_their_base_refuses(sensitivity: Sensitivity) -> None:
    found = classic("rederive", quirks=Quirks(sensitivity=sensitivity))
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}
    assert all(finding.refusal for finding in found)


def test_the_separated_token_refuses() -> None:
    found = separated("rederive")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    found = real(nss, "rederive")
    assert {finding.victim.protocol for finding in exposed(found)} == KINDS
