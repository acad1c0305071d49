"""check-value: CKA_CHECK_VALUE tells a short key without any use of it."""

from collections.abc import Iterable

from keyfence.cryptoki.constants import CKA

from .base import Attack, Bench, Technique
from .keymat import cutting
from .keysearch import Matches, Unidentified, check_value
from .short_key import ShortKeyAttack
from .victim import Kind, Victim


class CheckValue(Technique):
    id = "check-value"
    title = "Short keys told by their check value"
    summary = (
        "CKA_CHECK_VALUE is three bytes of a hash or of an encryption under the key, and anybody may read it, of sensitive "
        "keys too. Of a key of one byte it tells the key: no right to sign or encrypt with it is needed."
    )
    section = "PKCS#11 3.0 base §4.10 (CKA_CHECK_VALUE)"
    references = ("PKCS#11 3.0 base §4.10", "ANSI X9.24 (key check values)")
    remedy = "No check value for derived keys, or for keys shorter than 14 bytes; one cut per master secret and randoms."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [CheckValueAttack(victim, mechanism) for mechanism in cutting(victim)]


class CheckValueAttack(ShortKeyAttack):
    """short-key, with another way to tell keys apart."""

    def identify(self, bench: Bench, handle: int, key_type: int) -> Matches:
        value = bench.session.attribute(handle, CKA.CHECK_VALUE)
        if not isinstance(value, bytes) or not value:
            raise Unidentified("the check value is empty")
        return lambda candidate: check_value(key_type, candidate)[: len(value)] == value
