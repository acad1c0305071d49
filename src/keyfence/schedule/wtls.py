"""WTLS (WAP-261-WTLS §11): TLS's relative for WAP, which PKCS#11 still lists as CKM_WTLS_*.

Its PRF is P_hash with the cipher suite's hash. Each direction has a key block of its own, keyed to a sequence number, so
that keys can be refreshed one way at a time. A block is cut MAC key, write key, IV. All lengths are in bytes.
"""

from typing import Final

from .prf import PrfHash, p_hash
from .protocol import Side
from .tls import MASTER_SECRET

MASTER_SECRET_LENGTH: Final = 20


def wtls_prf(prf_hash: PrfHash, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """The PRF of WTLS: CKM_WTLS_PRF."""
    return p_hash(prf_hash, secret, label + seed, length)


def wtls_master_secret(prf_hash: PrfHash, pre_master: bytes, client_random: bytes, server_random: bytes) -> bytes:
    """The 20-byte master secret: CKM_WTLS_MASTER_KEY_DERIVE. Randoms are 16 bytes in WTLS."""
    return wtls_prf(prf_hash, pre_master, MASTER_SECRET, client_random + server_random, MASTER_SECRET_LENGTH)


def wtls_key_block(
    prf_hash: PrfHash,
    master: bytes,
    side: Side,
    sequence: int,
    client_random: bytes,
    server_random: bytes,
    length: int,
) -> bytes:
    """`length` bytes of the key block of what `side` sends from record `sequence` (0..65535) on.

    CKM_WTLS_CLIENT_KEY_AND_MAC_DERIVE and its SERVER twin.
    """
    seed = sequence.to_bytes(2, "big") + server_random + client_random
    return wtls_prf(prf_hash, master, f"{side} expansion".encode("ascii"), seed, length)
