"""The private key's bare operation on a recorded ClientKeyExchange."""

import pytest

from keyfence.audit import Verdict
from keyfence.token import Quirks

from ..modules import RealModule
from .harness import classic, exposed, real, separated, verdicts

CBC = ("TLS_RSA_WITH_AES_256_CBC_SHA",)
PADDED = {"CKM_RSA_PKCS by C_Decrypt", "CKM_RSA_PKCS by C_DecryptMessage"}
RAW = {f"CKM_RSA_X_509 by {function}" for function in ("C_Decrypt", "C_Sign", "C_DecryptMessage", "C_SignMessage")}


def test_every_function_that_applies_the_key_returns_the_pre_master_secret() -> None:
    found = exposed(classic("rsa-raw", suites=CBC))
    assert {finding.victim.protocol for finding in found} == {"SSL 3.0", "TLS 1.0", "TLS 1.2"}
    assert {finding.mechanism for finding in found} >= PADDED | RAW
    assert all((finding.recovered_bytes, finding.work_bits) == (48, 0) for finding in found)


def test_a_key_that_signs_decrypts() -> None:
    (finding,) = (
        f for f in classic("rsa-raw", suites=CBC) if f.mechanism.endswith("C_Sign") and f.victim.protocol == "TLS 1.2"
    )
    assert [call.function for call in finding.trace] == ["C_SignInit", "C_Sign"]
    assert finding.evidence is not None
    assert bytes(finding.evidence.recovered.values())[:2] == b"\x03\x03", "a pre-master secret begins with the version"


TWO_SIGNATURES = "CKM_RSA_PKCS by C_Sign, twice"
"""Needs neither a bare operation nor the right to decrypt."""


def test_without_raw_rsa_only_decryption_is_left() -> None:
    found = classic("rsa-raw", quirks=Quirks(raw_rsa=False), suites=CBC)
    assert {finding.mechanism for finding in exposed(found)} == PADDED | {TWO_SIGNATURES}
    assert {verdict for (name, _), verdict in verdicts(found).items() if name in RAW} <= {Verdict.REFUSED, Verdict.ABSENT}


def test_the_separated_token_refuses() -> None:
    found = separated("rsa-raw")
    assert found
    assert {finding.verdict for finding in found} == {Verdict.REFUSED}


REAL = {
    "CKM_RSA_PKCS by C_Decrypt",
    TWO_SIGNATURES,
    *(f"CKM_RSA_X_509 by {function}" for function in ("C_Decrypt", "C_Sign", "C_SignRecover")),
}


@pytest.mark.native
def test_nss(nss: RealModule) -> None:
    assert {finding.mechanism for finding in exposed(real(nss, "rsa-raw", suites=CBC))} == REAL


@pytest.mark.native
def test_opencryptoki(opencryptoki: RealModule) -> None:
    assert {finding.mechanism for finding in exposed(real(opencryptoki, "rsa-raw", suites=CBC))} == REAL
