"""CKM_ECDH1_DERIVE as a way to a session's pre-master secret, again and again; rehearsed with a peer outside the module."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKA, CKD, CKM
from keyfence.cryptoki.params import Ecdh1Derive

from .base import Bench, Inconclusive, preparing
from .carving import CarveAttack, Origin, Piece, Specimen
from .recovery import PreMaster, Recovery, Source
from .victim import Victim

P256_OID: Final = bytes.fromhex("06082a8648ce3d030107")  # DER of 1.2.840.10045.3.1.7, RFC 5480 §2.1.1.1
SHARED_BYTES: Final = 32
_CURVE: Final = ec.SECP256R1()


class AgreementAttack(CarveAttack):
    """The victim's private key and its peer's point, derived from once more."""

    key = "pre-master secret"

    def __init__(self, victim: Victim, mechanism: int) -> None:
        super().__init__(victim, mechanism, SHARED_BYTES)

    @property
    def origin(self) -> Origin:
        return Origin(self.victim.handles.private_key, self.victim.peer_public)

    def call(self, piece: Piece) -> str:
        return f"C_DeriveKey({CKM(self.mechanism)}, the session's private key, its peer's point"

    def specimen(self, bench: Bench) -> Specimen:
        """A pair made in the module, protected as the victim's is, and a peer outside: so the shared secret is known."""
        with preparing():
            public, private = bench.session.generate_pair(
                Mechanism(CKM.EC_KEY_PAIR_GEN),
                {CKA.EC_PARAMS: P256_OID, CKA.VERIFY: True},
                {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.DERIVE: True},
            )
            point = bench.session.attribute(public, CKA.EC_POINT)
        assert isinstance(point, bytes)
        peer = ec.generate_private_key(_CURVE)
        try:
            shared = peer.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, bare_point(point)))
        except ValueError:
            raise Inconclusive("what the module gives for a public key is no point of its curve") from None
        numbers = peer.public_key().public_numbers()
        return Specimen(Origin(private, b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")), shared)

    def make(self, bench: Bench, origin: Origin, piece: Piece) -> int:
        mechanism = Mechanism(self.mechanism, Ecdh1Derive(int(CKD.NULL), origin.data))
        return bench.session.derive(mechanism, origin.handle, piece.template).handle

    def recovery(self, value: bytes, source: Source) -> Recovery:
        return PreMaster(value, source)


def bare_point(point: bytes) -> bytes:
    """The uncompressed point of a CKA_EC_POINT, which is DER OCTET STRING by the standard and bare in some modules."""
    wrapped = len(point) > 2 and point[0] == 0x04 and point[1] == len(point) - 2 and point[2] == 0x04
    return point[2:] if wrapped else point
