"""The audit itself: every technique against every session it concerns; probe, plan, execute, prove.

An attack gets a scope of its own: what it made is destroyed at its end, also what a failed call left behind. A crash or a
hang of the module ends one attack; the module is opened again and the audit goes on with new victims.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from keyfence.cryptoki import CryptokiError, HandleInvalid, KeyfenceError, ModuleFailure
from keyfence.cryptoki.constants import CKM, CKR, describe
from keyfence.model import Chain, Effort, Limits, Unsat
from keyfence.techniques import TECHNIQUES
from keyfence.techniques.base import Attack, Inconclusive, Technique, Unprepared, says_something, telling
from keyfence.techniques.recovery import Recovery, StreamBytes
from keyfence.techniques.victim import Kind, Profile, Victim

from .evidence import prove
from .findings import Finding, Refusal, Report, Residue, Verdict, VictimRef
from .planning import plan
from .profiles import profiles
from .target import Opened, Protecting
from .trace import CallBudgetSpent

Progress = Callable[[Finding], None]


def _silent(_: Finding) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an audit goes about it. `suites` and `techniques` empty: the defaults, and all. What is searched: see `Opened`."""

    suites: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    plan_only: bool = False
    max_chain: int = 512


_EFFORT: Final = Effort(literals=500)
"""Enough to prove most chains the shortest; what is left unproven is said beside the chain."""


