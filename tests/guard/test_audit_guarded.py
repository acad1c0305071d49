"""The audit through the guard: what is EXPOSED on the bare token is REFUSED by a rule that the refusal names.

Each token errs in a way that some technique's tests need; the victims are set up through the guard too.
"""

from dataclasses import replace

import pytest

from keyfence.audit import Audit, Finding, Opened, Options, Target, Verdict
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.isolation import IsolatedModule
from keyfence.guard import Guard, MemoryLedger, Policy
from keyfence.guard.policy import BoundKey, ModuleFacts, ObjectName
from keyfence.schedule import Shape, Version, suite
from keyfence.techniques.victim import Kind
from keyfence.token import Keep, Quirks, Rounding, SoftToken
from keyfence.token import Source as LengthFrom
from keyfence.token.quirks import Randoms, Sensitivity

from ..modules import real_module
from ..techniques.harness import classic, exposed, findings

DEFAULT = Policy.default()
EVERY_VERSION = replace(DEFAULT, versions=frozenset(Version))
"""SSL 3.0 to TLS 1.1 too, whose CBC suites take their IVs from the key block."""

QUIRKS = {
    "strict": Quirks(),
    "like NSS": Quirks(
        write_key_cut=LengthFrom.TEMPLATE,
        rounding=Rounding.DOWN,
        silent_without_value_len=True,
        randoms=Randoms.TRUNCATE,
        ignore_derive_flag=True,
        ignore_allowed_mechanisms=True,
        sensitivity=Sensitivity.BASE,
    ),
    "like opencryptoki": Quirks(rounding=Rounding.UP, ignore_value_len=True, inherit=False, max_block=416),
    "template cuts, last bytes kept": Quirks(write_key_cut=LengthFrom.TEMPLATE, amount=LengthFrom.TEMPLATE, keep=Keep.LAST),
    "first bytes kept": Quirks(keep=Keep.FIRST),
    "readable key material": Quirks(readable_key_mat=True),
    "attributes cleared by set": Quirks(clear_sensitive_by_set=True),
    "attributes cleared by copy": Quirks(clear_sensitive_by_copy=True),
    "mechanisms changed by copy": Quirks(copy_changes_mechanisms=True),
    "mechanisms not honoured": Quirks(ignore_allowed_mechanisms=True),
    "uses not honoured": Quirks(ignore_allowed_mechanisms=True, ignore_usage_flags=True, ignore_derive_flag=True),
    "short signatures": Quirks(ignore_allowed_mechanisms=True, short_signatures=True),
    "short signatures alone": Quirks(ignore_allowed_mechanisms=True, short_signatures=True, general_macs=False),
    "unextractable wrapped": Quirks(wrap_unextractable=True),
    "nothing imported": Quirks(wrap_unextractable=True, import_keys=False, without=frozenset({CKM.AES_CBC_PAD})),
    "unwrap truncates": Quirks(unwrap_truncates=True),
    "extract truncates": Quirks(extract_truncates=True),
    "labels looked at": Quirks(reserved_labels=False, randoms=Randoms.TRUNCATE),
    "forced sensitive": Quirks(sensitivity=Sensitivity.FORCED),
    "narrow": Quirks(max_iv=4, mac_lengths=frozenset({0, 20, 48}), key_lengths=frozenset({16, 32})),
    "no parity, one mechanism": Quirks(fix_parity=False, one_mechanism_per_key=True),
    "all bugs at once": Quirks(
        readable_key_mat=True,
        inherit=False,
        clear_sensitive_by_set=True,
        clear_sensitive_by_copy=True,
        copy_changes_mechanisms=True,
        ignore_allowed_mechanisms=True,
        ignore_usage_flags=True,
        ignore_derive_flag=True,
        ignore_value_len=True,
        short_signatures=True,
        wrap_unextractable=True,
        unwrap_truncates=True,
        extract_truncates=True,
    ),
}


def audited(quirks: Quirks, policy: Policy = DEFAULT) -> tuple[list[Finding], Guard]:
    guard = Guard(SoftToken(quirks=quirks), policy, MemoryLedger())
    return findings(guard), guard


def audit(target: Target) -> list[Finding]:
    opened = Opened(target)
    try:
        report = Audit(opened, Options()).run()
    finally:
        opened.close()
    assert report.residue.clean
    return list(report.findings)


