"""The attribute tables of PKCS#11 3.2 section 4: which class has which attribute, of what kind, under which footnotes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Final

from keyfence.cryptoki import AttributeValue, Template
from keyfence.cryptoki.constants import CKA, CKO, CKR, describe

from .refused import Refused

Attributes = dict[int, AttributeValue]
"""Attributes by type, of an object or on the way to one."""


class Act(Enum):
    """What a template is for."""

    CREATE = "C_CreateObject"
    GENERATE = "C_GenerateKey"
    DERIVE = "C_DeriveKey"
    UNWRAP = "C_UnwrapKey"
    COPY = "C_CopyObject"
    SET = "C_SetAttributeValue"


class Kind(Enum):
    """The type of an attribute's value."""

    BOOL = "CK_BBOOL"
    ULONG = "CK_ULONG"
    BYTES = "byte array"
    TEXT = "UTF-8"
    MECHANISMS = "CK_MECHANISM_TYPE array"
    TEMPLATE = "CK_ATTRIBUTE array"


class Note(Flag):
    """The footnotes of the common table (section 4.1): 2, 4, 6, 8, 10, 11, 12; and what only a copy may change."""

    PLAIN = 0
    NEVER_GIVEN = auto()  # 2, 4, 6: the token's own; a template may at most repeat it
    NOT_CREATED = auto()  # 2
    NOT_GENERATED = auto()  # 4
    NOT_UNWRAPPED = auto()  # 6
    SETTABLE = auto()  # 8
    SO_ONLY = auto()  # 10
    STAYS_TRUE = auto()  # 11
    STAYS_FALSE = auto()  # 12
    COPY_ONLY = auto()  # section 4.1.3: TOKEN, PRIVATE, MODIFIABLE, DESTROYABLE


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a table."""

    kind: Kind
    notes: Note = Note.PLAIN


Table = dict[int, Rule]

_OWN = Note.NEVER_GIVEN
_SET = Note.SETTABLE

_STORAGE: Final[Table] = {
    CKA.CLASS: Rule(Kind.ULONG),
    CKA.UNIQUE_ID: Rule(Kind.TEXT, _OWN | Note.NOT_UNWRAPPED),  # read-only in every template (section 4.4.1)
    CKA.TOKEN: Rule(Kind.BOOL, Note.COPY_ONLY),
    CKA.PRIVATE: Rule(Kind.BOOL, Note.COPY_ONLY | Note.STAYS_TRUE),
    CKA.MODIFIABLE: Rule(Kind.BOOL, Note.COPY_ONLY),
    CKA.DESTROYABLE: Rule(Kind.BOOL, Note.COPY_ONLY),
    CKA.COPYABLE: Rule(Kind.BOOL, _SET | Note.STAYS_FALSE),
    CKA.LABEL: Rule(Kind.TEXT, _SET),
}
_DATA: Final[Table] = {
    CKA.APPLICATION: Rule(Kind.TEXT, _SET),
    CKA.OBJECT_ID: Rule(Kind.BYTES, _SET),
    CKA.VALUE: Rule(Kind.BYTES, _SET),
    CKA.VALUE_LEN: Rule(Kind.ULONG, Note.NOT_CREATED),
}
_CERTIFICATE: Final[Table] = {
    CKA.CERTIFICATE_TYPE: Rule(Kind.ULONG),
    CKA.TRUSTED: Rule(Kind.BOOL, Note.SO_ONLY),
    CKA.CERTIFICATE_CATEGORY: Rule(Kind.ULONG),
    CKA.SUBJECT: Rule(Kind.BYTES),
    CKA.ID: Rule(Kind.BYTES, _SET),
    CKA.ISSUER: Rule(Kind.BYTES, _SET),
    CKA.SERIAL_NUMBER: Rule(Kind.BYTES, _SET),
    CKA.VALUE: Rule(Kind.BYTES),
    CKA.PUBLIC_KEY_INFO: Rule(Kind.BYTES),
}
_KEY: Final[Table] = {
    CKA.KEY_TYPE: Rule(Kind.ULONG),
    CKA.ID: Rule(Kind.BYTES, _SET),
    CKA.START_DATE: Rule(Kind.BYTES, _SET),
    CKA.END_DATE: Rule(Kind.BYTES, _SET),
    CKA.DERIVE: Rule(Kind.BOOL, _SET),
    CKA.LOCAL: Rule(Kind.BOOL, _OWN),
    CKA.KEY_GEN_MECHANISM: Rule(Kind.ULONG, _OWN),
    CKA.ALLOWED_MECHANISMS: Rule(Kind.MECHANISMS),
}
_HIDDEN: Final[Table] = {
    CKA.SENSITIVE: Rule(Kind.BOOL, _SET | Note.STAYS_TRUE),
    CKA.EXTRACTABLE: Rule(Kind.BOOL, _SET | Note.STAYS_FALSE),
    CKA.ALWAYS_SENSITIVE: Rule(Kind.BOOL, _OWN),
    CKA.NEVER_EXTRACTABLE: Rule(Kind.BOOL, _OWN),
    CKA.WRAP_WITH_TRUSTED: Rule(Kind.BOOL, _SET | Note.STAYS_TRUE),
    CKA.UNWRAP_TEMPLATE: Rule(Kind.TEMPLATE),
    CKA.DERIVE_TEMPLATE: Rule(Kind.TEMPLATE),
}
_SECRET: Final[Table] = {
    **{usage: Rule(Kind.BOOL, _SET) for usage in (CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.WRAP, CKA.UNWRAP)},
    CKA.TRUSTED: Rule(Kind.BOOL, _SET | Note.SO_ONLY),
    CKA.WRAP_TEMPLATE: Rule(Kind.TEMPLATE),
    CKA.CHECK_VALUE: Rule(Kind.BYTES, _SET),
    CKA.VALUE: Rule(Kind.BYTES, Note.NOT_GENERATED | Note.NOT_UNWRAPPED),
    CKA.VALUE_LEN: Rule(Kind.ULONG, Note.NOT_CREATED),
}
_COMPONENTS: Final = (
    CKA.MODULUS,
    CKA.PUBLIC_EXPONENT,
    CKA.PRIVATE_EXPONENT,
    CKA.PRIME_1,
    CKA.PRIME_2,
    CKA.EXPONENT_1,
    CKA.EXPONENT_2,
    CKA.COEFFICIENT,
    CKA.PRIME,
    CKA.BASE,
    CKA.EC_PARAMS,
    CKA.VALUE,
)
_PRIVATE: Final[Table] = {
    CKA.SUBJECT: Rule(Kind.BYTES, _SET),
    **{usage: Rule(Kind.BOOL, _SET) for usage in (CKA.DECRYPT, CKA.SIGN, CKA.SIGN_RECOVER, CKA.UNWRAP)},
    CKA.ALWAYS_AUTHENTICATE: Rule(Kind.BOOL),
    CKA.PUBLIC_KEY_INFO: Rule(Kind.BYTES, _SET),
    CKA.VALUE_BITS: Rule(Kind.ULONG, Note.NOT_CREATED),
    **{component: Rule(Kind.BYTES, Note.NOT_GENERATED | Note.NOT_UNWRAPPED) for component in _COMPONENTS},
}
_PUBLIC: Final[Table] = {
    CKA.SUBJECT: Rule(Kind.BYTES, _SET),
    **{usage: Rule(Kind.BOOL, _SET) for usage in (CKA.ENCRYPT, CKA.VERIFY, CKA.VERIFY_RECOVER, CKA.WRAP)},
    CKA.TRUSTED: Rule(Kind.BOOL, _SET | Note.SO_ONLY),
    CKA.WRAP_TEMPLATE: Rule(Kind.TEMPLATE),
    CKA.PUBLIC_KEY_INFO: Rule(Kind.BYTES),
    CKA.MODULUS: Rule(Kind.BYTES, Note.NOT_GENERATED),
    CKA.MODULUS_BITS: Rule(Kind.ULONG, Note.NOT_CREATED),
    CKA.PUBLIC_EXPONENT: Rule(Kind.BYTES),
    CKA.EC_PARAMS: Rule(Kind.BYTES),
    CKA.EC_POINT: Rule(Kind.BYTES, Note.NOT_GENERATED),
    CKA.PRIME: Rule(Kind.BYTES),
    CKA.BASE: Rule(Kind.BYTES),
    CKA.VALUE: Rule(Kind.BYTES, Note.NOT_GENERATED),
}

TABLES: Final[Mapping[int, Mapping[int, Rule]]] = {
    CKO.DATA: _STORAGE | _DATA,
    CKO.CERTIFICATE: _STORAGE | _CERTIFICATE,
    CKO.SECRET_KEY: _STORAGE | _KEY | _HIDDEN | _SECRET,
    CKO.PRIVATE_KEY: _STORAGE | _KEY | _HIDDEN | _PRIVATE,
    CKO.PUBLIC_KEY: _STORAGE | _KEY | _PUBLIC,
}
"""Object class to attribute to rule."""

_KNOWN: Final = frozenset(attribute for table in TABLES.values() for attribute in table)

_FORBIDDING: Final = {
    Act.CREATE: Note.NOT_CREATED | Note.NEVER_GIVEN,
    Act.GENERATE: Note.NOT_GENERATED | Note.NEVER_GIVEN,
    Act.UNWRAP: Note.NOT_UNWRAPPED | Note.NEVER_GIVEN,
    # A derivation computes these; its template may repeat what it computes (section 6.39.7), which `templates` compares.
    Act.DERIVE: Note.NOT_UNWRAPPED,
}


def check(template: Template, object_class: int, act: Act) -> None:
    """Refuse a template with an attribute the class lacks, a value of the wrong kind, or what may not be given."""
    table = TABLES.get(object_class)
    if table is None:
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, f"no objects of class {describe(CKO, object_class)} here")
    for attribute, value in template.items():
        rule = table.get(attribute)
        if rule is None:
            known = CKR.TEMPLATE_INCONSISTENT if attribute in _KNOWN else CKR.ATTRIBUTE_TYPE_INVALID
            raise Refused(known, name(attribute))
        if not _fits(rule.kind, value):
            raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, f"{name(attribute)} is a {rule.kind.value}")
        if rule.notes & _FORBIDDING.get(act, Note.PLAIN):
            raise Refused(CKR.ATTRIBUTE_READ_ONLY, name(attribute))


def name(attribute: int) -> str:
    """The attribute's name for messages."""
    return describe(CKA, attribute)


def _fits(kind: Kind, value: AttributeValue) -> bool:
    match kind:
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.ULONG:
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64
        case Kind.BYTES:
            return isinstance(value, bytes)
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.MECHANISMS:
            return isinstance(value, tuple) and all(isinstance(item, int) for item in value)
        case Kind.TEMPLATE:
            return isinstance(value, Mapping)