class Audit:
    """One audit of one opened token."""

    def __init__(self, opened: Opened, options: Options = Options(), progress: Progress = _silent) -> None:
        self.opened = opened
        self.options = options
        self.progress = progress
        self.limits = Limits(options.max_chain, max_search_bits=64, effort=_EFFORT)
        self._gone = ""

    def run(self) -> Report:
        """All findings. KeyfenceError where the token cannot be audited at all."""
        before = self.opened.objects_before
        findings: list[Finding] = []
        for technique in self._selected():
            for finding in self._technique(technique):
                findings.append(finding)
                self.progress(finding)
        residue = Residue(before, self._clean_up())
        return Report(self.opened.reference, tuple(findings), residue, tuple(self.opened.notes))

    def _selected(self) -> Sequence[Technique]:
        wanted = self.options.techniques
        return [technique for technique in TECHNIQUES if not wanted or technique.id in wanted]

    def _clean_up(self) -> int | None:
        """Destroys what is left, and counts; None where the module is gone, and every session object with it."""
        self.opened.traced.hold()
        if self._gone:
            return None
        try:
            self.opened.lab.close()
            self.opened.sweep()
            return self.opened.count_objects()
        except (CryptokiError, ModuleFailure):
            return None

    def _technique(self, technique: Technique) -> Iterator[Finding]:
        """At least one finding: where no session could be attacked, that it is ABSENT, or why nothing can be said."""
        nothing = True
        try:
            for profile in profiles(technique, self._works, self.opened.lab.lists, self.options.suites):
                for finding in self._against(technique, profile):
                    nothing = False
                    yield finding
        except ModuleFailure as failure:
            yield self._failed(technique, None, failure)
            return
        if nothing:
            yield _absent(technique)

    def _works(self, profile: Profile) -> bool:
        """Whether there is such a session. One whose set-up ends the module is noted, and not set up again."""
        if self._gone:
            raise ModuleFailure(self._gone)
        try:
            return self.opened.lab.works(profile)
        except CallBudgetSpent:
            raise
        except ModuleFailure as failure:
            self.opened.notes.append(f"setting up a session ({profile}) ended the module: {failure}")
            self._revive()
            return False

    def _against(self, technique: Technique, profile: Profile) -> Iterator[Finding]:
        """Every attack on one session; after a crash on another session of the same kind, from the next attack on."""
        done = 0
        while not self._gone:
            try:
                victim = self.opened.lab.victim(profile)
            except Inconclusive as why:
                yield _finding(technique, None, profile, Verdict.INCONCLUSIVE, str(why))
                return
            except ModuleFailure as failure:
                yield self._failed(technique, profile, failure)
                return
            for attack in list(technique.attacks(victim))[done:]:
                yield self._attack(technique, attack, victim)
                done += 1
                if self.opened.lost or self._gone:
                    break
            else:
                return

    def _failed(self, technique: Technique, profile: Profile | None, failure: ModuleFailure) -> Finding:
        """What is said where the module failed outside an attack. A module that crashed or hung is started again."""
        if not isinstance(failure, CallBudgetSpent):
            self._revive()
        if profile is None:
            return replace(_absent(technique), verdict=Verdict.INCONCLUSIVE, why=str(failure))
        return _finding(technique, None, profile, Verdict.INCONCLUSIVE, str(failure))

    def _revive(self) -> None:
        """The module anew. Where that fails the audit goes on to its end with nothing but what it has."""
        if self._gone:
            return
        try:
            self.opened.reopen()
        except KeyfenceError as error:
            self._gone = f"the module could not be started again: {error}"
            self.opened.notes.append(self._gone)

    def _attack(self, technique: Technique, attack: Attack, victim: Victim) -> Finding:
        base = _finding(technique, attack, victim.profile, Verdict.INCONCLUSIVE, "")
        self.opened.traced.clear()
        try:
            with self.opened.attack_scope():
                finding = self._carry_out(base, attack, victim)
        except CryptokiError as error:
            finding = self._refused(base, attack, victim, error)
        except Inconclusive as why:
            finding = replace(base, why=str(why))
        except CallBudgetSpent as why:
            finding = replace(base, why=str(why))
        except ModuleFailure as failure:
            finding = replace(base, why=str(failure))
            self._revive()
        traced = self.opened.traced
        return replace(finding, calls=finding.calls or traced.count, trace=finding.trace or tuple(traced.records))

    def _refused(self, base: Finding, attack: Attack, victim: Victim, error: CryptokiError) -> Finding:
        """REFUSED, or ABSENT where the token neither lists the mechanism nor knows it when called.

        Where keys are separated, the mechanism's absence IS the refusal, and is reported as one. INCONCLUSIVE where the code
        is none about the attack: what prepares it was refused, the device failed, the victim's keys are gone.
        """
        if isinstance(error, Unprepared):
            return replace(base, why=f"the attack could not be prepared: {error}")
        if not says_something(error):
            return replace(base, why=f"{error}, which says nothing of the attack")
        if isinstance(error, HandleInvalid) and not self.opened.holds(victim):
            self.opened.lose(victim)
            return replace(base, why=f"{error}: the session's keys are gone from the module")
        missing = [mechanism for mechanism in attack.requires if not self.opened.bench.has(mechanism)]
        unknown = error.ckr in (CKR.MECHANISM_INVALID, CKR.FUNCTION_NOT_SUPPORTED)
        if missing and unknown and victim.kind is not Kind.SEPARATED:
            names = ", ".join(describe(CKM, mechanism) for mechanism in missing)
            return replace(base, verdict=Verdict.ABSENT, why=f"the token does not offer {names}")
        return replace(base, verdict=Verdict.REFUSED, why=str(error), refusal=_refusal(error))

    def _carry_out(self, base: Finding, attack: Attack, victim: Victim) -> Finding:
        """Probes on a secret of the lab's own; where that ends in a refusal, once more on the victim's own secret.

        A module may tell the two apart (by provenance, by attributes), so only what the victim's secret met is a refusal.
        """
        try:
            return self._attempt(base, attack, victim)
        except CryptokiError as refusal:
            if self.options.plan_only:
                raise Inconclusive(f"planning met {refusal} on a secret of the lab's own") from refusal
        with self.opened.bench.rehearsing_on_the_victim():
            return self._insistently(base, attack, victim)

    def _insistently(self, base: Finding, attack: Attack, victim: Victim) -> Finding:
        """Once more where the module only failed: devices have bad moments."""
        self.opened.traced.clear()
        try:
            return self._attempt(base, attack, victim)
        except CryptokiError as error:
            if says_something(error) or isinstance(error, Unprepared):
                raise
        self.opened.traced.clear()
        return self._attempt(base, attack, victim)

    def _attempt(self, base: Finding, attack: Attack, victim: Victim) -> Finding:
        """Probe, plan, execute, prove. CryptokiError where the module refuses."""
        offer = attack.probe(self.opened.bench)
        chain = plan(offer.target, offer.capabilities, self.limits) if offer.capabilities else Unsat("nothing allowed")
        if isinstance(chain, Unsat):
            if offer.unexplained:
                raise Inconclusive("the module answered CKR_OK and gave something else than the bytes asked for")
            if offer.refusals:
                raise telling(offer.refusals)
            raise Inconclusive(f"no chain of calls reaches the key: {chain.reason}")
        if self.options.plan_only:
            why = f"planned, not executed: {chain.price.calls} calls, 2^{chain.price.work_bits:g} trials"
            return replace(base, why=why, steps=_steps(attack, chain), work_bits=float(chain.price.work_bits))
        self.opened.traced.clear()
        recovery = attack.execute(self.opened.bench, chain)
        calls, trace = self.opened.traced.count, tuple(self.opened.traced.records)
        lab = self.opened.lab
        proven = prove(victim, recovery, lab.plaintext, imported=lab.imported(victim))
        return replace(
            base,
            verdict=Verdict.EXPOSED if self._is_protected(victim) else Verdict.OUT_OF_SCOPE,
            why=proven.evidence.statement,
            evidence=proven.evidence,
            calls=calls,
            work_bits=float(max(proven.work_bits, _searched(recovery, chain))),
            recovered_bytes=proven.recovered,
            total_bytes=proven.total,
            steps=_steps(attack, chain) if _own_search(recovery) is None else attack.steps(chain),
            trace=trace,
            layout=proven.layout,
        )

    def _is_protected(self, victim: Victim) -> bool:
        """Whether somebody promised to keep the key. A module alone promises that of every key, a guard of its policy's; no
        guard leaves a key alone that came out of a TLS session."""
        guard = self.opened.traced.module
        if victim.kind is not Kind.BARE or not isinstance(guard, Protecting):
            return True
        return any(guard.protects(handle) for handle in victim.handles.all)


