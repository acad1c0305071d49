"""wrapping: a secret of TLS leaves in a blob of the guard's own, or never."""

from dataclasses import replace
from typing import ClassVar

from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR

from ..births import GENERATED_TYPES
from ..call import Birth, Call, Objection, number
from ..ledger import Ledger, LedgerUnavailable
from ..policy import Policy
from ..roles import Kind, Role
from ..ways import Left, Reading, Terms, Way
from .base import Rule, World

STORED = frozenset({Kind.MASTER, Kind.PSK, Kind.RESUMPTION})
"""The secrets that applications put by, for resumption."""
PURPOSE = b"blob"


class Wrapping(Rule):
    """A wrapping key shows what it wraps to whoever unwraps a piece of it as a readable key: one block of ECB, or the whole
    under another type. So wrapping keys are the policy's, were made inside and at random, and do nothing else; they unwrap only
    whole blobs that a guard with this ledger issued, under the same mechanism, to the role that was wrapped. A client's fresh
    pre-master secret leaves once, under the server's RSA key. Nothing else of TLS leaves."""

    id: ClassVar[str] = "wrapping"
    functions: ClassVar[frozenset[str]] = frozenset({"C_WrapKey", "C_UnwrapKey", "C_DeriveKey", "C_GenerateKey"})

    def judge(self, call: Call, world: World) -> Call:
        match call.function:
            case "C_WrapKey":
                _check_leaving(call, world)
            case "C_UnwrapKey" if call.role.kind is Kind.WRAPPING:
                return _returned(call, world)
            case "C_DeriveKey" if call.key is not None and call.key.role.kind is Kind.PREMASTER:
                world.registry.send(call.key.secret)
            case "C_GenerateKey" if call.mechanism_type != CKM.AES_KEY_GEN:
                _check_name(call, world.policy)
        return call

    def leaves(self, way: Way, terms: Terms) -> Left:
        """A victim's pre-master secret has left already, for the server. What comes back comes whole, as what it was."""
        if not isinstance(way, Reading):
            return (way,)
        if way.function == "C_WrapKey":
            return () if way.role.is_tls and not _may_be_stored(way.base, way.role) else (way,)
        if way.function != "C_UnwrapKey" or way.role.kind is not Kind.WRAPPING:
            return (way,)
        if way.whole is None or way.key_type is None:
            return ()
        return (replace(way, born=Role(Kind.MASTER), key_type=int(CKK.GENERIC_SECRET), length=frozenset({way.whole})),)


def _check_name(call: Call, policy: Policy) -> None:
    """A key made of a password was made inside, too, and never extractable; whoever has the password has the key."""
    template = call.template
    for name in policy.wrapping_keys:
        key_type = template.get(CKA.KEY_TYPE, GENERATED_TYPES.get(call.mechanism_type, name.key_type))
        attributes = {**template, CKA.KEY_TYPE: key_type} if key_type is not None else template
        if name.matches(attributes):
            raise Objection("a wrapping key is an AES key made at random", CKR.TEMPLATE_INCONSISTENT)


def _may_be_stored(wrapper: Role, subject: Role) -> bool:
    return wrapper.kind is Kind.WRAPPING and subject.kind in STORED


def _check_leaving(call: Call, world: World) -> None:
    subject, wrapper = call.subject, call.key
    if subject is None or wrapper is None or not subject.role.is_tls:
        return
    if _may_be_stored(wrapper.role, subject.role):
        return
    server = wrapper.object_class == CKO.PUBLIC_KEY and call.mechanism_type == CKM.RSA_PKCS
    if subject.role.kind is Kind.PREMASTER and server and world.registry.send(subject.secret):
        return
    raise Objection(f"a secret in the role {subject.role} does not leave", CKR.KEY_NOT_WRAPPABLE)


def _returned(call: Call, world: World) -> Call:
    try:
        line = world.ledger.committed(blob_name(world.ledger, call, call.data), b"", b"")
    except LedgerUnavailable as error:
        raise Objection(f"the ledger does not answer: {error}") from error
    if line is None:
        raise Objection("not a whole blob that the guard issued", CKR.WRAPPED_KEY_INVALID)
    key_type, length, role = _read(line)
    if number(call.template, CKA.KEY_TYPE) not in (None, key_type):
        raise Objection("not the type that was wrapped", CKR.TEMPLATE_INCONSISTENT)
    if number(call.template, CKA.VALUE_LEN) not in (None, length):
        raise Objection("not the length that was wrapped", CKR.TEMPLATE_INCONSISTENT)
    template = {**call.template, CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: key_type}
    return replace(call, template=template, birth=Birth(role))


def blob_name(ledger: Ledger, call: Call, blob: bytes) -> bytes:
    """What the ledger knows a blob by: its bytes, and how it was wrapped."""
    return ledger.hash(PURPOSE, repr(call.mechanism).encode("utf-8") + b"\0" + blob)


def blob_line(key_type: int, length: int, role: Role) -> bytes:
    """What the ledger keeps of a blob: the key's type, its length in bytes, its role."""
    return f"{key_type} {length} ".encode("ascii") + role.encode()


def _read(line: bytes) -> tuple[int, int, Role]:
    key_type, length, role = line.split(b" ", 2)
    return int(key_type), int(length), Role.decode(role)
