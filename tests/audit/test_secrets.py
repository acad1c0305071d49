"""No value of a secret and no PIN in what an audit says: traces, steps, reasons, representations, tracebacks."""

import re

import pytest

from keyfence.audit import Audit, CannotAudit, Opened, Options, Report, Target
from keyfence.audit.findings import CallRecord
from keyfence.cryptoki import Pin
from keyfence.report.json import document
from keyfence.token import Quirks, SoftToken
from keyfence.token.objects import StoredObject
from keyfence.token.store import Store

EVERYTHING = Quirks(
    ignore_allowed_mechanisms=True,
    wrap_unextractable=True,
    clear_sensitive_by_copy=True,
    clear_sensitive_by_set=True,
    readable_key_mat=True,
    unwrap_truncates=True,
    short_masters=True,
)
"""So that as much as can come out of a module does."""

LONG_ENOUGH = 4
"""Bytes of a value that do not stand in a text by chance."""


@pytest.fixture(scope="module")
def spoken() -> tuple[Report, list[CallRecord], list[bytes]]:
    """The report of an audit in which everything leaks, all its calls in words, and every value that was ever in the token."""
    values: list[bytes] = []
    admitted = Store.admit

    def admit(store: Store, session: object, *newcomers: StoredObject, **options: object) -> tuple[int, ...]:
        values.extend(newcomer.value.reveal() for newcomer in newcomers)
        return admitted(store, session, *newcomers, **options)  # type: ignore[arg-type]

    calls: list[CallRecord] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "admit", admit)
        opened = Opened(Target("test", lambda: SoftToken(quirks=EVERYTHING)), listener=calls.append)
        report = Audit(opened).run()
        opened.close()
    return report, calls, [value for value in values if len(value) >= LONG_ENOUGH]


def _heads(text: str) -> set[str]:
    """Every run of hexadecimal digits in the text that could be the beginning of a value."""
    digits = 2 * LONG_ENOUGH
    runs = re.findall(rf"[0-9a-f]{{{digits},}}", text)
    return {run[at : at + digits] for run in runs for at in range(len(run) - digits + 1)}


def _said(report: Report, calls: list[CallRecord]) -> str:
    findings = "\n".join(f"{f}\n{f.why}\n{f.steps}\n{f.evidence}\n{f.trace}" for f in report.findings)
    return "\n".join([findings, *map(str, calls), repr(report), str(document(report))])


def test_neither_report_nor_trace_holds_a_value(spoken: tuple[Report, list[CallRecord], list[bytes]]) -> None:
    report, calls, values = spoken
    said = _said(report, calls)
    assert len(values) > 1000
    assert not {value[:LONG_ENOUGH].hex() for value in values if any(value)} & _heads(said)
    spoken_bytes = re.search(r".{60}(\bb'|\bb\"|\\x).{20}", said)
    assert spoken_bytes is None, "bytes as Python writes them"


def test_revealed_bytes_are_there_when_asked_for(spoken: tuple[Report, list[CallRecord], list[bytes]]) -> None:
    report, _, values = spoken
    revealed = str(document(report, reveal=True))
    assert any(value.hex() in revealed for value in values)


class TestPins:
    PIN = "a PIN nobody shows 1234"

    def token(self) -> SoftToken:
        return SoftToken(quirks=Quirks(login_required=True), user_pin=Pin.of(self.PIN))

    def test_one_that_is_right(self) -> None:
        calls: list[CallRecord] = []
        opened = Opened(Target("test", self.token, pin=lambda: Pin.of(self.PIN)), listener=calls.append)
        report = Audit(opened, Options(techniques=("iv-window",))).run()
        said = _said(report, calls) + repr(opened) + repr(vars(opened)) + repr(opened.target)
        assert [call.arguments[-1] for call in calls if call.function == "C_Login"] == ["PIN"]
        assert self.PIN not in said

    def test_one_that_is_wrong_is_tried_once_and_not_told(self) -> None:
        calls: list[CallRecord] = []
        wrong = "wrong " + self.PIN
        with pytest.raises(CannotAudit) as caught:
            Opened(Target("test", self.token, pin=lambda: Pin.of(wrong)), listener=calls.append)
        assert wrong not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
        assert [call.function for call in calls].count("C_Login") == 1

    def test_the_module_is_closed_then(self) -> None:
        token = self.token()
        with pytest.raises(CannotAudit):
            Opened(Target("test", lambda: token, pin=lambda: Pin.of("wrong")))
        token.initialize()  # CKR_CRYPTOKI_ALREADY_INITIALIZED, where it was not finalized
