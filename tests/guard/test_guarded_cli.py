"""keyfence audit --guarded: real modules and the token through the guard, and an attack split between two guards."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from keyfence.cryptoki import Cryptoki, CryptokiError
from keyfence.cryptoki.constants import CKA
from keyfence.guard import RULES, Guard, MemoryLedger, Policy
from keyfence.guard.ledger.sql import SqlLedger
from keyfence.guard.ledger.statistics import statistics
from keyfence.report.json import schema
from keyfence.schedule import Side, Version, key_block, master_secret, suite

from ..cli.program import Ended, keyfence
from ..modules import KNOWN, LOCAL, RealModule, bring_up
from .processes import processes
from .stack import Stack, prf

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC = suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")
NSS_SLOT = 1
RULE_IDS = {rule.id for rule in RULES}


@pytest.fixture(autouse=True)
def modules() -> None:
    bring_up()


def report(ended: Ended) -> Any:
    assert ended.code in (0, 1), ended
    content = json.loads(ended.output)
    Draft202012Validator(schema()).validate(content)
    return content


def by_verdict(content: Any, verdict: str) -> list[Any]:
    return [finding for finding in content["findings"] if finding["verdict"] == verdict]


def rules(content: Any) -> set[str]:
    return {finding["refusal"]["rule"] for finding in by_verdict(content, "REFUSED")}


# ---- Modules by their presets


@pytest.mark.native
def test_nss() -> None:
    bare = report(keyfence("audit", "nss", "--technique", "iv-window", "--technique", "hkdf-data", "--json", "-"))
    assert bare["summary"]["exposed"] > 0
    ended = keyfence("audit", "nss", "--guarded", "--json", "-")
    content = report(ended)
    assert (ended.code, ended.errors) == (0, "")
    assert content["summary"]["exposed"] == content["summary"]["out_of_scope"] == 0
    assert content["summary"]["refused"] > 150
    assert rules(content) <= RULE_IDS
    assert rules(content) >= {"suite-shapes", "operands", "prf-inputs", "hkdf-schedule", "use-binding", "raw-rsa", "wrapping"}
    assert content["residue"]["objects_before"] == content["residue"]["objects_after"]


OPENCRYPTOKI = ("audit", "opencryptoki", "--pin-file", LOCAL / "opencryptoki.pin", "--guarded", "--json", "-")


@pytest.mark.native
def test_opencryptoki_has_nothing_that_the_default_policy_offers() -> None:
    """It does SSL 3.0 alone, which the default does not have."""
    content = report(keyfence(*OPENCRYPTOKI))
    assert content["summary"]["exposed"] == content["summary"]["refused"] == 0


@pytest.mark.native
def test_opencryptoki_with_ssl_3(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        'versions = ["SSL 3.0"]\nsuites = ["TLS_RSA_WITH_AES_256_CBC_SHA"]\n'
        '[module]\nfingerprint = { mac = 20, key = 32, iv = 16, key_type = "AES" }\n'
    )
    suites = ("--suite", "TLS_RSA_WITH_AES_256_CBC_SHA")
    bare = report(keyfence(*(word for word in OPENCRYPTOKI if word != "--guarded"), *suites, "--technique", "iv-window"))
    assert bare["summary"]["exposed"] > 0
    content = report(keyfence(*OPENCRYPTOKI, *suites, "--policy", policy))
    assert content["summary"]["exposed"] == 0
    assert rules(content) - {None} >= {"suite-shapes", "operands"}


SOFTHSM2 = ("audit", "softhsm2", "--pin-file", LOCAL / "softhsm2.pin", "--guarded")


@pytest.mark.native
def test_softhsm2_shows_what_the_policy_leaves_alone() -> None:
    """Its keys come out of no TLS session. What can be done with them is as proven as on the bare module, and said."""
    ended = keyfence(*SOFTHSM2, "--json", "-", **KNOWN["softhsm2"].environment)
    content = report(ended)
    assert ended.code == 0
    assert content["summary"]["exposed"] == 0
    left_alone = by_verdict(content, "OUT OF SCOPE")
    assert {finding["technique"] for finding in left_alone} == {"cross-mode", "encrypt-data"}
    assert {finding["victim"]["protocol"] for finding in left_alone} == {"bare record key"}
    assert all(finding["evidence"]["proof"] in ("record", "forgery") for finding in left_alone)


@pytest.mark.native
def test_out_of_scope_is_in_the_text() -> None:
    ended = keyfence(*SOFTHSM2, "--technique", "cross-mode", **KNOWN["softhsm2"].environment)
    assert ended.code == 0
    assert "EXPOSED 0   OUT OF SCOPE " in ended.output
    assert "note: Through the guard: policy default, ledger of this audit alone." in ended.output


@pytest.mark.native
def test_softhsm2_with_its_keys_in_the_policy(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[tls_keys]]\nkey_type = "AES"\nmechanisms = ["AES_GCM"]\n')
    content = report(keyfence(*SOFTHSM2, "--policy", policy, "--json", "-", **KNOWN["softhsm2"].environment))
    assert content["summary"]["exposed"] == content["summary"]["out_of_scope"] == 0
    assert {
        finding["refusal"]["rule"] for finding in by_verdict(content, "REFUSED") if finding["technique"] == "cross-mode"
    } == {"use-binding"}


def test_token() -> None:
    ended = keyfence("audit", "token", "--guarded", "--json", "-")
    assert ended.code == 0
    for content in report(ended)["audits"]:
        assert content["summary"]["exposed"] == 0
        assert content["summary"]["refused"] > 100
        if content["name"] == "classic":
            assert content["summary"]["absent"] == 0


# ---- The options


def test_a_policy_that_only_reports_lets_it_happen(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[rules]\nhkdf-schedule = "monitor"\n')
    options = ("--schedule", "classic", "--technique", "hkdf-data", "--json", "-")
    assert report(keyfence("audit", "token", "--guarded", *options))["summary"]["exposed"] == 0
    ended = keyfence("audit", "token", "--guarded", "--policy", policy, *options)
    assert ended.code == 1
    assert report(ended)["summary"]["exposed"] > 0


def test_a_ledger_that_is_named_stays(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    options = ("audit", "token", "--schedule", "classic", "--guarded", "--db", file, "--technique", "iv-window", "--json", "-")
    before, after = (report(keyfence(*options)) for _ in range(2))
    assert before["summary"] == after["summary"]
    ledger = SqlLedger(file, create=False)
    assert statistics(ledger).blocks > 0
    ledger.close()


@pytest.mark.parametrize("option", ["--policy", "--db", "--ledger-key"])
def test_options_of_the_guard_want_the_guard(option: str) -> None:
    ended = keyfence("audit", "token", option, "somewhere")
    assert ended.code == 2
    assert "give --guarded" in ended.errors


def test_a_policy_that_is_none_is_one_line(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('suites = ["TLS_UNHEARD_OF"]\n')
    ended = keyfence("audit", "token", "--guarded", "--policy", policy)
    assert ended.code == 3
    assert "line 1" in ended.last_word


# ---- Two guards in two processes, one ledger, an attack split between them

SECRET = os.urandom(32)
RANDOMS = (os.urandom(32), os.urandom(32))


def block() -> bytes:
    """The session's key block, cut by AES_256_CBC_SHA: what only the module is to know."""
    master = master_secret(Version.TLS12, prf(CBC), SECRET, *RANDOMS)
    return key_block(Version.TLS12, prf(CBC), master, *RANDOMS, CBC.shape(Version.TLS12).length)


