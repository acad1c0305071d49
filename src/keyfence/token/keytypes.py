"""Secret key types: which lengths each may have, parity, check values. Lengths are in bytes."""

import hashlib
from collections.abc import Container, Mapping
from typing import Final

from keyfence.cryptoki.constants import CKK, CKR, describe

from .kernels.blocks import AES, BLOWFISH, CAMELLIA, CAST128, DES, DES3, IDEA, SEED, BlockCipher
from .kernels.digests import DIGESTS
from .refused import Refused

_ANY: Final = range(1, (1 << 16) + 1)

FIXED: Final[Mapping[int, int]] = {
    CKK.DES: 8,
    CKK.DES2: 16,
    CKK.DES3: 24,
    CKK.IDEA: 16,
    CKK.SEED: 16,
    CKK.CHACHA20: 32,
    CKK.POLY1305: 32,
}
"""The types with one length, which a template need not say."""

LENGTHS: Final[Mapping[int, Container[int]]] = {
    **{key_type: (length,) for key_type, length in FIXED.items()},
    CKK.GENERIC_SECRET: _ANY,
    CKK.HKDF: _ANY,
    **{row.hmac_key_type: _ANY for row in DIGESTS},
    CKK.AES: (16, 24, 32),
    CKK.CAMELLIA: (16, 24, 32),
    CKK.ARIA: (16, 24, 32),
    CKK.RC2: range(1, 129),
    CKK.RC4: range(1, 257),
    CKK.CAST128: CAST128.key_sizes,
    CKK.BLOWFISH: BLOWFISH.key_sizes,
}
"""Every secret key type the token holds, and its lengths."""

GENERIC: Final = frozenset({CKK.GENERIC_SECRET, CKK.HKDF, *(row.hmac_key_type for row in DIGESTS)})
"""The types that are secrets for MACs and derivations rather than for a cipher."""

_BLOCKS: Final[Mapping[int, BlockCipher]] = {
    key_type: cipher for cipher in (AES, BLOWFISH, CAMELLIA, CAST128, DES, DES3, IDEA, SEED) for key_type in cipher.key_types
}
_DES_TYPES: Final = (CKK.DES, CKK.DES2, CKK.DES3)


def check_length(key_type: int, length: int, refusal: CKR = CKR.KEY_SIZE_RANGE) -> None:
    """Refuse a type the token does not hold, or a length the type does not have (with `refusal`)."""
    lengths = LENGTHS.get(key_type)
    if lengths is None:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, f"no secret keys of type {describe(CKK, key_type)}")
    if length not in lengths:
        raise Refused(refusal, f"{describe(CKK, key_type)} of {length} bytes")


def with_parity(key_type: int, value: bytes) -> bytes:
    """DES keys with each byte's low bit set so that its bits are odd in number; other keys as they are."""
    if key_type not in _DES_TYPES:
        return value
    return bytes(byte & 0xFE | ~(byte >> 1).bit_count() & 1 for byte in value)


def check_value(key_type: int, value: bytes) -> bytes | None:
    """CKA_CHECK_VALUE, three bytes: of a zero block's encryption, of SHA-1 for secrets without a cipher (sections 4.10, 6.8).

    None for ciphers that have no default mode here (RC2, RC4, ChaCha20).
    """
    if key_type in GENERIC:
        return hashlib.sha1(value, usedforsecurity=False).digest()[:3]
    cipher = _BLOCKS.get(key_type)
    if cipher is None or len(value) not in cipher.key_sizes:
        return None
    return cipher.cbc_mac(value, bytes(cipher.block))[:3]  # one zero block in CBC under a zero IV is ECB
