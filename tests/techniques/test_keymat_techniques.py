"""The techniques on the cut of a key block: each on a token that leaks, and on one that does not."""

import pytest

from keyfence.audit import Finding, Verdict
from keyfence.audit.findings import Proof
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.techniques.recovery import Source
from keyfence.token import Keep, Quirks, Rounding
from keyfence.token import Source as LengthFrom

from .harness import classic, exposed, separated, verdicts

GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
CBC = "TLS_RSA_WITH_AES_256_CBC_SHA"
ON_THE_CUT = ("iv-window", "short-mac", "short-key", "weak-algorithm", "suite-overlap", "check-value")


def by_mechanism(found: list[Finding], mechanism: CKM, suite: str = GCM) -> Finding:
    return next(f for f in found if f.mechanism == str(mechanism) and f.victim.suite == suite)


def assert_whole_key_block(finding: Finding, source: Source) -> None:
    assert finding.verdict is Verdict.EXPOSED, finding.why
    assert finding.evidence is not None
    assert finding.evidence.proof is Proof.RECORD
    assert finding.recovered_bytes == finding.total_bytes > 0
    assert set(finding.evidence.sources.values()) == {source}
    assert finding.trace
    assert finding.steps
    assert finding.calls == sum(call.repeated for call in finding.trace)


class TestOnAStrictToken:
    """What the standard's text allows, leaks."""

    @pytest.mark.parametrize(
        ("technique", "source", "work_bits"),
        [
            ("iv-window", Source.PUBLIC, 0),
            ("short-mac", Source.SEARCHED, 8),
            ("short-key", Source.SEARCHED, 8),
            ("check-value", Source.SEARCHED, 8),
        ],
    )
    def test_whole_key_blocks_come_back(self, technique: str, source: Source, work_bits: int) -> None:
        found = classic(technique)
        for suite, length in ((GCM, 32), (CBC, 104)):
            finding = by_mechanism(found, CKM.TLS12_KEY_AND_MAC_DERIVE, suite)
            assert_whole_key_block(finding, source)
            assert finding.total_bytes == length
            assert finding.work_bits == work_bits
        for mechanism in (CKM.SSL3_KEY_AND_MAC_DERIVE, CKM.TLS_KEY_AND_MAC_DERIVE):
            assert_whole_key_block(by_mechanism(found, mechanism, CBC), source)

    def test_one_window_is_enough_where_ivs_are_unbounded(self) -> None:
        finding = by_mechanism(classic("iv-window"), CKM.TLS12_KEY_AND_MAC_DERIVE)
        assert finding.calls == 1
        assert "ulMacSizeInBits=0, ulKeySizeInBits=0, ulIVSizeInBits=128" in finding.steps[0]

    @pytest.mark.parametrize("technique", ["short-mac", "short-key", "check-value"])
    def test_withholding_ivs_stops_only_the_iv_half(self, technique: str) -> None:
        finding = by_mechanism(classic(technique), CKM.TLS12_KEY_SAFE_DERIVE)
        assert_whole_key_block(finding, Source.SEARCHED)

    def test_a_weak_cipher_is_priced_and_its_overlap_rehearsed(self) -> None:
        finding = by_mechanism(classic("weak-algorithm"), CKM.TLS12_KEY_AND_MAC_DERIVE)
        assert finding.verdict is Verdict.EXPOSED
        assert finding.evidence is not None
        assert finding.evidence.proof is Proof.REHEARSAL
        assert finding.work_bits == 40
        assert finding.recovered_bytes == 0

    def test_des_costs_its_56_bits(self) -> None:
        quirks = Quirks(write_key_types=frozenset({CKK.AES, CKK.DES}))
        finding = by_mechanism(classic("weak-algorithm", quirks=quirks), CKM.TLS12_KEY_AND_MAC_DERIVE)
        assert finding.verdict is Verdict.EXPOSED
        assert finding.work_bits == 56

    def test_one_suites_ivs_are_anothers_server_key(self) -> None:
        finding = by_mechanism(classic("suite-overlap"), CKM.TLS_KEY_AND_MAC_DERIVE, CBC)
        assert finding.verdict is Verdict.EXPOSED
        assert finding.evidence is not None
        assert sorted(finding.evidence.sources) == list(range(72, 104))
        assert "ulMacSizeInBits=160, ulKeySizeInBits=128, ulIVSizeInBits=128" in finding.steps[0]


