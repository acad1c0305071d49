"""The vocabulary of PKCS#11 2.40 to 3.2: tables of constants, one per prefix, and the names of known vendor numbers."""

from .base import VENDOR_DEFINED, Constant, describe, known
from .cka import CKA
from .ckk import CKK
from .ckm import CKM
from .ckr import CKR
from .flags import (
    INVALID_HANDLE,
    UNAVAILABLE_INFORMATION,
    HkdfSalt,
    MechanismFlag,
    SessionFlag,
    SlotFlag,
    TokenFlag,
)
from .small import CKC, CKD, CKG, CKH, CKO, CKS, CKU, CKZ

__all__ = [
    "CKA",
    "CKC",
    "CKD",
    "CKG",
    "CKH",
    "CKK",
    "CKM",
    "CKO",
    "CKR",
    "CKS",
    "CKU",
    "CKZ",
    "INVALID_HANDLE",
    "UNAVAILABLE_INFORMATION",
    "VENDOR_DEFINED",
    "Constant",
    "HkdfSalt",
    "MechanismFlag",
    "SessionFlag",
    "SlotFlag",
    "TokenFlag",
    "describe",
    "known",
]
