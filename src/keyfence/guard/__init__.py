"""The guard: a `Cryptoki` around any other, that lets secrets of TLS do what a policy lists and nothing else.

guard = Guard(module, Policy.default(), ledger)

policy/   what is allowed            ledger/   what was committed, one cut per key block
rules/    one class per rule         roles     what every secret is for
"""

from .guard import Guard
from .journal import Journal, Record
from .ledger import Ledger, LedgerUnavailable, MemoryLedger
from .policy import Policy
from .rules import RULES

__all__ = ["RULES", "Guard", "Journal", "Ledger", "LedgerUnavailable", "MemoryLedger", "Policy", "Record"]
