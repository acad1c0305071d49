"""Protected keys that are prefixes of a TLS 1.3 write key."""

import pytest

from keyfence.token import Quirks
from keyfence.token.quirks import Keep, Sensitivity

from ..modules import RealModule
from .harness import classic, real, separated
from .rebuilt import assert_refused, assert_whole, of


def test_sixteen_keys_tell_sixteen_bytes() -> None:
    found = of(classic("hkdf-truncation"), "TLS 1.3")
    assert_whole(found)
    assert found[0].work_bits == 8
    assert [call.function for call in found[0].trace[:4]] == ["C_DeriveKey", "C_SignInit", "C_Sign", "C_DestroyObject"]


def test_no_key_has_to_be_readable() -> None:
    quirks = Quirks(sensitivity=Sensitivity.FORCED, readable_hkdf=True)
    assert_whole(of(classic("hkdf-truncation", quirks=quirks), "TLS 1.3"))


def test_which_bytes_a_short_key_keeps_is_not_assumed() -> None:
    """An expansion has no end to cut from: also here the first bytes stay."""
    assert_whole(of(classic("hkdf-truncation", quirks=Quirks(keep=Keep.LAST)), "TLS 1.3"))


def test_whole_keys_only_leave_nothing_to_search() -> None:
    assert_refused(of(classic("hkdf-truncation", quirks=Quirks(min_derived=16)), "TLS 1.3"), "CKR_KEY_SIZE_RANGE")


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("hkdf-truncation"))


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    assert_whole(real(nss, "hkdf-truncation"))
