"""CKM_HKDF_DATA under the label of the write key."""

import pytest

from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated
from .rebuilt import assert_refused, assert_whole, of


def test_one_call_reads_the_write_key() -> None:
    found = of(classic("hkdf-data"), "TLS 1.3")
    assert_whole(found)
    assert [call.function for call in found[0].trace] == ["C_DeriveKey", "C_GetAttributeValue", "C_DestroyObject"]


def test_other_hashes_and_key_lengths() -> None:
    found = of(classic("hkdf-data", suites=("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")), "TLS 1.3")
    assert [(finding.recovered_bytes, finding.total_bytes) for finding in exposed(found)] == [(32, 32), (32, 32)]


def test_a_token_that_gives_no_data_refuses() -> None:
    quirks = Quirks(readable_hkdf=False)
    assert not exposed(classic("hkdf-data", quirks=quirks))


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("hkdf-data"))


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    assert_whole(real(nss, "hkdf-data"))
