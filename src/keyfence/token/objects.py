"""An object of the token: its attributes, and apart from them the value that may be secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyfence.cryptoki import AttributeValue
from keyfence.cryptoki.constants import CKA, CKK, CKO, CKR

from .attributes import Attributes, name
from .refused import Refused
from .secret import SecretValue

_HIDING = (CKO.SECRET_KEY, CKO.PRIVATE_KEY)

PRIVATE_PARTS = frozenset(
    {CKA.VALUE, CKA.PRIVATE_EXPONENT, CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT}
)
"""Attributes with footnote 7: not shown of a sensitive or unextractable key."""


@dataclass(slots=True, eq=False)
class StoredObject:
    """`value` is CKA_VALUE of a secret key, certificate or data object, and empty for a key of a pair.

    `parts` are the secret components of a private key, by attribute. `handle` is 0 until the store has taken the object in;
    `owner` is the session it dies with, None for a token object.
    """

    attributes: Attributes
    value: SecretValue
    parts: dict[int, SecretValue] = field(default_factory=dict)
    handle: int = 0
    owner: int | None = None

    def __post_init__(self) -> None:
        """Templates inside are the object's own: nobody changes them through what was given or shown."""
        self.attributes = {attribute: _own(value) for attribute, value in self.attributes.items()}

    @property
    def object_class(self) -> int:
        return self._number(CKA.CLASS)

    @property
    def key_type(self) -> int:
        """The key type; CKK_VENDOR_DEFINED, which no mechanism takes, for what is no key."""
        return self._number(CKA.KEY_TYPE) if self.is_key else CKK.VENDOR_DEFINED

    @property
    def is_key(self) -> bool:
        return CKA.KEY_TYPE in self.attributes

    @property
    def allowed_mechanisms(self) -> tuple[int, ...] | None:
        """None where any mechanism is allowed."""
        allowed = self.attributes.get(CKA.ALLOWED_MECHANISMS)
        return allowed if isinstance(allowed, tuple) else None

    def flag(self, attribute: int) -> bool:
        """A boolean attribute; an absent one is false."""
        return self.attributes.get(attribute) is True

    @property
    def hidden(self) -> bool:
        """Whether footnote 7 applies: the value is not shown (section 4.9, 4.10)."""
        return self.object_class in _HIDING and (self.flag(CKA.SENSITIVE) or not self.flag(CKA.EXTRACTABLE))

    def show(self, attribute: int) -> AttributeValue:
        """One attribute for C_GetAttributeValue. ATTRIBUTE_SENSITIVE where footnote 7 hides it."""
        if attribute in PRIVATE_PARTS and self.object_class in _HIDING and self.hidden:
            raise Refused(CKR.ATTRIBUTE_SENSITIVE, name(attribute))
        if attribute in self.parts:
            return self.parts[attribute].reveal()
        if attribute == CKA.VALUE and self.object_class in (CKO.SECRET_KEY, CKO.DATA, CKO.CERTIFICATE):
            return self.value.reveal()
        if attribute in self.attributes:
            return _own(self.attributes[attribute])
        raise Refused(CKR.ATTRIBUTE_TYPE_INVALID, name(attribute))

    def material(self) -> Attributes:
        """A key of a pair with all its components, the secret ones too: what the kernels compute with."""
        return self.attributes | {attribute: part.reveal() for attribute, part in self.parts.items()}

    def matches(self, wanted: Attributes) -> bool:
        """Whether C_FindObjects finds it. What is hidden matches nothing: a match would be an oracle."""
        for attribute, value in wanted.items():
            try:
                if self.show(attribute) != value:
                    return False
            except Refused:
                return False
        return True

    def size(self) -> int:
        """Bytes it takes, roughly, for C_GetObjectSize."""
        return len(self.value) + sum(len(part) for part in self.parts.values()) + 16 * len(self.attributes)

    def _number(self, attribute: int) -> int:
        number = self.attributes[attribute]
        assert isinstance(number, int)
        return number

    def __repr__(self) -> str:
        return f"<object {self.handle}, class {self.object_class}>"


def _own(value: AttributeValue) -> AttributeValue:
    """The value, a template as a copy."""
    return {attribute: _own(inner) for attribute, inner in value.items()} if isinstance(value, Mapping) else value
