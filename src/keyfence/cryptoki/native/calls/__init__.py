"""The methods of `NativeModule`, one file per group of functions."""

from .general import General
from .keys import Keys
from .messages import Messages
from .objects import Objects
from .operations import Operations
from .sessions import Sessions

__all__ = ["General", "Keys", "Messages", "Objects", "Operations", "Sessions"]
