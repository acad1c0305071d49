"""templates-rebuilt: what a template may say of a secret of TLS is copied into a new one; the rest is settled."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

from keyfence.cryptoki import AttributeValue, Template
from keyfence.cryptoki.constants import CKA, CKO

from ..call import Call
from ..mechanisms import OF_A_MASTER, SIGNING_PRFS, TLS_MACS
from ..roles import Kind, Role
from ..ways import Cutting, Left, Terms, Way
from .base import Rule, World

_HARMLESS: Final = (CKA.CLASS, CKA.KEY_TYPE, CKA.VALUE_LEN, CKA.LABEL, CKA.ID, CKA.PRIVATE)
_CIPHERING: Final = (CKA.ENCRYPT, CKA.DECRYPT)
_SIGNING: Final = (CKA.SIGN, CKA.VERIFY)
_USES: Final[Mapping[Kind, tuple[CKA, ...]]] = {
    Kind.RECORD: _CIPHERING,
    Kind.MAC: _SIGNING,
    Kind.FINISHED: _SIGNING,
    Kind.MASTER: (CKA.DERIVE, *_SIGNING),
    Kind.WRAPPING: (CKA.WRAP, CKA.UNWRAP),
}
_EVERY_USE: Final = (
    *(CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.SIGN_RECOVER, CKA.VERIFY_RECOVER),
    *(CKA.WRAP, CKA.UNWRAP, CKA.DERIVE),
)
_PROTECTED: Final[Template] = {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False}


class TemplatesRebuilt(Rule):
    """The template is the caller's, and decides on most modules whether a key can be read, wrapped, derived from or used with
    another mechanism. A derivation's template that leaves CKA_SENSITIVE out makes a readable key of a sensitive one on some.
    So a secret of TLS gets a template that the guard writes: type, length, name and the uses of its role as asked for,
    sensitive and not extractable always, and a record key is never derived from."""

    id: ClassVar[str] = "templates-rebuilt"
    functions: ClassVar[frozenset[str]] = frozenset({"C_DeriveKey", "C_UnwrapKey", "C_GenerateKey", "C_GenerateKeyPair"})

    def judge(self, call: Call, world: World) -> Call:
        role = call.birth.role
        if not role.is_tls:
            return call
        if role.kind is Kind.PRIVATE:
            return replace(call, template={**call.template, **_PROTECTED})
        if call.function == "C_GenerateKey":
            return replace(call, template=_generated(call))
        return replace(call, template=_rebuilt(call, role, world))

    def leaves(self, way: Way, terms: Terms) -> Left:
        """What is cut from a key block is a secret of TLS; of what else comes out, that which is born one."""
        if isinstance(way, Cutting) or way.born.is_tls:
            return (replace(way, readable=False),)
        return (way,)


def _generated(call: Call) -> Template:
    """A pre-master secret keeps CKA_EXTRACTABLE, for its one way out; the guard sees to it that there is one."""
    template = {**call.template, CKA.SENSITIVE: True}
    return template if call.birth.sendable else {**template, CKA.EXTRACTABLE: False}


def _rebuilt(call: Call, role: Role, world: World) -> Template:
    uses = _USES.get(role.kind, (CKA.DERIVE,))
    template: dict[int, AttributeValue] = {
        attribute: value for attribute, value in call.template.items() if attribute in (*_HARMLESS, *uses)
    }
    template.setdefault(CKA.CLASS, int(CKO.SECRET_KEY))
    template |= _PROTECTED
    template |= {attribute: False for attribute in _EVERY_USE if attribute not in uses and attribute in _sent(call)}
    if CKA.DERIVE in uses:
        template[CKA.DERIVE] = True
    mechanisms = _mechanisms(role)
    if world.policy.facts.honours_allowed_mechanisms and mechanisms:
        template[CKA.ALLOWED_MECHANISMS] = tuple(sorted(mechanisms))
    return template


def _sent(call: Call) -> tuple[int, ...]:
    """The uses to deny by name: those that the caller spoke of, and derivation, which modules allow by default."""
    return (*call.template, CKA.DERIVE)


def _mechanisms(role: Role) -> frozenset[int]:
    """What CKA_ALLOWED_MECHANISMS holds, for a module that looks at it."""
    if role.kind is Kind.MASTER:
        return frozenset({*OF_A_MASTER, *TLS_MACS, *SIGNING_PRFS})
    return role.mechanisms
