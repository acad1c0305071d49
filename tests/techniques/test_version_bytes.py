"""Two bytes of a master secret, returned as the version of a pre-master secret that it is not."""

import pytest

from keyfence.audit import Verdict
from keyfence.audit.findings import Proof
from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated, verdicts

TLS12 = {"CKM_TLS12_MASTER_KEY_DERIVE", "CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE"}
VENDOR = {"CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256", "CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE"}


def test_the_first_bytes_come_back() -> None:
    found = exposed(classic("version-bytes"))
    assert {(finding.mechanism, finding.recovered_bytes, finding.total_bytes) for finding in found} == {
        ("CKM_SSL3_MASTER_KEY_DERIVE", 2, 48),
        ("CKM_TLS_MASTER_KEY_DERIVE", 2, 48),
        ("CKM_WTLS_MASTER_KEY_DERIVE", 1, 20),
    }


def test_the_finding_says_that_this_is_a_part_and_how_it_is_known_to_be_one() -> None:
    for finding in exposed(classic("version-bytes")):
        assert finding.evidence is not None
        assert finding.evidence.proof is Proof.REHEARSAL
        assert set(finding.evidence.recovered) == set(range(finding.recovered_bytes))
        assert finding.work_bits == 8 * (finding.total_bytes - finding.recovered_bytes), "what is left to search"


def test_tls12_masters_derive_no_masters() -> None:
    found = verdicts(classic("version-bytes"))
    assert {found[name, "TLS 1.2"] for name in TLS12 | VENDOR} == {Verdict.REFUSED}


def test_unless_the_module_does_not_look_at_allowed_mechanisms() -> None:
    found = exposed(classic("version-bytes", quirks=Quirks(ignore_allowed_mechanisms=True)))
    assert {finding.mechanism for finding in found if finding.victim.protocol == "TLS 1.2"} == TLS12 | VENDOR


def test_a_module_that_wants_a_version_at_the_start_refuses() -> None:
    found = verdicts(classic("version-bytes", quirks=Quirks(version_required=True)))
    assert found["CKM_SSL3_MASTER_KEY_DERIVE", "SSL 3.0"] is Verdict.REFUSED
    assert found["CKM_TLS_MASTER_KEY_DERIVE", "TLS 1.0"] is Verdict.REFUSED


def test_the_separated_token_refuses() -> None:
    found = separated("version-bytes")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    found = exposed(real(nss, "version-bytes"))
    assert {finding.mechanism for finding in found} == {
        "CKM_SSL3_MASTER_KEY_DERIVE",
        "CKM_TLS_MASTER_KEY_DERIVE",
        "CKM_TLS12_MASTER_KEY_DERIVE",
        *VENDOR,
    }