def _steps(attack: Attack, chain: Chain) -> tuple[str, ...]:
    """The chain in PKCS#11's terms, and how far it is from the shortest where that is not known to be nothing."""
    bound = f"(no chain of this work has fewer than {chain.calls_at_least} calls)"
    return attack.steps(chain) if chain.optimal else (*attack.steps(chain), bound)


def _searched(recovery: Recovery, chain: Chain) -> float:
    """log2 of the trials of the largest search that was run, or that the chain has."""
    searched = _own_search(recovery)
    return chain.price.work_bits if searched is None else searched


def _own_search(recovery: Recovery) -> int | None:
    """The bits of the largest search of a plan that is not the chain; None where the chain was followed."""
    return recovery.searched if isinstance(recovery, StreamBytes) else None


def _refusal(error: CryptokiError) -> Refusal:
    return Refusal(error.ckr_name, error.ckr, error.function, error.rule)


def _finding(technique: Technique, attack: Attack | None, profile: Profile, verdict: Verdict, why: str) -> Finding:
    return Finding(
        technique=technique.id,
        title=technique.title,
        mechanism=attack.name if attack else "",
        victim=VictimRef(profile.suite.name, str(profile.kind), attack.key if attack else ""),
        verdict=verdict,
        why=why,
        section=technique.section,
        remedy=technique.remedy,
        references=technique.references,
    )


def _absent(technique: Technique) -> Finding:
    return Finding(
        technique=technique.id,
        title=technique.title,
        mechanism="",
        victim=VictimRef("", "", ""),
        verdict=Verdict.ABSENT,
        why="the token offers no session that this technique concerns",
        section=technique.section,
        remedy=technique.remedy,
        references=technique.references,
    )
