"""C_SetAttributeValue and C_CopyObject: what of an object may change, and which way (PKCS#11 3.2 sections 4.1.2, 4.1.3)."""

from dataclasses import replace
from typing import Final

from keyfence.cryptoki import AttributeValue, Template
from keyfence.cryptoki.constants import CKA, CKO, CKR, CKU

from .attributes import TABLES, Act, Note, Rule, check, name
from .objects import StoredObject
from .quirks import Quirks
from .refused import Refused
from .secret import SecretValue

_EXPOSING: Final = (CKA.SENSITIVE, CKA.EXTRACTABLE)


def modified(stored: StoredObject, template: Template, quirks: Quirks, user: int | None) -> StoredObject:
    """The object as C_SetAttributeValue leaves it."""
    if not stored.flag(CKA.MODIFIABLE):
        raise Refused(CKR.ACTION_PROHIBITED, "CKA_MODIFIABLE is false")
    check(template, stored.object_class, Act.SET)
    for attribute, value in template.items():
        _may_change(stored, attribute, value, Act.SET, quirks, user)
    return _changed(stored, template)


def copied(original: StoredObject, template: Template, quirks: Quirks, user: int | None) -> StoredObject:
    """A new object like `original`, changed as the template says."""
    if not original.flag(CKA.COPYABLE):
        raise Refused(CKR.ACTION_PROHIBITED, "CKA_COPYABLE is false")
    check(template, original.object_class, Act.COPY)
    for attribute, value in template.items():
        if original.attributes.get(attribute) != value:
            _may_change(original, attribute, value, Act.COPY, quirks, user)
    return replace(_changed(original, template), handle=0, owner=None)


def _may_change(
    stored: StoredObject, attribute: int, value: AttributeValue, act: Act, quirks: Quirks, user: int | None
) -> None:
    rule = TABLES[stored.object_class][attribute]
    if _bent(attribute, act, quirks):
        return
    settable = Note.SETTABLE in rule.notes or (act is Act.COPY and Note.COPY_ONLY in rule.notes)
    if not settable or _one_way(stored, attribute, value, rule):
        raise Refused(CKR.ATTRIBUTE_READ_ONLY, name(attribute))
    if Note.SO_ONLY in rule.notes and value is True and user != CKU.SO:
        raise Refused(CKR.ATTRIBUTE_READ_ONLY, f"{name(attribute)} is the security officer's")
    if attribute == CKA.CHECK_VALUE and value != b"":
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "a check value can only be removed")


def _bent(attribute: int, act: Act, quirks: Quirks) -> bool:
    """Whether a quirk lets it happen, whatever the standard says."""
    if attribute in _EXPOSING:
        return quirks.clear_sensitive_by_set if act is Act.SET else quirks.clear_sensitive_by_copy
    return attribute == CKA.ALLOWED_MECHANISMS and act is Act.COPY and quirks.copy_changes_mechanisms


def _one_way(stored: StoredObject, attribute: int, value: AttributeValue, rule: Rule) -> bool:
    """Footnotes 11 and 12: once true it stays so, once false it stays so."""
    now = stored.flag(attribute)
    return (Note.STAYS_TRUE in rule.notes and now and value is False) or (
        Note.STAYS_FALSE in rule.notes and not now and value is True
    )


def _changed(stored: StoredObject, template: Template) -> StoredObject:
    attributes = stored.attributes | dict(template)
    value = attributes.pop(CKA.VALUE, None) if stored.object_class == CKO.DATA else None
    if CKA.ALWAYS_SENSITIVE in attributes:
        attributes[CKA.ALWAYS_SENSITIVE] = stored.flag(CKA.ALWAYS_SENSITIVE) and attributes[CKA.SENSITIVE] is True
        attributes[CKA.NEVER_EXTRACTABLE] = stored.flag(CKA.NEVER_EXTRACTABLE) and attributes[CKA.EXTRACTABLE] is False
    return replace(stored, attributes=attributes, value=SecretValue(value) if isinstance(value, bytes) else stored.value)