def session(module: Cryptoki) -> tuple[Stack, int]:
    """The same session in any process: its agreed secret as an application holds it, its randoms, and the master secret."""
    tls = Stack.on(module, NSS_SLOT)
    tls.randoms = RANDOMS
    return tls, tls.master(CBC, tls.imported(SECRET))


def shown(module: Cryptoki) -> bytes:
    """What a cut as AES_128_GCM returns: bytes 32 to 39, of the server's MAC key."""
    tls, master = session(module)
    end = tls.keys(GCM, master)
    return (end.iv[Side.CLIENT] or b"") + (end.iv[Side.SERVER] or b"")


@pytest.mark.native
def test_two_bare_processes_show_a_key() -> None:
    with processes(None) as (one, other):
        tls, master = session(one)
        tls.keys(CBC, master)
        assert shown(other) == block()[32:40]


@pytest.mark.native
def test_two_guards_with_one_ledger_do_not(tmp_path: Path) -> None:
    with processes(str(tmp_path / "ledger.db")) as (one, other):
        tls, master = session(one)
        tls.keys(CBC, master)
        with pytest.raises(CryptokiError, match="guard: one-cut:"):
            shown(other)
        again, master = session(other)
        again.keys(CBC, master)


@pytest.mark.native
def test_two_guards_with_two_ledgers_would() -> None:
    """It is the ledger that does it: guards that share a module have to share one."""
    with processes(None) as (one, other):
        tls, master = session(Guard(one, Policy.default(), MemoryLedger()))
        tls.keys(CBC, master)
        assert shown(Guard(other, Policy.default(), MemoryLedger())) == block()[32:40]


@pytest.mark.native
def test_a_session_from_before_the_guard(nss: RealModule) -> None:
    """Its objects are invisible. Made again by somebody who has the agreed secret's handle, its block can be cut once, by any
    allowed suite, and no IV that comes back then is worth a search."""
    old, master = session(nss.module)
    keys = old.keys(CBC, master)
    guard = Guard(nss.module, Policy.default(), MemoryLedger())
    tls = Stack.on(guard, nss.slot)
    for handle in (master, *keys.write.values(), *keys.mac.values()):
        assert handle in old.session.find()
        assert guard.role(handle) is None
    assert tls.session.find() == ()
    with pytest.raises(CryptokiError, match="CKR_OBJECT_HANDLE_INVALID"):
        tls.session.attribute(master, CKA.VALUE_LEN)
    assert len(shown(guard)) == 8
    again, found = session(guard)
    with pytest.raises(CryptokiError, match="guard: one-cut:"):
        again.keys(CBC, found)
