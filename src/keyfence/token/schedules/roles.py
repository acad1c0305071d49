"""What a secret is for, kept by its VALUE: a copy, a second import and a second derivation are the same secret."""

import secrets
from dataclasses import dataclass
from enum import Enum

from keyfence.cryptoki import Template
from keyfence.cryptoki.constants import CKA, CKK, CKO, CKR
from keyfence.schedule import PrfHash

from ..attributes import Attributes, name
from ..objects import StoredObject
from ..refused import Refused


class Stage(Enum):
    """Where in TLS a secret stands."""

    BOUND = "no secret of TLS; does what it did first"
    RECORD = "a record key"
    PRE_MASTER = "an RSA pre-master secret"
    SHARED = "the result of a key agreement"
    MASTER = "a TLS 1.2 master secret"
    PSK = "a pre-shared key"
    EARLY = "TLS 1.3's early secret"
    HANDSHAKE_SALT = "the salt of the handshake secret"
    HANDSHAKE = "TLS 1.3's handshake secret"
    MAIN_SALT = "the salt of the main secret"
    MAIN = "TLS 1.3's main secret"
    TRAFFIC = "a traffic secret"
    BINDER = "a binder key"
    FINISHED = "a Finished key"
    EXPORTER = "an exporter's main secret"
    LABEL_EXPORTER = "an exporter's secret for one label"
    RESUMPTION = "a resumption secret"


@dataclass(frozen=True, slots=True)
class Role:
    """A stage; the one hash it goes with; the one mechanism of a key that is used; a record key's tag lengths in bytes."""

    stage: Stage
    prf_hash: PrfHash | None = None
    mechanism: int | None = None
    tags: tuple[int, ...] = ()


class Ledger:
    """Roles by value. What is kept is a keyed fingerprint, never the value."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._roles: dict[bytes, Role] = {}
        self._sendable: set[bytes] = set()

    def of(self, stored: StoredObject) -> Role | None:
        """The role of the secret in this object; None while it has none."""
        return self._roles.get(self._name(stored)) if stored.object_class == CKO.SECRET_KEY else None

    def assign(self, stored: StoredObject, role: Role) -> None:
        """Give a role to a secret that has none yet, or the same one; a second role is refused."""
        if self._roles.setdefault(self._name(stored), role) != role:
            raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "this secret is for something else")

    def adopt(self, stored: StoredObject, role: Role) -> None:
        """Take a secret that came from elsewhere into TLS: it must be protected, and have done nothing else before."""
        protected = stored.flag(CKA.SENSITIVE) and not stored.flag(CKA.EXTRACTABLE)
        if stored.key_type not in (CKK.GENERIC_SECRET, CKK.HKDF) or not protected:
            raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "a secret of TLS is sensitive and not extractable")
        self.assign(stored, role)

    def allow_sending(self, stored: StoredObject) -> None:
        """A fresh pre-master secret may leave once, for the server."""
        self._sendable.add(self._name(stored))

    def send(self, stored: StoredObject) -> bool:
        """Whether it may leave now; it may not again."""
        fresh = self._name(stored) in self._sendable
        self._sendable.discard(self._name(stored))
        return fresh

    def _name(self, stored: StoredObject) -> bytes:
        return stored.value.fingerprint(self._key)


def demand(template: Template, wanted: Attributes) -> Template:
    """The template with `wanted` in it; TEMPLATE_INCONSISTENT where it says otherwise."""
    for attribute, value in wanted.items():
        if template.get(attribute, value) != value:
            raise Refused(CKR.TEMPLATE_INCONSISTENT, name(attribute))
    return {**template, **wanted}


def protected(template: Template) -> Template:
    """A template for a key that nobody reads or wraps, and whose handle does not outlive its session."""
    return demand(template, {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.TOKEN: False})


def record_key(template: Template, mechanism: int, macs: bool) -> Template:
    """A template for a record key: its one mechanism, its one kind of use, protected, and good for nothing else."""
    useless = (CKA.ENCRYPT, CKA.DECRYPT) if macs else (CKA.SIGN, CKA.VERIFY)
    nothing_else = Attributes(dict.fromkeys((*useless, CKA.DERIVE, CKA.WRAP, CKA.UNWRAP), False))
    return protected(demand(template, {CKA.ALLOWED_MECHANISMS: (mechanism,), **nothing_else}))
