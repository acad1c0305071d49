"""weak-algorithm's searches on modules that are bent: one verdict each that is true, and nothing left behind."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from keyfence.audit import Audit, Finding, Opened, Options, Report, Target, Verdict
from keyfence.audit.demonstration import Demonstration
from keyfence.audit.evidence import prove
from keyfence.audit.findings import Proof
from keyfence.audit.imitation import secret_from
from keyfence.cryptoki import Cryptoki
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.errors import refusal
from keyfence.cryptoki.isolation import Factory, IsolatedModule
from keyfence.report import json
from keyfence.schedule import suite
from keyfence.search.problem import Problem
from keyfence.techniques import searching
from keyfence.techniques.base import Inconclusive
from keyfence.techniques.keymat import stream_of
from keyfence.techniques.recovery import Source, StreamBytes
from keyfence.techniques.victim import Kind, Profile
from keyfence.token import Quirks, SoftToken

from .demonstrating import GCM, demonstrated, searched


class Bent(Dispatched):
    """Denies or bends uses of write keys. `part` is "client" or "server", `used` how many keys were used before."""

    def __init__(
        self,
        module: Cryptoki | None = None,
        denies: Callable[[str, int, int], bool] = lambda part, key_type, used: False,
        bends: Callable[[bytes, int], bytes] = lambda answer, used: answer,
    ) -> None:
        self.module = module or SoftToken(quirks=Quirks(mac_lengths=frozenset({0})))
        self.denies, self.bends = denies, bends
        self.parts: dict[int, tuple[str, int]] = {}
        self.using, self.used = False, 0

    def _call(self, name: str, *arguments: Any) -> Any:
        if name == "encrypt_init":
            self.using = arguments[2] in self.parts and arguments[1].type in searching.ENGINES
            if self.using and self.denies(*self.parts[arguments[2]], self.used):
                raise refusal(CKR.KEY_FUNCTION_NOT_PERMITTED, "C_EncryptInit")
        answer = getattr(self.module, name)(*arguments)
        if name == "derive_key" and answer.key_material and arguments[3][CKA.KEY_TYPE] in searching.ALGORITHMS:
            made, key_type = answer.key_material, int(arguments[3][CKA.KEY_TYPE])
            self.parts |= {made.client_key: ("client", key_type), made.server_key: ("server", key_type)}
        if name == "encrypt" and self.using:
            self.used += 1
            return self.bends(answer, self.used)
        return answer


def first(found: list[Finding]) -> Finding:
    return next(f for f in found if f.mechanism == str(CKM.TLS12_KEY_AND_MAC_DERIVE))


def bent(denies: Callable[[str, int, int], bool]) -> Finding:
    return first(demonstrated(Bent(denies=denies), 16))


@pytest.mark.parametrize("answer", [b"", b"short", bytes(20)], ids=["nothing", "less than a block", "half a block too many"])
def test_answers_of_a_length_that_no_key_gives_end_in_a_verdict(answer: bytes) -> None:
    """They ended the whole audit: as problems of the search room's they are bad."""
    for after in range(14):
        found = demonstrated(Bent(bends=lambda right, used, after=after: right if used <= after else answer), 16)  # type: ignore[misc]
        assert {f.verdict for f in found} <= {Verdict.EXPOSED, Verdict.INCONCLUSIVE, Verdict.REFUSED}
        for finding in found:
            assert finding.verdict is not Verdict.EXPOSED or finding.evidence


def test_another_key_than_was_asked_for_is_no_finding() -> None:
    """From some use on every answer is another key's: what was searched until then does not become a finding by itself."""
    for after in range(14):
        found = demonstrated(Bent(bends=lambda right, used, after=after: right if used <= after else right[::-1]), 16)  # type: ignore[misc]
        for finding in found:
            assert finding.verdict is not Verdict.EXPOSED or finding.evidence is not None
            if finding.evidence is not None and finding.recovered_bytes:
                assert finding.evidence.proof is Proof.RECORD


def test_where_the_servers_des_keys_are_denied_the_plan_does_without() -> None:
    """REFUSED would be untrue: the client's serve as well."""
    module = Bent(SoftToken(), denies=lambda part, key_type, used: (part, key_type) == ("server", CKK.DES))
    finding = first(demonstrated(module, 16))
    assert finding.verdict is Verdict.EXPOSED, finding.why
    assert finding.recovered_bytes == 32
    assert not any("DES" in step and "server key" in step for step in finding.steps)


def test_where_the_aes_key_is_denied_the_record_tells_the_parity() -> None:
    finding = bent(lambda part, key_type, used: key_type == CKK.AES)
    assert finding.verdict is Verdict.EXPOSED, finding.why
    assert searched(finding)[-1] == ("record", 16)


def test_where_every_use_is_denied_that_is_the_verdict() -> None:
    finding = bent(lambda part, key_type, used: True)
    assert finding.verdict is Verdict.REFUSED
    assert finding.refusal is not None
    assert finding.refusal.ckr == "CKR_KEY_FUNCTION_NOT_PERMITTED"


