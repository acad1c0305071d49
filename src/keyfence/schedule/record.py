"""Record protection outside any module, SSL 3.0 to TLS 1.3: what proves that a recovered key is the right one.

    keys = RecordKeys.from_key_block(suite, Version.TLS12, block, Side.CLIENT)
    fragment = seal(keys, ContentType.APPLICATION_DATA, b"hello")
    open(keys, ContentType.APPLICATION_DATA, fragment)      → Plaintext(content_type=23, data=b"hello")
    keys = keys.after(fragment)                             for the next record

`open` verifies MAC or tag and padding. It is no endpoint's: it does not run in constant time. A fragment is what follows the
five bytes of a record's header (`pieces.header`).
"""

import hmac
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from . import primitives, ssl3
from .ciphers import Mode
from .hkdf import traffic_iv, traffic_key
from .pieces import MAX_PLAINTEXT, BadRecordMac, aad, mac_input, nonce, pad, unpad
from .primitives import UnsupportedCipher
from .protocol import Side, Version
from .shapes import Part
from .suites import CipherSuite
from .tls import export_iv, export_write_key


class Plaintext(NamedTuple):
    """What a record carried; in TLS 1.3 the content type comes from inside."""

    content_type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RecordKeys:
    """All that protecting ONE direction's next record takes. ValueError where a length is not the suite's.

    mac                 MAC key; empty for AEADs
    key                 write key, of the length the cipher runs with
    iv                  fixed IV of an AEAD; for CBC in SSL 3.0 and TLS 1.0 the last block of the record
                        before (RFC 2246 §6.2.3.2); empty for CBC after them
    encrypt_then_mac    RFC 7366 was negotiated (CBC suites only)
    sequence            the record's number, from 0 after every ChangeCipherSpec
    position            RC4: bytes of key stream used up by earlier records
    """

    suite: CipherSuite
    version: Version
    mac: bytes = field(repr=False)
    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    encrypt_then_mac: bool = False
    sequence: int = 0
    position: int = 0

    def __post_init__(self) -> None:
        suite = self.suite
        if not suite.supports(self.version):
            raise ValueError(f"{self.version} does not negotiate {suite.name}")
        iv = suite.cipher.block if self._is_chained else suite.fixed_iv(self.version)
        for part, value, length in (
            ("MAC key", self.mac, suite.mac_key),
            ("write key", self.key, suite.cipher.key),
            ("IV", self.iv, iv),
        ):
            if len(value) != length:
                raise ValueError(f"the {part} of {suite.name} has {length} bytes in {self.version}, not {len(value)}")
        if self.encrypt_then_mac and suite.mode is not Mode.CBC:
            raise ValueError("encrypt-then-MAC is for CBC suites (RFC 7366 §3)")

    @classmethod
    def from_key_block(
        cls,
        suite: CipherSuite,
        version: Version,
        block: bytes,
        side: Side,
        client_random: bytes = b"",
        server_random: bytes = b"",
    ) -> "RecordKeys":
        """The keys `side` writes with, cut from a key block of exactly the suite's length; export suites need the randoms."""
        parts = suite.shape(version).split(block)
        mac, key, iv = (parts[part] for part in Part if part.side is side)
        if suite.export:
            key = export_write_key(version, key, side, client_random, server_random, suite.cipher.key)
            if suite.mode is Mode.CBC:
                iv = export_iv(version, side, client_random, server_random, suite.cipher.block)
        return cls(suite, version, mac, key, iv)

    @classmethod
    def from_traffic_secret(cls, suite: CipherSuite, secret: bytes) -> "RecordKeys":
        """The keys of a TLS 1.3 traffic secret (RFC 8446 §7.3)."""
        if suite.prf_hash is None or suite.min_version is not Version.TLS13:
            raise ValueError(f"{suite.name} is no suite of TLS 1.3")
        key = traffic_key(suite.prf_hash, secret, suite.cipher.key)
        return cls(suite, Version.TLS13, b"", key, traffic_iv(suite.prf_hash, secret))

    def after(self, fragment: bytes) -> "RecordKeys":
        """The keys as the next record finds them, once `fragment` has passed."""
        if self.suite.mode is Mode.STREAM:
            return replace(self, sequence=self.sequence + 1, position=self.position + len(fragment))
        if self._is_chained:
            end = len(fragment) - (len(self.mac) if self.encrypt_then_mac else 0)
            return replace(self, sequence=self.sequence + 1, iv=fragment[end - self.suite.cipher.block : end])
        return replace(self, sequence=self.sequence + 1)

    @property
    def _is_chained(self) -> bool:
        return self.suite.mode is Mode.CBC and self.version <= Version.TLS10


def seal(keys: RecordKeys, content_type: int, data: bytes, explicit: bytes | None = None, padding: int = 0) -> bytes:
    """The fragment that protects `data`.

    explicit    the IV (CBC from TLS 1.1 on, needed) or explicit nonce (GCM and CCM in TLS 1.2; default: the sequence number)
    padding     TLS 1.3: how many zero bytes hide the length

    ValueError for more than 2^14 bytes or an IV of the wrong length; UnsupportedCipher for ciphers that only modules have.
    """
    if len(data) + padding > MAX_PLAINTEXT:
        raise ValueError(f"a record carries at most {MAX_PLAINTEXT} bytes, not {len(data) + padding}")
    if padding and keys.version is not Version.TLS13:
        raise ValueError("only TLS 1.3 pads records with zeros")
    explicit = _explicit(keys, explicit)
    if keys.version is Version.TLS13:
        return _seal_aead(keys, content_type, data + bytes([content_type]) + bytes(padding), b"")
    if keys.suite.is_aead:
        return _seal_aead(keys, content_type, data, explicit)
    if keys.suite.mode is Mode.CBC:
        return _seal_cbc(keys, content_type, data, explicit)
    return _stream(keys, data + record_mac(keys, content_type, data))


