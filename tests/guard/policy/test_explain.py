"""A policy in words: what changes in the policy changes in the words."""

from dataclasses import replace

from keyfence.cryptoki.constants import CKK, CKM
from keyfence.guard.policy import BoundKey, Mode, ObjectName, Policy
from keyfence.guard.policy.explain import explain
from keyfence.guard.rules import RULES
from keyfence.schedule import Version, suite

DEFAULT = Policy.default()
REFUSED, UNPROTECTED = "What it refuses, and whom that touches", "What it does not protect"


def said(policy: Policy) -> dict[str, list[tuple[str, str]]]:
    return {section.title: list(section.rows) for section in explain(policy)}


def rows(policy: Policy, title: str, name: str) -> list[str]:
    return [text for row, text in said(policy).get(title, []) if row == name]


def test_every_suite_and_every_rule_is_there() -> None:
    suites = " ".join(text for _, text in said(DEFAULT)["Cipher suites"])
    assert all(each.name in suites for each in DEFAULT.suites)
    assert [name for name, _ in said(DEFAULT)["Rules"]] == [f"{rule.id} (enforce)" for rule in RULES]
    assert all(text for _, text in said(DEFAULT)["Rules"])


def test_the_default_protects_all_that_it_can() -> None:
    assert UNPROTECTED not in said(DEFAULT)


def test_suites_say_how_they_cut() -> None:
    policy = replace(DEFAULT, suites=(suite("TLS_RSA_WITH_AES_128_CBC_SHA"),), versions=frozenset({Version.TLS12}))
    assert said(policy)["Cipher suites"] == [
        (
            "TLS 1.2",
            "CKM_AES_CBC, PRF SHA256, bytes: MAC key 20, write key 16, IVs by the guard: TLS_RSA_WITH_AES_128_CBC_SHA",
        )
    ]


def test_mechanisms_are_those_of_the_versions() -> None:
    of_12 = dict(said(replace(DEFAULT, versions=frozenset({Version.TLS12})))["Mechanisms, by the secret they are for"])
    of_13 = dict(said(replace(DEFAULT, versions=frozenset({Version.TLS13})))["Mechanisms, by the secret they are for"])
    assert "CKM_TLS12_KEY_AND_MAC_DERIVE" in of_12["master secrets"]
    assert "CKM_TLS_KEY_AND_MAC_DERIVE" not in of_12["master secrets"].split(", ")
    assert "secrets of TLS 1.3" not in of_12
    assert "master secrets" not in of_13
    assert of_13["secrets of TLS 1.3"] == "CKM_HKDF_DATA, CKM_HKDF_DERIVE"
    assert "CKM_AES_CBC" in of_12["write keys"]
    assert "CKM_AES_CBC" not in of_13["write keys"]


def test_old_peers_are_named() -> None:
    assert rows(DEFAULT, REFUSED, "versions") == ["SSL 3.0, TLS 1.0, TLS 1.1: a peer that speaks nothing else is not served"]
    assert not rows(replace(DEFAULT, versions=frozenset(Version)), REFUSED, "versions")


def test_a_mandatory_suite_that_is_missing_is_named() -> None:
    (text,) = rows(DEFAULT, REFUSED, "suites")
    assert text.startswith("TLS_RSA_WITH_AES_128_CBC_SHA, which every peer of TLS 1.2 has")
    complete = replace(DEFAULT, suites=(*DEFAULT.suites, suite("TLS_RSA_WITH_AES_128_CBC_SHA")))
    assert not rows(complete, REFUSED, "suites")


def test_raw_rsa_is_refused_or_not_protected() -> None:
    assert "3 static-RSA suites" in rows(DEFAULT, REFUSED, "raw RSA")[0]
    loose = replace(DEFAULT, raw_rsa=True)
    assert not rows(loose, REFUSED, "raw RSA")
    assert rows(loose, UNPROTECTED, "raw_rsa")


def test_rules_that_only_watch_protect_nothing() -> None:
    loose = replace(DEFAULT, modes={"one-cut": Mode.MONITOR})
    assert rows(loose, UNPROTECTED, "one-cut")
    assert rows(loose, "Rules", "one-cut (monitor)")


def test_exporters() -> None:
    narrow = replace(DEFAULT, exporter_labels=frozenset({b"EXTRACTOR-dtls_srtp"}), experimental=False, separated=False)
    assert said(narrow)["Exporters"] == [("labels", "EXTRACTOR-dtls_srtp")]
    assert rows(narrow, REFUSED, "exporters")[0] == "labels that begin EXPERIMENTAL"
    assert "ttls challenge" in rows(narrow, REFUSED, "exporters")[1]
    assert not rows(DEFAULT, REFUSED, "exporters")


def test_keys_with_names() -> None:
    named = replace(
        DEFAULT,
        outside_tls=(ObjectName("mail", b"\x01", int(CKK.RSA)),),
        wrapping_keys=(ObjectName(id=b"\xff"),),
        tls_keys=(BoundKey(ObjectName("gateway"), frozenset({int(CKM.AES_GCM)})),),
    )
    assert said(named)["Keys with names"] == [
        ("label 'mail', id 01, CKK_RSA", "private key, not for TLS"),
        ("id ff", "wraps secrets of TLS and does nothing else"),
        ("label 'gateway'", "a record key: CKM_AES_GCM"),
    ]
    assert "(1)" in rows(named, REFUSED, "outside TLS")[0]
    assert not rows(named, REFUSED, "wrapping")
