"""What a guard enforces, as data; loading it from TOML is `load`'s business."""

from .model import BoundKey, Mode, ModuleFacts, ObjectName, Policy

__all__ = ["BoundKey", "Mode", "ModuleFacts", "ObjectName", "Policy"]
