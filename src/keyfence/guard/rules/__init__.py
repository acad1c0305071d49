"""Every rule of the guard, registered once.

The order is the order of judgement: first what tells what a call is, then what rewrites templates, last what commits to
anything.
"""

from typing import Final

from .attributes import NoLoosening
from .base import Rule, World
from .first_use import FirstUse
from .functions import UNJUDGED, KnownFunctions
from .hkdf import HkdfSchedule
from .ivs import IvsFromOutside
from .one_cut import OneCut
from .operands import Operands
from .prf_inputs import PrfInputs
from .randoms import Randoms
from .raw_rsa import RawRsa
from .roots import RootsBornTls
from .separated import Separated
from .suites import SuiteShapes
from .templates import TemplatesRebuilt
from .token_objects import NoTokenObjects
from .use_binding import UseBinding
from .wrapping import Wrapping

RULES: Final[tuple[Rule, ...]] = (
    KnownFunctions(),
    Operands(),
    RawRsa(),
    RootsBornTls(),
    Randoms(),
    SuiteShapes(),
    IvsFromOutside(),
    PrfInputs(),
    Separated(),
    Wrapping(),
    NoTokenObjects(),
    NoLoosening(),
    TemplatesRebuilt(),
    FirstUse(),
    UseBinding(),
    HkdfSchedule(),
    OneCut(),
)

__all__ = ["RULES", "UNJUDGED", "Rule", "World"]
