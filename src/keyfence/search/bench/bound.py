"""The hard bound of the DES search: vector operations per key, over how many of them a core can begin in a second.

The operations are counted in the code that the kernel's generator writes for the problem's layout, so that they follow
the circuits. What counts is logic (and, or, xor, gates of three inputs); loads, stores, comparisons and the counting in
Gray code come on top, so that no program with these circuits reaches the bound. An inverter whose value only goes into an
`and` is free: that pair is one instruction.
"""

import re
from dataclasses import dataclass
from typing import Final

from keyfence.search.des.frame import Path
from keyfence.search.des.kernel import Writer
from keyfence.search.des.layout import touched
from keyfence.search.des.problem import DesProblem
from keyfence.search.des.tables import BOXES

ROUND_PAIRS: Final = 4  # rounds 4 to 11, two in a turn of the loop
SURVIVAL: Final = 2.0**-12  # of a lane, of the first comparison
BOX_SURVIVAL: Final = 2.0**-4


@dataclass(frozen=True, slots=True)
class Operations:
    """Vector operations of logic for one vector of keys, on average: in the loop of rounds, behind it, and outside."""

    loop: float
    tail: float
    outside: float
    keys: int

    @property
    def per_key(self) -> float:
        return (self.loop + self.tail + self.outside) / self.keys


def operations(path: Path, problem: DesProblem) -> Operations:
    """What the path's kernel does for `keys` keys, one vector (with a chosen pair two keys a lane)."""
    writer, early, pair = Writer(path), problem.layout.early, problem.complement is not None
    loop, tail = writer.search(early, pair).split("\ntail:\n")
    steps = [logic(writer.step(box)) for box in range(BOXES)]
    outside = sum(
        steps[step.box] * (2 if pair and step.left > step.out else 1) / 2 ** (1 + index)
        for index, bit in enumerate(problem.layout.counted)
        for step in touched(bit, early)
    )
    return Operations(
        ROUND_PAIRS * logic(loop), logic(tail), outside + _closer(writer, steps, early, pair), path.lanes * (2 if pair else 1)
    )


def _closer(writer: Writer, steps: list[int], early: tuple[int, ...], pair: bool) -> float:
    """`match`: all of round 12 where a vector has lanes left, and then box by box as long as it has."""
    lanes = writer.path.lanes * (2 if pair else 1)
    reached = 1 - (1 - SURVIVAL) ** lanes
    total, left = reached * sum(steps), SURVIVAL
    bodies = re.split(r"\nbox\d:\n", writer.match(early, pair))[1:]
    for box, body in zip((box for box in range(BOXES) if box not in early), bodies, strict=True):
        total += (1 - (1 - left) ** lanes) * (logic(body) + body.count("call void @step") * steps[box])
        left *= BOX_SURVIVAL
    return total


def logic(code: str) -> int:
    """Instructions of vector logic in this text of LLVM's representation."""
    inverters = re.findall(r"(%\w+) = xor <[^>]*> %\w+, <i64 -1", code)
    free = sum(re.search(rf" = and <[^>]*> {name}, ", code) is not None for name in inverters)
    return len(re.findall(r" = (?:and|or|xor) <|pternlog\.q\.512\(<", code)) - free
