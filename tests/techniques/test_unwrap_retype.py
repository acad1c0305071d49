"""A recorded ClientKeyExchange unwrapped again, readable or short."""

import pytest

from keyfence.audit import Verdict
from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated

CBC = ("TLS_RSA_WITH_AES_256_CBC_SHA",)


def test_the_template_of_a_second_unwrapping_makes_it_readable() -> None:
    found = classic("unwrap-retype")
    assert {finding.victim.protocol for finding in exposed(found)} == {"SSL 3.0", "TLS 1.0", "TLS 1.2"}
    for finding in found:
        assert (finding.recovered_bytes, finding.total_bytes, finding.work_bits) == (48, 48, 0)
        assert [call.function for call in finding.trace][:2] == ["C_UnwrapKey", "C_GetAttributeValue"]


def test_without_readable_keys_and_without_shortening_it_is_refused() -> None:
    found = classic("unwrap-retype", quirks=Quirks(readable_unwrap=False))
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


def test_keys_cut_short_give_a_byte_each() -> None:
    quirks = Quirks(readable_unwrap=False, unwrap_truncates=True)
    (finding,) = (f for f in classic("unwrap-retype", quirks=quirks, suites=CBC) if f.victim.protocol == "TLS 1.2")
    assert finding.verdict is Verdict.EXPOSED
    assert (finding.recovered_bytes, finding.work_bits) == (48, 8)
    assert finding.steps[0].endswith("CKA_VALUE_LEN=1), one use of the key -> byte 0 (2^8 trials)")
    unwrapped = [call for call in finding.trace if call.function == "C_UnwrapKey"]
    assert len(unwrapped) == len(finding.steps) == 48, "one byte per call"


def test_the_separated_token_refuses() -> None:
    found = separated("unwrap-retype")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    assert {finding.victim.protocol for finding in exposed(real(nss, "unwrap-retype"))} == {"SSL 3.0", "TLS 1.0", "TLS 1.2"}


@pytest.mark.native
def test_opencryptoki(opencryptoki: RealModule) -> None:
    assert [finding.victim.protocol for finding in exposed(real(opencryptoki, "unwrap-retype"))] == ["SSL 3.0"]
