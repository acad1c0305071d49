"""keyfence against real modules: presets, URIs, PIN files, and a module that fails in the middle of an audit."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from keyfence.presets import preset

from ..modules import KNOWN, LOCAL, bring_up
from .program import Ended, keyfence

pytestmark = pytest.mark.native

IV_WINDOW = ("--technique", "iv-window")


@pytest.fixture(autouse=True)
def modules() -> None:
    bring_up()


def report(ended: Ended) -> Any:
    assert ended.code in (0, 1), ended
    return json.loads(ended.output)


def test_nss_by_its_preset() -> None:
    ended = keyfence("audit", "nss", *IV_WINDOW)
    assert ended.code == 1
    assert "keyfence audit of NSS Internal Crypto Services" in ended.output
    assert "token 'NSS Generic Crypto Services'" in ended.output
    assert "note: Runs without any database" in ended.output


def test_nss_by_its_path() -> None:
    facts = preset("nss")
    path, arguments = str(facts.find()), str(facts.library_parameters)
    content = report(keyfence("audit", "--module", path, "--init-args", arguments, "--slot", "1", *IV_WINDOW, "--json", "-"))
    assert content["module"]["path"] == path
    assert content["summary"]["exposed"] > 0


def test_a_module_that_a_preset_knows_better() -> None:
    ended = keyfence("audit", "--module", str(preset("nss").find()))
    assert ended.code == 3
    assert "a preset knows this module: keyfence audit nss" in ended.errors


def test_a_preset_with_another_token_of_its_module() -> None:
    ended = keyfence("audit", "nss", "--uri", "pkcs11:token=unheard-of")
    assert ended.code == 3
    assert "there is token 'NSS Generic Crypto Services' in slot 1" in ended.errors


def test_a_uri_with_everything_in_it() -> None:
    uri = f"pkcs11:token=keyfence?module-path={preset('softhsm2').find()}&pin-source=file:{LOCAL}/softhsm2.pin"
    ended = keyfence("audit", "--uri", uri, "--technique", "cross-mode", "--json", "-", **KNOWN["softhsm2"].environment)
    assert report(ended)["module"]["token"] == "keyfence"


def test_a_uri_that_names_the_module() -> None:
    uri = f"pkcs11:model=SoftHSM%20v2;token=keyfence?module-name=softhsm2&pin-source={LOCAL}/softhsm2.pin"
    ended = keyfence("audit", "--uri", uri, *IV_WINDOW, "--json", "-", **KNOWN["softhsm2"].environment)
    assert report(ended)["summary"]["exposed"] == 0


def test_a_wrong_pin_for_softhsm2(tmp_path: Path, pin_file: Path) -> None:
    """On a token of the test's own: one wrong PIN, and the token says that its count is low."""
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    init = ["softhsm2-util", "--init-token", "--free", "--label", "mine", "--so-pin", "11223344", "--pin", "1234567"]
    subprocess.run(init, check=True, capture_output=True, env={"SOFTHSM2_CONF": str(conf), "PATH": "/usr/bin"})
    ended = keyfence("audit", "softhsm2", "--pin-file", pin_file, SOFTHSM2_CONF=str(conf))
    assert (ended.code, ended.errors) == (3, "keyfence: login failed: C_Login: CKR_PIN_INCORRECT\n")


def test_a_token_that_is_not_initialised(tmp_path: Path) -> None:
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path}\nobjectstore.backend = file\nlog.level = ERROR\n")
    ended = keyfence("audit", "softhsm2", SOFTHSM2_CONF=str(conf))
    assert (ended.code, ended.errors) == (3, "keyfence: the token in slot 0 is not initialised\n")


@pytest.mark.parametrize(("how", "words"), [("crash", "process died (SIGABRT)"), ("hang", "no answer within 1 s")])
def test_a_module_that_fails_in_a_probe_is_a_finding_and_not_the_end(how: str, words: str, shim: Path) -> None:
    facts = preset("nss")
    ended = keyfence(
        *("audit", "--module", shim, "--init-args", str(facts.library_parameters), "--slot", "1"),
        *("--time-limit", "1", *IV_WINDOW, "--technique", "hkdf-data", "--json", "-"),
        SHIM=how,
        SHIM_MODULE=str(facts.find()),
    )
    content = report(ended)
    failed = [finding for finding in content["findings"] if words in finding["why"]]
    assert {finding["mechanism"] for finding in failed} == {"CKM_TLS12_KEY_AND_MAC_DERIVE"}
    assert {finding["verdict"] for finding in failed} == {"INCONCLUSIVE"}
    exposed = {finding["technique"] for finding in content["findings"] if finding["verdict"] == "EXPOSED"}
    assert exposed == {"iv-window", "hkdf-data"}
    assert content["residue"]["objects_before"] == content["residue"]["objects_after"]


def test_modules_lists_what_is_there_and_what_does_not_open() -> None:
    ended = keyfence("modules", **KNOWN["softhsm2"].environment)
    assert ended.code == 0, ended
    assert f"nss: {preset('nss').find()} (keyfence audit nss | nss-db | nss-db-fips | nss-fips)" in ended.output
    assert "CKM_TLS12_KEY_AND_MAC_DERIVE" in ended.output
    assert "token 'keyfence': no TLS or HKDF mechanism" in ended.output
    assert "CKM_SSL3_KEY_AND_MAC_DERIVE" in ended.output.partition("opencryptoki: ")[2]
