"""Short and partly known keys of AES, RC4, HMAC-SHA1 and HMAC-SHA256, from known inputs and outputs.

ShortKeyProblem, Algorithm, BadProblem   what is asked: samples, known bits
Engine, Hit, NoSuchPath                  the search over a range of candidates: Engine().search(problem) -> Hit | None
PATHS                                    the ways to compute, the fastest first
"""

from keyfence.search.problem import BadProblem, Hit, NoSuchPath

from .engine import PATHS, Engine
from .problem import Algorithm, ShortKeyProblem

__all__ = ["PATHS", "Algorithm", "BadProblem", "Engine", "Hit", "NoSuchPath", "ShortKeyProblem"]
