"""The DES boxes as circuits of our own, found by scripts/find-sbox-circuits; each file's line is a box.

Nodes 0 to 5 are a box's input bits, the leftmost first; gates count on from 6. A table's bit is indexed by its inputs'
values, the first the most significant.

    lut3.txt     gates of three inputs. An output is a function of two nodes: the instruction that computes it takes as
                 its third input the half block it is added to
    gate2.txt    gates of two inputs; an output is one node, or its inverse (table 1)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

INPUTS: Final = 6
CELLS: Final = 64
_FULL: Final = 2**CELLS - 1


@dataclass(frozen=True, slots=True)
class Gate:
    """A function of up to three nodes."""

    table: int
    inputs: tuple[int, ...]

    def apply(self, values: Sequence[int]) -> int:
        """Its truth table over the box's 64 inputs, from those of all nodes."""
        result = 0
        for cell in range(1 << len(self.inputs)):
            if self.table >> cell & 1:
                product = _FULL
                for index, node in enumerate(reversed(self.inputs)):
                    product &= values[node] if cell >> index & 1 else ~values[node]
                result |= product
        return result


@dataclass(frozen=True, slots=True)
class Circuit:
    """Gates in topological order, and the four outputs of a box, the leftmost first."""

    gates: tuple[Gate, ...]
    outputs: tuple[Gate, ...]

    def truth_tables(self) -> list[int]:
        """What the outputs are at each of the 64 inputs."""
        values = [sum((x >> (5 - node) & 1) << x for x in range(CELLS)) for node in range(INPUTS)]
        for gate in self.gates:
            values.append(gate.apply(values))
        return [output.apply(values) for output in self.outputs]


@cache
def load(name: str) -> tuple[Circuit, ...]:
    """The eight circuits of one file: `lut3` or `gate2`."""
    return tuple(_parse(line) for line in (files(__name__) / f"{name}.txt").read_text().splitlines())


def _parse(line: str) -> Circuit:
    _cost, gates, outputs = line.split("|")
    return Circuit(_gates(gates), _gates(outputs))


def _gates(text: str) -> tuple[Gate, ...]:
    words = ([int(number) for number in word.split(",")] for word in text.split())
    return tuple(Gate(table, tuple(inputs)) for table, *inputs in words)
