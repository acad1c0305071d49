"""REFUSED is the module's word about the attack: not about what prepared it, a bad moment, or an operation left over."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.audit import Audit, Finding, Opened, Options, Target, Verdict
from keyfence.cryptoki import Derived
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.values import Template
from keyfence.token import Quirks, SoftToken

from ..techniques.harness import classic, exposed, findings
from .lying import Clinging, Lying, Refusing, failing_once

SHORT_MACS = ("short-mac", "verify-oracle", "iv-window")


def summary(found: list[Finding]) -> list[tuple[str, str, str, Verdict]]:
    return [(f.technique, f.mechanism, f.victim.protocol, f.verdict) for f in found]


def test_an_operation_left_active_by_a_refusal_refuses_nothing() -> None:
    quirks = Quirks(min_hmac_key=14, ignore_allowed_mechanisms=True)
    clinging = Clinging(SoftToken(quirks=quirks))
    assert summary(findings(clinging, *SHORT_MACS)) == summary(classic(*SHORT_MACS, quirks=quirks))
    assert clinging.times > 10


@settings(max_examples=25, deadline=None)
@given(number=st.integers(30, 400))
def test_one_bad_moment_of_the_device_refuses_nothing(number: int) -> None:
    """From the first session on: what a sound device exposes is exposed, or nothing is said of it."""
    for finding in findings(
        failing_once(number), "iv-window", "hmac-oracle", suites=("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",)
    ):
        refusal = finding.refusal
        assert refusal is None or refusal.ckr != "CKR_DEVICE_ERROR"
        if finding.mechanism == "CKM_TLS12_KEY_AND_MAC_DERIVE":
            assert finding.verdict is not Verdict.REFUSED


def test_a_device_that_stays_bad_says_nothing() -> None:
    def derives_no_key_block(name: str, arguments: tuple[Any, ...]) -> CKR | None:
        cuts = name == "derive_key" and arguments[1].type == CKM.TLS12_KEY_AND_MAC_DERIVE
        short = cuts and arguments[1].parameters.iv_bits > 64
        return CKR.DEVICE_ERROR if short else None

    found = findings(Refusing(derives_no_key_block), "iv-window")
    assert {f.verdict for f in found if f.mechanism == "CKM_TLS12_KEY_AND_MAC_DERIVE"} <= {
        Verdict.EXPOSED,
        Verdict.INCONCLUSIVE,
    }


class TestPreparations:
    """What an attack makes of its own may be refused: nothing is known of the attack then."""

    NO_IMPORT = Quirks(import_keys=False, without=frozenset({CKM.AES_CBC_PAD}), ignore_allowed_mechanisms=True)
    PREPARING = ("C_CreateObject", "C_GenerateKey", "C_GenerateKeyPair", "C_GetAttributeValue")

    @pytest.mark.parametrize("technique", ["hkdf-salt", "ike-prf", "wrap", "rsa-raw", "unwrap-retype", "slice"])
    def test_no_import_is_no_refusal_of_the_attack(self, technique: str) -> None:
        for finding in classic(technique, quirks=self.NO_IMPORT):
            refusal = finding.refusal
            assert refusal is None or refusal.function not in self.PREPARING, finding

    def test_it_says_what_was_missing(self) -> None:
        def refuses(name: str, arguments: tuple[Any, ...]) -> CKR | None:
            return CKR.FUNCTION_NOT_SUPPORTED if name in ("create_object", "unwrap_key") else None

        found = [f for f in findings(Refusing(refuses), "hkdf-salt") if f.victim.protocol == "TLS 1.3"]
        assert {f.verdict for f in found} == {Verdict.INCONCLUSIVE}
        assert all(f.why.startswith("the attack could not be prepared: C_CreateObject") for f in found)


class TestOtherWays:
    """A refusal of the first way to ask is no refusal."""

    def test_a_mechanism_that_is_unknown_for_one_template_and_known_for_another(self) -> None:
        def no_data(name: str, arguments: tuple[Any, ...]) -> CKR | None:
            data = name == "derive_key" and arguments[3].get(CKA.PRIVATE) is False and CKA.KEY_TYPE not in arguments[3]
            return CKR.MECHANISM_INVALID if data and arguments[1].type == CKM.HKDF_DATA else None

        assert exposed(findings(Refusing(no_data), "hkdf-data"))

    def test_another_way_to_wrap(self) -> None:
        """A listed mechanism need not wrap; the key may leave by the next."""

        def refuses(name: str, arguments: tuple[Any, ...]) -> CKR | None:
            if name == "wrap_key" and arguments[1].type in (CKM.AES_CBC_PAD, CKM.AES_CBC):
                return CKR.MECHANISM_INVALID
            reads = name == "get_attribute_value" and CKA.VALUE in arguments[2]
            return CKR.ATTRIBUTE_SENSITIVE if reads else None

        assert exposed(findings(Refusing(refuses), "rederive"))

    def test_master_secrets_that_want_their_length_said(self) -> None:
        def refuses(name: str, arguments: tuple[Any, ...]) -> CKR | None:
            master = name == "derive_key" and arguments[1].type in (CKM.TLS12_MASTER_KEY_DERIVE, CKM.SSL3_MASTER_KEY_DERIVE)
            return CKR.TEMPLATE_INCOMPLETE if master and CKA.VALUE_LEN not in arguments[3] else None

        found = findings(Refusing(refuses), "readable-derive", "version-bytes")
        masters = {(f.technique, f.mechanism): f.verdict for f in found}
        for key in (
            ("readable-derive", "CKM_TLS12_MASTER_KEY_DERIVE"),
            ("readable-derive", "CKM_SSL3_MASTER_KEY_DERIVE"),
            ("version-bytes", "CKM_SSL3_MASTER_KEY_DERIVE"),
        ):
            assert masters[key] is Verdict.EXPOSED

    def test_keys_that_may_leave_and_are_not_shown(self) -> None:
        """Extractable and sensitive at once: wrapped, not read."""

        def refuses(name: str, arguments: tuple[Any, ...]) -> CKR | None:
            master = name == "derive_key" and arguments[1].type == CKM.TLS12_MASTER_KEY_DERIVE
            return CKR.TEMPLATE_INCONSISTENT if master and arguments[3].get(CKA.SENSITIVE) is False else None

        found = findings(Refusing(refuses), "readable-derive")
        assert {f.verdict for f in found if f.mechanism == "CKM_TLS12_MASTER_KEY_DERIVE"} == {Verdict.EXPOSED}

    def test_pre_master_secrets_of_the_other_kind(self) -> None:
        """A token lists what it needs for generated pre-master secrets, and takes them from ECDH alone."""

        def refuses(name: str, arguments: tuple[Any, ...]) -> CKR | None:
            generates = name == "generate_key" and arguments[1].type in (
                CKM.TLS_PRE_MASTER_KEY_GEN,
                CKM.SSL3_PRE_MASTER_KEY_GEN,
            )
            return CKR.FUNCTION_FAILED if generates else None

        found = findings(Refusing(refuses), "iv-window")
        assert {f.victim.protocol for f in exposed(found)} >= {"TLS 1.0", "TLS 1.2"}


class TestHandles:
    """A module that gives out the handles of objects that are there already."""

    def test_a_copy_that_is_the_original(self) -> None:
        """Whoever destroys the copy destroys the victim's key."""
        same = Lying("copy_object", lambda _, arguments: arguments[1])
        techniques = ("cross-mode", "attribute-flip", "iv-window", "hmac-oracle")
        for finding in findings(same, *techniques):
            assert finding.refusal is None or "HANDLE_INVALID" not in finding.refusal.ckr, finding

    def test_the_derived_key_is_its_base(self) -> None:
        def lie(derived: Any, arguments: tuple[Any, ...]) -> Any:
            return type(derived)(arguments[2]) if derived.handle and arguments[1].type == CKM.TLS12_KDF else derived

        found = findings(Lying("derive_key", lie), "exporter-label", "iv-window")
        assert {f.verdict for f in found if f.mechanism == "CKM_TLS12_KDF"} == {Verdict.INCONCLUSIVE}
        assert {f.verdict for f in found if f.mechanism == "CKM_TLS12_KEY_AND_MAC_DERIVE"} == {Verdict.EXPOSED}

    def test_an_object_from_before_the_audit_survives_a_module_that_hands_it_out(self) -> None:
        module = _HandsOut()
        findings(module, "wrap", "hkdf-salt", "cross-mode")
        assert module.given > 0
        assert module.theirs not in module.destroyed

    def test_keys_that_vanish_are_no_refusal(self) -> None:
        """A module that drops what it is asked to wrap: what it lacks then says nothing, and the next session is new."""
        token = SoftToken(quirks=Quirks(clear_sensitive_by_copy=True))

        def drops(name: str, arguments: tuple[Any, ...]) -> CKR | None:
            if name != "wrap_key":
                return None
            token.destroy_object(arguments[0], arguments[3])
            return CKR.KEY_HANDLE_INVALID

        found = findings(Refusing(drops, token), "wrap", "attribute-flip")
        assert {f.verdict for f in found if f.technique == "wrap"} == {Verdict.INCONCLUSIVE}
        assert "TLS 1.2" in {f.victim.protocol for f in exposed(found)}


