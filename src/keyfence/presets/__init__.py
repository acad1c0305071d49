"""What is known of modules before they are loaded: presets, the modules of this machine, slots and PINs."""

from .discovery import FoundModule, discover
from .files import Unreadable
from .pins import PIN_FILE_VARIABLE, PinMissing, find_pin, log_in, pin_from_source
from .preset import Preset, UnknownPreset, preset, presets
from .slots import SlotNotChosen, find_slot

__all__ = [
    "PIN_FILE_VARIABLE",
    "FoundModule",
    "PinMissing",
    "Preset",
    "SlotNotChosen",
    "UnknownPreset",
    "Unreadable",
    "discover",
    "find_pin",
    "find_slot",
    "log_in",
    "pin_from_source",
    "preset",
    "presets",
]
