"""The kernels as machine code: LLVM compiles one when it is first asked for, and it stays for the process's life."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from keyfence.search import jit

from . import aes
from .aes_tables import TableKernel
from .hashes import HASHES
from .kernel import Kernel
from .macs import MacKernel
from .paths import Path
from .problem import HMACS, Algorithm, ShortKeyProblem
from .rc4 import Rc4Kernel

Run = Callable[[int, int, int, int, int, int], int]
"""`run` of counting.py: (frame, flips, fast, first, stop, bit) -> count; the first two are addresses."""
_RUN: Final = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_uint64] * 4)


@dataclass(frozen=True)
class Compiled:
    """A kernel and its `run`. Keeps its memory alive."""

    kernel: Kernel
    run: Run
    owner: object


def compiled(path: Path, problem: ShortKeyProblem) -> Compiled:
    """The kernel for problems of this one's shape."""
    return ready(kernel_for(path, problem))


def kernel_for(path: Path, problem: ShortKeyProblem) -> Kernel:
    """What searches this problem by this path on this processor."""
    if problem.algorithm == Algorithm.AES:
        return _aes(path, problem.key_bytes)
    if problem.algorithm == Algorithm.RC4:
        return Rc4Kernel(path)
    name, whole_words = HMACS[problem.algorithm], len(problem.samples[0][1]) // 4
    return MacKernel(path, name, problem.layout.fast, HASHES[name].early(whole_words))


def _aes(path: Path, key_bytes: int) -> Kernel:
    """The widest vectors that the path has AES instructions for; tables where it has none."""
    for blocks in (4, 2, 1):
        if 4 * blocks <= path.lanes and path.features and jit.usable(aes.features(blocks)):
            return aes.AesKernel(path, key_bytes, blocks)
    return TableKernel(path, key_bytes)


@cache
def ready(kernel: Kernel) -> Compiled:
    """A kernel as machine code."""
    engine = jit.compiled(kernel.module(), kernel.features)
    return Compiled(kernel, _RUN(engine.get_function_address("run")), engine)
