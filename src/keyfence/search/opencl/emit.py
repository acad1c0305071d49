"""OpenCL C in place of LLVM's representation: the same circuits, through the same gates."""

import re
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

from keyfence.search.des.frame import Path
from keyfence.search.des.gates import Block, Value

_SIGNS: Final = {"and": "&", "or": "|", "xor": "^"}
_ALL: Final = 0xFF
_LEAVES: Final = {0xF0: "a", 0xCC: "b", 0xAA: "c"}
"""The tables of a gate's three inputs themselves."""


@dataclass(frozen=True, slots=True)
class Vector:
    """What a kernel computes with: a type and its lanes, and the gates that suit who has it.

    `ternary` says how a gate of three inputs is written: as an expression, or as the one instruction that it is on some
    devices (vpternlog, where the compiler is known to offer it; lop3).
    """

    name: str
    type: str
    lanes: int
    circuits: str
    ternary: str = "expression"

    @property
    def unrolled(self) -> bool:
        """Whether the kernel is the one for GPUs."""
        return self.lanes == 32

    @property
    def bytes(self) -> int:
        return self.lanes // 8


class Text(Block):
    """Statements of OpenCL C; a slot counts vectors from a pointer."""

    def __init__(self, vector: Vector, prefix: str = "v") -> None:
        super().__init__(prefix, path=Path(vector.name, vector.lanes, (), vector.circuits))

    def let(self, instruction: str) -> Value:
        name = f"{self.prefix}{len(self.lines)}"
        self.lines.append(f"const V {name} = {instruction};")
        return name

    def load(self, base: Value, slot: int) -> Value:
        return self.let(f"{base}[{slot}]")

    def store(self, value: Value, base: Value, slot: int) -> None:
        self.lines.append(f"{base}[{slot}] = {value};")

    def gate(self, word: str, a: Value, b: Value) -> Value:
        return self.let(f"{a} {_SIGNS[word]} {b}")

    def ones(self) -> Value:
        return "ONES"

    def ternary(self, table: int, *inputs: Value) -> Value:
        return self.let(f"LUT_{table:02X}({', '.join(inputs)})")


def program(vector: Vector, body: str) -> str:
    """The whole of a program: the vector, the gates of three inputs that the body uses, and the body."""
    tables = sorted({int(found, 16) for found in re.findall(r"\bLUT_(..)\(", body)})
    gates = [_GATE[vector.ternary].format(table=table, expression=_expressions()[table]) for table in tables]
    return "\n".join([f"typedef {vector.type} V;", "#define ONES ((V)(-1))", *gates, body])


_EXPRESSION: Final = "#define LUT_{table:02X}(a, b, c) {expression}"
_GATE: Final = {
    "expression": _EXPRESSION,
    # clang's name for the instruction of AVX-512: pocl knows it, other compilers for processors may not
    "vpternlog": f"""#if defined(__AVX512F__) && defined(__clang__)
#define LUT_{{table:02X}}(a, b, c) \\
    as_ulong8(__builtin_ia32_pternlogq512_mask(as_long8(a), as_long8(b), as_long8(c), {{table}}, (uchar)-1))
#else
{_EXPRESSION}
#endif""",
    # NVIDIA's assembly: its compiler finds this instruction in expressions too, but needs half again as many of it
    "lop3": """uint LUT_{table:02X}(uint a, uint b, uint c)
{{
    uint made;
    __asm__("lop3.b32 %0, %1, %2, %3, {table};" : "=r"(made) : "r"(a), "r"(b), "r"(c));
    return made;
}}""",
}


@cache
def _expressions() -> dict[int, str]:
    """Every function of three inputs by the fewest operations, each subexpression counted as often as it is written."""
    cost = dict.fromkeys(_LEAVES, 0)
    text = dict(_LEAVES)
    for total in range(1, 12):
        known = [(table, spent) for table, spent in cost.items() if spent < total]
        made: dict[int, str] = {}
        for table, spent in known:
            if spent == total - 1:
                made.setdefault(table ^ _ALL, f"~{text[table]}")
        for (p, x), (q, y) in product(known, known):
            if x + y == total - 1:
                for table, sign in ((p & q, "&"), (p | q, "|"), (p ^ q, "^")):
                    made.setdefault(table, f"({text[p]} {sign} {text[q]})")
        for table, expression in made.items():
            if table not in cost:
                cost[table], text[table] = total, expression
    return text
