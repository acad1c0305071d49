"""Each rule is taken away in turn, and it shows: the proof turns sat, the guarded audit exposes something, or both.

`test_every_rule` adds a trace to each. What caught which rule is in the table that a failure prints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import pytest

from keyfence.audit import Verdict
from keyfence.guard import RULES, Guard, MemoryLedger, Policy
from keyfence.guard.prove import Answer, prove
from keyfence.guard.rules import Rule
from keyfence.schedule import suite
from keyfence.token import Quirks, SoftToken
from keyfence.token.quirks import Randoms

from ..techniques.harness import findings

DEFAULT = Policy.default()
TWO_CBC = replace(DEFAULT, suites=(suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"), suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")))
"""Suites whose IVs lie on each other's keys, if they were the key block's. The default has none such."""

BENT = Quirks(
    ignore_allowed_mechanisms=True,
    randoms=Randoms.TRUNCATE,
    wrap_unextractable=True,
    clear_sensitive_by_set=True,
    ignore_derive_flag=True,
)
IDS = [rule.id for rule in RULES]


@dataclass(frozen=True)
class Caught:
    """Without the rule: the proof's questions that turned sat, the techniques by which the guarded audit exposed something."""

    questions: tuple[str, ...]
    techniques: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.questions or self.techniques)


def without(rule: str) -> Sequence[Rule]:
    return tuple(each for each in RULES if each.id != rule)


def turned(policy: Policy, rules: Sequence[Rule]) -> list[Answer]:
    return [answer for answer in prove(policy, rules) if not answer.as_it_must_be]


def exposed(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Techniques that expose TLS 1.2 or 1.3 sessions on the token through a guard of these rules."""
    guard = Guard(SoftToken(quirks=BENT), DEFAULT, MemoryLedger(), rules=rules)
    found = findings(guard, suites=("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"))
    return tuple(dict.fromkeys(finding.technique for finding in found if finding.verdict is Verdict.EXPOSED))


@cache
def caught(rule: str) -> Caught:
    answers = [answer for policy in (DEFAULT, TWO_CBC) for answer in turned(policy, without(rule))]
    return Caught(
        tuple(dict.fromkeys(answer.question.removeprefix("this policy: ") for answer in answers)), exposed(without(rule))
    )


def table() -> str:
    """A row per rule; "-" where nothing was."""
    rows = ((rule, "; ".join(caught(rule).questions) or "-", ", ".join(caught(rule).techniques) or "-") for rule in IDS)
    return "\n".join(f"{rule}\n    proof: {questions}\n    audit: {techniques}" for rule, questions, techniques in rows)


def test_with_all_rules_nothing_is_open() -> None:
    assert turned(DEFAULT, RULES) == []
    assert turned(TWO_CBC, RULES) == []
    assert exposed(RULES) == ()


@pytest.mark.parametrize("rule", IDS)
def test_without_a_rule_something_is_open(rule: str) -> None:
    assert caught(rule), f"nothing misses {rule}:\n{table()}"


@pytest.mark.parametrize("rule", IDS)
def test_without_a_rule_the_proof_is_none(rule: str) -> None:
    """Stronger than what is asked: the solver alone misses each of them."""
    assert caught(rule).questions, table()