class TestADemonstrationSaysSo:
    def report(self, unknown: int, *techniques: str) -> Report:
        opened = Opened(Target("test", SoftToken), max_search_bits=16, demonstration=Demonstration(unknown))
        try:
            return Audit(opened, Options(techniques=techniques, suites=(GCM,))).run()
        finally:
            opened.close()

    @pytest.mark.parametrize("unknown", [40, 56], ids=["priced", "nothing given"])
    def test_in_every_finding_of_its_sessions(self, unknown: int) -> None:
        """Whatever the technique, and where the search is only priced or not a bit was given."""
        report = self.report(unknown, "weak-algorithm", "iv-window")
        exposed = [f for f in report.findings if f.verdict is Verdict.EXPOSED and f.victim.protocol == "TLS 1.2"]
        assert {f.technique for f in exposed} == {"weak-algorithm", "iv-window"}
        for finding in exposed:
            assert "its secret was the lab's own" in finding.why

    def test_in_the_report(self) -> None:
        document = json.text(json.document(self.report(16, "weak-algorithm"), reveal=False, plan=False))
        assert "a demonstration: the secrets" in document

    def test_what_was_searched_and_not_what_an_attacker_would_have_to(self) -> None:
        finding = first(list(self.report(16, "weak-algorithm").findings))
        assert finding.work_bits == max(bits for _, bits in searched(finding)) == 16

    def test_an_audit_has_nothing_to_say_of_it(self) -> None:
        opened = Opened(Target("test", SoftToken))
        try:
            report = Audit(opened, Options(techniques=("weak-algorithm", "iv-window"), suites=(GCM,))).run()
        finally:
            opened.close()
        assert not report.notes
        assert not any("lab's own" in f.why for f in report.findings)


def test_bytes_that_no_record_tells_are_not_called_recovered() -> None:
    """Four bytes over the server's key came back with the client's, and they are wrong."""
    opened = Opened(Target("test", SoftToken), demonstration=Demonstration(16))
    try:
        victim = opened.lab.victim(Profile(Kind.TLS12, suite(GCM)))
        (base,) = opened.lab._imported.values()
        key = stream_of(victim, secret_from(victim, base), 16)
        proven = prove(victim, StreamBytes.run(key + b"oops", Source.SEARCHED), opened.lab.plaintext)
    finally:
        opened.close()
    assert (proven.recovered, proven.total) == (16, 32)
    assert set(proven.evidence.recovered) == set(proven.evidence.sources) == set(range(16))


class TestOneSearch:
    """Of the same question, whatever comes of it."""

    def test_that_found_nothing_is_not_run_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Problem] = []

        def nothing(wanted: Problem, progress: Callable[[int], None]) -> bytes:
            asked.append(wanted)
            raise Inconclusive("no candidate")

        monkeypatch.setattr(searching, "find", nothing)
        found = demonstrated(SoftToken(), 16)
        assert first(found).verdict is Verdict.INCONCLUSIVE
        assert len([f for f in found if f.why == "no candidate"]) == 2, "two mechanisms that cut one stream"
        assert len(asked) == len(set(asked)) == 1

    def test_tells_how_far_it_is(self) -> None:
        told: list[tuple[int, int]] = []
        opened = Opened(
            Target("test", SoftToken),
            max_search_bits=16,
            demonstration=Demonstration(16),
            searching=lambda done, candidates: told.append((done, candidates)),
        )
        try:
            Audit(opened, Options(techniques=("weak-algorithm",), suites=(GCM,))).run()
        finally:
            opened.close()
        assert told[0] == (0, 1 << 16)
        assert all(0 <= done <= candidates <= 1 << 16 for done, candidates in told)


def test_an_interrupt_ends_the_search_and_leaves_nothing() -> None:
    token = SoftToken()

    def interrupt(done: int, _: int) -> None:
        if done:
            raise KeyboardInterrupt

    opened = Opened(Target("test", lambda: token), max_search_bits=34, demonstration=Demonstration(34), searching=interrupt)
    with pytest.raises(KeyboardInterrupt):
        Audit(opened, Options(techniques=("weak-algorithm",), suites=(GCM,))).run()
    victims = opened.lab.handles
    assert set(opened.session.find()) == victims
    opened.close()
    after = Opened(Target("test", lambda: token))
    assert after.objects_before == 0
    after.close()


def test_a_module_that_dies_meanwhile_costs_one_finding() -> None:
    """It is started again after the search, and the next mechanism's finding is a new victim's."""
    module = IsolatedModule(Factory("keyfence.token:SoftToken"))
    killed: list[int] = []

    def kill(done: int, _: int) -> None:
        if done and not killed:
            killed.append(module.pid)
            os.kill(module.pid, signal.SIGKILL)

    opened = Opened(Target("test", lambda: module), max_search_bits=16, demonstration=Demonstration(16), searching=kill)
    try:
        report = Audit(opened, Options(techniques=("weak-algorithm",), suites=(GCM,))).run()
    finally:
        opened.close()
    by_mechanism = {finding.mechanism: finding for finding in report.findings}
    assert by_mechanism["CKM_TLS12_KEY_AND_MAC_DERIVE"].verdict is Verdict.INCONCLUSIVE
    assert "died (SIGKILL)" in by_mechanism["CKM_TLS12_KEY_AND_MAC_DERIVE"].why
    assert by_mechanism["CKM_TLS12_KEY_SAFE_DERIVE"].verdict is Verdict.EXPOSED
    assert report.residue.clean
