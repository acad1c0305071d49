"""From a path to a function list: what is a module, what is none, and which list is taken."""

from pathlib import Path

import pytest

from keyfence.cryptoki import CryptokiError, FunctionNotSupported, Mechanism, ModuleNotLoadable
from keyfence.cryptoki.constants import CKM, CKR
from keyfence.cryptoki.native import NativeModule

from .conftest import Build, told


def why(path: Path | str, **options: str) -> str:
    with pytest.raises(ModuleNotLoadable) as caught:
        NativeModule(path, **options)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    assert "ctypes" not in text
    return text


def test_no_such_file(tmp_path: Path) -> None:
    assert why(tmp_path / "none.so") == f"{tmp_path}/none.so: no such file"


def test_a_file_that_is_no_shared_object(tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("not an ELF file, but long enough to have held the header of one, had it been one")
    assert why(text) == f"{text}: not a loadable shared object: invalid ELF header"


def test_a_directory(tmp_path: Path) -> None:
    assert why(tmp_path) == f"{tmp_path}: not a loadable shared object: cannot read file data: Is a directory"


def test_a_bare_name_that_the_loader_does_not_find() -> None:
    assert "cannot open shared object file" in why("libkeyfence-none.so")
    assert why("keyfence-none") == "keyfence-none: not a loadable shared object: the dynamic loader finds none of this name"


def test_a_shared_object_that_is_no_module() -> None:
    assert why("libc.so.6") == "libc.so.6: not a PKCS#11 module: it exports no C_GetFunctionList"


def test_a_getter_that_is_not_there(build_stub: Build) -> None:
    assert why(build_stub(), function_list="FC_GetFunctionList").endswith("exports no FC_GetFunctionList")
    assert why(build_stub(), function_list="no name").endswith("'no name' is not a function's name")


def test_a_getter_that_fails(build_stub: Build) -> None:
    assert why(build_stub("NO_LIST")).endswith("C_GetFunctionList gave no function list (CKR_GENERAL_ERROR)")


@pytest.mark.parametrize("version", [(3, 0), (3, 1), (3, 2)])
def test_the_newest_interface_is_taken(build_stub: Build, version: tuple[int, int]) -> None:
    assert NativeModule(build_stub(f"INTERFACE={version[0]},{version[1]}")).interface_version == version


def test_the_default_interface_is_taken_where_none_are_listed(build_stub: Build) -> None:
    assert NativeModule(build_stub("DEFAULT=3,0")).interface_version == (3, 0)


@pytest.mark.parametrize("export", ["INTERFACE", "DEFAULT"])
def test_an_interface_older_than_3_0_is_not(build_stub: Build, export: str) -> None:
    assert NativeModule(build_stub(f"{export}=2,40")).interface_version == (2, 40)


def test_the_old_list_is_taken_where_there_is_no_other(stub: NativeModule) -> None:
    assert stub.interface_version == (2, 40)
    assert repr(stub) == f"NativeModule({stub.path!r})"


def test_functions_beyond_the_list_and_null_pointers_are_not_supported(build_stub: Build) -> None:
    """The stub's array is longer than its version says: what lies beyond must not be read, not even when it is there."""
    old, newer = NativeModule(build_stub()), NativeModule(build_stub("INTERFACE=3,0"))
    for call in (
        lambda: old.message_encrypt_init(1, Mechanism(CKM.AES_GCM), 1),  # 3.0
        lambda: newer.encapsulate_key(1, Mechanism(CKM.ML_KEM), 1, {}),  # 3.2
        lambda: newer.logout(1),  # NULL in every list of the stub's
    ):
        with pytest.raises(FunctionNotSupported) as caught:
            call()
        assert caught.value.ckr == CKR.FUNCTION_NOT_SUPPORTED


# C_Initialize


def test_the_module_may_use_the_systems_locks(stub: NativeModule) -> None:
    stub.initialize()  # the stub answers CKR_CRYPTOKI_ALREADY_INITIALIZED, which is no error to us
    assert told(stub) == "flags=2 parameters=-"


def test_a_module_that_refuses_arguments_gets_none(build_stub: Build) -> None:
    module = NativeModule(build_stub("REFUSES_ARGUMENTS"))
    module.initialize()
    assert told(module) == "NULL"


def test_library_parameters_stand_where_nss_looks_for_them(build_stub: Build) -> None:
    module = NativeModule(build_stub(), library_parameters="configdir='' flags=readOnly")
    module.initialize()
    assert told(module) == "flags=0 parameters=configdir='' flags=readOnly"


def test_library_parameters_are_never_dropped_silently(build_stub: Build) -> None:
    module = NativeModule(build_stub("REFUSES_ARGUMENTS"), library_parameters="configdir=''")
    with pytest.raises(CryptokiError, match="C_Initialize: CKR_CANT_LOCK"):
        module.initialize()
