"""What every mechanism parameter is: frozen, comparable, and honest about the handles it carries."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """Base of all mechanism parameters. Lengths are in bytes unless a field's name ends in `_bits`."""

    @property
    def operands(self) -> tuple[int, ...]:
        """Handles inside the parameter. Each is an operand of the call, exactly as its base key is."""
        return ()


@dataclass(frozen=True, slots=True)
class Raw(Parameters):
    """A parameter of a mechanism this vocabulary does not know: its bytes, uninterpreted."""

    data: bytes


@dataclass(frozen=True, slots=True)
class MacGeneral(Parameters):
    """CK_MAC_GENERAL_PARAMS: the length in bytes of a truncated MAC (PKCS#11 3.0 section 2.20)."""

    length: int
