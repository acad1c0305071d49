"""Every technique is registered once, leaks where it should, and is refused where it should be."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

import keyfence.techniques
from keyfence.audit import Finding, Verdict
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.constants.vendor import (
    CKM_NSS_SP800_108_COUNTER_KDF_DERIVE_DATA,
    CKM_NSS_SP800_108_DOUBLE_PIPELINE_KDF_DERIVE_DATA,
    CKM_NSS_SP800_108_FEEDBACK_KDF_DERIVE_DATA,
)
from keyfence.techniques import TECHNIQUES
from keyfence.techniques.base import Technique
from keyfence.token import Quirks
from keyfence.token.quirks import Randoms, Sensitivity

from .harness import classic, exposed, separated

STRICT: Final = Quirks()

LEAKING: Final = {
    "verify-oracle": Quirks(ignore_allowed_mechanisms=True),
    "wrap": Quirks(wrap_unextractable=True),
    "attribute-flip": Quirks(clear_sensitive_by_copy=True),
}
"""The bugs that some techniques need. All others leak where a module does what the standard allows."""

REAL_SHAPES: Final = Quirks(
    max_iv=16,
    mac_lengths=frozenset({0, 20}),
    key_lengths=frozenset({16, 24, 32}),
    write_key_types=frozenset({CKK.AES, CKK.DES3}),
)
"""Lengths and types of real suites, and no others."""

TLS12_ALONE: Final = Quirks(
    without=frozenset({CKM.TLS_KEY_AND_MAC_DERIVE, CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE, CKM.WTLS_SERVER_KEY_AND_MAC_DERIVE})
)
"""Only sessions whose master secret says by CKA_ALLOWED_MECHANISMS what it is for."""

BORN_SENSITIVE: Final = Quirks(sensitivity=Sensitivity.FORCED, digest_sensitive_keys=False, min_derived=14)

SP800_108_DATA: Final = (
    CKM_NSS_SP800_108_COUNTER_KDF_DERIVE_DATA,
    CKM_NSS_SP800_108_FEEDBACK_KDF_DERIVE_DATA,
    CKM_NSS_SP800_108_DOUBLE_PIPELINE_KDF_DERIVE_DATA,
)
"""Whose data objects have no sensitivity to be born with."""

CLOSED: Final = {
    "iv-window": REAL_SHAPES,
    "short-mac": REAL_SHAPES,
    "short-key": REAL_SHAPES,
    "weak-algorithm": REAL_SHAPES,
    "readable-derive": Quirks(readable_master=False, readable_hkdf=False),
    "prf-oracle": TLS12_ALONE,
    "exporter-label": Quirks(reserved_labels=False, randoms=Randoms.EXACT),
    "hmac-oracle": TLS12_ALONE,
    "hkdf-data": Quirks(readable_hkdf=False),
    "hkdf-truncation": Quirks(min_derived=16),
    "slice": Quirks(full_length_only=True, min_derived=14),
    "hash-derive": BORN_SENSITIVE,
    "kbkdf": replace(BORN_SENSITIVE, without=frozenset(SP800_108_DATA)),
    "encrypt-data": BORN_SENSITIVE,
    "suite-overlap": Quirks(key_lengths=frozenset({32})),
    "hkdf-salt": Quirks(salt_keys=False),
    "digest-key": Quirks(digest_sensitive_keys=False),
    "ike-prf": BORN_SENSITIVE,
    "verify-oracle": STRICT,
    "rederive": BORN_SENSITIVE,
    "unwrap-retype": Quirks(readable_unwrap=False),
    "check-value": Quirks(check_values=False),
    "truncation": Quirks(full_length_only=True, reserved_labels=False),
    "wrap": STRICT,
    "attribute-flip": STRICT,
    "version-bytes": Quirks(version_required=True, without=frozenset({CKM.WTLS_MASTER_KEY_DERIVE})),
}
"""What closes each on a classic token."""

ONLY_BY_ROLES: Final = frozenset({"cross-mode", "rsa-raw"})
"""No quirk closes these: a write key encrypts and a server's key decrypts, by one mechanism or another."""

IDS: Final = tuple(technique.id for technique in TECHNIQUES)


def _classes() -> Iterator[type[Technique]]:
    """Every concrete technique in the package, whatever module it is in."""
    for module in pkgutil.iter_modules(keyfence.techniques.__path__):
        importlib.import_module(f"keyfence.techniques.{module.name}")
    waiting = list(Technique.__subclasses__())
    while waiting:
        waiting.extend((found := waiting.pop()).__subclasses__())
        if found.__module__.startswith("keyfence.techniques."):
            yield found


def test_every_technique_is_registered_exactly_once() -> None:
    registered = [type(technique) for technique in TECHNIQUES]
    assert len(registered) == len(set(registered))
    assert set(registered) == set(_classes())


def test_ids_are_unique_and_the_names_of_their_files() -> None:
    assert len(IDS) == len(set(IDS))
    for technique in TECHNIQUES:
        assert type(technique).__module__ == f"keyfence.techniques.{technique.id.replace('-', '_')}"


@pytest.mark.parametrize("technique", TECHNIQUES, ids=IDS)
def test_a_technique_says_what_it_is(technique: Technique) -> None:
    for text in (technique.title, technique.summary, technique.section, technique.remedy):
        assert text
        assert text == text.strip()
    assert technique.references
    assert technique.kinds


def test_the_tables_speak_of_techniques_that_are_there() -> None:
    assert set(LEAKING) <= set(IDS)
    assert set(CLOSED) | ONLY_BY_ROLES == set(IDS)
    assert not set(CLOSED) & ONLY_BY_ROLES


@pytest.mark.parametrize("id", IDS)
def test_it_is_exposed_where_the_standard_allows_it_or_a_module_errs(id: str) -> None:
    found = exposed(classic(id, quirks=LEAKING.get(id, STRICT)))
    assert found
    for finding in found:
        assert finding.evidence is not None
        assert finding.trace
        assert finding.steps


@pytest.mark.parametrize("technique", TECHNIQUES, ids=IDS)
def test_a_bug_is_called_a_bug(technique: Technique) -> None:
    """What the strict token leaks the standard allows."""
    assert technique.standard is (technique.id not in LEAKING)


@pytest.mark.parametrize("id", sorted(CLOSED))
def test_it_is_refused_where_a_module_is_closed_to_it(id: str) -> None:
    assert_refused(classic(id, quirks=CLOSED[id]))


@pytest.mark.parametrize("id", IDS)
def test_it_is_refused_where_keys_are_separated(id: str) -> None:
    assert_refused(separated(id))


def assert_refused(found: list[Finding]) -> None:
    """Nothing exposed; something refused, by the module's own word."""
    assert not exposed(found)
    refused = [finding for finding in found if finding.verdict is Verdict.REFUSED]
    assert refused
    assert all(finding.refusal and finding.refusal.ckr.startswith("CKR_") for finding in refused)
