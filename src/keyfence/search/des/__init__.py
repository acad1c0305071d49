"""DES keys from known plaintext.

DesProblem, BadProblem   what is asked: pairs of blocks, known bits, perhaps a pair with the complemented plaintext
Engine, Hit, NoSuchPath  the search over a range of candidates: Engine().search(problem, start, stop) -> Hit | None
PATHS                    the ways to compute, the fastest first
odd_parity, complemented keys
encrypt                  one block, from the standard's tables
"""

from keyfence.search.problem import BadProblem, Hit, NoSuchPath

from .engine import PATHS, Engine
from .problem import DesProblem, complemented, odd_parity
from .reference import encrypt

__all__ = [
    "PATHS",
    "BadProblem",
    "DesProblem",
    "Engine",
    "Hit",
    "NoSuchPath",
    "complemented",
    "encrypt",
    "odd_parity",
]
