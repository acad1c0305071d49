"""What this processor is, how many instructions of vector logic it begins in a cycle, and how many cycles it makes."""

import ctypes
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from keyfence.search import jit

PORTS: Final = {("AuthenticAMD", "25"): 2, ("GenuineIntel", "6"): 2}
"""Instructions of logic on 512 bits that a core begins in a cycle, by vendor and family: Zen 4 has two such pipes (its four
are of 256 bits), and Intel's cores with AVX-512 use ports 0 and 5."""
ADDITIONS: Final = 100
TURNS: Final = 100_000
TRIES: Final = 5
_CHAIN: Final = f"""
define void @chain(i64 %turns) {{
entry:
  br label %turn
turn:
  %i = phi i64 [0, %entry], [%next, %turn]
  %x = phi i64 [1, %entry], [%y, %turn]
  %y = call i64 asm sideeffect "{"addq $0, $0;" * ADDITIONS}", "=r,0,~{{flags}}"(i64 %x)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %turns
  br i1 %more, label %turn, label %over
over:
  ret void
}}
"""


def name() -> str:
    """What the kernel calls it."""
    return _cpuinfo("model name") or "an unknown processor"


def ports() -> int | None:
    """What PORTS says of this processor; None where it says nothing."""
    return PORTS.get((_cpuinfo("vendor_id") or "", _cpuinfo("cpu family") or ""))


def clock() -> float | None:
    """Cycles per second of processor time, here and now: additions that wait for each other take one cycle each.

    What /proc/cpuinfo says is, in a virtual machine at least, what the processor was sold with, not what it does. None on
    other processors than x86-64. Raises MissingExtra.
    """
    llvm = jit.binding()
    if not llvm.get_process_triple().startswith("x86_64"):
        return None
    llvm.initialize_native_asmparser()
    engine = jit.compiled(_CHAIN)
    chain = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(engine.get_function_address("chain"))
    return max(_cycles_per_second(chain) for _ in range(TRIES))


def _cycles_per_second(chain: Callable[[int], None]) -> float:
    began = time.thread_time()
    chain(TURNS)
    return ADDITIONS * TURNS / (time.thread_time() - began)


def _cpuinfo(field: str) -> str | None:
    try:
        found = re.search(rf"^{field}\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    return found[1].strip() if found else None
