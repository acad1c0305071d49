"""Instructions on vectors of words, sorted by how often they have to run.

A value is a number, or the result of instructions of one of two stages: OUTER ones run when a slow bit of the key flips,
INNER ones for every vector of keys. An operation belongs to the earliest stage that has all it needs, so what a fast
bit does not reach leaves the innermost function by itself: a description of a hash need not say what is constant.
What INNER needs of OUTER is kept in memory in between.
"""

from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from .paths import Path

OUTER: Final = 0
INNER: Final = 1
MASK: Final = 0xFFFF_FFFF
XOR3: Final = 0x96
CHOOSE: Final = 0xCA
MAJORITY: Final = 0xE8


@dataclass(frozen=True, slots=True)
class Node:
    """The result of an instruction."""

    name: str
    stage: int


Value = int | Node


class Staged:
    """Two straight-line pieces of code that grow together. Outer values are kept at `%part` from byte `kept` on."""

    def __init__(self, path: Path, kept: int = 0) -> None:
        self.path, self._kept = path, kept
        self.lines: dict[int, list[str]] = {OUTER: [], INNER: []}
        self._places: dict[Node, int] = {}
        self._pairs: dict[tuple[Value, Value], Value] = {}

    @property
    def kept_bytes(self) -> int:
        """The memory that outer values take."""
        return self.path.vector_bytes * len(self._places)

    def let(self, stage: int, instruction: str) -> Node:
        node = Node(f"%v{len(self.lines[OUTER]) + len(self.lines[INNER])}", stage)
        self.lines[stage].append(f"  {node.name} = {instruction}")
        return node

    def load(self, stage: int, base: str, offset: int) -> Node:
        """A vector at a byte offset."""
        address = self.let(stage, f"getelementptr i8, ptr {base}, i64 {offset}")
        return self.let(stage, f"load {self.path.vector}, ptr {address.name}, align {self.path.vector_bytes}")

    def load_all(self, stage: int, base: str, offset: int) -> Node:
        """A word at a byte offset, in every lane."""
        address = self.let(stage, f"getelementptr i8, ptr {base}, i64 {offset}")
        word = self.let(stage, f"load i32, ptr {address.name}, align 4")
        kind = self.path.vector
        first = self.let(stage, f"insertelement {kind} poison, i32 {word.name}, i64 0")
        return self.let(stage, f"shufflevector {kind} {first.name}, {kind} poison, <{self.path.lanes} x i32> zeroinitializer")

    def store(self, value: Value, base: str, offset: int, stage: int = INNER) -> None:
        operand = self.operand(value, stage)
        address = self.let(stage, f"getelementptr i8, ptr {base}, i64 {offset}")
        line = f"  store {self.path.vector} {operand}, ptr {address.name}, align {self.path.vector_bytes}"
        self.lines[stage].append(line)

    def operand(self, value: Value, stage: int) -> str:
        """The value as an instruction of that stage names it."""
        if isinstance(value, int):
            return "<" + ", ".join([f"i32 {value}"] * self.path.lanes) + ">"
        if value.stage == stage:
            return value.name
        if value not in self._places:
            self._places[value] = self._kept + self.kept_bytes
            self.store(value, "%part", self._places[value], OUTER)
        return self.load(stage, "%part", self._places[value]).name

    def _apply(self, operation: str, a: Value, b: Value) -> Value:
        stage = _stage(a, b)
        return self.let(stage, f"{operation} {self.path.vector} {self.operand(a, stage)}, {self.operand(b, stage)}")

    def add(self, *values: Value) -> Value:
        """The sum mod 2^32, in this order as far as stages allow it."""
        number = sum(value for value in values if isinstance(value, int)) & MASK
        nodes = sorted((value for value in values if isinstance(value, Node)), key=lambda node: node.stage)
        if not nodes:
            return number
        terms: list[Value] = [nodes[0], *([number] if number else []), *nodes[1:]]
        return reduce(lambda a, b: self._apply("add", a, b), terms)

    def sub(self, a: Value, b: Value) -> Value:
        return self._apply("sub", a, b)

    def xor(self, *values: Value) -> Value:
        number = reduce(xor, (value for value in values if isinstance(value, int)), 0)
        nodes: list[Value] = [*sorted((value for value in values if isinstance(value, Node)), key=lambda node: node.stage)]
        terms = [*nodes, number] if number else nodes
        if not nodes:
            return number
        if len(terms) == 3 and self.path.ternary and _stage(*terms[:2]) == _stage(*terms):
            return self._ternary(XOR3, *terms)
        return reduce(lambda a, b: self._apply("xor", a, b), terms)

    def _can_be_ternary(self, *values: Value) -> bool:
        return self.path.ternary and any(isinstance(value, Node) for value in values)

    def _ternary(self, table: int, *inputs: Value) -> Value:
        stage, kind = _stage(*inputs), self.path.vector
        arguments = ", ".join(f"{kind} {self.operand(value, stage)}" for value in inputs)
        return self.let(stage, f"call {kind} @llvm.x86.avx512.pternlog.d.512({arguments}, i32 {table})")

    def choose(self, which: Value, a: Value, b: Value) -> Value:
        """The bits of `a` where `which` has ones, of `b` elsewhere."""
        if self._can_be_ternary(which, a, b):
            return self._ternary(CHOOSE, which, a, b)
        return self.xor(self._and(which, self._difference(a, b)), b)

    def majority(self, a: Value, b: Value, c: Value) -> Value:
        """What at least two of the three have, bit by bit."""
        if self._can_be_ternary(a, b, c):
            return self._ternary(MAJORITY, a, b, c)
        return self.xor(self._and(self._difference(a, b), self._difference(b, c)), b)

    def _difference(self, a: Value, b: Value) -> Value:
        """a ⊕ b, once: what the majority of one round takes, that of the next one takes again."""
        if (a, b) not in self._pairs:
            self._pairs[a, b] = self.xor(a, b)
        return self._pairs[a, b]

    def _and(self, a: Value, b: Value) -> Value:
        if isinstance(a, int) and isinstance(b, int):
            return a & b
        return self._apply("and", a, b)

    def rotate(self, value: Value, left: int) -> Value:
        if isinstance(value, int):
            return (value << left | value >> (32 - left)) & MASK
        kind, name = self.path.vector, value.name
        call = f"call {kind} @llvm.fshl.v{self.path.lanes}i32({kind} {name}, {kind} {name}, {kind} "
        return self.let(value.stage, call + f"{self.operand(left, value.stage)})")

    def shift_right(self, value: Value, places: int) -> Value:
        if isinstance(value, int):
            return value >> places
        return self.let(value.stage, f"lshr {self.path.vector} {value.name}, {self.operand(places, value.stage)}")

    def declarations(self) -> str:
        kind = self.path.vector
        ternary = f"declare {kind} @llvm.x86.avx512.pternlog.d.512({kind}, {kind}, {kind}, i32 immarg)\n"
        rotation = f"declare {kind} @llvm.fshl.v{self.path.lanes}i32({kind}, {kind}, {kind})\n"
        return rotation + (ternary if self.path.ternary else "")


def _stage(*values: Value) -> int:
    return max((value.stage for value in values if isinstance(value, Node)), default=OUTER)
