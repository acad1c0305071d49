"""A plan touches no secret of a victim's: seen from the module's side, call by call."""

from keyfence.audit import Audit, Opened, Options, Report, Target, Verdict
from keyfence.audit.findings import CallRecord
from keyfence.techniques import TECHNIQUES
from keyfence.techniques.victim import Profile, Victim
from keyfence.token import SoftToken

_HARMLESS = ("C_DestroyObject", "C_GetAttributeValue", "C_OpenSession")


class Watched:
    """An audit under observation: `touched` are the calls that named a victim's secret after its session was set up.

    An RSA private key is no session's secret: techniques may try it on messages of the lab's own.
    """

    def __init__(self, *, plan_only: bool, techniques: tuple[str, ...]) -> None:
        self.touched: list[str] = []
        self._secrets: set[str] = set()
        self._opened = Opened(Target("embedded", SoftToken), listener=self._see)
        self._set_up, self._opened.lab.victim = self._opened.lab.victim, self._victim  # type: ignore[method-assign]
        self.report: Report = Audit(self._opened, Options(plan_only=plan_only, techniques=techniques)).run()
        self._opened.close()

    def _victim(self, profile: Profile) -> Victim:
        victim = self._set_up(profile)
        self._secrets |= {str(handle) for handle in victim.handles.all if handle != victim.handles.private_key}
        return victim

    def _see(self, record: CallRecord) -> None:
        if record.function not in _HARMLESS and self._secrets & set(record.arguments[1:]):
            self.touched.append(str(record))


def test_a_plan_uses_no_secret_of_a_victim() -> None:
    planned = Watched(plan_only=True, techniques=tuple(each.id for each in TECHNIQUES))
    assert planned.touched == []
    assert not planned.report.exposed
    assert sum(finding.why.startswith("planned") for finding in planned.report.findings) > 20


def test_an_audit_does_use_them() -> None:
    executed = Watched(plan_only=False, techniques=("iv-window",))
    assert executed.touched
    assert executed.report.summary[Verdict.EXPOSED] > 0
