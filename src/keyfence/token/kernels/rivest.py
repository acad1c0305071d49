"""RC2 (RFC 2268) and RC4, for every key length the standards allow.

The library offers RC2 with 128 effective bits only and RC4 with eight key lengths; an export suite, and a key cut short by
its caller, need the others. Lengths are in bytes; effective key lengths are in BITS.
"""

from typing import Final

RC2_BLOCK: Final = 8

# RFC 2268 section 2: a permutation of all byte values, drawn from the digits of pi.
_PI: Final = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
_ROTATIONS: Final = (1, 2, 3, 5)
_MIXES_BEFORE_MASH: Final = (5, 6, 5)


class Rc2:
    """RC2 under a key of 1 to 128 bytes, of which 1 to 1024 BITS are effective."""

    def __init__(self, key: bytes, effective_bits: int) -> None:
        if not (1 <= len(key) <= 128 and 1 <= effective_bits <= 1024):
            raise ValueError("RC2 takes 1 to 128 bytes of key and 1 to 1024 effective bits")
        self._words = _expand(key, effective_bits)

    def encrypt_block(self, block: bytes) -> bytes:
        """Eight bytes to eight bytes (RFC 2268 section 3)."""
        r, words = _load(block), self._words
        position = 0
        for round_, mixes in enumerate(_MIXES_BEFORE_MASH):
            if round_:
                for i in range(4):
                    r[i] = r[i] + words[r[i - 1] & 63] & 0xFFFF
            for _ in range(mixes):
                for i in range(4):
                    total = r[i] + words[position] + (r[i - 1] & r[i - 2]) + (~r[i - 1] & r[i - 3]) & 0xFFFF
                    r[i] = (total << _ROTATIONS[i] | total >> 16 - _ROTATIONS[i]) & 0xFFFF
                    position += 1
        return _store(r)

    def decrypt_block(self, block: bytes) -> bytes:
        """The inverse (RFC 2268 section 4)."""
        r, words = _load(block), self._words
        position = 63
        for round_, mixes in enumerate(_MIXES_BEFORE_MASH):
            if round_:
                for i in (3, 2, 1, 0):
                    r[i] = r[i] - words[r[i - 1] & 63] & 0xFFFF
            for _ in range(mixes):
                for i in (3, 2, 1, 0):
                    total = (r[i] >> _ROTATIONS[i] | r[i] << 16 - _ROTATIONS[i]) & 0xFFFF
                    r[i] = total - words[position] - (r[i - 1] & r[i - 2]) - (~r[i - 1] & r[i - 3]) & 0xFFFF
                    position -= 1
        return _store(r)


def rc2_ecb(key: bytes, effective_bits: int, data: bytes, encrypting: bool) -> bytes:
    """RC2 in ECB mode over whole blocks."""
    cipher = Rc2(key, effective_bits)
    transform = cipher.encrypt_block if encrypting else cipher.decrypt_block
    return b"".join(map(transform, _blocks(data)))


def rc2_cbc(key: bytes, effective_bits: int, iv: bytes, data: bytes, encrypting: bool) -> bytes:
    """RC2 in CBC mode over whole blocks; the IV is 8 bytes."""
    cipher = Rc2(key, effective_bits)
    output = []
    previous = iv
    for block in _blocks(data):
        if encrypting:
            previous = cipher.encrypt_block(_xor(block, previous))
            output.append(previous)
        else:
            output.append(_xor(cipher.decrypt_block(block), previous))
            previous = block
    return b"".join(output)


def rc4(key: bytes, data: bytes) -> bytes:
    """RC4 under a key of 1 to 256 bytes; encryption and decryption are the same."""
    if not 1 <= len(key) <= 256:
        raise ValueError("RC4 takes 1 to 256 bytes of key")
    state = list(range(256))
    j = 0
    for i in range(256):
        j = j + state[i] + key[i % len(key)] & 255
        state[i], state[j] = state[j], state[i]
    output = bytearray()
    i = j = 0
    for byte in data:
        i = i + 1 & 255
        j = j + state[i] & 255
        state[i], state[j] = state[j], state[i]
        output.append(byte ^ state[state[i] + state[j] & 255])
    return bytes(output)


def _expand(key: bytes, effective_bits: int) -> list[int]:
    """64 words of 16 bits (RFC 2268 section 2)."""
    buffer = bytearray(key)
    while len(buffer) < 128:
        buffer.append(_PI[buffer[-1] + buffer[-len(key)] & 255])
    effective = (effective_bits + 7) // 8
    mask = 0xFF >> 8 * effective - effective_bits
    buffer[128 - effective] = _PI[buffer[128 - effective] & mask]
    for i in reversed(range(128 - effective)):
        buffer[i] = _PI[buffer[i + 1] ^ buffer[i + effective]]
    return [int.from_bytes(buffer[i : i + 2], "little") for i in range(0, 128, 2)]


def _load(block: bytes) -> list[int]:
    return [int.from_bytes(block[i : i + 2], "little") for i in range(0, RC2_BLOCK, 2)]


def _store(words: list[int]) -> bytes:
    return b"".join(word.to_bytes(2, "little") for word in words)


def _blocks(data: bytes) -> list[bytes]:
    return [data[i : i + RC2_BLOCK] for i in range(0, len(data), RC2_BLOCK)]


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
