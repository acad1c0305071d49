"""What an audit says: findings and the report they stand in. Plain frozen data; `report` turns it into text and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keyfence.techniques.recovery import Source


class Verdict(StrEnum):
    """The answers. None rests on a return code alone, but REFUSED names the code that was met.

    OUT OF SCOPE is for audits through a guard: as proven as EXPOSED is, of a key that the guard's policy leaves alone.
    """

    EXPOSED = "EXPOSED"
    OUT_OF_SCOPE = "OUT OF SCOPE"
    REFUSED = "REFUSED"
    ABSENT = "ABSENT"
    INCONCLUSIVE = "INCONCLUSIVE"


class Proof(StrEnum):
    """What stands behind EXPOSED."""

    RECORD = "a record of the victim was opened outside the module"
    FORGERY = "besides, a record was forged outside the module and the victim's own key accepted it"
    REHEARSAL = "the same calls on a secret of the lab's own gave exactly its bytes; the search itself was not run"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of the trace: the C function, its arguments in PKCS#11's terms, and the answer. Never a secret or a PIN.

    `repeated` counts equal calls in a row that were folded into this one; two calls made by turns are folded as a pair.
    """

    function: str
    arguments: tuple[str, ...]
    answer: str
    repeated: int = 1

    def __str__(self) -> str:
        times = f" (x{self.repeated})" if self.repeated > 1 else ""
        return f"{self.function}({', '.join(self.arguments)}) = {self.answer}{times}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The module's own word: the CKR's name and number, and the function that answered with it. `rule`: the guard's rule that
    refused, where one stands before the module and it was the guard."""

    ckr: str
    number: int
    function: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class VictimRef:
    """Which session, and which of its secrets."""

    suite: str
    protocol: str
    key: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """`sources` tells, byte by byte of the victim's secret, how it became known; `recovered` holds the bytes themselves,
    which reports mask unless asked."""

    proof: Proof
    statement: str
    sources: Mapping[int, Source] = field(default_factory=dict)
    recovered: Mapping[int, int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One technique through one mechanism against one victim. `work_bits` is log2 of the trials of the largest search."""

    technique: str
    title: str
    mechanism: str
    victim: VictimRef
    verdict: Verdict
    why: str
    evidence: Evidence | None = None
    calls: int = 0
    work_bits: float = 0.0
    recovered_bytes: int = 0
    total_bytes: int = 0
    steps: tuple[str, ...] = ()
    trace: tuple[CallRecord, ...] = ()
    refusal: Refusal | None = None
    section: str = ""
    remedy: str = ""
    references: tuple[str, ...] = ()
    layout: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """What was audited. `path` is a file, or "embedded" for the software token."""

    path: str
    description: str
    version: str
    slot: int
    token: str = ""


@dataclass(frozen=True, slots=True)
class Residue:
    """Objects the session sees before and after; equal when nothing was left behind. None: nobody is left to be asked."""

    objects_before: int
    objects_after: int | None

    @property
    def clean(self) -> bool:
        return self.objects_before == self.objects_after


@dataclass(frozen=True, slots=True)
class Report:
    """A whole audit of one token."""

    module: ModuleRef
    findings: tuple[Finding, ...]
    residue: Residue
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> Mapping[Verdict, int]:
        return {verdict: sum(f.verdict is verdict for f in self.findings) for verdict in Verdict}

    @property
    def conclusive(self) -> bool:
        """Whether anything was found out at all, were it that there is nothing to attack."""
        return any(finding.verdict is not Verdict.INCONCLUSIVE for finding in self.findings)

    @property
    def exposed(self) -> bool:
        return any(finding.verdict is Verdict.EXPOSED for finding in self.findings)
