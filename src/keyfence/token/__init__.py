"""The software token: both key schedules behind a Cryptoki."""

from .quirks import Keep, Quirks, Randoms, Rounding, Sensitivity, Source
from .token import SO_PIN, USER_PIN, SoftToken

__all__ = ["SO_PIN", "USER_PIN", "Keep", "Quirks", "Randoms", "Rounding", "Sensitivity", "SoftToken", "Source"]
