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
_GET_INTERFACE: Final = "CK_ULONG (*)(char *, CK_VERSION *, CK_INTERFACE **, CK_ULONG)"
_GET_LIST: Final = "CK_ULONG (*)(CK_FUNCTION_LIST **)"
_NEWEST_FIRST: Final = ((3, 2), (3, 1), (3, 0))

# cffi unloads a library that nobody holds. Modules have threads and exit handlers of their own: once loaded, they stay.
_LOADED: Final[list[CData]] = []


class Library:
    """The functions of one loaded module. Raises ModuleNotLoadable.

    `version` is the function list's: (2, 40), (3, 0), …
    """

    def __init__(self, path: str, getter: str = _GETTER) -> None:
        get_interface = getter.replace("FunctionList", "Interface")
        exports = _load(path, (getter, get_interface))
        functions = _newest_interface(exports.get(get_interface)) or _function_list(exports.get(getter), path, getter)
        self.version: tuple[int, int] = (functions.version.major, functions.version.minor)
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


def _newest_interface(get_interface: CData | None) -> CData | None:
    """The newest list of 3.x that C_GetInterface knows; None where there is none of either."""
    if get_interface is None:
        return None
    call, name, interface = ffi.cast(_GET_INTERFACE, get_interface), ffi.new("char[]", b"PKCS 11"), ffi.new("CK_INTERFACE **")
    for version in _NEWEST_FIRST:
        if call(name, ffi.new("CK_VERSION *", version), interface, 0) == CKR.OK and interface[0] != ffi.NULL:
            functions = ffi.cast("CK_FUNCTION_LIST *", interface[0].pFunctionList)
            if functions != ffi.NULL and functions.version.major >= 3:
                return functions
    return None


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
