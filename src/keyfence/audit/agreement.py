"""How a victim's pre-master secret comes to be, inside the module, under three agreements that TLS knows.

In each, whoever plays the peer is the module too: the lab never holds a private key or a pre-master secret.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM
from keyfence.cryptoki.params import Ecdh1Derive, Raw
from keyfence.cryptoki.session import Session, secret_key
from keyfence.techniques.ecdh import P256_OID, bare_point
from keyfence.techniques.victim import VERSIONS, Agreement, Kind, Profile

PRE_MASTER_BYTES: Final = 48
RSA_BITS: Final = 2048
PUBLIC_EXPONENT: Final = b"\x01\x00\x01"

_PROTECTED: Final = {"sensitive": True, "extractable": False, "derive": True}


@dataclass(frozen=True, slots=True)
class Agreed:
    """The pre-master secret's handle; what made it; what went over the wire."""

    pre_master: int
    private_key: int = 0
    peer_public: bytes = b""
    message: bytes = b""


def listed(profile: Profile, mechanisms: frozenset[int]) -> bool:
    """Whether a token that lists these mechanisms can agree on a pre-master secret in this way."""
    if profile.agreement is Agreement.ECDHE:
        return {CKM.EC_KEY_PAIR_GEN, CKM.ECDH1_DERIVE} <= mechanisms
    if profile.agreement is Agreement.RSA:
        return {CKM.RSA_PKCS_KEY_PAIR_GEN, CKM.RSA_PKCS} <= mechanisms and _generates(profile, mechanisms)
    return _generates(profile, mechanisms)


def _generates(profile: Profile, mechanisms: frozenset[int]) -> bool:
    return any(mechanism in mechanisms for mechanism in _generators(profile.kind))


def agree(session: Session, profile: Profile) -> Agreed:
    """Raises the module's refusal where it does not let this be done."""
    if profile.agreement is Agreement.ECDHE:
        return _ecdh(session)
    if profile.agreement is Agreement.RSA:
        return _rsa(session, profile)
    return Agreed(_generate(session, profile.kind, extractable=False))


def _generators(kind: Kind) -> tuple[CKM, ...]:
    """Mechanisms that generate a kind's first secret, the usual one first."""
    if kind is Kind.TLS13:
        return (CKM.GENERIC_SECRET_KEY_GEN, CKM.HKDF_KEY_GEN)
    if kind is Kind.WTLS:
        return (CKM.WTLS_PRE_MASTER_KEY_GEN,)
    if kind is Kind.SSL3:
        return (CKM.SSL3_PRE_MASTER_KEY_GEN,)
    return (CKM.TLS_PRE_MASTER_KEY_GEN, CKM.SSL3_PRE_MASTER_KEY_GEN)


def _generate(session: Session, kind: Kind, extractable: bool) -> int:
    """The first way the module accepts; its first refusal where it accepts none."""
    refusal: CryptokiError | None = None
    for mechanism, length in product(_generators(kind), (32,) if kind is Kind.TLS13 else (None, PRE_MASTER_BYTES)):
        template = secret_key(CKK.GENERIC_SECRET, length, **_PROTECTED | {"extractable": extractable})
        try:
            return session.generate(Mechanism(mechanism, _version(kind)), template)
        except CryptokiError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def _version(kind: Kind) -> Raw | None:
    """The parameter of pre-master key generation: CK_VERSION, one byte in WTLS."""
    if kind is Kind.TLS13:
        return None
    return Raw(b"\x01") if kind is Kind.WTLS else Raw(VERSIONS[kind].wire)


def _ecdh(session: Session) -> Agreed:
    """Two key pairs of the module's; the second plays the peer, and only its public point is read."""
    own, peer = (
        session.generate_pair(
            Mechanism(CKM.EC_KEY_PAIR_GEN),
            {CKA.EC_PARAMS: P256_OID, CKA.VERIFY: True},
            {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.DERIVE: True},
        )
        for _ in range(2)
    )
    point = session.attribute(peer[0], CKA.EC_POINT)
    assert isinstance(point, bytes)
    peer_public = bare_point(point)
    return Agreed(derive_ecdh(session, own[1], peer_public, **_PROTECTED), own[1], peer_public)


def derive_ecdh(session: Session, private_key: int, peer_public: bytes, **attributes: bool) -> int:
    """The P-256 agreement as a pre-master secret, whole: 32 bytes."""
    mechanism = Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(CKD.NULL, peer_public))
    return session.derive(mechanism, private_key, secret_key(CKK.GENERIC_SECRET, 32, **attributes)).handle


def _rsa(session: Session, profile: Profile) -> Agreed:
    """A ClientKeyExchange made and opened in the module: wrapped under the public key, unwrapped as a server would."""
    public, private = session.generate_pair(
        Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN),
        {CKA.MODULUS_BITS: RSA_BITS, CKA.PUBLIC_EXPONENT: PUBLIC_EXPONENT, CKA.WRAP: True, CKA.ENCRYPT: True, CKA.VERIFY: True},
        # A server's key as stacks import it: it signs (ECDHE_RSA), decrypts and unwraps.
        {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.SIGN: True, CKA.DECRYPT: True, CKA.UNWRAP: True},
    )
    with session.scope():
        message = session.wrap(Mechanism(CKM.RSA_PKCS), public, _generate(session, profile.kind, extractable=True))
    template = secret_key(CKK.GENERIC_SECRET, PRE_MASTER_BYTES, **_PROTECTED)
    try:
        pre_master = session.unwrap(Mechanism(CKM.RSA_PKCS), private, message, template)
    except CryptokiError:  # CKA_VALUE_LEN is not for C_UnwrapKey in every reading of the standard
        pre_master = session.unwrap(Mechanism(CKM.RSA_PKCS), private, message, secret_key(CKK.GENERIC_SECRET, **_PROTECTED))
    return Agreed(pre_master, private, message=message)
