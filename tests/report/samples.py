"""Findings and reports made by hand: what a report's form is tested on."""

from dataclasses import replace

from keyfence.audit.findings import (
    CallRecord,
    Evidence,
    Finding,
    ModuleRef,
    Proof,
    Refusal,
    Report,
    Residue,
    Verdict,
    VictimRef,
)
from keyfence.techniques.recovery import Source

GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
CBC = "TLS_RSA_WITH_AES_256_CBC_SHA"

SECRET = bytes(range(0x80, 0xA0))
"""A key block of 32 bytes, each of which says where it stands."""

EXPOSED = Finding(
    technique="iv-window",
    title="Key bytes returned as IVs",
    mechanism="CKM_TLS12_KEY_AND_MAC_DERIVE",
    victim=VictimRef(GCM, "TLS 1.2", "key block"),
    verdict=Verdict.EXPOSED,
    why="the client and server record of the victim was opened outside the module",
    evidence=Evidence(
        Proof.RECORD,
        "the client and server record of the victim was opened outside the module",
        dict.fromkeys(range(2), Source.SEARCHED) | dict.fromkeys(range(2, 32), Source.PUBLIC),
        dict(enumerate(SECRET)),
    ),
    calls=5,
    work_bits=8.0,
    recovered_bytes=32,
    total_bytes=32,
    steps=("C_DeriveKey(CKM_TLS12_KEY_AND_MAC_DERIVE, ulIVSizeInBits=120) -> client IV = bytes 2..16",),
    trace=(CallRecord("C_DeriveKey", ("1", "CKM_TLS12_KEY_AND_MAC_DERIVE", "7"), "CKR_OK, client IV 15 bytes", 2),),
    section="PKCS#11 3.0 mechanisms §2.39",
    remedy="one cut per master secret and randoms",
    references=("RFC 5246 §6.3", "RFC 2246 §6.3"),
    layout={"client write key": (0, 16), "server write key": (16, 32)},
)

PRICED = replace(
    EXPOSED,
    technique="weak-algorithm",
    title="Key bytes re-cut as keys of a weaker cipher",
    evidence=Evidence(Proof.REHEARSAL, "a weaker key lies over bytes 0 to 4", dict.fromkeys(range(5), Source.PRICED)),
    work_bits=40.0,
    recovered_bytes=0,
    layout={},
)

REFUSED = Finding(
    technique="readable-derive",
    title="Keys derived again as readable ones",
    mechanism="CKM_TLS12_KEY_AND_MAC_DERIVE",
    victim=VictimRef(GCM, "TLS 1.2", "key block"),
    verdict=Verdict.REFUSED,
    why="C_DeriveKey: CKR_TEMPLATE_INCONSISTENT",
    calls=1,
    refusal=Refusal("CKR_TEMPLATE_INCONSISTENT", 0xD1, "C_DeriveKey"),
    section="PKCS#11 3.0 mechanisms §2.39",
    remedy="what comes from a sensitive key is sensitive",
    references=("RFC 5246 §6.3",),
)

ABSENT = Finding(
    technique="hkdf-data",
    title="Keys as HKDF data",
    mechanism="",
    victim=VictimRef("", "", ""),
    verdict=Verdict.ABSENT,
    why="the token offers no session that this technique concerns",
)

INCONCLUSIVE = replace(
    REFUSED,
    technique="check-value",
    title="Short keys told by their check value",
    verdict=Verdict.INCONCLUSIVE,
    why="C_DeriveKey: the module's process died (SIGSEGV)",
    refusal=None,
)

MODULE = ModuleRef("/usr/lib/module.so", "A module", "1.2", 3, "a token")


def report(*findings: Finding, residue: Residue = Residue(4, 4), notes: tuple[str, ...] = ()) -> Report:  # noqa: B008 - frozen
    """A report of these findings."""
    return Report(MODULE, findings, residue, notes)


FULL = report(EXPOSED, PRICED, REFUSED, ABSENT, INCONCLUSIVE)
