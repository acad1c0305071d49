"""Finding modules: p11-kit's configuration as pkcs11.conf(5) says, directories, and each module once."""

from pathlib import Path

import pytest

from keyfence.presets import FoundModule, discover, presets


@pytest.fixture(autouse=True)
def no_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyfence.presets.discovery.presets", dict)


class Machine:
    """Two configuration directories and one of modules, as p11-kit has them."""

    def __init__(self, root: Path) -> None:
        self.packages, self.system, self.modules = root / "share", root / "etc", root / "modules"
        for directory in (self.packages, self.system, self.modules):
            directory.mkdir()

    def module(self, name: str) -> Path:
        path = self.modules / name
        path.touch()
        return path

    def discover(self) -> list[FoundModule]:
        return discover((f"{self.packages}/*.module", f"{self.system}/*.module"), (str(self.modules),))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_absolute_path_and_one_in_the_module_directory(machine: Machine, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.so"
    elsewhere.touch()
    inside = machine.module("inside.so.1")
    (machine.packages / "a.module").write_text(f"# comment\nmodule: {elsewhere}\n")
    (machine.packages / "b.module").write_text("  module : inside.so.1\npriority: 1\n")
    assert machine.discover() == [
        FoundModule("a", str(elsewhere), f"{machine.packages}/a.module"),
        FoundModule("b", str(inside), f"{machine.packages}/b.module"),
    ]


def test_the_administrators_file_overrides_settings_of_the_packages(machine: Machine) -> None:
    one, two = machine.module("one.so.1"), machine.module("two.so.1")
    (machine.packages / "a.module").write_text(f"module: {one}\n")
    (machine.system / "a.module").write_text(f"module: {two}\n")
    (machine.packages / "b.module").write_text(f"module: {one}\n")
    (machine.system / "b.module").write_text("priority: 5\n")
    assert [(found.name, found.path) for found in machine.discover()] == [("a", str(two)), ("b", str(one))]


def test_what_is_not_there_or_not_a_file_of_ours_is_left_out(machine: Machine) -> None:
    (machine.packages / "gone.module").write_text("module: /no/such/module.so\n")
    (machine.packages / "gone2.module").write_text("module: gone.so\n")
    (machine.packages / "directory.module").write_text(f"module: {machine.modules}\n")
    (machine.packages / "empty.module").write_text("module:\n")
    (machine.packages / "commented.module").write_text("#module: p11.so\n")
    (machine.packages / "noise.module").write_bytes(b"\xff\xfe\0 no colon\n")
    (machine.packages / "remote.module").write_text(f"module: {machine.module('p11.so.1')}\nremote: |ssh host p11-kit server\n")
    (machine.packages / "dir.module").mkdir()
    assert machine.discover() == []


def test_a_module_with_many_names_is_one(machine: Machine) -> None:
    real = machine.module("libreal.so.0")
    (machine.modules / "zlink.so").symlink_to(real)
    (machine.packages / "a.module").write_text("module: zlink.so\n")
    (machine.packages / "b.module").write_text(f"module: {real}\n")
    assert machine.discover() == [FoundModule("a", f"{machine.modules}/zlink.so", f"{machine.packages}/a.module")]


def test_a_shared_object_in_the_directory_needs_no_configuration(machine: Machine) -> None:
    path = machine.module("vendor-pkcs11.so")
    machine.module("README")
    assert machine.discover() == [FoundModule("vendor-pkcs11", str(path), str(machine.modules))]


@pytest.mark.native
def test_the_modules_of_debians_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyfence.presets.discovery.presets", presets)
    found = {module.name: module for module in discover()}
    assert found["nss"].presets == ("nss", "nss-db", "nss-db-fips", "nss-fips")
    assert found["opencryptoki"].presets == ("opencryptoki",)
    assert found["softhsm2"].found_in == "presets"
    assert found["opensc-pkcs11"].found_in == "/usr/share/p11-kit/modules/opensc-pkcs11.module"
    assert "PKCS11_API" not in found  # another name of opencryptoki
