"""The classic schedule: what the standard allows is allowed. The base of stricter ones, whose every hook says yes."""

from collections.abc import Callable, Mapping

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import MechanismFlag

from ..mechanisms.derivation import Request
from ..mechanisms.registry import OFFERS, Offer
from ..objects import StoredObject
from ..quirks import Quirks
from .roles import Role


class Classic:
    """Hooks at which a schedule may refuse (raising Refused) or rewrite a template. Called with the token locked."""

    name = "classic"

    def __init__(self, quirks: Quirks) -> None:
        self.quirks = quirks

    def offers(self) -> Mapping[int, Offer]:
        """The mechanisms there are under this schedule, before quirks."""
        return OFFERS

    def judge_use(self, key: StoredObject, mechanism: Mechanism, function: MechanismFlag) -> None:
        """Before a key is used in an operation, as a wrapping key, or as the operand of a derivation."""

    def judge_digest_key(self, key: StoredObject) -> None:
        """Before C_DigestKey."""

    def judge_wrap(self, key: StoredObject, mechanism: Mechanism) -> None:
        """Before a key leaves wrapped."""

    def judge_data(self, key: StoredObject, mechanism: Mechanism, data: bytes) -> None:
        """Before data is signed, or a signature of it verified."""

    def judge_derive(self, request: Request) -> tuple[Request, Role | None]:
        """Before a derivation, whose template may be rewritten; and the role of what it will make."""
        return request, None

    def judge_generate(self, _mechanism: Mechanism, template: Template) -> tuple[Template, Role | None]:
        """Before C_GenerateKey."""
        return template, None

    def judge_unwrap(self, _mechanism: Mechanism, template: Template) -> tuple[Template, Role | None]:
        """Before C_UnwrapKey."""
        return template, None

    def opened(self, _mechanism: Mechanism, _key: StoredObject, _wrapped: bytes, unwrap: Callable[[], bytes]) -> bytes:
        """The value that `unwrap` finds in a wrapped key, opened by `_key`."""
        return unwrap()

    def judge_change(self, stored: StoredObject, template: Template) -> None:
        """Before C_SetAttributeValue and C_CopyObject."""

    def judge_create(self, template: Template) -> None:
        """Before C_CreateObject."""

    def born(self, objects: tuple[StoredObject, ...], role: Role | None) -> None:
        """After keys were made and before anybody has a handle of one."""
