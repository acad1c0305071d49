"""short-mac: MAC keys of one byte, two bytes, three …: each is found by search, and each begins where the stream begins."""

from collections.abc import Iterable

from keyfence.cryptoki.constants import CKK
from keyfence.model import Key, Lengths

from .base import Attack, Technique
from .keymat import SMALLEST, cutting
from .keymat_attack import CutOption, Cuts, KeyMatAttack
from .ruler import Identify, Ruler
from .victim import Kind, Victim


class ShortMac(Technique):
    id = "short-mac"
    title = "Key bytes searched as short MAC keys"
    summary = (
        "The caller also says how long the MAC keys are. A MAC key of one byte is found in 2^8 trials from one MAC that the "
        "module makes with it; one of two bytes in another 2^8, its first byte being known; and so on through the key block. "
        "Works through CKM_TLS12_KEY_SAFE_DERIVE too, which withholds IVs only."
    )
    section = "PKCS#11 3.2 §6.39.6 and §6.40.6 (ulMacSizeInBits)"
    references = (
        'IETF TLS mailing list, September 2013, "TLS and hardware security modules - some issues related to PKCS11"',
        "RFC 5246 §6.3",
    )
    remedy = "One cut per master secret and randoms; MAC keys only at the lengths of real MACs; the separated key expansion."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [ShortMacAttack(victim, mechanism) for mechanism in cutting(victim)]


class ShortMacAttack(KeyMatAttack):
    """MAC keys are generic secrets whatever the template says; any write key will do beside them."""

    def measure(self, ruler: Ruler, identify: Identify) -> Cuts:
        for request in SMALLEST:
            macs = ruler.mac_key_lengths(request, identify)
            if list(macs):
                option = CutOption(None, Lengths.exactly(0), lambda _, request=request: request)  # type: ignore[misc]
                return Cuts((option,), macs, mac_sink=Key.of(CKK.GENERIC_SECRET))
        return Cuts((), Lengths.exactly())