class _HandsOut(Dispatched):
    """Has an object from before, and gives its handle for every new key of the caller's."""

    def __init__(self) -> None:
        self.module = SoftToken()
        self.theirs, self.given = 0, 0
        self.destroyed: list[int] = []

    def _call(self, name: str, *arguments: Any) -> Any:
        if name == "create_object":
            self.given += 1
            return self.theirs
        if name == "destroy_object":
            self.destroyed.append(arguments[1])
        answer = getattr(self.module, name)(*arguments)
        if name == "open_session":
            theirs: Template = {CKA.CLASS: 4, CKA.KEY_TYPE: int(CKK.GENERIC_SECRET), CKA.VALUE: b"theirs" * 4}
            self.theirs = self.module.create_object(answer, theirs)
        return answer


def test_objects_that_cannot_be_destroyed_refuse_nothing() -> None:
    def refuses(name: str, _: tuple[Any, ...]) -> CKR | None:
        return CKR.ACTION_PROHIBITED if name == "destroy_object" else None

    techniques = ("hkdf-data", "hkdf-salt", "ike-prf", "prf-oracle", "rsa-raw")
    opened = Opened(Target("test", lambda: Refusing(refuses)))
    report = Audit(opened, Options(techniques=techniques)).run()
    opened.close()
    assert summary(list(report.findings)) == summary(classic(*techniques))
    assert not report.residue.clean


