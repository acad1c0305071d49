"""CKM_*_MASTER_KEY_DERIVE with a session's own randoms: the mechanism and its parameter, by kind of session."""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.params import MasterKeyDerive, Parameters, Tls12MasterKeyDerive, WtlsMasterKeyDerive
from keyfence.schedule import PrfHash

from .victim import Agreement, Kind, Profile

MASTER_BYTES: Final = 48

MECHANISMS: Final[Mapping[Kind, tuple[CKM, CKM]]] = {
    Kind.SSL3: (CKM.SSL3_MASTER_KEY_DERIVE, CKM.SSL3_MASTER_KEY_DERIVE_DH),
    Kind.TLS10: (CKM.TLS_MASTER_KEY_DERIVE, CKM.TLS_MASTER_KEY_DERIVE_DH),
    Kind.TLS12: (CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH),
    Kind.SEPARATED: (CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH),
    Kind.WTLS: (CKM.WTLS_MASTER_KEY_DERIVE, CKM.WTLS_MASTER_KEY_DERIVE_DH_ECC),
}
"""For pre-master secrets that begin with a version (generated, RSA), and for those of a key agreement."""


def master_mechanism(profile: Profile) -> CKM:
    """The mechanism that such a session's master secret is derived by. KeyError for TLS 1.3, which has no such secret."""
    plain, agreed = MECHANISMS[profile.kind]
    return agreed if profile.agreement is Agreement.ECDHE else plain


def master_parameters(profile: Profile, client_random: bytes, server_random: bytes) -> Parameters:
    """Its parameter; pVersion is asked for where the base key begins with a version."""
    randoms, with_version = (client_random, server_random), profile.agreement is not Agreement.ECDHE
    if profile.kind in (Kind.TLS12, Kind.SEPARATED):
        return Tls12MasterKeyDerive(*randoms, int((profile.suite.prf_hash or PrfHash.SHA256).ckm), with_version)
    if profile.kind is Kind.WTLS:
        return WtlsMasterKeyDerive(int(CKM.SHA_1), *randoms, with_version)
    return MasterKeyDerive(*randoms, with_version)
