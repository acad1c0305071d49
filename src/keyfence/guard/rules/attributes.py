"""no-loosening: a secret of TLS shows no byte as an attribute, and no attribute of it is changed for the looser."""

from typing import ClassVar, Final

from keyfence.cryptoki import AttributeValue, Template
from keyfence.cryptoki.constants import CKA, CKR, describe

from ..call import Call, Objection
from ..policy import ObjectName
from ..registry import Entry
from ..roles import Kind
from ..ways import Left, Reading, Terms, Way
from .base import Rule, World

_SHOWN: Final = frozenset(
    {
        *(CKA.CLASS, CKA.KEY_TYPE, CKA.VALUE_LEN, CKA.TOKEN, CKA.PRIVATE, CKA.LABEL, CKA.ID, CKA.UNIQUE_ID, CKA.SUBJECT),
        *(CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.ALWAYS_SENSITIVE, CKA.NEVER_EXTRACTABLE, CKA.LOCAL, CKA.KEY_GEN_MECHANISM),
        *(CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.SIGN_RECOVER, CKA.VERIFY_RECOVER, CKA.WRAP, CKA.UNWRAP),
        *(CKA.DERIVE, CKA.MODIFIABLE, CKA.COPYABLE, CKA.DESTROYABLE, CKA.START_DATE, CKA.END_DATE, CKA.ALLOWED_MECHANISMS),
        *(CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.MODULUS_BITS, CKA.EC_PARAMS, CKA.EC_POINT, CKA.PRIME, CKA.BASE, CKA.SUBPRIME),
        *(CKA.PUBLIC_KEY_INFO, CKA.WRAP_WITH_TRUSTED, CKA.ALWAYS_AUTHENTICATE, CKA.TRUSTED),
    }
)
"""What may be read: an allow-list. CKA_CHECK_VALUE is not on it: three bytes tell a short key."""

_NAMES: Final = frozenset({CKA.LABEL, CKA.ID})
_NARROWING: Final[Template] = {
    CKA.SENSITIVE: True,
    CKA.EXTRACTABLE: False,
    CKA.TOKEN: False,
    CKA.PRIVATE: True,
    CKA.WRAP_WITH_TRUSTED: True,
}
_USES: Final = frozenset(
    {CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.DERIVE, CKA.SIGN_RECOVER, CKA.VERIFY_RECOVER, CKA.WRAP, CKA.UNWRAP}
)


class NoLoosening(Rule):
    """Modules have let CKA_SENSITIVE be cleared and CKA_EXTRACTABLE be set, on the object or on a copy; a copy with other uses
    is the same secret under another name. Uses may be set, since the guard's own table decides what a key does. Names may not
    where the policy goes by them: a private key's, a wrapping key's, a record key's in the token; and no other key gets a
    wrapping key's, or what is wrapped with it were decrypted with it."""

    id: ClassVar[str] = "no-loosening"
    functions: ClassVar[frozenset[str]] = frozenset({"C_GetAttributeValue", "C_SetAttributeValue", "C_CopyObject"})

    def judge(self, call: Call, world: World) -> Call:
        subject = call.subject
        if subject is None:
            return call
        if call.function == "C_GetAttributeValue":
            if subject.role.is_tls:
                _check_reading(call)
            return call
        named = _is_named(subject)
        for attribute, value in call.template.items():
            if (subject.role.is_tls and not _allowed(attribute, value)) or (named and attribute in _NAMES):
                raise Objection(f"{describe(CKA, attribute)} of a secret of TLS", CKR.ATTRIBUTE_READ_ONLY)
        if not named and any(_gives(call.template, name) for name in world.policy.wrapping_keys):
            raise Objection("the name of a wrapping key, for a key that does other things", CKR.ATTRIBUTE_READ_ONLY)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        if not isinstance(way, Reading) or way.attribute is None or not way.role.is_tls:
            return (way,)
        if way.function == "C_GetAttributeValue":
            return (way,) if way.attribute in _SHOWN else ()
        return (way,) if _allowed(way.attribute, value=not _NARROWING.get(way.attribute)) else ()


def _is_named(subject: Entry) -> bool:
    """Whether its name is what the policy knows it by, now or when it is found again."""
    by_name = subject.role.kind in (Kind.PRIVATE, Kind.OUTSIDE_PRIVATE, Kind.WRAPPING)
    return by_name or (subject.role.kind is Kind.RECORD and subject.session is None)


def _gives(template: Template, name: ObjectName) -> bool:
    """Whether a template gives a part of this name."""
    parts = ((CKA.LABEL, name.label), (CKA.ID, name.id))
    return any(part is not None and template.get(attribute) == part for attribute, part in parts)


def _check_reading(call: Call) -> None:
    for attribute in call.asked:
        if attribute not in _SHOWN:
            raise Objection(f"{describe(CKA, attribute)} of a secret of TLS", CKR.ATTRIBUTE_SENSITIVE)


def _allowed(attribute: int, value: AttributeValue) -> bool:
    return attribute in _USES or attribute in _NAMES or _NARROWING.get(attribute) is value


def hides(attributes: tuple[int, ...]) -> bool:
    """Whether a search for these attributes could tell a secret's value."""
    return not _SHOWN.issuperset(attributes)
