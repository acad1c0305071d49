"""The kernel as machine code: LLVM compiles it when it is first asked for, and it stays for the process's life."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from keyfence.search import jit

from .frame import PATHS, Path
from .kernel import Writer
from .tables import BOXES

Run = Callable[[int, int, int, int, int], int]
"""`run` of kernel.py: (frame, heads, first, stop, bit) -> count; the first two are addresses."""
_RUN: Final = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_uint64] * 3)


@dataclass(frozen=True)
class Kernel:
    """Compiled functions: `run` to call, and the addresses of the eight `steps`. Keeps their memory alive."""

    path: Path
    run: Run
    steps: tuple[int, ...]
    owner: object


@cache
def usable_paths() -> tuple[Path, ...]:
    """The paths that this processor (and its operating system) can run, the fastest first."""
    return tuple(path for path in PATHS if jit.usable(path.features))


@cache
def compiled(path: Path, early: tuple[int, ...], pair: bool) -> Kernel:
    """The kernel for one choice of boxes compared first, with or without a complemented pair."""
    engine = jit.compiled(Writer(path).module(early, pair), path.features)
    steps = tuple(engine.get_function_address(f"step{box}") for box in range(BOXES))
    run = _RUN(engine.get_function_address(f"run{early[0]}{'p' if pair else ''}"))
    return Kernel(path, run, steps, engine)
