"""EXPOSED is what was recovered of the victim's, or rehearsed on what no module can tell from it."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from keyfence.audit import Verdict
from keyfence.audit.findings import Proof
from keyfence.cryptoki import Derived
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.techniques.recovery import Source
from keyfence.techniques.wrapping import WRAPPINGS
from keyfence.token import Quirks, SoftToken

from ..techniques.harness import exposed, findings
from .lying import Lying, Refusing

CUTS = (CKM.SSL3_KEY_AND_MAC_DERIVE, CKM.TLS_KEY_AND_MAC_DERIVE, CKM.TLS12_KEY_AND_MAC_DERIVE, CKM.TLS12_KEY_SAFE_DERIVE)


class Provenance(Dispatched):
    """Knows which secrets were derived and which its caller brought, and treats derived ones by `instead`."""

    def __init__(self, instead: Callable[["Provenance", tuple[Any, ...], Derived], Derived], quirks: Quirks = Quirks()) -> None:  # noqa: B008
        self.module = SoftToken(quirks=quirks)
        self.instead = instead
        self.derived: set[int] = set()

    def _call(self, name: str, *arguments: Any) -> Any:
        answer = getattr(self.module, name)(*arguments)
        if name != "derive_key":
            return answer
        if arguments[2] in self.derived:
            answer = self.instead(self, arguments, answer)
        self.derived.update(answer.handles)
        return answer


def _weak(template: dict[int, Any]) -> bool:
    return template.get(CKA.KEY_TYPE) in (CKK.RC4, CKK.DES, CKK.DES2, CKK.DES3)


def _no_key(_: Provenance, arguments: tuple[Any, ...], derived: Derived) -> Derived:
    """CKR_OK, and no write keys."""
    material = derived.key_material
    if material is None or not _weak(arguments[3]):
        return derived
    return replace(derived, key_material=replace(material, client_key=0, server_key=0))


def _another_key(module: Provenance, arguments: tuple[Any, ...], derived: Derived) -> Derived:
    """A weak key that has nothing to do with the session's bytes: a module that keeps labels apart does this."""
    material = derived.key_material
    if material is None or not _weak(arguments[3]):
        return derived
    session, mechanism, _, template = arguments
    other = module.module.create_object(
        session, {CKA.CLASS: 4, CKA.KEY_TYPE: int(CKK.GENERIC_SECRET), CKA.VALUE: os.urandom(48), CKA.DERIVE: True}
    )
    return module.module.derive_key(session, mechanism, other, dict(template) | {CKA.SENSITIVE: True})


@pytest.mark.parametrize("instead", [_no_key, _another_key])
def test_a_weak_key_is_priced_only_where_it_lies_over_the_victims_bytes(
    instead: Callable[[Provenance, tuple[Any, ...], Derived], Derived],
) -> None:
    found = [f for f in findings(Provenance(instead), "weak-algorithm") if f.victim.protocol == "TLS 1.2"]
    assert found
    assert not exposed(found)


def test_the_same_without_the_lie_is_exposed() -> None:
    found = findings(Provenance(lambda _, __, derived: derived), "weak-algorithm")
    assert {f.evidence.proof for f in exposed(found) if f.evidence} == {Proof.REHEARSAL}


def test_a_version_that_is_a_constant_for_derived_secrets_is_no_fragment() -> None:
    def constant(_: Provenance, __: tuple[Any, ...], derived: Derived) -> Derived:
        return replace(derived, version=(3, 3)) if derived.version else derived

    assert not exposed(findings(Provenance(constant, Quirks(ignore_allowed_mechanisms=True)), "version-bytes"))


class TestGarbage:
    """CKR_OK and something else than what was asked for."""

    @pytest.mark.parametrize("garbage", [bytes, os.urandom, lambda length: b"\xff" * length], ids=["zeros", "random", "ones"])
    def test_ivs(self, garbage: Callable[[int], bytes]) -> None:
        def lie(derived: Any, arguments: tuple[Any, ...]) -> Any:
            material = derived.key_material
            if material is None or not material.client_iv:
                return derived
            ivs = (iv and garbage(len(iv)) for iv in (material.client_iv, material.server_iv))
            return replace(derived, key_material=replace(material, **dict(zip(("client_iv", "server_iv"), ivs, strict=True))))

        assert not exposed(findings(Lying("derive_key", lie), "iv-window", "suite-overlap"))

    def test_the_plaintext_key_of_another_session(self) -> None:
        """Whoever asks for a value gets one, the same each time. What is searched by its uses is none the less found."""
        first: list[bytes] = []

        def lie(values: dict[int, Any], _: tuple[Any, ...]) -> dict[int, Any]:
            if CKA.VALUE in values:
                first.append(values[CKA.VALUE])
                return {CKA.VALUE: first[0]}
            return values

        wraps_nothing = SoftToken(quirks=Quirks(without=frozenset(wrapping.mechanism for wrapping in WRAPPINGS)))
        lying = Lying("get_attribute_value", lie, wraps_nothing)
        for finding in exposed(findings(lying, "hkdf-data", "kbkdf", "hkdf-salt")):
            assert finding.evidence is not None
            assert set(finding.evidence.sources.values()) == {Source.SEARCHED}

    def test_an_encryption_that_echoes(self) -> None:
        echo = Lying("encrypt", lambda _, arguments: arguments[1])
        assert not exposed(findings(echo, "cross-mode", "iv-window", "wrap", "suite-overlap"))

    def test_a_macs_verification_that_says_yes(self) -> None:
        class Yes(Dispatched):
            module = SoftToken(quirks=Quirks(ignore_allowed_mechanisms=True))

            def _call(self, name: str, *arguments: Any) -> Any:
                return None if name == "verify" else getattr(self.module, name)(*arguments)

        assert not exposed(findings(Yes(), "verify-oracle"))


def test_what_nobody_could_rehearse_is_no_proof() -> None:
    """Where nobody can know a secret of a module's, only what opens the victim's record counts."""

    def blind(name: str, arguments: tuple[Any, ...]) -> CKR | None:
        brings = name in ("create_object", "unwrap_key", "set_attribute_value")
        return CKR.FUNCTION_NOT_SUPPORTED if brings else None

    found = findings(Refusing(blind), "weak-algorithm", "version-bytes", "iv-window")
    assert {f.technique for f in exposed(found)} == {"iv-window"}
    assert {f.verdict for f in found if f.technique == "version-bytes" and f.victim.protocol == "SSL 3.0"} == {
        Verdict.INCONCLUSIVE
    }
