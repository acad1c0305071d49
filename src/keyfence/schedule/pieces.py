"""The byte strings of record protection: MAC input, additional data, nonce, CBC padding, record header.

They stand alone so that a MODULE can do the protecting: C_Sign over `mac_input`, C_Encrypt with `nonce` and `aad`.
"""

from .ciphers import Mode
from .protocol import ContentType, Version
from .suites import CipherSuite

MAX_PLAINTEXT = 2**14
"""Bytes of content in one record (RFC 5246 §6.2.1)."""


class BadRecordMac(ValueError):
    """The record was not made with these keys: MAC, tag or padding is wrong. It does not say which."""

    def __init__(self) -> None:
        super().__init__("bad_record_mac")


def mac_input(version: Version, sequence: int, content_type: int, data: bytes) -> bytes:
    """What the record MAC is computed over (RFC 5246 §6.2.3.1); SSL 3.0 leaves the version out (RFC 6101 §5.2.3.1).

    `data` is the content, or IV and ciphertext with encrypt-then-MAC (RFC 7366 §3).
    """
    header = bytes([content_type]) if version is Version.SSL3 else bytes([content_type]) + version.wire
    return sequence.to_bytes(8, "big") + header + len(data).to_bytes(2, "big") + data


def aad(version: Version, sequence: int, content_type: int, length: int) -> bytes:
    """The additional data of an AEAD.

    TLS 1.2 (RFC 5246 §6.2.3.3): sequence number and header, `length` that of the PLAINTEXT.
    TLS 1.3 (RFC 8446 §5.2): the record's header as sent, `length` that of the CIPHERTEXT with its tag; the content type is
    inside, so `content_type` and `sequence` do not show.
    """
    if version is Version.TLS13:
        return header(version, ContentType.APPLICATION_DATA, length)
    return sequence.to_bytes(8, "big") + header(version, content_type, length)


def nonce(suite: CipherSuite, version: Version, iv: bytes, sequence: int, explicit: bytes) -> bytes:
    """The 12-byte nonce of an AEAD.

    GCM and CCM in TLS 1.2: fixed IV (4 bytes) and the record's explicit nonce (8 bytes; RFC 5288 §3, RFC 6655 §3). All
    others: IV XOR sequence number, nothing explicit (RFC 7905 §2, RFC 8446 §5.3).
    """
    if version is not Version.TLS13 and suite.mode in (Mode.GCM, Mode.CCM):
        return iv + explicit
    return (int.from_bytes(iv, "big") ^ sequence).to_bytes(len(iv), "big")


def pad(block: int, data: bytes) -> bytes:
    """Content and MAC, padded to whole blocks: n + 1 bytes of value n (RFC 5246 §6.2.3.2), n the least that fits."""
    count = block - len(data) % block
    return data + bytes([count - 1]) * count


def unpad(version: Version, block: int, data: bytes) -> bytes:
    """`data` without its padding; BadRecordMac where that is malformed.

    SSL 3.0 looks at the last byte only and wants less than a block (RFC 6101 §5.2.3.2), which is the hole of POODLE.
    """
    if not data or data[-1] >= len(data):
        raise BadRecordMac
    count = data[-1] + 1
    if version is Version.SSL3:
        if count > block:
            raise BadRecordMac
    elif any(byte != data[-1] for byte in data[-count:]):
        raise BadRecordMac
    return data[:-count]


def header(version: Version, content_type: int, length: int) -> bytes:
    """The five bytes before a fragment of `length` bytes; TLS 1.3 says TLS 1.2 there (RFC 8446 §5.1)."""
    return bytes([content_type]) + min(version, Version.TLS12).to_bytes(2, "big") + length.to_bytes(2, "big")
