"""Isolation of real C code: a shared object, compiled here, that crashes, hangs, exits and prints."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyfence.cryptoki import FunctionNotSupported, HandleInvalid, Mechanism, ModuleCrashed, ModuleHung, ModuleNotLoadable
from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.isolation import IsolatedModule, native

SOURCE = Path(__file__).with_name("misbehaving.c")


@pytest.fixture(scope="session")
def shared_object(tmp_path_factory: pytest.TempPathFactory) -> str:
    built = tmp_path_factory.mktemp("misbehaving") / "misbehaving.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", built, SOURCE], check=True)
    return str(built)


@pytest.fixture
def module(shared_object: str) -> Iterator[IsolatedModule]:
    with IsolatedModule(native(shared_object), time_limit=5.0) as isolated:
        isolated.initialize()
        yield isolated


def test_a_segmentation_fault_is_a_finding_and_not_the_end(module: IsolatedModule) -> None:
    with pytest.raises(ModuleCrashed) as caught:
        module.derive_key(1, Mechanism(CKM.CONCATENATE_BASE_AND_DATA), 2, {})
    assert (caught.value.function, caught.value.reason) == ("C_DeriveKey", "SIGSEGV")
    module.restart()
    module.initialize()
    assert module.generate_random(1, 3) == b"ZZZ"


def test_abort_and_exit(module: IsolatedModule) -> None:
    with pytest.raises(ModuleCrashed, match=r"C_CloseSession: .*SIGABRT"):
        module.close_session(1)
    module.restart()
    with pytest.raises(ModuleCrashed, match=r"C_SeedRandom: .*exit status 3"):
        module.seed_random(1, b"seed")


def test_a_call_that_never_returns(shared_object: str) -> None:
    with IsolatedModule(native(shared_object), time_limit=0.3) as module:
        with pytest.raises(ModuleHung, match=r"C_Logout: no answer within 0\.3 s"):
            module.logout(1)
        module.restart()
        assert module.generate_random(1, 1) == b"Z"


def test_what_c_prints_goes_nowhere_else(module: IsolatedModule, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HandleInvalid):
        module.destroy_object(1, 2)
    assert capfd.readouterr() == ("", "")
    assert sorted(module.noise.splitlines()) == ["noise on standard error", "noise on standard output"]


def test_what_the_module_lacks_is_a_refusal(module: IsolatedModule) -> None:
    with pytest.raises(FunctionNotSupported):
        module.login(1, 1, None)


@pytest.mark.parametrize("path", ["/no/such/module.so", __file__, sys.executable])
def test_what_is_no_module_is_one_error_from_loading(path: str) -> None:
    with pytest.raises(ModuleNotLoadable, match=path):
        IsolatedModule(native(path))
