"""iv-window: shorter or no MAC and write keys, so that the bytes that were keys come back as IVs, in the clear."""

from collections.abc import Iterable

from keyfence.model import Key, Lengths

from .base import Attack, Technique
from .keymat import SMALLEST, KeyRequest, cutting
from .keymat_attack import CutOption, Cuts, KeyMatAttack
from .keysearch import SEARCHABLE
from .ruler import Identify, Ruler
from .victim import Kind, Victim


class IvWindow(Technique):
    id = "iv-window"
    title = "Key bytes returned as IVs"
    summary = (
        "CKM_*_KEY_AND_MAC_DERIVE cuts MAC keys, write keys and IVs out of one stream, where the caller says, and returns the "
        "IVs in the clear. A second derivation from the same master secret with shorter MAC and write keys and longer IVs "
        "returns the first one's keys. Where a module insists on a byte or two of write key, those bytes are searched."
    )
    section = "PKCS#11 3.2 §6.39.6 and §6.40.6 (the Note Well under CKM_TLS12_KEY_AND_MAC_DERIVE)"
    references = (
        'IETF TLS mailing list, September 2013, "TLS and hardware security modules - some issues related to PKCS11"',
        "RFC 5246 §6.3",
        "RFC 2246 §6.3",
        "RFC 6101 §6.2.2",
    )
    remedy = (
        "CKM_TLS12_KEY_SAFE_DERIVE with IVs from public data; one cut per master secret and randoms; or the separated key "
        "expansion, which has no stream to cut."
    )
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [IvWindowAttack(victim, mechanism) for mechanism in cutting(victim, returning_ivs=True)]


class IvWindowAttack(KeyMatAttack):
    """Windows of two IVs each, slid over the key block by the lengths of MAC and write keys."""

    def measure(self, ruler: Ruler, identify: Identify) -> Cuts:
        lengths = ruler.key_lengths(SMALLEST)
        if not lengths:
            return Cuts((), Lengths.exactly())
        shortest = lengths[min(lengths)]
        options = tuple(_option(length, request, ruler, identify) for length, request in lengths.items())
        return Cuts(options, ruler.mac_lengths(shortest), ruler.iv_lengths(shortest))


def _option(length: int, request: KeyRequest, ruler: Ruler, identify: Identify) -> CutOption:
    """A write key of one or two bytes is worth a search: it covers the bytes that no IV reaches."""
    short = 0 < length <= 2 and request.key_type in SEARCHABLE
    searchable = short and ruler.write_key_fits(request, length, 0, identify)
    return CutOption(Key.of(request.key_type) if searchable else None, Lengths.exactly(length), lambda _: request)