class TestWhereTheCutIsNarrow:
    def test_ivs_of_16_bytes_take_more_windows(self) -> None:
        finding = by_mechanism(classic("iv-window", quirks=Quirks(max_iv=16)), CKM.TLS12_KEY_AND_MAC_DERIVE, CBC)
        assert_whole_key_block(finding, Source.PUBLIC)
        assert finding.calls == 4  # 104 bytes at 32 a call

    def test_windows_and_searches_mix_where_a_key_of_one_byte_is_the_least(self) -> None:
        quirks = Quirks(key_lengths=frozenset(range(1, 33)))
        finding = by_mechanism(classic("iv-window", quirks=quirks), CKM.TLS12_KEY_AND_MAC_DERIVE)
        assert finding.verdict is Verdict.EXPOSED
        assert finding.evidence is not None
        assert [place for place, source in finding.evidence.sources.items() if source is Source.SEARCHED] == [0, 1]
        assert finding.work_bits == 8

    def test_keys_grow_where_mac_lengths_are_fixed(self) -> None:
        quirks = Quirks(mac_lengths=frozenset({0}))
        finding = by_mechanism(classic("short-key", quirks=quirks), CKM.TLS12_KEY_AND_MAC_DERIVE)
        assert_whole_key_block(finding, Source.SEARCHED)
        assert finding.work_bits == 8

    @pytest.mark.parametrize(
        "quirks",
        [
            Quirks(write_key_cut=LengthFrom.TEMPLATE, rounding=Rounding.DOWN, silent_without_value_len=True),
            Quirks(rounding=Rounding.UP, ignore_value_len=True, inherit=False, max_block=416),
            Quirks(write_key_cut=LengthFrom.TEMPLATE, amount=LengthFrom.TEMPLATE, keep=Keep.LAST),
            Quirks(import_keys=False),
        ],
        ids=["cut by the template", "cut by the parameter alone", "template for both", "no import"],
    )
    def test_whatever_number_cuts(self, quirks: Quirks) -> None:
        finding = by_mechanism(classic("iv-window", quirks=quirks), CKM.TLS12_KEY_AND_MAC_DERIVE)
        assert finding.verdict is Verdict.EXPOSED, finding.why
        assert finding.recovered_bytes == 32


class TestWhereItIsClosed:
    def test_fixed_lengths_leave_no_window(self) -> None:
        quirks = Quirks(
            max_iv=4, mac_lengths=frozenset({0, 20}), key_lengths=frozenset({16, 32}), write_key_types=frozenset({CKK.AES})
        )
        for technique in ("iv-window", "short-mac", "short-key", "weak-algorithm", "check-value"):
            finding = by_mechanism(classic(technique, quirks=quirks), CKM.TLS12_KEY_AND_MAC_DERIVE)
            assert finding.verdict is Verdict.REFUSED, (technique, finding.why)
            assert finding.refusal is not None
            assert finding.refusal.ckr.startswith("CKR_")

    def test_no_check_values_no_check_value_technique(self) -> None:
        finding = by_mechanism(classic("check-value", quirks=Quirks(check_values=False)), CKM.TLS12_KEY_AND_MAC_DERIVE)
        assert finding.verdict is Verdict.REFUSED

    @pytest.mark.parametrize("technique", ON_THE_CUT)
    def test_separated_keys_have_no_cut(self, technique: str) -> None:
        found = separated(technique)
        assert not exposed(found)
        assert {finding.verdict for finding in found} == {Verdict.REFUSED}

    def test_a_removed_mechanism_is_absent(self) -> None:
        only_tls10 = Quirks(without=frozenset({CKM.SSL3_KEY_AND_MAC_DERIVE}))
        assert not any(key[1] == "SSL 3.0" for key in verdicts(classic("iv-window", quirks=only_tls10)))


class TestReadableDerive:
    def test_a_master_secret_may_be_asked_for_readable(self) -> None:
        finding = by_mechanism(classic("readable-derive"), CKM.TLS12_MASTER_KEY_DERIVE)
        assert_whole_key_block(finding, Source.READABLE)
        assert finding.total_bytes == 48

    def test_key_material_takes_its_protection_from_the_base_key(self) -> None:
        assert by_mechanism(classic("readable-derive"), CKM.TLS12_KEY_AND_MAC_DERIVE).verdict is Verdict.REFUSED

    @pytest.mark.parametrize("quirks", [Quirks(readable_key_mat=True), Quirks(inherit=False)], ids=["asked", "left out"])
    def test_unless_the_module_errs(self, quirks: Quirks) -> None:
        finding = by_mechanism(classic("readable-derive", quirks=quirks), CKM.TLS12_KEY_AND_MAC_DERIVE, CBC)
        assert_whole_key_block(finding, Source.READABLE)
        assert finding.total_bytes == 104

    def test_tls13_keys_too(self) -> None:
        finding = by_mechanism(classic("readable-derive"), CKM.HKDF_DERIVE, "TLS_AES_128_GCM_SHA256")
        assert_whole_key_block(finding, Source.READABLE)

    def test_not_where_the_module_keeps_them(self) -> None:
        assert not exposed(classic("readable-derive", quirks=Quirks(readable_master=False, readable_hkdf=False)))

    def test_separated_refuses(self) -> None:
        found = separated("readable-derive")
        assert found
        assert {finding.verdict for finding in found} == {Verdict.REFUSED}
