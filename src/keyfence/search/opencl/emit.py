"""OpenCL C in place of LLVM's representation: the same circuits, through the same gates."""

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
    """The type that a kernel computes with: its lanes, and the gates that suit who has it."""

    type: str
    lanes: int
    circuits: str

    @property
    def bytes(self) -> int:
        return self.lanes // 8


class Text(Block):
    """Statements of OpenCL C; a slot counts vectors from a pointer."""

    def __init__(self, vector: Vector, prefix: str = "v") -> None:
        super().__init__(Path(vector.type, vector.lanes, (), vector.circuits), prefix)

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


def prelude(vector: Vector) -> str:
    """What a kernel begins with: its vector, and gates of three inputs as functions of that.

    Such a gate is one instruction of a processor with AVX-512, which clang, and so pocl, offers by name. For all others
    it is an expression; NVIDIA's compiler makes one instruction (lop3) of it again.
    """
    gates = [f"#define LUT_{table:02X}(a, b, c) LUT(0x{table:02X}, {expression}, a, b, c)" for table, expression in _used()]
    return "\n".join([f"typedef {vector.type} V;", "#define ONES ((V)(-1))", *_TERNARY, *gates, ""])


_TERNARY: Final = (
    "#if defined(__AVX512F__) && defined(__has_builtin)",
    "#if __has_builtin(__builtin_ia32_pternlogq512_mask)",
    "#define NAMED __builtin_ia32_pternlogq512_mask",
    "#endif",
    "#endif",
    "#if defined(NAMED)",
    "#define LUT(table, expression, a, b, c) as_ulong8(NAMED(as_long8(a), as_long8(b), as_long8(c), table, (uchar)-1))",
    "#else",
    "#define LUT(table, expression, a, b, c) (expression)",
    "#endif",
)


def _used() -> list[tuple[int, str]]:
    """The tables that may occur, with their expressions."""
    return sorted(_expressions().items())


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
