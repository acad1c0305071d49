"""Modules compiled here that misbehave, each in a way of its own."""

import subprocess
from pathlib import Path

import pytest


def _compiled(name: str, directory: Path) -> Path:
    built = directory / f"{name}.so"
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-std=gnu11", "-Wall", "-Wno-cast-function-type", "-Werror", "-o", built, source, "-ldl"],
        check=True,
    )
    return built


@pytest.fixture(scope="session")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module that is opened and no more."""
    return _compiled("stub", tmp_path_factory.mktemp("stub"))


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module over another, with one defect."""
    return _compiled("shim", tmp_path_factory.mktemp("shim"))


@pytest.fixture
def pin_file(tmp_path: Path) -> Path:
    """A PIN that no token here has."""
    file = tmp_path / "pin"
    file.write_text("98765432\n")
    file.chmod(0o600)
    return file
