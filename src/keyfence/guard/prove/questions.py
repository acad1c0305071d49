"""The questions, and their answers.

    for answer in prove(Policy.default()):       answer.sat, answer.as_it_must_be, answer.witness

"sat" is a pair of calls of which one shows what the other was to hide; "unsat" is the solver's answer that there are none,
whatever the lengths. What is asked of the policy's rules is what their `leaves` leaves, each in its turn, as the guard has
them judge; a rule in monitor mode leaves everything.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from keyfence.model import Exposure, is_exposed, is_payable, is_shared
from keyfence.schedule import SUITES, Version

from ..blocks import PAYABLE_BITS, Cuts
from ..policy import Mode, Policy
from ..rules import RULES, Rule
from ..rules.suites import SuiteShapes
from ..ways import Cutting, Terms, Way
from . import pkcs11
from .capabilities import capability, ivs_alone
from .pkcs11 import Subject


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's answer. `subject` says of which secret the witness is; `must_be_sat`: the questions without a guard."""

    question: str
    must_be_sat: bool
    witness: Exposure | None = None
    subject: str = ""

    @property
    def sat(self) -> bool:
        return self.witness is not None

    @property
    def as_it_must_be(self) -> bool:
        return self.sat is self.must_be_sat


_IN_USE: Final = frozenset({"AES", "CHACHA20"})


def prove(policy: Policy, rules: Sequence[Rule] = RULES) -> Iterator[Answer]:
    """All questions in order: what is open without a guard, then what this policy leaves open."""
    yield _first("the classic key expansion, as PKCS#11 has it", True, _classic(policy), ())
    yield _suites_alone()
    yield _first("TLS 1.3's HKDF, as PKCS#11 has it", True, _bare_hkdf(), ())
    yield _separated_alone()
    for question, subjects in _under(policy).items():
        yield _first(question, False, subjects(), enforced(rules, policy), policy)


def enforced(rules: Iterable[Rule], policy: Policy) -> tuple[Rule, ...]:
    """The rules that refuse. One that only reports protects nothing."""
    return tuple(rule for rule in rules if policy.mode(rule.id) is Mode.ENFORCE)


def left(way: Way, rules: Iterable[Rule], terms: Terms) -> tuple[Way, ...]:
    """What the rules leave of a way, each judging what the one before it left."""
    ways: tuple[Way, ...] = (way,)
    for rule in rules:
        if way.function in rule.functions:
            ways = tuple(narrower for each in ways for narrower in rule.leaves(each, terms))
    return ways


# ---- Without a guard


def _classic(policy: Policy) -> Iterator[Subject]:
    """The policy's own suites, cut again by whatever lengths; keys are sensitive, as careful callers have them."""
    cuts = Cuts(policy)
    for function in pkcs11.functions(policy):
        careful = tuple(replace(way, readable=False) for way in pkcs11.cuttings(function))
        yield from (replace(subject, ways=careful) for subject in pkcs11.key_blocks(cuts, function))


def _every_suite() -> Policy:
    return Policy(tuple(suite for suite in SUITES if suite.cipher.algorithm in _IN_USE), frozenset({Version.TLS12}))


def _suites_alone() -> Answer:
    """Suites of TLS 1.2 cut again as others, with the IVs that a caller may have room for; and of the others the IVs alone."""
    policy = _every_suite()
    cuts = Cuts(policy)
    question = "real cipher suites' shapes only, and no ledger"
    ways = [narrower for way in pkcs11.cuttings("SHA256")[:1] for narrower in left(way, (SuiteShapes(),), Terms(policy, cuts))]
    attackers = [ivs_alone(way) for way in ways if isinstance(way, Cutting)]
    for subject in pkcs11.key_blocks(cuts, "SHA256"):
        if subject.committed and (witness := is_exposed(subject.victims, attackers)):
            return Answer(question, True, witness, subject.title)
    return Answer(question, True)


def _bare_hkdf() -> Iterator[Subject]:
    yield from pkcs11.traffic_keys(Policy.default())


def _separated_alone() -> Answer:
    """The stricter claim: no key of the separated expansion shares a byte with anything else that it makes."""
    keys = [victim for subject in pkcs11.separated(("SHA256", "SHA384")) for victim in subject.victims]
    question = "the separated key expansion: two keys that share a byte"
    return Answer(question, False, is_shared(keys, keys))


# ---- Under a policy


def _under(policy: Policy) -> dict[str, Callable[[], Iterator[Subject]]]:
    cuts, functions = Cuts(policy), pkcs11.functions(policy)
    blocks = [subject for function in functions for subject in pkcs11.key_blocks(cuts, function)]
    return {
        "this policy: key blocks that were cut before this ledger's guards": lambda: (s for s in blocks if not s.committed),
        "this policy: key blocks whose cut the ledger has": lambda: (s for s in blocks if s.committed),
        "this policy: keys of the separated key expansion": lambda: pkcs11.separated(functions),
        "this policy: pre-master, agreed and master secrets": lambda: pkcs11.values(policy),
        "this policy: secrets and keys of TLS 1.3": lambda: pkcs11.traffic_keys(policy),
        "this policy: record keys in their ciphers": pkcs11.ciphers,
    }


def _first(
    question: str, must_be_sat: bool, subjects: Iterable[Subject], rules: Sequence[Rule], policy: Policy | None = None
) -> Answer:
    """The first subject that is exposed, or that none is."""
    policy = policy or Policy.default()
    cuts = Cuts(policy)
    for subject in subjects:
        terms = Terms(policy, cuts, subject.committed)
        ways = [narrower for way in subject.ways for narrower in left(way, rules, terms)]
        if witness := _exposure(subject, ways):
            return Answer(question, must_be_sat, witness, subject.title)
    return Answer(question, must_be_sat)


def _exposure(subject: Subject, ways: Collection[Way]) -> Exposure | None:
    """Of calls that exclude each other one is granted, and counts from a payable price; all others are granted together."""
    once = [way for way in ways if isinstance(way, Cutting) and way.once]
    always = [capability(way) for way in ways if way not in once]
    exposure = is_exposed(subject.victims, always) if always else None
    return exposure or (is_payable(subject.victims, [capability(way) for way in once], PAYABLE_BITS) if once else None)
