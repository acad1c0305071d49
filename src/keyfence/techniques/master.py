"""CKM_*_MASTER_KEY_DERIVE with a session's own randoms: the mechanism and its parameter, by kind of session."""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.params import MasterKeyDerive, Parameters, Tls12MasterKeyDerive, WtlsMasterKeyDerive

from .victim import Agreement, Kind, Victim

MASTER_BYTES: Final = 48

MECHANISMS: Final[Mapping[Kind, tuple[CKM, CKM]]] = {
    Kind.SSL3: (CKM.SSL3_MASTER_KEY_DERIVE, CKM.SSL3_MASTER_KEY_DERIVE_DH),
    Kind.TLS10: (CKM.TLS_MASTER_KEY_DERIVE, CKM.TLS_MASTER_KEY_DERIVE_DH),
    Kind.TLS12: (CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH),
    Kind.SEPARATED: (CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH),
    Kind.WTLS: (CKM.WTLS_MASTER_KEY_DERIVE, CKM.WTLS_MASTER_KEY_DERIVE_DH_ECC),
}
"""For pre-master secrets that begin with a version (generated, RSA), and for those of a key agreement."""


def master_mechanism(victim: Victim) -> CKM:
    """The mechanism that the session's own master secret was derived by. KeyError for TLS 1.3, which has no such secret."""
    plain, agreed = MECHANISMS[victim.kind]
    return agreed if _agreed(victim) else plain


def master_parameters(victim: Victim) -> Parameters:
    """Its parameter; pVersion is asked for where the base key begins with a version."""
    randoms = (victim.client_random, victim.server_random)
    if victim.kind in (Kind.TLS12, Kind.SEPARATED):
        return Tls12MasterKeyDerive(*randoms, int(victim.prf_hash.ckm), not _agreed(victim))
    if victim.kind is Kind.WTLS:
        return WtlsMasterKeyDerive(int(CKM.SHA_1), *randoms, not _agreed(victim))
    return MasterKeyDerive(*randoms, not _agreed(victim))


def _agreed(victim: Victim) -> bool:
    return victim.profile.agreement is Agreement.ECDHE
