"""prf-oracle: a mechanism that is the PRF itself, its output returned to the caller, gives the key block in one call."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_PRF_GENERAL, CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.params import MacGeneral, Parameters, TlsPrf, WtlsPrf
from keyfence.schedule import PrfHash

from .base import Attack, Bench, Inconclusive, Technique
from .oracle import OracleAttack, Way
from .victim import Kind, Victim


class PrfOracle(Technique):
    id = "prf-oracle"
    title = "The PRF by name"
    summary = (
        "CKM_TLS_PRF and CKM_WTLS_PRF compute the PRF of any label and seed under a secret and return its output; modules "
        'offer the same through C_Sign by numbers of their own. Label "key expansion" and the randoms give the key block.'
    )
    section = "PKCS#11 3.2 §6.40.2 (CK_TLS_PRF_PARAMS), §6.41.5 (CKM_WTLS_PRF)"
    references = ("RFC 2246 §5 and §6.3", "RFC 5246 §5 and §6.3", "Clulow, CHES 2003")
    remedy = (
        "No PRF under a master secret whose output the caller sees, except Finished values (CKM_TLS12_MAC) and exporters under "
        "their own labels; the string label + seed is what has to be judged."
    )
    kinds = frozenset({Kind.TLS10, Kind.TLS12, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        if victim.kind in (Kind.TLS10, Kind.SEPARATED):
            yield PrfDeriveAttack(victim, int(CKM.TLS_PRF))
        if victim.kind is Kind.TLS10:
            yield PrfSignAttack(victim, CKM_NSS_TLS_PRF_GENERAL)
        if victim.kind is Kind.WTLS:
            yield PrfDeriveAttack(victim, int(CKM.WTLS_PRF))
        if victim.kind in (Kind.TLS12, Kind.SEPARATED) and victim.prf_hash is PrfHash.SHA256:
            yield PrfSignAttack(victim, CKM_NSS_TLS_PRF_GENERAL_SHA256)


class PrfDeriveAttack(OracleAttack):
    """By C_DeriveKey, which makes no key here: the output is in the mechanism's parameter."""

    whole = True

    @property
    def foreign(self) -> bool:
        """Separated keys come from TLS 1.2's PRF."""
        return self.victim.kind is Kind.SEPARATED

    def ways(self, bench: Bench) -> Sequence[Way]:
        return [
            Way(
                f"C_DeriveKey({self.name}, label of {at} bytes, ulOutputLen={self.target.length})",
                partial(self._derive, bench, at),
            )
            for at in self._label_lengths()
        ]

    def _label_lengths(self) -> Iterator[int]:
        """The label as TLS has it; then cut elsewhere, which is the same string to the PRF and another to who reads labels."""
        yield len(self.target.label)
        yield from (1, len(self.target.label) + 1)

    def _derive(self, bench: Bench, at: int, secret: int, data: bytes) -> bytes:
        derived = bench.session.derive(Mechanism(self.mechanism, self._parameters(data[:at], data[at:])), secret, {})
        if derived.output is None:
            raise Inconclusive(f"{self.name} answered CKR_OK and returned no output")
        return derived.output

    def _parameters(self, label: bytes, seed: bytes) -> Parameters:
        if self.mechanism == CKM.WTLS_PRF:
            return WtlsPrf(int(self.target.prf_hash.ckm), label, seed, self.target.length)
        return TlsPrf(label, seed, self.target.length)


class PrfSignAttack(OracleAttack):
    """By C_Sign: the data is label and seed in one string, and the output as long as the buffer or the parameter says."""

    whole = True

    def ways(self, bench: Bench) -> Sequence[Way]:
        sized = MacGeneral(self.target.length)
        return [
            Way(f"C_Sign({self.name})", lambda secret, data: self._sign(bench, secret, data, None)),
            Way(f"C_Sign({self.name}, {sized.length} bytes)", lambda secret, data: self._sign(bench, secret, data, sized)),
        ]

    def _sign(self, bench: Bench, secret: int, data: bytes, parameters: MacGeneral | None) -> bytes:
        return bench.session.sign(Mechanism(self.mechanism, parameters), secret, data)
