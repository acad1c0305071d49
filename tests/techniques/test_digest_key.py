"""C_DigestKey alone computes SSL 3.0's key block."""

import pytest

from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, real, separated
from .rebuilt import assert_refused, assert_whole

DIGESTS = {"C_DigestInit", "C_DigestUpdate", "C_DigestKey", "C_DigestFinal"}


def test_two_digests_a_block_and_nothing_derived() -> None:
    found = classic("digest-key")
    assert_whole(found)
    functions = [call.function for call in found[0].trace]
    assert set(functions) == DIGESTS
    assert functions.count("C_DigestKey") == 2 * 7  # 104 bytes, in blocks of 16
    assert len(found[0].steps) == 2 * 7


@pytest.mark.parametrize("quirks", [Quirks(digest_sensitive_keys=False), Quirks(max_digest_key=32)])
def test_an_indigestible_master_secret_is_refused(quirks: Quirks) -> None:
    assert_refused(classic("digest-key", quirks=quirks), "CKR_KEY_INDIGESTIBLE", "CKR_KEY_SIZE_RANGE")


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("digest-key"))


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    assert_whole(real(nss, "digest-key"))
