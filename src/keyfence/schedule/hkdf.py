"""HKDF (RFC 5869) and what TLS 1.3 makes of it (RFC 8446 §7). All lengths are in bytes.

HKDF-Expand has the hole of the older key block: the input names no algorithm, and a shorter output is a prefix of a longer
one UNLESS the length is in the info, as HkdfLabel has it.
"""

from dataclasses import dataclass
from typing import Final

from .prf import PrfHash

LABEL_PREFIX: Final = b"tls13 "
_MAX_BLOCKS: Final = 255


class BadHkdfLabel(ValueError):
    """Bytes that are no HkdfLabel, or values that none can hold."""


def extract(prf_hash: PrfHash, salt: bytes, ikm: bytes) -> bytes:
    """HKDF-Extract (RFC 5869 §2.2): one digest. An empty salt equals one of digest_size zero bytes."""
    return prf_hash.hmac(salt, ikm)


def expand(prf_hash: PrfHash, prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand (RFC 5869 §2.3): at most 255 digests, ValueError for more."""
    if not 0 <= length <= _MAX_BLOCKS * prf_hash.digest_size:
        raise ValueError(f"HKDF with {prf_hash.name} makes at most {_MAX_BLOCKS * prf_hash.digest_size} bytes")
    stream, block, counter = bytearray(), b"", 0
    while len(stream) < length:
        counter += 1
        block = prf_hash.hmac(prk, block + info + bytes([counter]))
        stream += block
    return bytes(stream[:length])


@dataclass(frozen=True, slots=True)
class HkdfLabel:
    """The info of HKDF-Expand-Label (RFC 8446 §7.1): output length, label without its "tls13 ", context.

    BadHkdfLabel where a value does not fit: length 0..65535, label 1..249 bytes, context 0..255 bytes.
    """

    length: int
    label: bytes
    context: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.length <= 0xFFFF:
            raise BadHkdfLabel(f"an HkdfLabel asks for 0 to 65535 bytes, not {self.length}")
        if not 1 <= len(self.label) <= 0xFF - len(LABEL_PREFIX):
            raise BadHkdfLabel(f"a label has 1 to 249 bytes, not {len(self.label)}")
        if len(self.context) > 0xFF:
            raise BadHkdfLabel(f"a context has at most 255 bytes, not {len(self.context)}")

    def encode(self) -> bytes:
        """The struct on the wire: two bytes of length, label and context each behind one byte of length."""
        label = LABEL_PREFIX + self.label
        return self.length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(self.context)]) + self.context

    @classmethod
    def parse(cls, info: bytes) -> "HkdfLabel":
        """The label that encodes to exactly `info`; BadHkdfLabel for anything short, left over, or without "tls13 "."""
        label, rest = _vector(info[2:])
        context, rest = _vector(rest)
        if rest:
            raise BadHkdfLabel(f"{len(rest)} bytes left over after an HkdfLabel")
        if not label.startswith(LABEL_PREFIX):
            raise BadHkdfLabel('the label of an HkdfLabel begins "tls13 "')
        return cls(int.from_bytes(info[:2], "big"), label.removeprefix(LABEL_PREFIX), context)


def _vector(data: bytes) -> tuple[bytes, bytes]:
    """A vector with one byte of length, and what follows it."""
    if not data or len(data) < 1 + data[0]:
        raise BadHkdfLabel("an HkdfLabel ends early")
    return data[1 : 1 + data[0]], data[1 + data[0] :]


def expand_label(prf_hash: PrfHash, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 §7.1); the label without "tls13 "."""
    return expand(prf_hash, secret, HkdfLabel(length, label, context).encode(), length)


def derive_secret(prf_hash: PrfHash, secret: bytes, label: bytes, messages: bytes) -> bytes:
    """Derive-Secret (RFC 8446 §7.1) over the handshake messages themselves, which are hashed here."""
    return expand_label(prf_hash, secret, label, prf_hash.digest(messages), prf_hash.digest_size)


def traffic_key(prf_hash: PrfHash, secret: bytes, length: int) -> bytes:
    """The write key of a traffic secret (RFC 8446 §7.3); the length is the cipher's key length."""
    return expand_label(prf_hash, secret, b"key", b"", length)


def traffic_iv(prf_hash: PrfHash, secret: bytes, length: int = 12) -> bytes:
    """The IV of a traffic secret (RFC 8446 §7.3); 12 bytes for every AEAD of RFC 8446."""
    return expand_label(prf_hash, secret, b"iv", b"", length)


def next_traffic_secret(prf_hash: PrfHash, secret: bytes) -> bytes:
    """The traffic secret after a KeyUpdate (RFC 8446 §7.2)."""
    return expand_label(prf_hash, secret, b"traffic upd", b"", prf_hash.digest_size)


def finished_key(prf_hash: PrfHash, base_key: bytes) -> bytes:
    """The HMAC key of a Finished, from a handshake traffic secret (RFC 8446 §4.4.4)."""
    return expand_label(prf_hash, base_key, b"finished", b"", prf_hash.digest_size)


def finished(prf_hash: PrfHash, base_key: bytes, messages: bytes) -> bytes:
    """verify_data of TLS 1.3 (RFC 8446 §4.4.4) over all handshake messages so far."""
    return prf_hash.hmac(finished_key(prf_hash, base_key), prf_hash.digest(messages))


def exporter13(prf_hash: PrfHash, exporter_master: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """TLS-Exporter (RFC 8446 §7.5); no context and an empty one are the same there."""
    secret = derive_secret(prf_hash, exporter_master, label, b"")
    return expand_label(prf_hash, secret, b"exporter", prf_hash.digest(context), length)
