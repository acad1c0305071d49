"""The proof: open without a guard, closed under the policy; and what rules tell the solver is what they tell callers."""

import os
import tomllib
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO
from keyfence.cryptoki.params import Tls12KeyMat, TlsKdf
from keyfence.cryptoki.session import secret_key
from keyfence.guard import RULES, Guard, MemoryLedger, Policy
from keyfence.guard.blocks import Cuts
from keyfence.guard.policy import Mode
from keyfence.guard.policy.loader import default_text, parse
from keyfence.guard.prove import Answer, enforced, left, prove
from keyfence.guard.prove.pkcs11 import cuttings, expansion, expansions
from keyfence.guard.prove.words import rows
from keyfence.guard.roles import Kind, Role
from keyfence.guard.ways import Cutting, Reading, Terms
from keyfence.model import Stream
from keyfence.schedule import HkdfLabel, PrfHash, SeparatedLabel, Side, Version, suite
from keyfence.schedule.separated import ALGORITHMS
from keyfence.token import SoftToken

from ..cli.program import keyfence
from .conftest import SLOT
from .stack import Stack

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC128 = suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")
CBC256 = suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")
CHACHA20 = suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
DEFAULT = Policy.default()
TERMS = Terms(DEFAULT, Cuts(DEFAULT))


def wrong(answers: Collection[Answer]) -> list[str]:
    return [answer.question for answer in answers if not answer.as_it_must_be]


@pytest.fixture(scope="module")
def answers() -> list[Answer]:
    return list(prove(DEFAULT))


def test_every_answer_is_as_it_must_be(answers: list[Answer]) -> None:
    assert wrong(answers) == []
    assert sum(answer.sat for answer in answers) == 3
    assert sum(answer.question.startswith("this policy: ") for answer in answers) == 6


def test_the_classic_expansion_is_shown_with_two_calls_that_share_a_byte(answers: list[Answer]) -> None:
    witness = answers[0].witness
    assert witness is not None
    for call in (witness.victim, witness.attacker):
        assert any(piece.start <= witness.offset < piece.stop for piece in call.slices)
    text = dict(rows(answers[0]))
    assert text["the attacker's"].startswith("C_DeriveKey, CKM_TLS12_KEY_AND_MAC_DERIVE: ulMacSizeInBits ")
    assert text["the victim's"].startswith("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (+3): ")


def test_real_suites_alone_are_shown_as_a_pair_of_suites(answers: list[Answer]) -> None:
    text = dict(rows(answers[1]))
    assert "TLS_" in text["the victim's"]
    assert "as TLS_" in text["the attacker's"]
    assert "IV of the attacker's, in the clear" in text["so that"]


def test_of_all_cuts_the_suites_are_left() -> None:
    """And none under randoms of another length."""
    ways = [way for cutting in cuttings("SHA256") for way in left(cutting, RULES, TERMS)]
    assert {way.cut for way in ways if isinstance(way, Cutting)} == {cut for cut in Cuts(DEFAULT) if cut.function == "SHA256"}
    assert all(isinstance(way, Cutting) and way.once and not (way.renamed or way.readable) for way in ways)


# ---- A policy that somebody loosened


def loosened(**changes: object) -> list[Answer]:
    return [answer for answer in prove(replace(DEFAULT, **changes)) if not answer.as_it_must_be]  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["one-cut", "prf-inputs", "hkdf-schedule"])
def test_a_rule_that_only_reports_protects_nothing(rule: str) -> None:
    assert loosened(modes={rule: Mode.MONITOR})


def test_ivs_on_keys_are_found_where_the_suites_have_them() -> None:
    """What the loader refuses; one cut by the attacker, of a block that no ledger knows, leaves 64 bits."""
    found = loosened(suites=(CBC128, CHACHA20))
    assert [answer.question for answer in found] == ["this policy: key blocks that were cut before this ledger's guards"]
    assert "as TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" in dict(rows(found[0]))["the attacker's"]


def test_ivs_of_cbc_suites_come_from_outside() -> None:
    assert loosened(suites=(CBC128, CBC256)) == []
    found = loosened(suites=(CBC128, CBC256), modes={"ivs-from-outside": Mode.MONITOR})
    assert "the clear" in dict(rows(found[0]))["so that"]


def test_raw_rsa_opens_what_went_under_rsa() -> None:
    (found,) = loosened(raw_rsa=True)
    assert (found.question, found.subject) == ("this policy: pre-master, agreed and master secrets", "pre-master secrets")


def test_a_reserved_label_among_the_exporters_changes_nothing() -> None:
    """TLS's own labels are refused whatever the list of exporters says."""
    assert loosened(exporter_labels=DEFAULT.exporter_labels | {b"key expansion"}) == []


def test_older_versions_are_closed_too() -> None:
    """SSL 3.0's key block is no PRF's: digests of the secret rebuild it. TLS 1.0's has two hashes. Both give IVs in CBC."""
    assert loosened(versions=frozenset(Version)) == []
    assert loosened(versions=frozenset({Version.SSL3}), modes={"operands": Mode.MONITOR})
    assert loosened(versions=frozenset({Version.TLS10}), modes={"prf-inputs": Mode.MONITOR})


# ---- What rules leave is what they let through


def accepted(call: Callable[[Stack], object]) -> bool:
    """Whether the guard let it through; what the token itself refuses is let through all the same."""
    token = SoftToken()
    token.initialize()
    tls = Stack.on(Guard(token, DEFAULT, MemoryLedger()), SLOT)
    try:
        call(tls)
    except CryptokiError as error:
        return "guard: " not in str(error)
    return True


def within(value: int, sizes: frozenset[int] | None) -> bool:
    return sizes is None or value in sizes


