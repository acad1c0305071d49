"""A policy in words: what it allows, what each rule is for, and what it refuses that somebody may miss.

    for section in explain(policy):         title, and rows of (name, text)

What is allowed is read off the tables that the rules themselves go by.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki.constants import CKK, CKM, describe
from keyfence.schedule import EXPORTER_LABELS, CipherSuite, Mode, Version

from ..blocks import Cuts, function_of_suite
from ..mechanisms import (
    AGREEMENTS,
    DH_MASTERS,
    EXPORTS,
    HKDFS,
    KEY_BLOCKS,
    PRE_MASTERS,
    RSA_MASTERS,
    SIGNING_PRFS,
    TLS_MACS,
    is_offered,
)
from ..rules import RULES, Rule
from . import model
from .model import ObjectName, Policy

Row = tuple[str, str]

_MANDATORY: Final = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": (Version.TLS12, "RFC 5246 section 9"),
    "TLS_AES_128_GCM_SHA256": (Version.TLS13, "RFC 8446 section 9.1"),
}
"""Suites that every implementation of a version has."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the explanation. A row's name may be empty."""

    title: str
    rows: tuple[Row, ...]


def explain(policy: Policy) -> tuple[Section, ...]:
    """The sections in the order in which a reader wants them."""
    sections = {
        "What it refuses, and whom that touches": _refused(policy),
        "What it does not protect": _unprotected(policy),
        "Cipher suites": _suites(policy),
        "Mechanisms, by the secret they are for": _mechanisms(policy),
        "Exporters": _exporters(policy),
        "Keys with names": _keys(policy),
        "Rules": _rules(policy),
    }
    made = (Section(title, tuple(rows)) for title, rows in sections.items())
    return tuple(section for section in made if section.rows)


# ---- what is refused


def _refused(policy: Policy) -> Iterator[Row]:
    missing = [str(version) for version in Version if version not in policy.versions]
    if missing:
        yield "versions", f"{', '.join(missing)}: a peer that speaks nothing else is not served"
    names = {suite.name for suite in policy.suites}
    for name, (version, source) in _MANDATORY.items():
        if version in policy.versions and name not in names:
            yield "suites", f"{name}, which every peer of {version} has ({source}): one that offers no better is not served"
    if not policy.raw_rsa:
        yield "raw RSA", _raw_rsa(policy)
    yield (
        "RSA decryption",
        "C_Decrypt with OAEP, C_UnwrapKey for other than a key exchange: name keys for mail and files in outside_tls",
    )
    if policy.outside_tls:
        yield "outside TLS", f"TLS with the private keys named so ({len(policy.outside_tls)}): a server cannot serve with them"
    yield from _refused_exports(policy)
    yield "token objects", "a session cache that keeps secrets of TLS in the token (CKA_TOKEN) does not get them in"
    if not policy.wrapping_keys:
        yield "wrapping", "an application that wraps master secrets or tickets to put them by: it needs a key in wrapping_keys"
    yield "messages", "the message functions of PKCS#11 3.0 (C_EncryptMessage …) and saved operation state, for every key"


def _raw_rsa(policy: Policy) -> str:
    static = sum(suite.key_exchange == "RSA" for suite in policy.suites)
    who = "servers that decrypt a ClientKeyExchange into their own memory"
    return f"{who}: their handshakes with the {static} static-RSA suites fail" if static else f"{who} (no suite here needs it)"


def _refused_exports(policy: Policy) -> Iterator[Row]:
    if not policy.experimental:
        yield "exporters", "labels that begin EXPERIMENTAL"
    if gone := sorted(label.decode("ascii") for label in EXPORTER_LABELS - policy.exporter_labels):
        yield "exporters", f"{len(gone)} registered labels: {', '.join(gone)}"


def _unprotected(policy: Policy) -> Iterator[Row]:
    if policy.raw_rsa:
        yield "raw_rsa", "every session, also a recorded one, whose pre-master secret went under RSA to a private key of TLS"
    for rule in RULES:
        if policy.mode(rule.id) is model.Mode.MONITOR:
            yield rule.id, "in monitor mode: what the rule objects to happens, and is logged and counted"


