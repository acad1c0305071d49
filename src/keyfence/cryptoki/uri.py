"""PKCS#11 URIs (RFC 7512): parsing, writing, and what they say about a library, a slot, a token and an object.

Strict where leniency would pick the wrong key: unknown escapes, characters outside the grammar and doubled attributes are
errors that name the attribute. An attribute that is there and empty ("serial=") is not one that is absent.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .constants import CKA, CKO
from .errors import KeyfenceError
from .values import AttributeValue, Info, SlotInfo, TokenInfo

_SCHEME: Final = "pkcs11:"
_UNRESERVED: Final = "-._~"  # beside letters and digits (RFC 3986 section 2.3)
_PATH_SAFE: Final = _UNRESERVED + ":[]@!$'()*+,=&"  # pk11-pchar
_QUERY_SAFE: Final = _UNRESERVED + ":[]@!$'()*+,=/?|"  # pk11-qchar
_VENDOR_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPE: Final = re.compile("%[0-9A-Fa-f]{2}")

_PATH_TEXTS: Final = (
    *("token", "manufacturer", "serial", "model", "object"),
    *("library_manufacturer", "library_description", "slot_manufacturer", "slot_description"),
)
_QUERY_TEXTS: Final = ("pin_source", "module_name", "module_path")
_CLASSES: Final = {
    "public": CKO.PUBLIC_KEY,
    "private": CKO.PRIVATE_KEY,
    "cert": CKO.CERTIFICATE,
    "secret-key": CKO.SECRET_KEY,
    "data": CKO.DATA,
}


class UriError(KeyfenceError):
    """This is no PKCS#11 URI, or one that keyfence will not follow. The message never repeats a value."""


@dataclass(frozen=True, slots=True)
class Uri:
    """The attributes of RFC 7512 section 2.3, percent-decoded; None where absent.

    `vendor_path` and `vendor_query` keep, in order, attributes that the RFC does not define; nothing acts on them. There is no
    `pin_value`: a URI with one is refused.
    """

    token: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    library_manufacturer: str | None = None
    library_description: str | None = None
    library_version: tuple[int, int] | None = None
    slot_manufacturer: str | None = None
    slot_description: str | None = None
    slot_id: int | None = None
    object: str | None = None
    type: str | None = None
    id: bytes | None = None
    pin_source: str | None = None
    module_name: str | None = None
    module_path: str | None = None
    vendor_path: tuple[tuple[str, str], ...] = ()
    vendor_query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Raises UriError."""
        if text[: len(_SCHEME)].lower() != _SCHEME:
            raise UriError("a PKCS#11 URI begins with 'pkcs11:'")
        path, _, query = text[len(_SCHEME) :].partition("?")
        attributes: dict[str, Any] = {"vendor_path": (), "vendor_query": ()}
        for name, value in _attributes(path, ";"):
            _path_attribute(attributes, name, value)
        for name, value in _attributes(query, "&"):
            _query_attribute(attributes, name, value)
        return cls(**attributes)

    def __str__(self) -> str:
        """The URI in the order of the fields above, with no more escapes than the grammar asks for."""
        path = [*self._written(_PATH_FIELDS, _PATH_SAFE), *_vendor_written(self.vendor_path, _PATH_SAFE)]
        query = [*self._written(_QUERY_TEXTS, _QUERY_SAFE), *_vendor_written(self.vendor_query, _QUERY_SAFE)]
        return _SCHEME + ";".join(path) + ("?" + "&".join(query) if query else "")

    def matches_library(self, info: Info) -> bool:
        """Section 2.5: every library attribute that is there equals the module's."""
        return _agree(
            (self.library_manufacturer, info.manufacturer),
            (self.library_description, info.description),
            (self.library_version, info.library_version),
        )

    def matches_slot(self, slot: int, info: SlotInfo) -> bool:
        return _agree(
            (self.slot_id, slot),
            (self.slot_manufacturer, info.manufacturer),
            (self.slot_description, info.description),
        )

    def matches_token(self, info: TokenInfo) -> bool:
        return _agree(
            (self.token, info.label),
            (self.manufacturer, info.manufacturer),
            (self.model, info.model),
            (self.serial, info.serial),
        )

    @property
    def object_template(self) -> dict[int, AttributeValue]:
        """The template for C_FindObjectsInit that `object`, `type` and `id` ask for."""
        template: dict[int, AttributeValue] = {}
        if self.type is not None:
            template[CKA.CLASS] = int(_CLASSES[self.type])
        if self.object is not None:
            template[CKA.LABEL] = self.object
        if self.id is not None:
            template[CKA.ID] = self.id
        return template

    def _written(self, names: tuple[str, ...], safe: str) -> Iterator[str]:
        for name in names:
            value = getattr(self, name)
            if value is not None:
                yield f"{name.replace('_', '-')}={_encoded(name, value, safe)}"