@pytest.mark.parametrize("quirks", QUIRKS.values(), ids=QUIRKS)
def test_nothing_is_exposed(quirks: Quirks) -> None:
    found, _ = audited(quirks)
    assert not exposed(found), [(f.technique, f.mechanism, f.why) for f in exposed(found)]
    assert {f.victim.protocol for f in found} >= {Kind.TLS12, Kind.TLS13}


def test_what_was_exposed_is_refused_by_a_rule() -> None:
    """On the token with every bug: each exposure of a TLS 1.2 or 1.3 session has a refusal in its place that names a rule."""
    quirks = QUIRKS["all bugs at once"]
    before = exposed(classic(quirks=quirks))
    after = {_what(finding): finding for finding in audited(quirks)[0]}
    compared = [_what(finding) for finding in before if _what(finding) in after]
    assert len(compared) > 50
    for what in compared:
        assert after[what].verdict is Verdict.REFUSED, (what, after[what].why)
        assert "guard: " in after[what].why, (what, after[what].why)


def _what(finding: Finding) -> tuple[str, str, str, str, str]:
    return finding.technique, finding.mechanism, finding.victim.protocol, finding.victim.suite, finding.victim.key


@pytest.mark.parametrize("name", ["strict", "like NSS", "all bugs at once"])
def test_nothing_is_exposed_in_older_versions(name: str) -> None:
    found, _ = audited(QUIRKS[name], EVERY_VERSION)
    assert not exposed(found), [(f.technique, f.mechanism, f.why) for f in exposed(found)]
    assert {f.victim.protocol for f in found} >= {Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.TLS13}


@pytest.mark.parametrize(
    "mechanisms",
    [
        {CKM.AES_ECB, CKM.AES_CTR, CKM.AES_CBC},
        {CKM.AES_ECB_ENCRYPT_DATA, CKM.AES_CBC_ENCRYPT_DATA},
        {CKM.AES_CBC_PAD, CKM.AES_KEY_WRAP},
    ],
)
def test_plain_keys_that_the_policy_names_are_bound_to_their_use(mechanisms: set[CKM]) -> None:
    offered = frozenset({CKM.AES_KEY_GEN, CKM.AES_GCM, *mechanisms})
    quirks = Quirks(only=offered, wrap_unextractable=True, clear_sensitive_by_set=True)
    named = BoundKey(ObjectName(key_type=int(CKK.AES)), frozenset({int(CKM.AES_GCM)}))
    assert exposed(classic(quirks=quirks))
    found, _ = audited(quirks, replace(DEFAULT, tls_keys=(named,)))
    assert {f.victim.protocol for f in found} >= {Kind.BARE}
    assert not exposed(found)


def test_before_the_separated_token_there_is_nothing_to_close() -> None:
    guard = Guard(SoftToken("separated"), DEFAULT, MemoryLedger())
    assert not exposed(findings(guard))


@pytest.mark.native
def test_nss_softoken() -> None:
    with real_module("nss") as nss:
        module = IsolatedModule(nss.factory, environment=nss.environment)
        found = findings(Guard(module, DEFAULT, MemoryLedger()), slot=nss.slot)
    assert not exposed(found), [(f.technique, f.mechanism, f.why) for f in exposed(found)]
    refused = [f for f in found if f.verdict is Verdict.REFUSED]
    assert len(refused) > 150
    assert sum("guard: " in f.why for f in refused) >= len(refused) - 2


@pytest.mark.native
def test_opencryptoki() -> None:
    """It does SSL 3.0 alone, so the policy has to have that; and it makes a key block with IVs of a CBC suite."""
    facts = ModuleFacts(fingerprint_shape=Shape(20, 32, 16))
    policy = replace(DEFAULT, versions=frozenset({Version.SSL3}), suites=(suite("TLS_RSA_WITH_AES_256_CBC_SHA"),), facts=facts)
    with real_module("opencryptoki") as module:
        again = IsolatedModule(module.factory, environment=module.environment)
        guard = Guard(again, policy, MemoryLedger())
        found = audit(Target("opencryptoki", lambda: guard, module.slot, lambda: module.pin))
    assert {f.victim.protocol for f in found} >= {Kind.SSL3}
    assert not exposed(found), [(f.technique, f.mechanism, f.why) for f in exposed(found)]