# ---- what is allowed


def _suites(policy: Policy) -> Iterator[Row]:
    """A row per version and way to use the keys: suites that cut and cipher alike are one another's equals here."""
    for version in sorted(policy.versions, reverse=True):
        alike: dict[str, list[str]] = {}
        for suite in policy.suites:
            if suite.supports(version):
                alike.setdefault(_use(suite, version), []).append(suite.name)
        for use, names in alike.items():
            yield str(version), f"{use}: {', '.join(names)}"


def _use(suite: CipherSuite, version: Version) -> str:
    cipher = describe(CKM, suite.ckm) if suite.ckm is not None else "?"
    if version is Version.TLS13:
        return cipher
    shape = suite.shape(version)
    ivs = "IVs by the guard" if suite.mode is Mode.CBC and not shape.iv else f"IV {shape.iv}"
    return f"{cipher}, PRF {function_of_suite(suite, version)}, bytes: MAC key {shape.mac}, write key {shape.key}, {ivs}"


def _mechanisms(policy: Policy) -> Iterator[Row]:
    before_13 = frozenset(policy.versions - {Version.TLS13})
    with_13 = HKDFS if Version.TLS13 in policy.versions else frozenset[int]()
    yield from _row("private keys", AGREEMENTS, policy)
    if before_13:
        yield from _row("made", PRE_MASTERS, policy)
        yield from _row("RSA pre-master secrets", RSA_MASTERS, policy)
        yield from _row("agreed secrets", {*DH_MASTERS, *(with_13 & {CKM.HKDF_DERIVE})}, policy)
        yield from _row("master secrets", {*KEY_BLOCKS, *EXPORTS, CKM.TLS_PRF, *TLS_MACS, *SIGNING_PRFS}, policy)
    yield from _row("secrets of TLS 1.3", with_13, policy)
    cuts = tuple(Cuts(policy))
    yield from _row("MAC keys", {mechanism for cut in cuts for mechanism in cut.mac_mechanisms}, policy)
    of_13 = {int(suite.ckm) for suite in policy.suites if suite.ckm is not None and suite.supports(Version.TLS13)}
    yield from _row("write keys", {mechanism for cut in cuts for mechanism in cut.mechanisms} | of_13, policy)


def _row(role: str, mechanisms: Iterable[int], policy: Policy) -> Iterator[Row]:
    names = sorted(describe(CKM, mechanism) for mechanism in mechanisms if is_offered(mechanism, policy.versions))
    if names:
        yield role, ", ".join(names)


def _exporters(policy: Policy) -> Iterator[Row]:
    if policy.exporter_labels:
        yield "labels", ", ".join(sorted(label.decode("ascii") for label in policy.exporter_labels))
    if policy.experimental:
        yield "experimental", "labels that begin EXPERIMENTAL"
    if policy.separated:
        yield "separated", "keys by the separated key expansion, where the module has CKM_TLS_KDF or CKM_TLS12_KDF"


def _keys(policy: Policy) -> Iterator[Row]:
    for name in policy.outside_tls:
        yield _described(name), "private key, not for TLS"
    for name in policy.wrapping_keys:
        yield _described(name), "wraps secrets of TLS and does nothing else"
    for bound in policy.tls_keys:
        mechanisms = ", ".join(sorted(describe(CKM, mechanism) for mechanism in bound.mechanisms))
        yield _described(bound.name), f"a record key: {mechanisms}"


def _described(name: ObjectName) -> str:
    parts = (
        f"label {name.label!r}" if name.label is not None else "",
        f"id {name.id.hex()}" if name.id is not None else "",
        describe(CKK, name.key_type) if name.key_type is not None else "",
    )
    return ", ".join(part for part in parts if part) or "any"


# ---- rules


def _rules(policy: Policy) -> Iterator[Row]:
    for rule in RULES:
        yield f"{rule.id} ({policy.mode(rule.id)})", summary(rule)


def summary(rule: Rule) -> str:
    """The one line that says what a rule is: its file's first, behind the rule's id."""
    text = sys.modules[type(rule).__module__].__doc__ or ""
    return text.partition("\n")[0].removeprefix(f"{rule.id}: ")