def _agree(*pairs: tuple[object, object]) -> bool:
    return all(wanted is None or wanted == found for wanted, found in pairs)


def _attributes(component: str, separator: str) -> Iterator[tuple[str, str]]:
    """The (name, raw value) pairs of a path or a query, which may be empty but holds no empty attribute."""
    for attribute in component.split(separator) if component else ():
        name, equals, value = attribute.partition("=")
        if not _VENDOR_NAME.fullmatch(name):
            raise UriError("an attribute without a name, or with one that is not of letters, digits, '-' and '_'")
        if not equals:
            raise UriError(f"attribute '{name}' has no value")
        yield name, value


def _path_attribute(attributes: dict[str, Any], name: str, raw: str) -> None:
    if name in _NOT_IN_PATH:
        raise UriError(f"attribute '{name}' belongs after the '?'")
    value = _decoded(name, raw, _PATH_SAFE)
    parse = _PATH_PARSERS.get(name)
    if parse is None:
        if any(name == other for other, _ in attributes["vendor_path"]):
            raise UriError(f"attribute '{name}' stands twice")
        attributes["vendor_path"] += ((name, _text(name, value)),)
    else:
        _set_once(attributes, name, parse(name, value))


def _query_attribute(attributes: dict[str, Any], name: str, raw: str) -> None:
    if name == "pin-value":
        raise UriError(
            "attribute 'pin-value' is refused: a PIN on a command line is there for every user of the machine to read; "
            "name a file instead, with pin-source=file:/… or in the environment variable KEYFENCE_PIN_FILE"
        )
    if name in _PATH_PARSERS:
        raise UriError(f"attribute '{name}' belongs before the '?'")
    value = _text(name, _decoded(name, raw, _QUERY_SAFE))
    if name.replace("-", "_") in _QUERY_TEXTS and "_" not in name:
        _set_once(attributes, name, value)
    else:
        attributes["vendor_query"] += ((name, value),)


def _set_once(attributes: dict[str, Any], name: str, value: object) -> None:
    field = name.replace("-", "_")
    if field in attributes:
        raise UriError(f"attribute '{name}' stands twice")
    attributes[field] = value


def _decoded(name: str, raw: str, safe: str) -> bytes:
    for character in _ESCAPE.sub("", raw):
        if character == "%":
            raise UriError(f"attribute '{name}' has a '%' that two hexadecimal digits do not follow")
        if not (character.isascii() and character.isalnum()) and character not in safe:
            raise UriError(f"attribute '{name}' has a {character!r}, which must be percent-encoded")
    return unquote_to_bytes(raw)


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise UriError(f"attribute '{name}' is not UTF-8") from None


def _slot_id(name: str, value: bytes) -> int:
    """A CK_SLOT_ID, which is a CK_ULONG."""
    if not re.fullmatch(rb"[0-9]{1,20}", value) or int(value) >= 1 << 64:
        raise UriError(f"attribute '{name}' is not a decimal number below 2^64")
    return int(value)


def _version(name: str, value: bytes) -> tuple[int, int]:
    """A CK_VERSION of two CK_BYTEs; the minor number may be left out, and is then 0."""
    numbers = re.fullmatch(rb"([0-9]{1,3})(?:\.([0-9]{1,3}))?", value)
    if numbers is None or max(version := (int(numbers[1]), int(numbers[2] or 0))) > 255:
        raise UriError(f"attribute '{name}' is not MAJOR.MINOR, each at most 255")
    return version


def _type(name: str, value: bytes) -> str:
    text = _text(name, value)
    if text not in _CLASSES:
        raise UriError(f"attribute '{name}' is none of {', '.join(_CLASSES)}")
    return text


def _encoded(name: str, value: Any, safe: str) -> str:
    if name == "id":  # arbitrary bytes: the RFC recommends to escape them all
        return "".join(f"%{byte:02X}" for byte in value)
    if name == "library_version":
        return f"{value[0]}.{value[1]}"
    return quote_from_bytes(str(value).encode(), safe)


def _vendor_written(attributes: tuple[tuple[str, str], ...], safe: str) -> Iterator[str]:
    return (f"{name}={quote_from_bytes(value.encode(), safe)}" for name, value in attributes)


_PATH_PARSERS: Final[dict[str, Callable[[str, bytes], Any]]] = {
    **{name.replace("_", "-"): _text for name in _PATH_TEXTS},
    "library-version": _version,
    "slot-id": _slot_id,
    "type": _type,
    "id": lambda _, value: value,
}
_NOT_IN_PATH: Final = ("pin-value", *(name.replace("_", "-") for name in _QUERY_TEXTS))
_PATH_FIELDS: Final = tuple(field.name for field in fields(Uri) if field.name.replace("_", "-") in _PATH_PARSERS)
