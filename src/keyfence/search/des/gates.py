"""Instructions of LLVM's intermediate representation, and the two sets of gates that circuits are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from keyfence.search.code import Instructions

from .circuits import INPUTS, Circuit
from .frame import Path

Value = str
Made = Callable[[], Value]
"""A value that is made where it is first needed: registers are few."""


@dataclass
class Block(Instructions):
    """Instructions on vectors; slots count them from a base address."""

    path: Path = field(kw_only=True)

    def address(self, base: Value, slot: int) -> Value:
        return self.let(f"getelementptr {self.path.type}, ptr {base}, i64 {slot}") if slot else base

    def load(self, base: Value, slot: int) -> Value:
        pointer = self.address(base, slot)
        return self.let(f"load {self.path.type}, ptr {pointer}, align {self.path.vector_bytes}")

    def store(self, value: Value, base: Value, slot: int) -> None:
        pointer = self.address(base, slot)
        self.lines.append(f"  store {self.path.type} {value}, ptr {pointer}, align {self.path.vector_bytes}")

    def gate(self, word: str, a: Value, b: Value) -> Value:
        return self.let(f"{word} {self.path.type} {a}, {b}")

    def ones(self) -> Value:
        return "<" + ", ".join(["i64 -1"] * (self.path.lanes // 64)) + ">"

    def ternary(self, table: int, *inputs: Value) -> Value:
        kind = self.path.type
        arguments = ", ".join(f"{kind} {value}" for value in inputs)
        return self.let(f"call {kind} @llvm.x86.avx512.pternlog.q.512({arguments}, i32 {table})")


XOR3: Final = 0x96
XOR_OR: Final = 0xF6  # a | (b ^ c)


class Lut3:
    """Gates of three inputs: one instruction each, the final exclusive-or inside the outputs'."""

    def __init__(self, block: Block) -> None:
        self.block = block

    def xor(self, a: Value, b: Value) -> Value:
        return self.block.gate("xor", a, b)

    def differs(self, miss: Value, a: Value, b: Value) -> Value:
        """miss | (a ^ b)"""
        return self.block.ternary(XOR_OR, miss, a, b)

    def box(self, circuit: Circuit, inputs: Sequence[Made], added: Mapping[int, Made]) -> dict[int, Value]:
        """The outputs named in `added`, each added to the value there."""
        nodes: dict[int, Value] = {}

        def node(index: int) -> Value:
            if index not in nodes:
                if index < INPUTS:
                    nodes[index] = inputs[index]()
                else:
                    gate = circuit.gates[index - INPUTS]
                    nodes[index] = self.block.ternary(gate.table, *[node(it) for it in gate.inputs])
            return nodes[index]

        results = {}
        for index, value in added.items():
            final = circuit.outputs[index]
            table = sum(((final.table >> (cell >> 1) ^ cell) & 1) << cell for cell in range(8))
            results[index] = self.block.ternary(table, *[node(it) for it in final.inputs], value())
        return results


class Gate2:
    """And, or, xor, and-not. Nodes may be held inverted; where an output would be, an inverter is added."""

    def __init__(self, block: Block) -> None:
        self.block = block

    def xor(self, a: Value, b: Value) -> Value:
        return self.block.gate("xor", a, b)

    def differs(self, miss: Value, a: Value, b: Value) -> Value:
        """miss | (a ^ b)"""
        return self.block.gate("or", miss, self.xor(a, b))

    def _invert(self, a: Value) -> Value:
        return self.xor(a, self.block.ones())

    def _apply(self, table: int, a: Value, b: Value) -> Value:
        match table:
            case 0b1000:
                return self.block.gate("and", a, b)
            case 0b1110:
                return self.block.gate("or", a, b)
            case 0b0110:
                return self.xor(a, b)
            case 0b0100:
                return self.block.gate("and", self._invert(b), a)
            case 0b0010:
                return self.block.gate("and", self._invert(a), b)
        raise ValueError(f"no gate of two inputs has the table {table}")

    def box(self, circuit: Circuit, inputs: Sequence[Made], added: Mapping[int, Made]) -> dict[int, Value]:
        """The outputs named in `added`, each added to the value there."""
        nodes: dict[int, tuple[Value, int]] = {}

        def node(index: int) -> tuple[Value, int]:
            """A node's value, and whether it is held inverted."""
            if index not in nodes:
                if index < INPUTS:
                    nodes[index] = inputs[index](), 0
                else:
                    gate = circuit.gates[index - INPUTS]
                    (a, p), (b, q) = (node(it) for it in gate.inputs)
                    held = sum((gate.table >> (cell ^ (2 * p + q)) & 1) << cell for cell in range(4))
                    inverted = held & 1
                    nodes[index] = self._apply(held ^ (0b1111 if inverted else 0), a, b), inverted
            return nodes[index]

        results = {}
        for index, value in added.items():
            final = circuit.outputs[index]
            result, inverted = node(final.inputs[0])
            wanted = final.table == 0b01
            results[index] = self.xor(self._invert(result) if inverted != wanted else result, value())
        return results
