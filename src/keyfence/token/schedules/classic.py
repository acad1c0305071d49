"""The classic schedule: what the standard allows is allowed. The base of stricter ones, whose every hook says yes."""

from collections.abc import Callable, Mapping

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import MechanismFlag

from ..mechanisms.derivation import Request
from ..mechanisms.registry import OFFERS, Offer
from ..objects import StoredObject
from ..quirks import Quirks


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

    def judge_derive(self, request: Request) -> Request:
        """Before a derivation, whose template may be rewritten."""
        return request

    def judge_generate(self, _mechanism: Mechanism, template: Template) -> Template:
        """Before C_GenerateKey, and for the private half before C_GenerateKeyPair."""
        return template

    def judge_unwrap(self, _mechanism: Mechanism, _unwrapping_key: StoredObject, template: Template) -> Template:
        """Before C_UnwrapKey."""
        return template

    def judge_change(self, stored: StoredObject, template: Template) -> None:
        """Before C_SetAttributeValue and C_CopyObject."""

    def judge_create(self, template: Template) -> None:
        """Before C_CreateObject."""

    def born(self, objects: tuple[StoredObject, ...], mechanism: Mechanism, parent: StoredObject | None) -> None:
        """After keys were made; `parent` is the base or unwrapping key."""

    def shows_check_value(self, stored: StoredObject) -> bool:
        """Whether CKA_CHECK_VALUE is there to read."""
        long_enough = len(stored.value) >= self.quirks.min_check_value_key
        return self.quirks.check_values and long_enough


Schedule = Callable[[Quirks], Classic]
