"""Which secrets a derivation exposes, and as what: every handle it names is an operand, not the base key alone.

CKM_HKDF_DERIVE with a victim's secret as the SALT key over the caller's own data is HMAC under that secret (RFC 5869 §2.2):
an oracle, though the victim's handle stands in a parameter. So a guard that looks at the base key only is blind.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .oracles import DIGEST_BYTES, Oracle

KEYED: Mapping[str, tuple[str, ...]] = {
    f"HKDF-EXTRACT-{digest}": (f"HKDF-EXTRACT-{digest}/message", f"HMAC-{digest}") for digest in DIGEST_BYTES
}
"""Function → what it is to each of its handles (base key first), where that is not the function itself."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """`function` of a base key and of further handles in its parameters (salt keys, second operands, wrapping keys).

    Secrets are named, never held.
    """

    function: str
    base: str
    operands: tuple[str, ...] = ()

    @property
    def handles(self) -> tuple[str, ...]:
        """All secrets that go in, base key first."""
        return (self.base, *self.operands)

    @property
    def child(self) -> str:
        """The name of what comes out; different inputs, different names."""
        return f"{self.function}({', '.join(self.handles)})"

    def exposes(self, own: Collection[str] = ()) -> tuple[Oracle, ...]:
        """Per secret that is not the caller's `own`: the function of it whose value comes out.

        Whoever can read the child has these oracles.
        """
        functions = KEYED.get(self.function, ())
        roles = [*functions, *[self.function] * (len(self.handles) - len(functions))]
        return tuple(
            Oracle(self.child, secret, role) for secret, role in zip(self.handles, roles, strict=False) if secret not in own
        )

    def inherits(self, protected: Collection[str]) -> bool:
        """Whether the child must be protected as well: one protected operand is enough."""
        return any(secret in protected for secret in self.handles)
