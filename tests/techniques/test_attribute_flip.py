"""Protection taken off a key or its copy: bugs, and so refused without quirks."""

import pytest

from keyfence.audit import Verdict
from keyfence.audit.findings import Proof
from keyfence.cryptoki.constants import CKM
from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated

ALLOWED = "C_CopyObject of CKA_ALLOWED_MECHANISMS"


def test_the_standard_refuses() -> None:
    found = classic("attribute-flip")
    assert {finding.mechanism for finding in found} == {"C_SetAttributeValue", "C_CopyObject", ALLOWED}
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}
    assert {finding.refusal.ckr for finding in found if finding.refusal} == {"CKR_ATTRIBUTE_READ_ONLY"}


@pytest.mark.parametrize(
    ("quirks", "name"),
    [
        (Quirks(clear_sensitive_by_set=True), "C_SetAttributeValue"),
        (Quirks(clear_sensitive_by_copy=True), "C_CopyObject"),
    ],
    ids=["set", "copy"],
)
def test_a_module_that_lets_go_gives_the_secret_away(quirks: Quirks, name: str) -> None:
    found = exposed(classic("attribute-flip", quirks=quirks))
    assert {finding.mechanism for finding in found} == {name}
    assert {(finding.victim.protocol, finding.recovered_bytes) for finding in found} == {
        ("SSL 3.0", 48),
        ("TLS 1.0", 48),
        ("TLS 1.2", 48),
        ("TLS 1.3", 32),
    }


def test_the_victims_own_key_stays_as_it_was() -> None:
    for finding in exposed(classic("attribute-flip", quirks=Quirks(clear_sensitive_by_set=True))):
        assert [call.function for call in finding.trace] == ["C_CopyObject", "C_SetAttributeValue", "C_GetAttributeValue"]


def test_a_copy_with_other_allowed_mechanisms_rebuilds_the_key_block() -> None:
    (finding,) = exposed(classic("attribute-flip", quirks=Quirks(copy_changes_mechanisms=True)))
    assert (finding.mechanism, finding.victim.protocol, finding.recovered_bytes) == (ALLOWED, "TLS 1.2", 32)
    assert finding.evidence is not None
    assert finding.evidence.proof is Proof.RECORD
    assert finding.trace[0].function == "C_CopyObject"


def test_without_hmac_the_list_is_of_no_use() -> None:
    quirks = Quirks(copy_changes_mechanisms=True, without=frozenset({CKM.SHA256_HMAC}))
    (finding,) = (finding for finding in classic("attribute-flip", quirks=quirks) if finding.mechanism == ALLOWED)
    assert finding.verdict is Verdict.ABSENT


def test_a_token_without_tls_is_tried_on_a_bare_record_key() -> None:
    quirks = Quirks(clear_sensitive_by_copy=True, only=frozenset({CKM.AES_KEY_GEN, CKM.AES_GCM}))
    (finding,) = exposed(classic("attribute-flip", quirks=quirks))
    assert (finding.victim.key, finding.recovered_bytes) == ("client write key", 16)


def test_the_separated_token_refuses() -> None:
    found = separated("attribute-flip")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    """Measured: NSS 3.87 lets a copy be extractable that its original was not."""
    assert {finding.mechanism for finding in exposed(real(nss, "attribute-flip"))} == {"C_CopyObject"}


@pytest.mark.native
def test_opencryptoki(opencryptoki: RealModule) -> None:
    assert {finding.verdict for finding in real(opencryptoki, "attribute-flip")} == {Verdict.REFUSED}


@pytest.mark.native
def test_softhsm2(softhsm2: RealModule) -> None:
    assert {finding.verdict for finding in real(softhsm2, "attribute-flip")} == {Verdict.REFUSED}
