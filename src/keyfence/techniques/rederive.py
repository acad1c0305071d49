"""rederive: the key agreement once more, with the same private key and the peer's recorded public key, into a readable key."""

from collections.abc import Iterable

from keyfence.cryptoki.constants import CKM

from .base import Attack, Technique
from .carving import Keeps, Layout
from .ecdh import AgreementAttack
from .victim import Agreement, Kind, Victim


class Rederive(Technique):
    id = "rederive"
    title = "The key agreement again, readable"
    summary = (
        "An ephemeral private key that is still in the module agrees again with the peer's public key, which was on the wire. "
        "The template of the second derivation asks for a key that can be read: the pre-master secret of the first, or in "
        "TLS 1.3 its shared secret. Nothing of the first key's protection concerns the second."
    )
    section = "PKCS#11 3.2 §6.3 (CKM_ECDH1_DERIVE: CKA_SENSITIVE is the template's)"
    references = ("RFC 8422 §5.10", "RFC 8446 §7.4.2", "SEC 1 §3.3.1")
    remedy = "Destroy ephemeral private keys at once; what comes from a sensitive key is sensitive and not extractable."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.TLS13, Kind.WTLS, Kind.SEPARATED})
    agreement = Agreement.ECDHE
    one_suite = True

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [RederiveAttack(victim, CKM.ECDH1_DERIVE)]


class RederiveAttack(AgreementAttack):
    """The whole shared secret or nothing: shortened ones are another technique."""

    layouts = (Layout(Keeps.FIRST),)
    searches = False
