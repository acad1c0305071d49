"""Outside the module: a base secret of our own like a victim's, and the secret that the victim's derivation makes of it."""

import os
from typing import Final

from keyfence.schedule import PrfHash, Side, hkdf, master_secret
from keyfence.schedule.wtls import wtls_master_secret
from keyfence.techniques.victim import VERSIONS, Agreement, Kind, Profile, Victim

from .schedules import traffic_label

_PRE_MASTER: Final = 48
_SHARED: Final = 32  # of P-256
_WTLS: Final = 20  # what a WTLS pre-master secret of RSA has (WAP-261-WTLS §10.4)


def base_like(profile: Profile) -> bytes:
    """A pre-master secret of the honest form, or for TLS 1.3 a handshake secret."""
    if profile.kind is Kind.TLS13:
        return os.urandom((profile.suite.prf_hash or PrfHash.SHA256).digest_size)
    if profile.agreement is Agreement.ECDHE:
        return os.urandom(_SHARED)
    if profile.kind is Kind.WTLS:
        return b"\x01" + os.urandom(_WTLS - 1)
    return VERSIONS[profile.kind].wire + os.urandom(_PRE_MASTER - 2)


def secret_from(victim: Victim, base: bytes) -> bytes:
    """The master or traffic secret, with the victim's own randoms."""
    randoms = (victim.client_random, victim.server_random)
    if victim.kind is Kind.TLS13:
        label = traffic_label(victim.prf_hash, Side.CLIENT, b"".join(randoms))
        return hkdf.expand(victim.prf_hash, base, label.encode(), label.length)
    if victim.kind is Kind.WTLS:
        return wtls_master_secret(PrfHash.SHA1, base, *randoms)
    return master_secret(victim.version, victim.prf_hash, base, *randoms)
