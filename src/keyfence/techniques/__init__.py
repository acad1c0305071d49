"""Every way to leak that keyfence knows, one file each; `TECHNIQUES` is the registry, in the order reports show them."""

from typing import Final

from .base import Technique
from .iv_window import IvWindow

TECHNIQUES: Final[tuple[Technique, ...]] = (IvWindow(),)
