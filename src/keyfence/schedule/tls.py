"""The classic schedule, SSL 3.0 to TLS 1.2, through one set of functions that take the version first.

`prf_hash` is the cipher suite's hash and matters for TLS 1.2 only; earlier versions ignore it (pass None). TLS 1.3 has no
PRF: `hkdf` has its functions, and these raise ValueError for it. All lengths are in bytes; randoms are 32 bytes each.
"""

from typing import Final

from . import ssl3
from .prf import PrfHash, prf_tls10, prf_tls12
from .protocol import Side, Version

MASTER_SECRET_LENGTH: Final = 48
VERIFY_DATA_LENGTH: Final = 12

MASTER_SECRET: Final = b"master secret"
EXTENDED_MASTER_SECRET: Final = b"extended master secret"
KEY_EXPANSION: Final = b"key expansion"
CLIENT_FINISHED: Final = b"client finished"
SERVER_FINISHED: Final = b"server finished"
IV_BLOCK: Final = b"IV block"


def tls_prf(version: Version, prf_hash: PrfHash | None, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """The version's PRF. ValueError for SSL 3.0 and TLS 1.3, which have none, and for TLS 1.2 without a hash."""
    if version in (Version.TLS10, Version.TLS11):
        return prf_tls10(secret, label, seed, length)
    if version is not Version.TLS12:
        raise ValueError(f"{version} has no PRF")
    if prf_hash is None:
        raise ValueError("TLS 1.2 needs the cipher suite's PRF hash")
    return prf_tls12(prf_hash, secret, label, seed, length)


def master_secret(
    version: Version, prf_hash: PrfHash | None, pre_master: bytes, client_random: bytes, server_random: bytes
) -> bytes:
    """The 48-byte master secret (RFC 5246 §8.1, RFC 6101 §6.1)."""
    if version is Version.SSL3:
        return ssl3.master_secret(pre_master, client_random, server_random)
    return tls_prf(version, prf_hash, pre_master, MASTER_SECRET, client_random + server_random, MASTER_SECRET_LENGTH)


def extended_master_secret(version: Version, prf_hash: PrfHash | None, pre_master: bytes, session_hash: bytes) -> bytes:
    """The 48-byte extended master secret (RFC 7627 §4), which no SSL 3.0 has.

    `session_hash` is `transcript_hash` of the handshake messages up to ClientKeyExchange.
    """
    return tls_prf(version, prf_hash, pre_master, EXTENDED_MASTER_SECRET, session_hash, MASTER_SECRET_LENGTH)


def key_block(
    version: Version,
    prf_hash: PrfHash | None,
    master: bytes,
    client_random: bytes,
    server_random: bytes,
    length: int,
) -> bytes:
    """`length` bytes of key block (RFC 5246 §6.3, RFC 6101 §6.2.2): the one stream all keys and IVs are cut from."""
    if version is Version.SSL3:
        return ssl3.key_block(master, client_random, server_random, length)
    return tls_prf(version, prf_hash, master, KEY_EXPANSION, server_random + client_random, length)


def transcript_hash(version: Version, prf_hash: PrfHash | None, messages: bytes) -> bytes:
    """The hash of handshake messages: MD5 + SHA-1 (36 bytes) before TLS 1.2, the suite's PRF hash in it (RFC 5246 §7.4.9)."""
    if version in (Version.TLS10, Version.TLS11):
        return PrfHash.MD5.digest(messages) + PrfHash.SHA1.digest(messages)
    if version is not Version.TLS12 or prf_hash is None:
        raise ValueError(f"no transcript hash for {version} with {prf_hash and prf_hash.name}")
    return prf_hash.digest(messages)


def verify_data(
    version: Version,
    prf_hash: PrfHash | None,
    master: bytes,
    side: Side,
    handshake_hash: bytes,
    length: int = VERIFY_DATA_LENGTH,
) -> bytes:
    """verify_data from the transcript's hash (RFC 5246 §7.4.9), TLS 1.0 to 1.2; what CKM_TLS_MAC makes."""
    label = CLIENT_FINISHED if side is Side.CLIENT else SERVER_FINISHED
    return tls_prf(version, prf_hash, master, label, handshake_hash, length)


def finished(version: Version, prf_hash: PrfHash | None, master: bytes, side: Side, messages: bytes) -> bytes:
    """`side`'s Finished over `messages`, all handshake messages so far: 36 bytes in SSL 3.0, 12 after it."""
    if version is Version.SSL3:
        return ssl3.finished(master, side, messages)
    return verify_data(version, prf_hash, master, side, transcript_hash(version, prf_hash, messages))


def exporter_seed(client_random: bytes, server_random: bytes, context: bytes | None = None) -> bytes:
    """The seed of an exporter (RFC 5705 §4); context None and b"" differ: an empty context adds its two-byte length."""
    if context is None:
        return client_random + server_random
    if len(context) > 0xFFFF:
        raise ValueError(f"an exporter's context has at most 65535 bytes, not {len(context)}")
    return client_random + server_random + len(context).to_bytes(2, "big") + context


def exporter(
    version: Version,
    prf_hash: PrfHash | None,
    master: bytes,
    label: bytes,
    client_random: bytes,
    server_random: bytes,
    length: int,
    context: bytes | None = None,
) -> bytes:
    """Exported keying material, `length` bytes (RFC 5705 §4). The label is not judged here: see `inputs`."""
    return tls_prf(version, prf_hash, master, label, exporter_seed(client_random, server_random, context), length)


def export_write_key(
    version: Version, write_key: bytes, side: Side, client_random: bytes, server_random: bytes, length: int
) -> bytes:
    """The final write key of an EXPORT suite from its short one (RFC 2246 §6.3.1, RFC 6101 §6.2.2.1): SSL 3.0, TLS 1.0.

    Not to be taken for the exporter: "export" here is the law that kept keys at 40 bits.
    """
    if version is Version.SSL3:
        first, second = _writer_first(side, client_random, server_random)
        return ssl3.export_key(write_key, first, second, length)
    _refuse_export_after_tls10(version)
    return prf_tls10(write_key, f"{side} write key".encode(), client_random + server_random, length)


def export_iv(version: Version, side: Side, client_random: bytes, server_random: bytes, length: int) -> bytes:
    """The IV of an EXPORT block-cipher suite, made of public data only (RFC 2246 §6.3.1, RFC 6101 §6.2.2.1)."""
    if version is Version.SSL3:
        return ssl3.export_iv(*_writer_first(side, client_random, server_random), length)
    _refuse_export_after_tls10(version)
    block = prf_tls10(b"", IV_BLOCK, client_random + server_random, 2 * length)
    return block[:length] if side is Side.CLIENT else block[length:]


def _writer_first(side: Side, client_random: bytes, server_random: bytes) -> tuple[bytes, bytes]:
    return (client_random, server_random) if side is Side.CLIENT else (server_random, client_random)


def _refuse_export_after_tls10(version: Version) -> None:
    if version is not Version.TLS10:
        raise ValueError(f"{version} has no export suites (RFC 4346 Appendix A.5)")