def open(keys: RecordKeys, content_type: int, fragment: bytes) -> Plaintext:
    """The content of `fragment`, whose header said `content_type`; BadRecordMac unless these keys made it."""
    if keys.version is Version.TLS13:
        return _open_inner(_open_aead(keys, content_type, fragment))
    if keys.suite.is_aead:
        return Plaintext(content_type, _open_aead(keys, content_type, fragment))
    if keys.suite.mode is Mode.CBC:
        return Plaintext(content_type, _open_cbc(keys, content_type, fragment))
    return Plaintext(content_type, _check_mac(keys, content_type, _stream(keys, fragment)))


def record_mac(keys: RecordKeys, content_type: int, data: bytes) -> bytes:
    """The MAC of the next record over `data`: SSL 3.0's own, then HMAC; empty for the null suite."""
    if keys.suite.mac is None:
        return b""
    authenticated = mac_input(keys.version, keys.sequence, content_type, data)
    if keys.version is Version.SSL3:
        return ssl3.record_mac(keys.suite.mac, keys.mac, authenticated)
    return keys.suite.mac.hmac(keys.mac, authenticated)


def _explicit(keys: RecordKeys, explicit: bytes | None) -> bytes:
    length = keys.suite.record_iv(keys.version)
    if explicit is None:
        explicit = keys.sequence.to_bytes(8, "big") if keys.suite.is_aead and length else b""
    if len(explicit) != length:
        raise ValueError(f"{keys.suite.name} writes {length} bytes of IV into a {keys.version} record, not {len(explicit)}")
    return explicit


def _seal_aead(keys: RecordKeys, content_type: int, data: bytes, explicit: bytes) -> bytes:
    cipher, version = keys.suite.cipher, keys.version
    length = len(data) + (cipher.tag if version is Version.TLS13 else 0)
    number = nonce(keys.suite, version, keys.iv, keys.sequence, explicit)
    additional = aad(version, keys.sequence, content_type, length)
    return explicit + primitives.aead_encrypt(cipher, keys.key, number, data, additional)


def _open_aead(keys: RecordKeys, content_type: int, fragment: bytes) -> bytes:
    cipher, version = keys.suite.cipher, keys.version
    cut = keys.suite.record_iv(version)
    explicit, sealed = fragment[:cut], fragment[cut:]
    if len(explicit) < cut or len(sealed) < cipher.tag:
        raise BadRecordMac
    length = len(sealed) - (0 if version is Version.TLS13 else cipher.tag)
    number = nonce(keys.suite, version, keys.iv, keys.sequence, explicit)
    return primitives.aead_decrypt(cipher, keys.key, number, sealed, aad(version, keys.sequence, content_type, length))


def _open_inner(inner: bytes) -> Plaintext:
    """TLSInnerPlaintext (RFC 8446 §5.2): content, type, zeros. The peer had the keys, but nothing in zeros only is a record."""
    content = inner.rstrip(b"\0")
    if not content:
        raise BadRecordMac
    return Plaintext(content[-1], content[:-1])


def _seal_cbc(keys: RecordKeys, content_type: int, data: bytes, explicit: bytes) -> bytes:
    cipher = keys.suite.cipher
    if not keys.encrypt_then_mac:
        data += record_mac(keys, content_type, data)
    body = explicit + primitives.cbc_encrypt(cipher, keys.key, explicit or keys.iv, pad(cipher.block, data))
    return body + record_mac(keys, content_type, body) if keys.encrypt_then_mac else body


def _open_cbc(keys: RecordKeys, content_type: int, fragment: bytes) -> bytes:
    cipher = keys.suite.cipher
    body = _check_mac(keys, content_type, fragment) if keys.encrypt_then_mac else fragment
    cut = keys.suite.record_iv(keys.version)
    iv, sealed = body[:cut] or keys.iv, body[cut:]
    if len(iv) < cipher.block:
        raise BadRecordMac
    data = unpad(keys.version, cipher.block, primitives.cbc_decrypt(cipher, keys.key, iv, sealed))
    return data if keys.encrypt_then_mac else _check_mac(keys, content_type, data)


def _check_mac(keys: RecordKeys, content_type: int, data: bytes) -> bytes:
    """`data` without the MAC at its end, which must be right."""
    size = keys.suite.mac.digest_size if keys.suite.mac else 0
    if len(data) < size:
        raise BadRecordMac
    content, mac = data[: len(data) - size], data[len(data) - size :]
    if not hmac.compare_digest(mac, record_mac(keys, content_type, content)):
        raise BadRecordMac
    return content


def _stream(keys: RecordKeys, data: bytes) -> bytes:
    """RC4, or nothing for the NULL cipher: the same both ways."""
    if keys.suite.mode is Mode.NULL:
        return data
    if keys.suite.mode is Mode.STREAM:
        return primitives.rc4(keys.key, keys.position, data)
    raise UnsupportedCipher(f"no {keys.suite.cipher.name} outside a module")
