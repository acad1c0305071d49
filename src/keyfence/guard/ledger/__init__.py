"""What guards have committed to: one cut per key block. `base` is the protocol; stores stand beside it."""

from .base import Answer, Ledger, LedgerUnavailable, MemoryLedger

__all__ = ["Answer", "Ledger", "LedgerUnavailable", "MemoryLedger"]
