"""SSL 3.0 (RFC 6101): its two hash constructions, and the record MAC that came before HMAC.

SSL 3.0 has no PRF with labels: the master secret and the key block are told apart by the order of the randoms alone.
All lengths are in bytes.
"""

from typing import Final

from .prf import PrfHash
from .protocol import Side

MAX_STREAM: Final = 26 * 16
"""Bytes one secret can yield: 26 letters, 16 bytes of MD5 each."""

MAX_EXPORT: Final = 16
"""Bytes of an export suite's final key, and of its IV: one MD5 each."""

_SENDER: Final = {Side.CLIENT: b"CLNT", Side.SERVER: b"SRVR"}


def expand(secret: bytes, randoms: bytes, length: int) -> bytes:
    """MD5(secret + SHA1("A" + secret + randoms)) + MD5(secret + SHA1("BB" + …)) + … (RFC 6101 §6.1, §6.2.2).

    ValueError for more than MAX_STREAM bytes: the letters end at Z.
    """
    if not 0 <= length <= MAX_STREAM:
        raise ValueError(f"SSL 3.0 expands a secret to at most {MAX_STREAM} bytes, not {length}")
    stream = bytearray()
    for count in range(1, -(-length // 16) + 1):
        salt = bytes([ord("A") + count - 1]) * count
        stream += PrfHash.MD5.digest(secret + PrfHash.SHA1.digest(salt + secret + randoms))
    return bytes(stream[:length])


def master_secret(pre_master: bytes, client_random: bytes, server_random: bytes) -> bytes:
    """The 48-byte master secret (RFC 6101 §6.1)."""
    return expand(pre_master, client_random + server_random, 48)


def key_block(master: bytes, client_random: bytes, server_random: bytes, length: int) -> bytes:
    """`length` bytes of key block (RFC 6101 §6.2.2); the server's random comes first here."""
    return expand(master, server_random + client_random, length)


def finished(master: bytes, side: Side, messages: bytes) -> bytes:
    """The 36 bytes of `side`'s Finished (RFC 6101 §5.6.9): an MD5 and a SHA-1 over all handshake messages so far."""
    return handshake_hash(master, messages + _SENDER[side])


def certificate_verify(master: bytes, messages: bytes) -> bytes:
    """The 36 bytes that CertificateVerify signs (RFC 6101 §5.6.8): a Finished that names no sender."""
    return handshake_hash(master, messages)


def handshake_hash(master: bytes, data: bytes) -> bytes:
    """hash(master + pad2 + hash(data + master + pad1)), by MD5 and by SHA-1."""
    return b"".join(
        prf_hash.digest(master + _pad(prf_hash, 2) + prf_hash.digest(data + master + _pad(prf_hash, 1)))
        for prf_hash in (PrfHash.MD5, PrfHash.SHA1)
    )


def record_mac(prf_hash: PrfHash, key: bytes, data: bytes) -> bytes:
    """hash(key + pad2 + hash(key + pad1 + data)) (RFC 6101 §5.2.3.1), CKM_SSL3_MD5_MAC and CKM_SSL3_SHA1_MAC at full length.

    `data` is sequence number, content type, length and content: `record.mac_input` builds it.
    """
    return prf_hash.digest(key + _pad(prf_hash, 2) + prf_hash.digest(key + _pad(prf_hash, 1) + data))


def export_key(write_key: bytes, first_random: bytes, second_random: bytes, length: int) -> bytes:
    """The final write key of an export suite: MD5(key + the writer's random + the reader's) (RFC 6101 §6.2.2.1).

    ValueError for more than MAX_EXPORT bytes, as for an IV.
    """
    return _start_of_md5(write_key + first_random + second_random, length)


def export_iv(first_random: bytes, second_random: bytes, length: int) -> bytes:
    """The IV of an export suite: MD5(the writer's random + the reader's), public by construction (RFC 6101 §6.2.2.1)."""
    return _start_of_md5(first_random + second_random, length)


def _start_of_md5(data: bytes, length: int) -> bytes:
    if not 0 <= length <= MAX_EXPORT:
        raise ValueError(f"SSL 3.0 makes keys and IVs of export suites of at most {MAX_EXPORT} bytes, not {length}")
    return PrfHash.MD5.digest(data)[:length]


def _pad(prf_hash: PrfHash, which: int) -> bytes:
    """pad_1 or pad_2: 48 bytes for MD5, 40 for SHA-1."""
    count = {PrfHash.MD5: 48, PrfHash.SHA1: 40}.get(prf_hash)
    if count is None:
        raise ValueError(f"SSL 3.0 has no MAC with {prf_hash.name}")
    return (b"\x36" if which == 1 else b"\x5c") * count
