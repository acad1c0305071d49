"""LLVM's intermediate representation to machine code, in this process. llvmlite is an extra: keyfence[search]."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from .problem import MissingExtra

if TYPE_CHECKING:
    import llvmlite.binding as llvm

OPTIMISATION: Final = 2
AVX512: Final = ("avx512f", "avx512dq", "avx512bw", "avx512vl")
AVX2: Final = ("avx2",)
"""The features that vectors of 512 and of 256 bits are written for."""


@cache
def binding() -> Any:
    """llvmlite's binding, ready for this processor. Raises MissingExtra."""
    try:
        import llvmlite.binding as llvm
    except ImportError as error:
        raise MissingExtra("the search compiles its kernels with llvmlite: pip install 'keyfence[search]'") from error
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def features() -> Mapping[str, bool]:
    """What this processor (and its operating system) can do, by LLVM's names: avx512f, avx2, aes, sha …"""
    return dict(binding().get_host_cpu_features())


def usable(wanted: Iterable[str]) -> bool:
    """Whether this processor has all these features."""
    return all(features().get(feature) for feature in wanted)


def compiled(assembly: str, wanted: Iterable[str] = ()) -> "llvm.ExecutionEngine":
    """Machine code that may use these features; get_function_address(name) finds functions while the engine lives."""
    llvm = binding()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(features=",".join(f"+{it}" for it in wanted), opt=OPTIMISATION, jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(assembly), machine)
    engine.finalize_object()
    return engine
