"""A shared object as a PKCS#11 module: loading it, finding its newest function list, calling its functions."""

import os
from typing import Any, Final

from cffi import FFI

from ..constants import CKR, describe
from ..errors import ModuleNotLoadable, refusal
from .memory import CData
from .prototypes import POSITIONS, PROTOTYPES, length_of_list
from .structures import ffi

_GETTER: Final = "C_GetFunctionList"
_GET_LIST: Final = "CK_ULONG (*)(CK_FUNCTION_LIST **)"
_GET_INTERFACE: Final = "CK_ULONG (*)(char *, CK_VERSION *, CK_INTERFACE **, CK_ULONG)"
_GET_INTERFACES: Final = "CK_ULONG (*)(CK_INTERFACE *, CK_ULONG *)"
_STANDARD: Final = b"PKCS 11"

# cffi unloads a library that nobody holds. Modules have threads and exit handlers of their own: once loaded, they stay.
_LOADED: Final[list[CData]] = []


class Library:
    """The functions of one loaded module. Raises ModuleNotLoadable.

    `version` is the function list's: (2, 40), (3, 0), …
    """

    def __init__(self, path: str, getter: str = _GETTER) -> None:
        prefix = getter.removesuffix("GetFunctionList")  # "C_", or "FC_"; another name has no interfaces beside it
        get_interface, get_interfaces = f"{prefix}GetInterface", f"{prefix}GetInterfaceList"
        exports = _load(path, (getter, get_interface, get_interfaces))
        offered = _all_interfaces(exports.get(get_interfaces)) or _default_interface(exports.get(get_interface))
        functions = max(offered, key=_version, default=None) or _function_list(exports.get(getter), path, getter)
        self.version = _version(functions)
        self._functions = functions.functions
        self._length = length_of_list(self.version)

    def call(self, function: str, *arguments: Any) -> None:
        """Calls; anything but CKR_OK is raised."""
        ckr = self.answer(function, *arguments)
        if ckr != CKR.OK:
            raise refusal(ckr, function)

    def answer(self, function: str, *arguments: Any) -> int:
        """Calls, and returns the CKR; raises FunctionNotSupported where the list has no such function.

        TypeError and ValueError are for arguments that are no C values; the module has not been called then.
        """
        pointer = self._pointer(function)
        try:
            return int(pointer(*arguments))
        except OverflowError as error:
            raise ValueError(f"{function}: {error}") from None
        except TypeError as error:
            raise TypeError(f"{function}: {error}") from None

    def _pointer(self, function: str) -> CData:
        position = POSITIONS[function]
        pointer = self._functions[position] if position < self._length else ffi.NULL
        if pointer == ffi.NULL:
            raise refusal(CKR.FUNCTION_NOT_SUPPORTED, function, "not in the module's function list")
        return ffi.cast(PROTOTYPES[function], pointer)


def _all_interfaces(get_interfaces: CData | None) -> list[CData]:
    """The standard's function lists of 3.x that C_GetInterfaceList names.

    This is asked first because nothing in it can fail: not every module takes it well when C_GetInterface is asked for more.
    """
    count = ffi.new("CK_ULONG *")
    call = ffi.cast(_GET_INTERFACES, get_interfaces or ffi.NULL)
    if call == ffi.NULL or call(ffi.NULL, count) != CKR.OK:
        return []
    interfaces = ffi.new("CK_INTERFACE[]", count[0])
    return [] if call(interfaces, count) != CKR.OK else _lists([interfaces[i] for i in range(min(count[0], len(interfaces)))])


def _default_interface(get_interface: CData | None) -> list[CData]:
    """The standard's interface of the version that the module itself prefers."""
    interface = ffi.new("CK_INTERFACE **")
    call = ffi.cast(_GET_INTERFACE, get_interface or ffi.NULL)
    if call == ffi.NULL or call(ffi.new("char[]", _STANDARD), ffi.NULL, interface, 0) != CKR.OK or interface[0] == ffi.NULL:
        return []
    return _lists([interface[0][0]])


def _lists(interfaces: list[CData]) -> list[CData]:
    named = [i for i in interfaces if i.pInterfaceName != ffi.NULL and ffi.string(i.pInterfaceName) == _STANDARD]
    functions = [ffi.cast("CK_FUNCTION_LIST *", i.pFunctionList) for i in named if i.pFunctionList != ffi.NULL]
    return [each for each in functions if each.version.major >= 3]


def _version(functions: CData) -> tuple[int, int]:
    return functions.version.major, functions.version.minor


def _function_list(getter: CData | None, path: str, name: str) -> CData:
    if getter is None:
        raise ModuleNotLoadable(f"{path}: not a PKCS#11 module: it exports no {name}")
    functions = ffi.new("CK_FUNCTION_LIST **")
    ckr = ffi.cast(_GET_LIST, getter)(functions)
    if ckr != CKR.OK or functions[0] == ffi.NULL:
        raise ModuleNotLoadable(f"{path}: {name} gave no function list ({describe(CKR, ckr)})")
    return functions[0]


def _load(path: str, names: tuple[str, ...]) -> dict[str, CData]:
    """The addresses of those `names` that the shared object exports.

    A path with a slash is a file; a bare name is looked for where the dynamic loader looks.
    """
    if not all(name.isidentifier() for name in names):
        raise ModuleNotLoadable(f"{path}: {names[0]!r} is not a function's name")
    if "/" in path and not os.path.exists(path):
        raise ModuleNotLoadable(f"{path}: no such file")
    exports = FFI()  # cffi finds a symbol by its declaration, and these names are known only now
    exports.cdef("".join(f"void {name}(void);" for name in names))
    try:
        library = exports.dlopen(path, exports.RTLD_NOW | exports.RTLD_LOCAL)
    except OSError as error:
        raise ModuleNotLoadable(f"{path}: not a loadable shared object: {_reason(str(error), path)}") from None
    _LOADED.append(library)
    return {name: exports.cast("void *", getattr(library, name)) for name in names if hasattr(library, name)}


def _reason(message: str, path: str) -> str:
    """dlerror's own words, without those that cffi puts around them."""
    if message.startswith("ctypes.util"):
        return "the dynamic loader finds none of this name"
    words = message.split(".  Additionally, ")[0].removeprefix(f"cannot load library '{path}': ")
    return words.removeprefix(f"{path}: ")
