"""GCM from its subkeys (NIST SP 800-38D §6.4, §7): what E(0^128) and some keystream are worth without the key.

pyca/cryptography offers GCM as a whole only, and the point here is to open a record with LESS than the key.
"""

from typing import Final

from keyfence.schedule import Version
from keyfence.schedule.pieces import aad, nonce

from .base import Inconclusive
from .recovery import GcmSubkeys
from .victim import Record, Victim

_BLOCK: Final = 16
_R: Final = 0xE1 << 120  # the field's polynomial x^128 + x^7 + x^2 + x + 1, bit-reflected (§6.3)


def ghash(hash_key: bytes, data: bytes) -> bytes:
    """GHASH of whole blocks."""
    h, y = int.from_bytes(hash_key, "big"), 0
    for start in range(0, len(data), _BLOCK):
        y = _multiply(y ^ int.from_bytes(data[start : start + _BLOCK], "big"), h)
    return y.to_bytes(_BLOCK, "big")


def _multiply(x: int, y: int) -> int:
    """x times y in GF(2^128) (§6.3, algorithm 1)."""
    z = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            z ^= y
        y = y >> 1 ^ (_R if y & 1 else 0)
    return z


def tag(subkeys: GcmSubkeys, number: bytes, additional: bytes, ciphertext: bytes) -> bytes:
    """The 16-byte tag over `additional` and `ciphertext` under a 12-byte nonce (§7.1, steps 5 and 6)."""
    lengths = (8 * len(additional)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    digest = ghash(subkeys.hash_key, _padded(additional) + _padded(ciphertext) + lengths)
    return _xor(digest, subkeys.keystream[number + b"\0\0\0\1"])


def counter_blocks(number: bytes, length: int) -> list[bytes]:
    """The counter blocks that a message of `length` bytes uses: the tag's, then one per 16 bytes."""
    return [number + counter.to_bytes(4, "big") for counter in range(1, 2 + -(-length // _BLOCK))]


def record_parts(victim: Victim, record: Record) -> tuple[bytes, bytes, bytes, bytes]:
    """(nonce, additional data, ciphertext, tag) of a GCM record, all of it public but for the fixed IV."""
    cut = victim.suite.record_iv(victim.version)
    explicit, sealed = record.fragment[:cut], record.fragment[cut:]
    ciphertext, found = sealed[:-_BLOCK], sealed[-_BLOCK:]
    length = len(sealed) if victim.version is Version.TLS13 else len(ciphertext)
    number = nonce(victim.suite, victim.version, victim.ivs[record.side], record.sequence, explicit)
    return number, aad(victim.version, record.sequence, record.content_type, length), ciphertext, found


def open_with_subkeys(victim: Victim, record: Record, subkeys: GcmSubkeys) -> bytes:
    """The record's content. Inconclusive where the tag, computed from the subkeys alone, is not the record's."""
    number, additional, ciphertext, found = record_parts(victim, record)
    if tag(subkeys, number, additional, ciphertext) != found:
        raise Inconclusive("the tag computed from the recovered subkeys is not the record's")
    stream = b"".join(subkeys.keystream[block] for block in counter_blocks(number, len(ciphertext))[1:])
    plaintext = _xor(ciphertext, stream)
    return plaintext[:-1] if victim.version is Version.TLS13 else plaintext


def forge(subkeys: GcmSubkeys, number: bytes, additional: bytes, plaintext: bytes) -> bytes:
    """Ciphertext and tag of a message of one's own under a nonce whose keystream is known: a record nobody sent."""
    stream = b"".join(subkeys.keystream[block] for block in counter_blocks(number, len(plaintext))[1:])
    ciphertext = _xor(plaintext, stream)
    return ciphertext + tag(subkeys, number, additional, ciphertext)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _BLOCK)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))
