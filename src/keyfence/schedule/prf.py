"""The pseudo-random functions of TLS 1.0 to 1.2 (RFC 2246 §5, RFC 4346 §5, RFC 5246 §5).

All lengths are in bytes. Labels are bytes, without a terminator. A PRF hashes label + seed as ONE string: nothing in its
output tells where the label ended, so every caller that judges labels has to judge the whole string.
"""

import hashlib
import hmac
from enum import Enum

from keyfence.cryptoki.constants import CKK, CKM


class PrfHash(Enum):
    """A hash as TLS uses it: in a PRF, in HKDF, or in a record MAC. The value is hashlib's name of it."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    @property
    def digest_size(self) -> int:
        """Length of the digest, and of an HMAC key of this hash, in bytes."""
        return hashlib.new(self.value, usedforsecurity=False).digest_size

    @property
    def ckm(self) -> CKM:
        """The digest mechanism, which is what prfHashMechanism of PKCS#11's TLS parameters names (CKM_SHA256)."""
        return CKM[self._stem]

    @property
    def ckm_hmac(self) -> CKM:
        """The full-length HMAC mechanism (CKM_SHA256_HMAC)."""
        return CKM[f"{self._stem}_HMAC"]

    @property
    def ckk_hmac(self) -> CKK:
        """The key type of this hash's HMAC keys (CKK_SHA256_HMAC)."""
        return CKK[f"{self._stem}_HMAC"]

    @classmethod
    def of_mechanism(cls, mechanism: int) -> "PrfHash":
        """The hash that a digest or HMAC mechanism number names; ValueError where it names none of these."""
        for member in cls:
            if mechanism in (member.ckm, member.ckm_hmac):
                return member
        raise ValueError(f"mechanism 0x{mechanism:08X} names no hash that TLS uses")

    def digest(self, data: bytes) -> bytes:
        """The hash of `data`."""
        return hashlib.new(self.value, data, usedforsecurity=False).digest()

    def hmac(self, key: bytes, data: bytes) -> bytes:
        """HMAC (RFC 2104), full length."""
        return hmac.digest(key, data, self.value)

    @property
    def _stem(self) -> str:
        return "SHA_1" if self is PrfHash.SHA1 else self.name


def p_hash(prf_hash: PrfHash, secret: bytes, seed: bytes, length: int) -> bytes:
    """P_hash, HMAC iterated over its own output (RFC 5246 §5): `length` bytes of it."""
    if length < 0:
        raise ValueError(f"a PRF cannot make {length} bytes")
    stream, a = bytearray(), seed
    while len(stream) < length:
        a = prf_hash.hmac(secret, a)
        stream += prf_hash.hmac(secret, a + seed)
    return bytes(stream[:length])


def prf_tls10(secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """The PRF of TLS 1.0 and 1.1: P_MD5 of one half of the secret XOR P_SHA1 of the other (RFC 2246 §5).

    The halves of a secret of odd length share its middle byte.
    """
    half = (len(secret) + 1) // 2
    first, second = secret[:half], secret[len(secret) - half :]
    md5 = p_hash(PrfHash.MD5, first, label + seed, length)
    sha1 = p_hash(PrfHash.SHA1, second, label + seed, length)
    return bytes(a ^ b for a, b in zip(md5, sha1, strict=True))


def prf_tls12(prf_hash: PrfHash, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """The PRF of TLS 1.2 with the cipher suite's hash (RFC 5246 §5)."""
    return p_hash(prf_hash, secret, label + seed, length)
