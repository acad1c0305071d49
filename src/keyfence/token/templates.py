"""From a template to an object: defaults, contradictions, and the ancestry of sensitivity (PKCS#11 3.2 sections 4.1, 4.10)."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from keyfence.cryptoki import AttributeValue, Template
from keyfence.cryptoki.constants import CKA, CKK, CKO, CKR, UNAVAILABLE_INFORMATION

from .attributes import Act, Attributes, check, name
from .keytypes import FIXED, GENERIC, check_length, check_value, with_parity
from .objects import PRIVATE_PARTS, StoredObject
from .quirks import Quirks, Sensitivity
from .refused import Refused
from .secret import SecretValue


class Inheritance(Enum):
    """How a derived key comes to its CKA_SENSITIVE and CKA_EXTRACTABLE, as the mechanism's section says."""

    TEMPLATE = "the template decides; what it leaves out is a default"  # master keys, HKDF, ECDH, hashes, IKE
    STICKY = "a sensitive or unextractable operand makes the key so"  # sections 6.40.9, 6.43: TLS_KDF, slicing
    SAME = "the base key's, and the template may not differ"  # section 6.39.7: key blocks
    NONE = "no ancestors"  # generated, created, unwrapped


@dataclass(frozen=True, slots=True)
class NewKey:
    """A secret key about to be born. `contributed` is the mechanism's and beats the template; `defaults` stand behind it.

    `any_ancestor`: SP 800-108 counts a key as always sensitive where ANY operand was (section 6.42.8); others want all.
    """

    value: bytes = field(repr=False)
    key_type: int
    ancestors: tuple[StoredObject, ...] = ()
    inheritance: Inheritance = Inheritance.NONE
    contributed: Template = field(default_factory=dict)
    defaults: Template = field(default_factory=dict)
    any_ancestor: bool = False


STORAGE_DEFAULTS: Final[Attributes] = {
    CKA.TOKEN: False,
    CKA.PRIVATE: False,
    CKA.MODIFIABLE: True,
    CKA.COPYABLE: True,
    CKA.DESTROYABLE: True,
    CKA.LABEL: "",
}
_KEY_DEFAULTS: Final[Attributes] = {CKA.ID: b"", CKA.START_DATE: b"", CKA.END_DATE: b"", CKA.DERIVE: False}
_SECURITY: Final = (CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.ALWAYS_SENSITIVE, CKA.NEVER_EXTRACTABLE)


def class_of(template: Template, implied: int | None) -> int:
    """CKA_CLASS, which must be what the function makes (`implied`) where it says so."""
    given = template.get(CKA.CLASS, implied)
    if given is None:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_CLASS")
    if not isinstance(given, int) or isinstance(given, bool):
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_CLASS")
    if implied is not None and given != implied:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_CLASS")
    return given


def impose(template: Template, extra: AttributeValue | None) -> Template:
    """The template with CKA_DERIVE_TEMPLATE or CKA_UNWRAP_TEMPLATE added; contradictions are refused (section 5.18)."""
    if not extra or isinstance(extra, (bool, int, bytes, str, tuple)):
        return template
    for attribute, value in extra.items():
        if template.get(attribute, value) != value:
            raise Refused(CKR.TEMPLATE_INCONSISTENT, name(attribute))
    return {**extra, **template}


def number(template: Template, attribute: int) -> int | None:
    """A CK_ULONG of the template, None where absent."""
    value = template.get(attribute)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, name(attribute))
    return value


def secret_key(new: NewKey, template: Template, act: Act, quirks: Quirks, generator: int | None = None) -> StoredObject:
    """The object. `generator` is the mechanism of C_GenerateKey, which alone makes CKA_LOCAL true."""
    class_of(template, CKO.SECRET_KEY)
    check(template, CKO.SECRET_KEY, act)
    value = with_parity(new.key_type, new.value) if quirks.fix_parity else new.value
    attributes = _defaults(new.key_type, quirks) | dict(new.defaults) | dict(template)
    attributes |= _security(new, template, quirks, generator is not None)
    own = _own_attributes(new.key_type, len(value), generator) | dict(new.contributed)
    for attribute, settled in [*own.items(), *((security, attributes[security]) for security in _SECURITY)]:
        _agree(template, attribute, settled)
    attributes |= {attribute: settled for attribute, settled in own.items() if attribute not in template}
    _settle_check_value(attributes, new.key_type, value, quirks)
    attributes.pop(CKA.VALUE, None)
    return StoredObject(attributes, SecretValue(value))


