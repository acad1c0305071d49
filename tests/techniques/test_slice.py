"""The secret taken apart: every slicing mechanism, whichever end a short key keeps."""

import pytest

from keyfence.audit import Finding, Verdict
from keyfence.audit.findings import Proof
from keyfence.techniques.recovery import Source
from keyfence.token.quirks import Keep, Quirks, Sensitivity

from ..modules import RealModule
from .harness import classic, exposed, real, separated

CONCATENATE = "CKM_CONCATENATE_BASE_AND"
OWN_KEY_LAST = f"{CONCATENATE}_KEY (base = the secret, and a key of our own)"
OWN_KEY_FIRST = f"{CONCATENATE}_KEY (base = a key of our own, and the secret)"
MECHANISMS = {
    "CKM_EXTRACT_KEY_FROM_KEY",
    "CKM_XOR_BASE_AND_DATA",
    f"{CONCATENATE}_DATA",
    "CKM_CONCATENATE_DATA_AND_BASE",
    OWN_KEY_LAST,
    OWN_KEY_FIRST,
}


def of(found: list[Finding], protocol: str) -> dict[str, Finding]:
    return {finding.mechanism: finding for finding in found if finding.victim.protocol == protocol}


@pytest.mark.parametrize("keep", [Keep.STANDARD, Keep.LAST])
def test_every_mechanism_takes_secrets_apart_byte_by_byte(keep: Keep) -> None:
    found = classic("slice", quirks=Quirks(keep=keep))
    for protocol, total in (("SSL 3.0", 48), ("TLS 1.0", 48), ("TLS 1.3", 32)):
        assert of(found, protocol).keys() == MECHANISMS
        for finding in of(found, protocol).values():
            assert finding.verdict is Verdict.EXPOSED
            assert (finding.recovered_bytes, finding.total_bytes, finding.work_bits) == (total, total, 8)
            assert finding.evidence is not None
            assert finding.evidence.proof is Proof.RECORD
            assert set(finding.evidence.sources.values()) == {Source.SEARCHED}


def test_tls12_masters_allow_no_slicing() -> None:
    for finding in of(classic("slice"), "TLS 1.2").values():
        assert finding.verdict is Verdict.REFUSED
        assert finding.refusal is not None
        assert finding.refusal.ckr == "CKR_KEY_FUNCTION_NOT_PERMITTED"


def test_unless_the_module_does_not_look_at_allowed_mechanisms() -> None:
    found = of(classic("slice", quirks=Quirks(ignore_allowed_mechanisms=True)), "TLS 1.2")
    assert {name for name, finding in found.items() if finding.verdict is Verdict.EXPOSED} == MECHANISMS


def test_each_call_names_the_bits_it_takes() -> None:
    finding = of(classic("slice"), "TLS 1.3")["CKM_EXTRACT_KEY_FROM_KEY"]
    bits = [int(step.split("ulBitOffset=")[1].split(",")[0]) for step in finding.steps]
    assert bits == list(range(0, 256, 8))


def test_keys_of_two_bytes_at_least_cost_one_search_of_two() -> None:
    finding = of(classic("slice", quirks=Quirks(min_derived=2)), "TLS 1.3")["CKM_XOR_BASE_AND_DATA"]
    assert (finding.verdict, finding.work_bits, finding.recovered_bytes) == (Verdict.EXPOSED, 16, 32)


def test_keys_of_three_bytes_at_least_are_priced_and_rehearsed() -> None:
    finding = of(classic("slice", quirks=Quirks(min_derived=3)), "TLS 1.3")["CKM_XOR_BASE_AND_DATA"]
    assert finding.evidence is not None
    assert finding.evidence.proof is Proof.REHEARSAL
    assert (finding.work_bits, finding.recovered_bytes) == (24, 0)


def test_a_minimum_length_stops_only_what_cannot_be_lengthened() -> None:
    found = of(classic("slice", quirks=Quirks(min_derived=14)), "TLS 1.3")
    assert {name for name, finding in found.items() if finding.verdict is Verdict.EXPOSED} == {
        "CKM_CONCATENATE_DATA_AND_BASE",
        OWN_KEY_FIRST,
    }
    assert found["CKM_EXTRACT_KEY_FROM_KEY"].verdict is Verdict.REFUSED


def test_where_nothing_is_cut_short_only_short_operands_shorten() -> None:
    found = of(classic("slice", quirks=Quirks(full_length_only=True)), "TLS 1.3")
    assert {name for name, finding in found.items() if finding.verdict is Verdict.EXPOSED} == {"CKM_XOR_BASE_AND_DATA"}


def test_sensitivity_by_force_does_not_help() -> None:
    assert exposed(classic("slice", quirks=Quirks(sensitivity=Sensitivity.FORCED)))


def test_the_separated_token_refuses() -> None:
    found = separated("slice")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    found = real(nss, "slice")
    for protocol in ("SSL 3.0", "TLS 1.0", "TLS 1.2", "TLS 1.3"):
        by_name = of(exposed(found), protocol)
        assert by_name.keys() == MECHANISMS
        assert by_name["CKM_EXTRACT_KEY_FROM_KEY"].work_bits == 8
        assert by_name[OWN_KEY_FIRST].work_bits == 0, "sensitivity comes from the base alone, and the base is ours"
