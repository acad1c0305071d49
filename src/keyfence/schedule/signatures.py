"""What an RSA key signs without hashing it: digests of TLS, and nothing that could be a ciphertext in disguise.

CKM_RSA_PKCS pads what the caller gives. Of data nearly as wide as the modulus two signatures decrypt any ciphertext c: with
P the padding, c * (P + m1) = P + m2 (mod n) has small solutions, and then c^d is the second signature divided by the first.
That is forgery under a fixed pattern (Brier et al., CRYPTO 2001; Lenstra and Shparlinski, PKC 2002), put to a
ClientKeyExchange. It wants more than a third of the modulus to choose, which a digest is not.
"""

from collections.abc import Mapping
from typing import Final

_SHA2: Final = "6086480165030402"
_PREFIXES: Final[Mapping[bytes, int]] = {
    bytes.fromhex("3021300906052b0e03021a05000414"): 20,
    **{
        bytes.fromhex(f"30{17 + size:02x}300d0609{_SHA2}{number:02x}050004{size:02x}"): size
        for number, size in ((1, 32), (2, 48), (3, 64), (4, 28))
    },
}
"""A DigestInfo before its digest (RFC 8017 section 9.2), SHA-1 and SHA-2, to the digest's length in bytes."""

_MD5_AND_SHA1: Final = 36
"""Bytes that TLS signs before TLS 1.2, without a DigestInfo (RFC 4346 section 7.4.3)."""


def is_tls_digest(data: bytes, modulus: int) -> bool:
    """Whether `data` is what TLS signs with CKM_RSA_PKCS, and too narrow to make relations under a modulus of so many bytes."""
    size = _digest_size(data)
    return size is not None and 3 * size < modulus


def _digest_size(data: bytes) -> int | None:
    if len(data) == _MD5_AND_SHA1:
        return _MD5_AND_SHA1
    return next(
        (size for prefix, size in _PREFIXES.items() if data.startswith(prefix) and len(data) == len(prefix) + size), None
    )