def _defaults(key_type: int, quirks: Quirks) -> Attributes:
    """Footnote 9 leaves these to the token: a cipher's key ciphers, a secret without a cipher MACs; both verify and check."""
    ciphers = key_type not in GENERIC
    usage = Attributes(
        {
            **dict.fromkeys((CKA.ENCRYPT, CKA.DECRYPT), ciphers),
            **dict.fromkeys((CKA.SIGN, CKA.VERIFY), not ciphers),
            **dict.fromkeys((CKA.WRAP, CKA.UNWRAP, CKA.WRAP_WITH_TRUSTED, CKA.TRUSTED), False),
        }
    )
    return STORAGE_DEFAULTS | {CKA.PRIVATE: quirks.login_required} | _KEY_DEFAULTS | usage


def _own_attributes(key_type: int, length: int, generator: int | None) -> Attributes:
    return {
        CKA.CLASS: CKO.SECRET_KEY,
        CKA.KEY_TYPE: key_type,
        CKA.VALUE_LEN: length,
        CKA.LOCAL: generator is not None,
        CKA.KEY_GEN_MECHANISM: UNAVAILABLE_INFORMATION if generator is None else generator,
    }


def _agree(template: Template, attribute: int, settled: AttributeValue) -> None:
    """A template may repeat what is settled without it, and may not contradict it (section 4.1.1)."""
    given = template.get(attribute, settled)
    if given == settled:
        return
    if isinstance(given, tuple) and isinstance(settled, tuple) and given and set(given) <= set(settled):
        return  # CKA_ALLOWED_MECHANISMS may be narrowed: what KEY_SAFE_DERIVE is there for (section 6.40.7)
    raise Refused(CKR.TEMPLATE_INCONSISTENT, name(attribute))


# Sensitivity


def _security(new: NewKey, template: Template, quirks: Quirks, born_here: bool) -> Attributes:
    """Imported and unwrapped keys were readable elsewhere, so they never count as always sensitive (sections 4.10, 5.18.4)."""
    sensitive, extractable = _exposure(new, template, quirks)
    counts = any if new.any_ancestor else all
    always = born_here if not new.ancestors else counts(parent.flag(CKA.ALWAYS_SENSITIVE) for parent in new.ancestors)
    never = born_here if not new.ancestors else counts(parent.flag(CKA.NEVER_EXTRACTABLE) for parent in new.ancestors)
    return {
        CKA.SENSITIVE: sensitive,
        CKA.EXTRACTABLE: extractable,
        CKA.ALWAYS_SENSITIVE: always and sensitive,
        CKA.NEVER_EXTRACTABLE: never and not extractable,
    }


def _exposure(new: NewKey, template: Template, quirks: Quirks) -> tuple[bool, bool]:
    """(CKA_SENSITIVE, CKA_EXTRACTABLE) of the key to be."""
    base = new.ancestors[0] if new.ancestors else None
    inherited = base is not None and quirks.inherit
    sensitive = template.get(CKA.SENSITIVE, base.flag(CKA.SENSITIVE) if base and inherited else False) is True
    extractable = template.get(CKA.EXTRACTABLE, base.flag(CKA.EXTRACTABLE) if base and inherited else True) is True
    if base is None:
        return sensitive, extractable
    if quirks.sensitivity is Sensitivity.FORCED:
        return True, False
    held_sensitive = any(ancestor.flag(CKA.SENSITIVE) for ancestor in new.ancestors)
    held_inside = any(not ancestor.flag(CKA.EXTRACTABLE) for ancestor in new.ancestors)
    if new.inheritance is Inheritance.SAME and not quirks.readable_key_mat:
        return (base.flag(CKA.SENSITIVE), base.flag(CKA.EXTRACTABLE)) if quirks.inherit else (sensitive, extractable)
    if new.inheritance is Inheritance.STICKY:
        return sensitive or held_sensitive, extractable and not held_inside
    if quirks.sensitivity is Sensitivity.BASE and ((held_sensitive and not sensitive) or (held_inside and extractable)):
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "looser than the base key")
    return sensitive, extractable


def _settle_check_value(attributes: Attributes, key_type: int, value: bytes, quirks: Quirks) -> None:
    """A given check value must be right; an empty one means that there shall be none (section 4.10).

    Where keys have none, none is compared either: that a guess is right would tell as much as the value read.
    """
    given = attributes.get(CKA.CHECK_VALUE)
    if given in (None, b""):
        return
    if not quirks.has_check_value(len(value)):
        raise Refused(CKR.ATTRIBUTE_TYPE_INVALID, "CKA_CHECK_VALUE")
    if given != check_value(key_type, value):
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_CHECK_VALUE")


