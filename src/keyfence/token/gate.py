"""May this key be used with this mechanism in this function? Every use passes here, and is denied unless all of it agrees."""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKA, CKO, CKR, MechanismFlag

from .attributes import name
from .kernels.digests import BY_HMAC, BY_HMAC_GENERAL
from .mechanisms.registry import Offer, Registry
from .objects import StoredObject
from .quirks import Quirks
from .refused import Refused
from .schedules.classic import Classic

_USAGE: Final[Mapping[MechanismFlag, CKA]] = {
    MechanismFlag.ENCRYPT: CKA.ENCRYPT,
    MechanismFlag.DECRYPT: CKA.DECRYPT,
    MechanismFlag.SIGN: CKA.SIGN,
    MechanismFlag.VERIFY: CKA.VERIFY,
    MechanismFlag.SIGN_RECOVER: CKA.SIGN_RECOVER,
    MechanismFlag.VERIFY_RECOVER: CKA.VERIFY_RECOVER,
    MechanismFlag.WRAP: CKA.WRAP,
    MechanismFlag.UNWRAP: CKA.UNWRAP,
    MechanismFlag.DERIVE: CKA.DERIVE,
    MechanismFlag.MESSAGE_ENCRYPT: CKA.ENCRYPT,
    MechanismFlag.MESSAGE_DECRYPT: CKA.DECRYPT,
    MechanismFlag.MESSAGE_SIGN: CKA.SIGN,
    MechanismFlag.MESSAGE_VERIFY: CKA.VERIFY,
}
_WORDS: Final = {
    MechanismFlag.WRAP: (CKR.WRAPPING_KEY_TYPE_INCONSISTENT, CKR.WRAPPING_KEY_SIZE_RANGE),
    MechanismFlag.UNWRAP: (CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT, CKR.UNWRAPPING_KEY_SIZE_RANGE),
}
_PUBLIC_USES: Final = (
    MechanismFlag.ENCRYPT
    | MechanismFlag.VERIFY
    | MechanismFlag.WRAP
    | MechanismFlag.MESSAGE_ENCRYPT
    | MechanismFlag.MESSAGE_VERIFY
)
_HMACS: Final = frozenset({*BY_HMAC, *BY_HMAC_GENERAL})


class Gate:
    """The checks before a key's use, in the order the standard's errors come: mechanism, key type, size, usage, allow-list."""

    def __init__(self, registry: Registry, quirks: Quirks, schedule: Classic) -> None:
        self._registry = registry
        self._quirks = quirks
        self._schedule = schedule
        self._bound: dict[int, int] = {}

    def use(self, key: StoredObject, mechanism: Mechanism, function: MechanismFlag) -> None:
        """Return if the use is allowed; Refused says why not."""
        offer = self._registry.offer(mechanism.type, function)
        self._check_kind(key, offer, function)
        self._check_flag(key, function)
        self._check_allowed(key, mechanism.type)
        if mechanism.type in _HMACS and len(key.value) < self._quirks.min_hmac_key:
            raise Refused(CKR.KEY_SIZE_RANGE, "short for HMAC")
        self._schedule.judge_use(key, mechanism, function)
        self._bind(key, mechanism.type, function)

    def operand(self, key: StoredObject, mechanism: Mechanism) -> None:
        """A second key inside a derivation's parameter: it is derived from, exactly as the base key is."""
        self._check_flag(key, MechanismFlag.DERIVE)
        self._check_allowed(key, mechanism.type)
        self._schedule.judge_use(key, mechanism, MechanismFlag.DERIVE)

    def digest(self, key: StoredObject, mechanism: Mechanism) -> None:
        """C_DigestKey (section 5.12.4)."""
        quirks = self._quirks
        too_long = quirks.max_digest_key is not None and len(key.value) > quirks.max_digest_key
        if too_long or (key.flag(CKA.SENSITIVE) and not quirks.digest_sensitive_keys):
            raise Refused(CKR.KEY_INDIGESTIBLE)
        if not self._allows(key, mechanism.type):
            raise Refused(CKR.KEY_INDIGESTIBLE, "CKA_ALLOWED_MECHANISMS")
        self._schedule.judge_digest_key(key)

    def _check_kind(self, key: StoredObject, offer: Offer, function: MechanismFlag) -> None:
        wrong_type, wrong_size = _WORDS.get(function, (CKR.KEY_TYPE_INCONSISTENT, CKR.KEY_SIZE_RANGE))
        if key.key_type not in offer.key_types or key.object_class not in _classes(function):
            raise Refused(wrong_type)
        if key.object_class == CKO.SECRET_KEY and not offer.min_size <= len(key.value) <= offer.max_size:
            raise Refused(wrong_size, f"{len(key.value)} bytes")

    def _check_flag(self, key: StoredObject, function: MechanismFlag) -> None:
        ignored = self._quirks.ignore_derive_flag if function is MechanismFlag.DERIVE else self._quirks.ignore_usage_flags
        if not ignored and not key.flag(_USAGE[function]):
            raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, f"{name(_USAGE[function])} is false")

    def _check_allowed(self, key: StoredObject, mechanism: int) -> None:
        if not self._allows(key, mechanism):
            raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "CKA_ALLOWED_MECHANISMS")

    def _allows(self, key: StoredObject, mechanism: int) -> bool:
        allowed = key.allowed_mechanisms
        return allowed is None or mechanism in allowed or self._quirks.ignore_allowed_mechanisms

    def _bind(self, key: StoredObject, mechanism: int, function: MechanismFlag) -> None:
        """The quirk of one mechanism per key, which concerns ciphers."""
        if not self._quirks.one_mechanism_per_key or function not in MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT:
            return
        if self._bound.setdefault(key.handle, mechanism) != mechanism:
            raise Refused(CKR.KEY_FUNCTION_NOT_PERMITTED, "used with another mechanism before")


def _classes(function: MechanismFlag) -> tuple[int, int]:
    """Of a pair, the public key encrypts, verifies and wraps; the private key does the rest."""
    return CKO.SECRET_KEY, CKO.PUBLIC_KEY if function in _PUBLIC_USES else CKO.PRIVATE_KEY
