"""The model: derivations as slices of streams, capabilities as constraints, a solver that finds the cheapest leak.

Start with `solver`: its docstring shows how the parts fit together.
"""

from .calls import Call, Capability
from .capabilities import Cut, KeyMatCut, KeyOption, Span, Window, key_slices
from .chains import Effort
from .lengths import ANY, Lengths
from .operands import Derivation
from .oracles import RECIPES, Evaluation, Oracle, Recipe
from .overlap import Collision, Overlap, all_overlaps, overlaps
from .proof import Exposure, is_exposed, is_payable, is_shared, next_call
from .solver import Limits, Unsat, solve
from .steps import Chain, Price, Step, Uncovered
from .streams import Key, Public, Readable, Sink, Slice, Stream

__all__ = [
    "ANY",
    "RECIPES",
    "Call",
    "Capability",
    "Chain",
    "Collision",
    "Cut",
    "Derivation",
    "Effort",
    "Evaluation",
    "Exposure",
    "Key",
    "KeyMatCut",
    "KeyOption",
    "Lengths",
    "Limits",
    "Oracle",
    "Overlap",
    "Price",
    "Public",
    "Readable",
    "Recipe",
    "Sink",
    "Slice",
    "Span",
    "Step",
    "Stream",
    "Uncovered",
    "Unsat",
    "Window",
    "all_overlaps",
    "is_exposed",
    "is_payable",
    "is_shared",
    "key_slices",
    "next_call",
    "overlaps",
    "solve",
]
