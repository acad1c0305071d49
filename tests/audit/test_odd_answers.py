"""Whatever a module answers with CKR_OK, every attack ends in a verdict, and what is EXPOSED was in the module."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyfence.audit import Audit, Finding, Opened, Target, Verdict
from keyfence.audit.findings import Proof
from keyfence.cryptoki import Cryptoki, Derived
from keyfence.techniques import TECHNIQUES
from keyfence.token import SoftToken
from keyfence.token.objects import StoredObject
from keyfence.token.store import Store

from .lying import Lying

Bend = Callable[[bytes], bytes]

BENDS: Final[dict[str, Bend]] = {
    "empty": lambda _: b"",
    "one byte": lambda value: value[:1],
    "one byte short": lambda value: value[:-1],
    "one byte long": lambda value: value + b"\0",
    "long": lambda value: value * 300 + b"x",
    "zeros": lambda value: bytes(len(value)),
    "random": lambda value: os.urandom(len(value)),
}
"""What a module may write where a value belongs."""

METHODS: Final = (
    *("encrypt", "decrypt", "sign", "digest_final", "wrap_key", "derive_key", "get_attribute_value"),
    *("sign_message", "decrypt_message"),
)


def bent(bend: Bend) -> Callable[[Any, tuple[Any, ...]], Any]:
    """The lie that bends every string of bytes in an answer, wherever it stands."""

    def lie(answer: Any, _: tuple[Any, ...]) -> Any:
        if isinstance(answer, bytes):
            return bend(answer)
        if isinstance(answer, dict):
            return {kind: bend(value) if isinstance(value, bytes) else value for kind, value in answer.items()}
        if isinstance(answer, Derived):
            return _derived(answer, bend)
        return answer

    return lie


def _derived(derived: Derived, bend: Bend) -> Derived:
    material = derived.key_material
    if material is not None:
        ivs = [iv if iv is None else bend(iv) for iv in (material.client_iv, material.server_iv)]
        derived = replace(derived, key_material=replace(material, client_iv=ivs[0], server_iv=ivs[1]))
    return replace(derived, output=bend(derived.output)) if derived.output is not None else derived


class Vault:
    """Every value that was ever in a token, but for the bits that are DES's for parity: tokens set those as they like."""

    def __init__(self) -> None:
        self._values: set[bytes] = set()

    def add(self, value: bytes) -> None:
        self._values.add(_plain(value))

    def __contains__(self, value: bytes) -> bool:
        return _plain(value) in self._values


def _plain(value: bytes) -> bytes:
    return bytes(byte & 0xFE for byte in value)


@pytest.fixture(scope="module")
def vault() -> Iterator[Vault]:
    filled = Vault()
    admitted = Store.admit

    def admit(store: Store, session: Any, *newcomers: StoredObject, **options: Any) -> tuple[int, ...]:
        for newcomer in newcomers:
            filled.add(newcomer.value.reveal())
        return admitted(store, session, *newcomers, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "admit", admit)
        yield filled


def audit(module: Cryptoki) -> tuple[Finding, ...]:
    opened = Opened(Target("test", lambda: module))
    try:
        return Audit(opened).run().findings
    finally:
        opened.close()


@settings(max_examples=15, deadline=None)
@given(method=st.sampled_from(METHODS), bend=st.sampled_from(sorted(BENDS)), after=st.sampled_from([0, 20, 60, 200, 500]))
@example("encrypt", "empty", 0)
@example("encrypt", "one byte short", 60)
@example("derive_key", "empty", 0)
@example("derive_key", "empty", 60)
@example("derive_key", "one byte short", 60)
@example("get_attribute_value", "empty", 60)
@example("get_attribute_value", "one byte short", 60)
@example("get_attribute_value", "zeros", 60)
@example("sign", "empty", 200)
@example("wrap_key", "empty", 0)
@example("get_attribute_value", "zeros", 0)
@example("get_attribute_value", "one byte long", 0)
def test_every_attack_ends_in_a_verdict(vault: Vault, method: str, bend: str, after: int) -> None:
    found = audit(Lying(method, bent(BENDS[bend]), after=after))
    assert {finding.technique for finding in found} == {technique.id for technique in TECHNIQUES}
    for finding in found:
        assert finding.why or finding.verdict is Verdict.EXPOSED
        if finding.verdict is Verdict.EXPOSED:
            assert_of_the_module(finding, vault)


def assert_of_the_module(finding: Finding, vault: Vault) -> None:
    """What came back whole was a value in the token: no more is claimed than was there."""
    evidence = finding.evidence
    assert evidence is not None
    if evidence.proof is not Proof.RECORD:
        return
    for part, (start, stop) in finding.layout.items():
        whole = [evidence.recovered.get(place) for place in range(start, stop)]
        if None not in whole and part != "GHASH key":
            assert bytes(byte for byte in whole if byte is not None) in vault, (finding.technique, part)


def test_an_audit_of_the_truth_recovers_what_is_there(vault: Vault) -> None:
    """The yardstick of the test above: on a token that does not lie it holds, and measures something."""
    found = [finding for finding in audit(SoftToken()) if finding.verdict is Verdict.EXPOSED]
    assert len(found) > 100
    for finding in found:
        assert_of_the_module(finding, vault)
