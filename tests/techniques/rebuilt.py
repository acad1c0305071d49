"""What the tests of rebuilt pseudo-random functions ask of every finding they call EXPOSED."""

from collections.abc import Iterable

from keyfence.audit import Finding, Verdict
from keyfence.audit.findings import Proof
from keyfence.token import Quirks

LENIENT = Quirks(ignore_allowed_mechanisms=True)
"""TLS 1.2 master secrets are for TLS's mechanisms alone by the standard; this token stores that and does not look."""

SECRET_BYTES = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": 32, "TLS_RSA_WITH_AES_256_CBC_SHA": 104, "TLS_AES_128_GCM_SHA256": 16}
"""Key block without IVs, or TLS 1.3's client write key. WTLS: one direction of 3DES and SHA-1."""


def assert_whole(findings: Iterable[Finding]) -> None:
    """Every byte came back, a record was opened with them, and the calls are on record."""
    findings = list(findings)
    assert findings
    for finding in findings:
        assert finding.verdict is Verdict.EXPOSED, f"{finding.mechanism}: {finding.why}"
        assert finding.evidence is not None
        assert finding.evidence.proof is Proof.RECORD
        total = SECRET_BYTES.get(finding.victim.suite, 44)
        assert (finding.recovered_bytes, finding.total_bytes) == (total, total)
        assert len(finding.evidence.recovered) == total
        assert finding.steps
        assert sum(call.repeated for call in finding.trace) == finding.calls > 0


def assert_refused(findings: Iterable[Finding], *ckrs: str) -> None:
    """Refused, all of them, with one of these codes (any, where none is named)."""
    findings = list(findings)
    assert findings
    for finding in findings:
        assert finding.verdict is Verdict.REFUSED, f"{finding.mechanism}: {finding.why}"
        assert finding.refusal is not None
        assert not ckrs or finding.refusal.ckr in ckrs, finding.refusal


def of(findings: Iterable[Finding], *protocols: str) -> list[Finding]:
    """Those about sessions of these protocols."""
    return [finding for finding in findings if finding.victim.protocol in protocols]


def by(findings: Iterable[Finding], *mechanisms: str) -> list[Finding]:
    """Those through these mechanisms."""
    return [finding for finding in findings if finding.mechanism in mechanisms]
