"""The proof: what a policy and its rules leave open, asked of a solver with lengths left free.

pkcs11         what there is before any rule: ways to each secret
questions      what the rules leave of it, and what the solver says
capabilities   from ways to the model
words          answers for a reader
"""

from .questions import Answer, enforced, left, prove

__all__ = ["Answer", "enforced", "left", "prove"]
