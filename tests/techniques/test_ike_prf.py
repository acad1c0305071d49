"""IKE's derivations as HMAC, and prf+ as HKDF-Expand."""

import pytest

from keyfence.audit import Verdict
from keyfence.cryptoki.constants.vendor import VENDOR_NAMES
from keyfence.token import Quirks
from keyfence.token.quirks import Sensitivity

from ..modules import RealModule
from .harness import classic, exposed, real, separated
from .rebuilt import LENIENT, assert_refused, assert_whole, by, of

STANDARD = {"CKM_IKE_PRF_DERIVE", "CKM_IKE1_PRF_DERIVE", "CKM_IKE1_EXTENDED_DERIVE"}
VENDOR = {"CKM_NSS_IKE_PRF_DERIVE", "CKM_NSS_IKE1_PRF_DERIVE", "CKM_NSS_IKE1_APP_B_PRF_DERIVE"}
PRF_PLUS = {"CKM_IKE2_PRF_PLUS_DERIVE", "CKM_NSS_IKE_PRF_PLUS_DERIVE"}


def test_every_form_gives_a_tls13_key_in_one_call() -> None:
    found = of(classic("ike-prf"), "TLS 1.3")
    assert {finding.mechanism for finding in found} == STANDARD | VENDOR | PRF_PLUS
    assert_whole(found)
    assert all([call.function for call in finding.trace].count("C_DeriveKey") == 1 for finding in found)


def test_the_forms_that_take_any_string_give_tls12_keys() -> None:
    found = of(classic("ike-prf", quirks=LENIENT), "TLS 1.2")
    assert {finding.mechanism for finding in found} == STANDARD | VENDOR
    assert_whole(found)


@pytest.mark.parametrize("sensitivity", [Sensitivity.BASE, Sensitivity.FORCED])
def test_derived_keys_as_protected_as_their_base_refuse(sensitivity: Sensitivity) -> None:
    found = by(of(classic("ike-prf", quirks=Quirks(sensitivity=sensitivity)), "TLS 1.3"), *STANDARD, *VENDOR)
    assert_refused(found)


def test_prf_plus_tells_its_prefixes_then() -> None:
    found = by(of(classic("ike-prf", quirks=Quirks(sensitivity=Sensitivity.FORCED)), "TLS 1.3"), *PRF_PLUS)
    assert_whole(found)
    assert {finding.work_bits for finding in found} == {8}


def test_the_separated_token_refuses() -> None:
    assert_refused(separated("ike-prf"))


@pytest.mark.native
def test_nss_by_its_own_numbers(nss: RealModule) -> None:
    found = real(nss, "ike-prf")
    own = {name for name in VENDOR_NAMES.values() if name.startswith("CKM_NSS_IKE")}
    assert {finding.mechanism for finding in exposed(found)} == own
    assert_whole(exposed(found))
    assert {finding.verdict for finding in by(found, *STANDARD, *PRF_PLUS - own)} == {Verdict.ABSENT}
