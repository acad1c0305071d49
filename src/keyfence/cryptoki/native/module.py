"""`NativeModule`: any PKCS#11 shared object as a `Cryptoki`."""

import os

from .calls import General, Keys, Messages, Objects, Operations, Sessions
from .library import Library


class NativeModule(General, Sessions, Objects, Operations, Keys, Messages):
    """A PKCS#11 module in this process, through its newest function list.

    `library_parameters` are NSS's LibraryParameters. `function_list` names another getter than C_GetFunctionList
    ("FC_GetFunctionList" is NSS's FIPS one; FC_GetInterface goes with it). `always_wants_handle` passes a phKey to those
    derivations too that return no single key, for modules (and logging shims) that demand one.

    Calls are plain C calls: they may come from several threads, as the module allows. Values that C cannot hold raise TypeError
    or ValueError before the module is called. Raises ModuleNotLoadable.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        library_parameters: str | None = None,
        function_list: str = "C_GetFunctionList",
        always_wants_handle: bool = False,
    ) -> None:
        self.path = os.fspath(path)
        self._library = Library(self.path, function_list)
        self._library_parameters = library_parameters
        self._always_wants_handle = always_wants_handle

    @property
    def interface_version(self) -> tuple[int, int]:
        """The version of the function list in use: (2, 40), (3, 0), (3, 2)."""
        return self._library.version

    def __repr__(self) -> str:
        return f"NativeModule({self.path!r})"
