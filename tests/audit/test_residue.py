"""What an audit leaves behind: nothing of its own, and everything of others'."""

from typing import Any

import pytest

from keyfence.audit import Audit, CannotAudit, Opened, Options, Report, Target, Verdict
from keyfence.cryptoki import Cryptoki, CryptokiError, ModuleCrashed
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.session import Session
from keyfence.cryptoki.values import Template
from keyfence.token import Quirks, SoftToken

from .lying import Lying, Refusing

KEY: Template = {CKA.CLASS: 4, CKA.KEY_TYPE: int(CKK.GENERIC_SECRET), CKA.VALUE: b"left by mistake"}


def audited(module: Cryptoki, *techniques: str) -> Report:
    opened = Opened(Target("test", lambda: module))
    try:
        return Audit(opened, Options(techniques=techniques)).run()
    finally:
        opened.close()


class Littering(Dispatched):
    """Leaves a key behind with every derivation that it refuses, and tells nobody its handle."""

    def __init__(self) -> None:
        self.module, self.left = SoftToken(), 0

    def _call(self, name: str, *arguments: Any) -> Any:
        try:
            return getattr(self.module, name)(*arguments)
        except CryptokiError:
            if name == "derive_key":
                self.left += 1
                self.module.create_object(arguments[0], KEY)
            raise


def test_what_failed_derivations_leave_is_swept_away() -> None:
    module = Littering()
    report = audited(module, "iv-window", "readable-derive", "exporter-label")
    assert module.left > 10
    assert report.residue.clean


class Exiting(Dispatched):
    """Counts what is alive when the session is closed."""

    def __init__(self, module: Cryptoki) -> None:
        self.module = module
        self.alive: list[int] = []
        self.sessions: set[int] = set()
        self.finalized = 0

    def _call(self, name: str, *arguments: Any) -> Any:
        if name == "close_session":
            self.alive.append(len(Session(self.module, arguments[0]).find()))
            self.sessions.discard(arguments[0])
        answer = getattr(self.module, name)(*arguments)
        if name == "open_session":
            self.sessions.add(answer)
        self.finalized += name == "finalize"
        return answer


def test_every_object_and_session_ends_with_the_audit() -> None:
    module = Exiting(SoftToken())
    audited(module, "iv-window", "wrap", "hkdf-salt", "rederive")
    assert (module.alive, module.sessions, module.finalized) == ([0], set(), 1)


def test_a_token_that_cannot_be_audited_is_closed_all_the_same() -> None:
    module = Exiting(SoftToken(quirks=Quirks(login_required=True)))
    with pytest.raises(CannotAudit):
        Opened(Target("test", lambda: module))
    assert module.finalized == 1


class TestFindObjectsThatLies:
    @staticmethod
    def repeats(found: tuple[int, ...], _: tuple[Any, ...]) -> tuple[int, ...]:
        """The same object for ever: whoever waits for the end of the list waits long."""
        return found or (4711,)

    def test_a_list_without_end(self) -> None:
        report = audited(Lying("find_objects", self.repeats), "hkdf-data")
        assert {f.verdict for f in report.findings if f.victim.protocol == "TLS 1.3"} == {Verdict.EXPOSED}

    def test_objects_that_are_not_there(self) -> None:
        report = audited(Lying("find_objects", lambda found, _: (*found, 4711) if found else found), "hkdf-data")
        assert Verdict.EXPOSED in {f.verdict for f in report.findings}

    def test_a_failure_costs_no_verdict(self) -> None:
        """Sweeping is ours to do: that it fails says nothing of the attack before it."""
        found = audited(Refusing(_no_list_after(2)), "hkdf-data", "iv-window").findings
        assert {f.verdict for f in found if f.mechanism in ("CKM_HKDF_DATA", "CKM_TLS12_KEY_AND_MAC_DERIVE")} >= {
            Verdict.EXPOSED
        }
        assert not [f for f in found if f.refusal and f.refusal.function.startswith("C_FindObjects")]

    def test_and_is_said(self) -> None:
        report = audited(Refusing(_no_list_after(2)), "hkdf-data")
        assert report.residue.objects_after is None
        assert not report.residue.clean


def _no_list_after(lists: int) -> Any:
    counted = iter(range(lists))

    def refuses(name: str, _: tuple[Any, ...]) -> CKR | None:
        return CKR.FUNCTION_FAILED if name == "find_objects_init" and next(counted, None) is None else None

    return refuses


class Crashing(Dispatched):
    """Crashes in derivations by one mechanism, `crashes` times, after `spared` that go well; can be started again."""

    def __init__(self, mechanism: int, crashes: int, spared: int = 0) -> None:
        self.module: Cryptoki = SoftToken()
        self.mechanism, self.left, self.spared = mechanism, crashes, spared
        self.restarts = 0

    def restart(self) -> None:
        self.restarts += 1
        self.module = SoftToken()

    def _call(self, name: str, *arguments: Any) -> Any:
        if name == "derive_key" and arguments[1].type == self.mechanism:
            self.spared -= 1
            if self.spared < 0 < self.left:
                self.left -= 1
                raise ModuleCrashed("C_DeriveKey", "signal SIGSEGV")
        return getattr(self.module, name)(*arguments)


def test_a_session_whose_set_up_ends_the_module_is_set_up_once() -> None:
    module = Crashing(CKM.TLS12_MASTER_KEY_DERIVE, crashes=1000)
    report = audited(module, "iv-window", "short-mac", "hmac-oracle", "slice")
    assert module.restarts <= 4  # a profile each: two suites, two agreements with this mechanism
    assert [note for note in report.notes if "ended the module" in note]
    assert Verdict.EXPOSED in {f.verdict for f in report.findings}


def test_a_crash_in_an_attack_leaves_no_object() -> None:
    module = Crashing(CKM.HKDF_DATA, crashes=1, spared=3)
    report = audited(module, "hkdf-data", "hkdf-salt", "iv-window")
    assert module.restarts == 1
    assert report.residue.clean
    assert "the module's process died" in " ".join(f.why for f in report.findings)