def test_a_key_that_was_not_made_is_no_refusal() -> None:
    """CKR_OK and handle 0."""
    nothing = Lying("create_object", lambda _, __: 0)
    assert not [f for f in findings(nothing, "hkdf-salt", "ike-prf", "slice") if f.refusal and "HANDLE" in f.refusal.ckr]
    none_derived = Lying("derive_key", lambda derived, _: Derived() if derived.handle else derived, after=40)
    for finding in findings(none_derived, "readable-derive", "encrypt-data", "rederive"):
        assert finding.refusal is None or "HANDLE" not in finding.refusal.ckr


@pytest.mark.parametrize(
    "suite", ["TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256", "TLS_RSA_EXPORT_WITH_RC4_40_MD5", "TLS_RSA_WITH_NULL_SHA256"]
)
def test_a_suite_that_no_module_can_seal_a_record_of_is_no_session(suite: str) -> None:
    """PKCS#11 has Camellia and no GCM for it; export suites stretch their keys outside the key block."""
    assert {f.verdict for f in classic("iv-window", suites=(suite,))} == {Verdict.ABSENT}


def test_garbage_for_one_cut_and_refusals_of_the_others_are_no_refusal() -> None:
    """What was allowed and is not understood is still allowed."""

    def garbage(derived: Derived, _: tuple[Any, ...]) -> Derived:
        material = derived.key_material
        if material is None or not material.client_iv:
            return derived
        return replace(derived, key_material=replace(material, client_iv=bytes(len(material.client_iv))))

    found = findings(Lying("derive_key", garbage, after=30), "iv-window")
    assert {f.verdict for f in found if f.mechanism == "CKM_TLS12_KEY_AND_MAC_DERIVE"} == {Verdict.INCONCLUSIVE}
