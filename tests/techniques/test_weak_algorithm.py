"""weak-algorithm with its searches run, on keys that are closer than a real victim's; and where it is refused or priced."""

import pytest

from keyfence.audit import Finding, Verdict
from keyfence.audit.demonstration import Demonstration
from keyfence.audit.findings import Proof
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.techniques.recovery import Source
from keyfence.token import Quirks, SoftToken

from ..guard.conftest import guarded
from .demonstrating import DES_AND_AES, demonstrated, searched
from .harness import classic

CBC = "TLS_RSA_WITH_AES_256_CBC_SHA"
ONE_CUT = Quirks(mac_lengths=frozenset({0}))
"""Write keys at the start of the key block and nowhere else: weak keys do not overlap but in whole halves."""


def by(found: list[Finding], mechanism: CKM = CKM.TLS12_KEY_AND_MAC_DERIVE, protocol: str = "TLS 1.2") -> Finding:
    return next(f for f in found if f.mechanism == str(mechanism) and f.victim.protocol == protocol)


def assert_opened(finding: Finding, recovered: int, total: int) -> None:
    assert finding.verdict is Verdict.EXPOSED, finding.why
    assert finding.evidence is not None
    assert finding.evidence.proof is Proof.RECORD
    assert "opened outside the module" in finding.evidence.statement
    assert "its secret was the lab's own" in finding.evidence.statement
    assert set(finding.evidence.sources.values()) == {Source.SEARCHED}
    assert (finding.recovered_bytes, finding.total_bytes) == (recovered, total)
    assert finding.calls == sum(call.repeated for call in finding.trace) > 0


class TestWithinReach:
    def test_two_des_halves_and_the_parity(self) -> None:
        """One cut makes both halves of the client's AES key, as the two sides' DES keys; the AES key tells the parity."""
        finding = by(demonstrated(SoftToken(quirks=ONE_CUT), 20))
        assert_opened(finding, 16, 32)
        assert searched(finding) == [("DES", 20), ("DES", 20), ("AES", 16)]
        assert "server key = bytes 8..15" in finding.steps[1]
        assert finding.evidence is not None
        assert "given 72 bits" in finding.evidence.statement

    def test_the_parity_is_found_against_the_record_where_no_aes_key_is_searched(self) -> None:
        finding = by(demonstrated(SoftToken(quirks=ONE_CUT), 18, searchable={"des"}))
        assert_opened(finding, 16, 32)
        assert searched(finding) == [("DES", 18), ("DES", 18), ("record", 16)]

    def test_keys_that_overlap_tell_the_rest_of_the_key_block(self) -> None:
        """One search of 24 bits, and nothing after it is as large, though of the server's key nothing was given."""
        finding = by(demonstrated(SoftToken(), 24))
        assert_opened(finding, 32, 32)
        sizes = [bits for _, bits in searched(finding)]
        assert max(sizes) <= 24

    def test_rc4_keys_of_five_bytes(self) -> None:
        finding = by(demonstrated(SoftToken(), 12, max_search_bits=16, searchable={"rc4"}))
        assert_opened(finding, 32, 32)
        assert {kind for kind, _ in searched(finding)} <= {"RC4", "record"}

    def test_every_schedule_that_is_cut_from_one_stream(self) -> None:
        found = demonstrated(SoftToken(), 16, suite=CBC)
        for mechanism, protocol, total in (
            (CKM.SSL3_KEY_AND_MAC_DERIVE, "SSL 3.0", 104),
            (CKM.TLS_KEY_AND_MAC_DERIVE, "TLS 1.0", 104),
            (CKM.TLS12_KEY_AND_MAC_DERIVE, "TLS 1.2", 104),
            (CKM.TLS12_KEY_SAFE_DERIVE, "TLS 1.2", 104),
            (CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE, "WTLS", 52),
        ):
            assert_opened(by(found, mechanism, protocol), total, total)


class TestOutOfReach:
    @pytest.mark.parametrize("searchable", [DES_AND_AES, ()], ids=["too large", "no engine"])
    def test_a_search_is_priced(self, searchable: frozenset[str]) -> None:
        finding = by(
            demonstrated(SoftToken(quirks=ONE_CUT), 20, max_search_bits=19 if searchable else 20, searchable=searchable)
        )
        assert finding.verdict is Verdict.EXPOSED
        assert finding.evidence is not None
        assert finding.evidence.proof is Proof.REHEARSAL
        assert finding.recovered_bytes == 0

    def test_without_given_bits_the_default_audit_searches_nothing(self) -> None:
        finding = by(classic("weak-algorithm"))
        assert finding.evidence is not None
        assert finding.evidence.proof is Proof.REHEARSAL
        assert "2^40 trials, not run" in finding.why

    def test_the_price_of_a_des_key_says_what_a_chosen_block_saves(self) -> None:
        quirks = Quirks(write_key_types=frozenset({CKK.AES, CKK.DES}))
        finding = by(classic("weak-algorithm", quirks=quirks))
        assert "2^56 keys, 2^55 trials with a chosen block and its complement, not run" in finding.why


class TestWhereItIsClosed:
    """The same demonstration, with the same bits given."""

    def test_separated_keys(self) -> None:
        (finding,) = demonstrated(SoftToken("separated"), 16)
        assert finding.verdict is Verdict.REFUSED
        assert finding.refusal is not None
        assert finding.refusal.ckr == "CKR_MECHANISM_INVALID"

    def test_through_the_guard(self) -> None:
        found = demonstrated(guarded(), 16)
        assert {f.verdict for f in found} <= {Verdict.REFUSED, Verdict.ABSENT}
        assert by(found).verdict is Verdict.REFUSED
        assert by(found).refusal is not None
        assert by(found).refusal.rule

    def test_a_module_that_makes_keys_of_the_suites_type_only(self) -> None:
        quirks = Quirks(
            max_iv=4, mac_lengths=frozenset({0, 20}), key_lengths=frozenset({16, 32}), write_key_types=frozenset({CKK.AES})
        )
        assert by(demonstrated(SoftToken(quirks=quirks), 16)).verdict is Verdict.REFUSED


@pytest.mark.parametrize("unknown", [1, 20, 34, 40, 55, 56])
def test_what_is_given(unknown: int) -> None:
    """Any eight bytes in a row have as many unknown key bits; parity is not given, and nothing outside the client's key."""
    mask = Demonstration(unknown).mask(32)
    for start in range(len(mask) - 7):
        known = int.from_bytes(mask[start : start + 8])
        assert (~known & 0xFEFE_FEFE_FEFE_FEFE).bit_count() == unknown
        assert not known & 0x0101_0101_0101_0101


@pytest.mark.parametrize("unknown", [0, 57, -1])
def test_what_cannot_be_given(unknown: int) -> None:
    with pytest.raises(ValueError, match="1 to 56"):
        Demonstration(unknown)