LENGTHS = st.sampled_from((0, 1, 4, 12, 16, 20, 24, 32, 48))
KEY_TYPES = st.sampled_from((CKK.AES, CKK.CHACHA20, CKK.GENERIC_SECRET, CKK.DES3))


@settings(max_examples=150, deadline=None)
@given(LENGTHS, LENGTHS, LENGTHS, KEY_TYPES)
def test_a_key_block_is_cut_as_the_proof_says(mac: int, key: int, iv: int, key_type: CKK) -> None:
    """The first cut of a block. The lengths asked of the module are fewer than a caller's: IVs of CBC suites are not."""
    rules = [rule for rule in enforced(RULES, DEFAULT) if rule.id != "ivs-from-outside"]
    ways = [way for cutting in cuttings("SHA256") for way in left(cutting, rules, TERMS) if isinstance(way, Cutting)]
    allowed = any(
        within(mac, way.mac) and within(key, way.key) and within(iv, way.iv) and way.key_type == key_type for way in ways
    )

    def cut(tls: Stack) -> None:
        master = tls.master(GCM, tls.ecdhe()[0])
        parameters = Tls12KeyMat(8 * mac, 8 * key, 8 * iv, *tls.randoms, int(CKM.SHA256))
        tls.session.derive(Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, parameters), master, secret_key(key_type, key))

    assert accepted(cut) == allowed


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from((b"key", b"iv", b"finished", b"no label of RFC 8446")),
    st.sampled_from((12, 16, 24, 32)),
    LENGTHS,
    st.one_of(KEY_TYPES, st.none()),
)
def test_a_traffic_secret_is_expanded_as_the_proof_says(name: bytes, said: int, length: int, key_type: CKK | None) -> None:
    sha256, role = PrfHash.SHA256, Role(Kind.TRAFFIC, "SHA256")
    label = HkdfLabel(said, name, b"")
    offered = [way for way in expansions(role, expansion("s", sha256, label), sha256, DEFAULT) if way.key_type == key_type]
    rules = enforced(RULES, DEFAULT)
    ways = [way for each in offered for way in left(each, rules, TERMS) if isinstance(way, Reading)]
    allowed = any(within(length, way.length) for way in ways)

    def expand(tls: Stack) -> None:
        handshake = tls.extract(sha256, tls.ecdhe()[0], salt=_salt())
        secret = tls.expand(sha256, handshake, b"c hs traffic", bytes(32))
        data = {CKA.CLASS: int(CKO.DATA), CKA.VALUE_LEN: length}
        template = data if key_type is None else secret_key(key_type, length, encrypt=True)
        tls.label(sha256, secret, label, template, data=key_type is None)

    assert accepted(expand) == allowed


def _salt() -> bytes:
    from keyfence.schedule.tls13 import salt_without_psk

    return salt_without_psk(PrfHash.SHA256)


LABELS = st.one_of(
    st.builds(lambda name: SeparatedLabel.of(name, Side.CLIENT).build(), st.sampled_from(sorted(ALGORITHMS))),
    st.sampled_from(
        (b"key expansion", b"master secret", b"client finished", b"EXPORTER-Channel-Binding", b"EXPERIMENTAL mine", b"k")
    ),
)


@settings(max_examples=120, deadline=None)
@given(LABELS, LENGTHS, KEY_TYPES)
def test_a_prf_is_asked_as_the_proof_says(label: bytes, length: int, key_type: CKK) -> None:
    from keyfence.guard.prove.pkcs11 import _prfs

    stream = Stream.of("master secret", "TLS12-PRF-SHA256", label, os.urandom(64))
    offered = [way for way in _prfs(Role(Kind.MASTER, "SHA256"), stream) if way.key_type == key_type]
    ways = [way for each in offered for way in left(each, enforced(RULES, DEFAULT), TERMS) if isinstance(way, Reading)]

    def ask(tls: Stack) -> None:
        master = tls.master(GCM, tls.ecdhe()[0])
        parameters = TlsKdf(int(CKM.SHA256), label, *tls.randoms)
        tls.session.derive(Mechanism(CKM.TLS12_KDF, parameters), master, secret_key(key_type, length, encrypt=True))

    assert accepted(ask) == any(within(length, way.length) for way in ways)


# ---- The command


def test_the_command_prints_calls_and_answers() -> None:
    ended = keyfence("prove")
    assert ended.code == 0, ended
    assert ended.output.count(": sat\n") == 3
    assert ended.output.count(": unsat\n") == 7
    assert "the attacker's  C_DeriveKey, CKM_TLS12_KEY_AND_MAC_DERIVE: ulMacSizeInBits" in ended.output
    assert "Every answer is as it must be" in ended.output


def test_the_command_tells_a_policy_that_somebody_loosened(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('[rules]\none-cut = "monitor"\n')
    ended = keyfence("prove", "--policy", file)
    assert ended.code == 1
    wanted = "NOT as it must be: this policy: key blocks that were cut before this ledger's guards: this must be unsat"
    assert wanted in " ".join(ended.output.split())


def test_the_command_takes_suites_that_the_guard_would_not(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(f'suites = ["{CBC128.name}", "{CHACHA20.name}"]\nversions = ["TLS 1.2"]\n')
    ended = keyfence("prove", "--policy", file)
    assert ended.code == 1, ended
    assert f"as {CHACHA20.name}" in " ".join(ended.output.split())


def test_the_command_says_where_a_policy_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("unheard_of = 1\n")
    ended = keyfence("prove", "--policy", file)
    assert ended.code == 3
    assert "line 1" in ended.last_word


def test_the_default_file_is_the_default_policy() -> None:
    assert tomllib.loads(default_text())
    assert wrong(list(prove(parse(default_text(), "default")))) == []
