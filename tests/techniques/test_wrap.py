"""Keys that must not leave, wrapped: a bug, and so refused without a quirk."""

import pytest

from keyfence.audit import Verdict
from keyfence.cryptoki.constants import CKM
from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated

AES = {f"CKM_AES_{mode}" for mode in ("CBC_PAD", "CBC", "ECB", "KEY_WRAP", "KEY_WRAP_PAD", "KEY_WRAP_KWP")}
RSA = {"CKM_RSA_PKCS", "CKM_RSA_PKCS_OAEP"}
BUG = Quirks(wrap_unextractable=True)


def test_the_standard_refuses() -> None:
    found = classic("wrap")
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}
    assert {finding.refusal.ckr for finding in found if finding.refusal} == {"CKR_KEY_UNEXTRACTABLE"}


def test_a_module_that_does_not_look_gives_every_key_away() -> None:
    found = classic("wrap", quirks=BUG)
    assert {finding.verdict for finding in found} == {Verdict.EXPOSED}
    lengths = {(finding.victim.protocol, finding.victim.key): finding.recovered_bytes for finding in found}
    assert lengths == {
        ("SSL 3.0", "master secret"): 48,
        ("SSL 3.0", "client write key"): 32,
        ("TLS 1.2", "master secret"): 48,
        ("TLS 1.2", "client write key"): 16,
        ("TLS 1.3", "client traffic secret"): 32,
        ("TLS 1.3", "client write key"): 16,
    }
    assert {finding.mechanism for finding in found} == AES | RSA


def test_where_no_key_can_be_imported_the_module_unwraps_for_the_caller() -> None:
    quirks = Quirks(wrap_unextractable=True, import_keys=False, without=frozenset({CKM.AES_CBC_PAD}))
    found = [
        finding for finding in exposed(classic("wrap", quirks=quirks)) if finding.mechanism in {"CKM_AES_CBC", "CKM_AES_ECB"}
    ]
    assert len(found) == 12
    for finding in found:
        assert [call.function for call in finding.trace][-3:] == ["C_WrapKey", "C_DecryptInit", "C_Decrypt"]


def test_the_separated_token_refuses() -> None:
    found = separated("wrap")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    """Measured: NSS 3.87 wraps keys with CKA_EXTRACTABLE false."""
    assert {finding.mechanism for finding in exposed(real(nss, "wrap"))} == AES | RSA


@pytest.mark.native
def test_opencryptoki(opencryptoki: RealModule) -> None:
    assert not exposed(real(opencryptoki, "wrap"))
