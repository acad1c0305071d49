"""The stub module, compiled once per session and variant."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from keyfence.cryptoki.native import NativeModule

SOURCE = Path(__file__).parent / "stub" / "module.c"

Build = Callable[..., Path]


@pytest.fixture(scope="session")
def build_stub(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """`build_stub("NO_LIST", "INTERFACE=3,0")` is the path of the stub compiled with these definitions."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.fail("no C compiler: scripts/install-test-modules brings one")
    folder = tmp_path_factory.mktemp("stub")

    def build(*definitions: str) -> Path:
        target = folder / f"{'-'.join(('stub', *definitions))}.so"
        if not target.exists():
            flags = ["-std=c11", "-Wall", "-shared", "-fPIC", *(f"-D{d}" for d in definitions)]
            subprocess.run([compiler, *flags, "-o", target, SOURCE], check=True)
        return target

    return build


@pytest.fixture
def stub(build_stub: Build) -> NativeModule:
    """The stub with a 2.40 list."""
    return NativeModule(build_stub())


@pytest.fixture
def stub32(build_stub: Build) -> NativeModule:
    """The stub with a 3.2 list."""
    return NativeModule(build_stub("INTERFACE=3,2"))


def told(module: NativeModule) -> str:
    """What the last call saw, in the stub's words."""
    return module.get_operation_state(0).decode().strip()
