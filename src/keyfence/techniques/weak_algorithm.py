"""weak-algorithm: the same bytes as keys of a cipher that can be searched: DES, RC4 with 40 bits, and kin."""

from collections.abc import Iterable
from typing import Final

from keyfence.cryptoki.constants import CKK
from keyfence.model import Chain, Key, KeyMatCut, Lengths

from .base import Attack, Bench, Technique
from .keymat import KeyRequest, cutting
from .keymat_attack import CutOption, Cuts, KeyMatAttack
from .recovery import Recovery
from .ruler import Identify, Ruler
from .victim import Kind, Victim
from .weak_search import WeakSearch

_WEAK: Final = (
    (KeyRequest.of(CKK.RC4, 5), 5),
    (KeyRequest.of(CKK.RC4, 7), 7),
    (KeyRequest.of(CKK.DES, 8, fixed=True), 8),
    (KeyRequest.of(CKK.DES2, 16, fixed=True), 16),
    (KeyRequest.of(CKK.DES3, 24, fixed=True), 24),
    (KeyRequest.of(CKK.AES, 16), 16),
    (KeyRequest.of(CKK.AES, 24), 24),
)
"""(request, bytes), weakest first."""


class WeakAlgorithm(Technique):
    id = "weak-algorithm"
    title = "Key bytes re-cut as keys of a weaker cipher"
    summary = (
        "The key type of the write keys is the caller's. Eight bytes of an AES key re-cut as a DES key are found in 2^56 "
        "trials from one block that the module encrypts; five bytes re-cut as an RC4 key in 2^40; what follows is cut so that "
        "it overlaps, and costs little. A search within the audit's limit is run, a larger one priced and its overlap proven "
        "on a secret of the lab's own."
    )
    section = "PKCS#11 3.2 §6.39.6 and §6.40.6 (CKA_KEY_TYPE in the template)"
    references = (
        'IETF TLS mailing list, September 2013, "TLS and hardware security modules - some issues related to PKCS11"',
        "J. Clulow, On the Security of PKCS #11, CHES 2003 (reduced key space)",
    )
    remedy = "One cut per master secret and randoms; or labels that name the algorithm: the separated key expansion."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [WeakAlgorithmAttack(victim, mechanism) for mechanism in cutting(victim)]


class WeakAlgorithmAttack(KeyMatAttack):
    """Every weak type that a module makes at its own length; the solver takes the cheapest that covers the key block.

    Where a search is within reach its own plan is carried out: bits may be known, and an engine's trial has a price.
    """

    def __init__(self, victim: Victim, mechanism: int) -> None:
        super().__init__(victim, mechanism)
        self._searched: tuple[str, ...] = ()

    def measure(self, ruler: Ruler, identify: Identify) -> Cuts:
        fitting = [(request, n) for request, n in _WEAK if ruler.write_key_fits(request, n, 0, identify)]
        if not fitting:
            return Cuts((), Lengths.exactly())
        request, length = fitting[0]
        options = tuple(
            CutOption(Key.of(request.key_type), Lengths.exactly(n), lambda _, request=request: request)  # type: ignore[misc]
            for request, n in fitting
        )
        return Cuts(options, ruler.offsets(request, length, identify))

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        if self.victim.kind is Kind.SEPARATED:
            return super().execute(bench, chain)
        search = WeakSearch(self, bench, _cutting(chain))
        found = search.run()
        if found is None:
            return self._priced(bench, chain)
        self._searched = tuple(search.lines)
        return found

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return self._searched or super().steps(chain)


def _cutting(chain: Chain) -> KeyMatCut:
    """The capability that the chain is made of."""
    capability = next(step.call.capability for step in chain.steps if step.call)
    assert isinstance(capability, KeyMatCut), "the only one offered"
    return capability
