"""Presets: how they load, what they make, how they fail."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from keyfence.cryptoki import ModuleNotLoadable
from keyfence.cryptoki.isolation import native
from keyfence.presets import UnknownPreset, preset, presets


def test_those_the_audit_promises_are_there() -> None:
    assert {"nss", "nss-fips", "nss-db", "opencryptoki", "softhsm2"} <= set(presets())
    assert list(presets()) == sorted(presets())


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownPreset, match=r"'ns'.*nss, nss-db"):
        preset("ns")


def test_the_first_path_that_exists_is_taken(tmp_path: Path) -> None:
    for name in ("b.so", "a.so"):
        (tmp_path / name).touch()
    facts = dataclasses.replace(preset("nss"), paths=("/no/such.so", f"{tmp_path}/*.so"))
    assert facts.find() == str(tmp_path / "a.so")
    assert facts.factory().arguments == (str(tmp_path / "a.so"),)
    assert facts.factory("/else/where.so").arguments == ("/else/where.so",)


def test_a_module_that_is_not_there_says_where_it_was_looked_for() -> None:
    facts = dataclasses.replace(preset("nss"), paths=("/no/such.so",))
    with pytest.raises(ModuleNotLoadable, match=r"none of /no/such.so \(Debian: libnss3\)"):
        facts.factory()


def test_what_a_factory_is_made_with() -> None:
    assert preset("softhsm2").factory("/m.so") == native("/m.so", function_list="C_GetFunctionList", library_parameters=None)
    assert preset("nss-fips").factory("/m.so").options["function_list"] == "FC_GetFunctionList"
    assert str(preset("nss").factory("/m.so").options["library_parameters"]).startswith("configdir='' certPrefix=''")


def test_a_database_is_the_one_named_or_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    facts = preset("nss-db")
    assert "configdir='sql:/home/me/.pki/nssdb' " in facts.factory("/m.so").options["library_parameters"]
    assert "configdir='sql:/d b' " in facts.factory("/m.so", "/d b").options["library_parameters"]
    for bad in ("a'b", 'a"b', "a\\b"):
        with pytest.raises(ModuleNotLoadable, match="quotes"):
            facts.factory("/m.so", bad)


def test_a_database_means_nothing_to_a_module_without_one() -> None:
    assert preset("nss").factory("/m.so", "/d") == preset("nss").factory("/m.so")


@pytest.mark.native
@pytest.mark.parametrize("name", presets())
def test_the_package_a_preset_names_is_debians(name: str) -> None:
    path = preset(name).find()
    assert path is not None
    owner = subprocess.run(["dpkg", "-S", str(Path(path).resolve())], capture_output=True, text=True, check=True).stdout
    depends = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Depends}", preset(name).package], capture_output=True, text=True, check=True
    ).stdout
    assert owner.split(":")[0] in depends.replace(",", " ").split()