# Other objects


def data_object(value: bytes, template: Template, act: Act) -> StoredObject:
    """A data object, which anybody may read who sees it."""
    class_of(template, CKO.DATA)
    check(template, CKO.DATA, act)
    attributes = STORAGE_DEFAULTS | {CKA.CLASS: CKO.DATA, CKA.VALUE_LEN: len(value)} | dict(template)
    attributes.pop(CKA.VALUE, None)
    return StoredObject(attributes, SecretValue(value))


def public_key(key_type: int, numbers: Template, template: Template, act: Act, generator: int | None = None) -> StoredObject:
    """The public half of a pair; `numbers` are its components."""
    class_of(template, CKO.PUBLIC_KEY)
    check(template, CKO.PUBLIC_KEY, act)
    own = _pair_attributes(CKO.PUBLIC_KEY, key_type, generator) | dict(numbers)
    for attribute, settled in own.items():
        _agree(template, attribute, settled)
    usage = Attributes(dict.fromkeys((CKA.ENCRYPT, CKA.VERIFY, CKA.WRAP), key_type == CKK.RSA))
    usage |= {CKA.VERIFY: key_type in (CKK.RSA, CKK.EC), CKA.TRUSTED: False}
    return StoredObject(STORAGE_DEFAULTS | _KEY_DEFAULTS | usage | dict(template) | own, SecretValue(b""))


def private_key(
    key_type: int, numbers: Template, template: Template, act: Act, quirks: Quirks, generator: int | None = None
) -> StoredObject:
    """The private half of a pair; its secret components go into boxes. Sensitive and not extractable unless asked otherwise."""
    class_of(template, CKO.PRIVATE_KEY)
    check(template, CKO.PRIVATE_KEY, act)
    parts = {
        attribute: SecretValue(n) for attribute, n in numbers.items() if attribute in PRIVATE_PARTS and isinstance(n, bytes)
    }
    own = _pair_attributes(CKO.PRIVATE_KEY, key_type, generator)
    own |= {attribute: n for attribute, n in numbers.items() if attribute not in parts}
    attributes = STORAGE_DEFAULTS | {CKA.PRIVATE: quirks.login_required} | _KEY_DEFAULTS | _private_usage(key_type)
    attributes |= {attribute: value for attribute, value in template.items() if attribute not in parts}
    if attributes[CKA.ALWAYS_AUTHENTICATE]:
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "no PIN for each use here")  # else such a key would do without
    born_here = generator is not None
    own[CKA.ALWAYS_SENSITIVE] = born_here and attributes[CKA.SENSITIVE] is True
    own[CKA.NEVER_EXTRACTABLE] = born_here and attributes[CKA.EXTRACTABLE] is False
    for attribute, settled in own.items():
        _agree(template, attribute, settled)
    return StoredObject(attributes | own, SecretValue(b""), parts)


def _private_usage(key_type: int) -> Attributes:
    rsa = key_type == CKK.RSA
    usage = Attributes(dict.fromkeys((CKA.DECRYPT, CKA.UNWRAP), rsa))
    usage |= {CKA.SIGN: key_type in (CKK.RSA, CKK.EC), CKA.SIGN_RECOVER: False}
    return usage | {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.WRAP_WITH_TRUSTED: False, CKA.ALWAYS_AUTHENTICATE: False}


def _pair_attributes(object_class: int, key_type: int, generator: int | None) -> Attributes:
    return {
        CKA.CLASS: object_class,
        CKA.KEY_TYPE: key_type,
        CKA.LOCAL: generator is not None,
        CKA.KEY_GEN_MECHANISM: UNAVAILABLE_INFORMATION if generator is None else generator,
    }


# The length and type of a derived key


def derived_shape(template: Template, natural: int | None, natural_type: int = CKK.GENERIC_SECRET) -> tuple[int, int]:
    """(type, length) that a derivation's template asks for; `natural` is the length where it asks for none.

    As sections 6.21 and 6.43 say: a type without a length of its own needs CKA_VALUE_LEN, except that a secret without a
    cipher takes the natural length. `natural` None: the stream has no end, so the length has to be said.
    """
    key_type = number(template, CKA.KEY_TYPE)
    key_type = natural_type if key_type is None else key_type
    length = number(template, CKA.VALUE_LEN)
    if length is None:
        length = FIXED.get(key_type, natural if key_type in GENERIC else None)
    if length is None:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN")
    if key_type in FIXED and length != FIXED[key_type]:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_VALUE_LEN against CKA_KEY_TYPE")
    check_length(key_type, length)
    return key_type, length
