"""Every way to leak that keyfence knows, one file each; `TECHNIQUES` is the registry, in the order reports show them."""

from typing import Final

from .base import Technique
from .check_value import CheckValue
from .cross_mode import CrossMode
from .encrypt_data import EncryptData
from .iv_window import IvWindow
from .readable_derive import ReadableDerive
from .rederive import Rederive
from .rsa_raw import RsaRaw
from .short_key import ShortKey
from .short_mac import ShortMac
from .suite_overlap import SuiteOverlap
from .unwrap_retype import UnwrapRetype
from .weak_algorithm import WeakAlgorithm

TECHNIQUES: Final[tuple[Technique, ...]] = (
    IvWindow(),
    ShortMac(),
    ShortKey(),
    WeakAlgorithm(),
    ReadableDerive(),
    SuiteOverlap(),
    CheckValue(),
    Rederive(),
    UnwrapRetype(),
    RsaRaw(),
    CrossMode(),
    EncryptData(),
)
