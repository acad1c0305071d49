"""C_CreateObject: objects whose whole content the caller brings (PKCS#11 3.2 section 4)."""

from keyfence.cryptoki import Template
from keyfence.cryptoki.constants import CKA, CKO, CKR

from .attributes import Act, check, name
from .keytypes import check_length
from .mechanisms.pairs import imported
from .objects import StoredObject
from .quirks import Quirks
from .refused import Refused
from .secret import SecretValue
from .templates import STORAGE_DEFAULTS, NewKey, class_of, number, secret_key


def created(template: Template, quirks: Quirks) -> StoredObject:
    """The object that the template describes."""
    object_class = class_of(template, None)
    if object_class not in (CKO.DATA, CKO.CERTIFICATE) and not quirks.import_keys:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "keys are not imported here")
    check(template, object_class, Act.CREATE)
    if object_class == CKO.SECRET_KEY:
        return _secret(template, quirks)
    if object_class in (CKO.PUBLIC_KEY, CKO.PRIVATE_KEY):
        return imported(template, quirks)
    return _plain(template)


def _secret(template: Template, quirks: Quirks) -> StoredObject:
    key_type, value = number(template, CKA.KEY_TYPE), template.get(CKA.VALUE)
    if key_type is None or not isinstance(value, bytes):
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_KEY_TYPE and CKA_VALUE")
    check_length(key_type, len(value), CKR.ATTRIBUTE_VALUE_INVALID)
    return secret_key(NewKey(value, key_type), template, Act.CREATE, quirks)


def _plain(template: Template) -> StoredObject:
    """Data and certificates."""
    if template[CKA.CLASS] == CKO.CERTIFICATE:
        for attribute in (CKA.CERTIFICATE_TYPE, CKA.VALUE):
            if attribute not in template:
                raise Refused(CKR.TEMPLATE_INCOMPLETE, name(attribute))
    attributes = STORAGE_DEFAULTS | dict(template)
    value = attributes.pop(CKA.VALUE, b"")
    assert isinstance(value, bytes)
    return StoredObject(attributes, SecretValue(value))
