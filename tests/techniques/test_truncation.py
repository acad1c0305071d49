"""Derivations cut short by CKA_VALUE_LEN, a byte more with each call."""

import pytest

from keyfence.audit import Finding, Verdict
from keyfence.techniques.carving import Keeps, Layout
from keyfence.techniques.recovery import Source
from keyfence.techniques.truncation import AgreementTruncation
from keyfence.token.quirks import Keep, Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated

MASTERS = {"CKM_SSL3_MASTER_KEY_DERIVE", "CKM_TLS_MASTER_KEY_DERIVE", "CKM_TLS12_MASTER_KEY_DERIVE"}


def through(found: list[Finding], mechanism: str) -> dict[str, Finding]:
    return {finding.victim.protocol: finding for finding in found if finding.mechanism == mechanism}


@pytest.mark.parametrize(
    ("keep", "first"), [(Keep.STANDARD, "byte 31"), (Keep.LAST, "byte 31"), (Keep.FIRST, "byte 0")], ids=str
)
def test_a_key_agreement_grows_from_whichever_end_the_module_keeps(keep: Keep, first: str) -> None:
    found = through(classic("truncation", quirks=Quirks(keep=keep)), "CKM_ECDH1_DERIVE")
    assert found.keys() == {"SSL 3.0", "TLS 1.0", "TLS 1.2", "TLS 1.3"}
    for finding in found.values():
        assert finding.verdict is Verdict.EXPOSED
        assert (finding.recovered_bytes, finding.total_bytes, finding.work_bits) == (32, 32, 8)
        assert f"CKA_VALUE_LEN=1), one use of the key -> {first} " in finding.steps[0]
        assert finding.evidence is not None
        assert set(finding.evidence.sources.values()) == {Source.SEARCHED}
        assert not any(call.function == "C_GetAttributeValue" for call in finding.trace), "nothing was read"


@pytest.mark.parametrize(("fitting", "found"), [({1, 32}, []), ({1, 2, 3, 16, 32}, list(range(1, 33)))])
def test_a_byte_that_is_at_both_ends_tells_no_end(fitting: set[int], found: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """One secret of 256 begins with its last byte: keys of one byte alone are then no sign of where a module cuts."""
    monkeypatch.setattr(AgreementTruncation, "_fits", lambda *arguments: arguments[-1] in fitting or len(fitting) > 2)
    attack = object.__new__(AgreementTruncation)
    attack.length = 32
    assert list(attack._fitting_lengths(None, None, Layout(Keeps.FIRST))) == found  # type: ignore[arg-type]


def test_an_exporter_of_the_pre_master_secret_is_the_master_secret() -> None:
    found = through(classic("truncation"), "CKM_TLS12_KDF")
    assert found.keys() == {"TLS 1.0", "TLS 1.2"}
    for finding in found.values():
        assert (finding.verdict, finding.recovered_bytes, finding.work_bits) == (Verdict.EXPOSED, 48, 8)


def test_labels_of_tls_refused_by_name_refuse_it() -> None:
    found = through(classic("truncation", quirks=Quirks(reserved_labels=False)), "CKM_TLS12_KDF")
    assert {finding.verdict for finding in found.values()} == {Verdict.REFUSED}


def test_a_master_secret_is_48_bytes_by_the_standard() -> None:
    found = [finding for finding in classic("truncation") if finding.mechanism in MASTERS]
    assert len(found) == 3
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


def test_where_a_module_cuts_master_secrets_they_grow_too() -> None:
    quirks = Quirks(short_masters=True, ignore_allowed_mechanisms=True)
    found = [finding for finding in exposed(classic("truncation", quirks=quirks)) if "MASTER_KEY_DERIVE" in finding.mechanism]
    assert {finding.mechanism for finding in found} == MASTERS | {f"{name}_DH" for name in MASTERS}
    assert {(finding.recovered_bytes, finding.work_bits) for finding in found} == {(48, 8)}


def test_full_length_keys_only_refuse_it() -> None:
    found = through(classic("truncation", quirks=Quirks(full_length_only=True)), "CKM_ECDH1_DERIVE")
    assert {finding.verdict for finding in found.values()} == {Verdict.REFUSED}


def test_the_separated_token_refuses() -> None:
    found = separated("truncation")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    found = through(exposed(real(nss, "truncation")), "CKM_ECDH1_DERIVE")
    assert found.keys() == {"SSL 3.0", "TLS 1.0", "TLS 1.2", "TLS 1.3"}
