"""Diffie-Hellman in a prime field, PKCS #3 style (PKCS#11 3.0 section 2.4). Keys are attributes, numbers big-endian bytes.

Python's integers do not take constant time; this is a reference, not a place for long-lived keys.
"""

import secrets
from functools import lru_cache
from typing import Final

from keyfence.cryptoki import Template
from keyfence.cryptoki.constants import CKA, CKR

from .refusals import number, refuse

_LONGEST_PRIME: Final = 8192  # bits
_BASES: Final = 8


def generate(
    prime: bytes, base: bytes, value_bits: int | None = None, *, function: str = "C_GenerateKeyPair"
) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """A key pair as (public, private) attributes; `value_bits` is the length of the private value in BITS.

    CKR_ATTRIBUTE_VALUE_INVALID for numbers that make no group, or more bits than the prime has. Whether `prime` is one is not
    tested.
    """
    p, g = int.from_bytes(prime, "big"), int.from_bytes(base, "big")
    if p < 5 or p % 2 == 0 or not 1 < g < p - 1:
        raise refuse(CKR.ATTRIBUTE_VALUE_INVALID, function, "no Diffie-Hellman group")
    if value_bits is not None and not 1 < value_bits < p.bit_length():
        raise refuse(CKR.ATTRIBUTE_VALUE_INVALID, function, "CKA_VALUE_BITS")
    x = _private_value(p, value_bits)
    group: dict[int, bytes] = {CKA.PRIME: prime, CKA.BASE: base}
    width = (p.bit_length() + 7) // 8
    private: dict[int, bytes] = {**group, CKA.VALUE: x.to_bytes((x.bit_length() + 7) // 8, "big")}
    return {**group, CKA.VALUE: pow(g, x, p).to_bytes(width, "big")}, private


def derive(private: Template, peer: bytes, *, function: str = "C_DeriveKey") -> bytes:
    """The secret shared with the peer's public value, as wide as the prime, leading zeros kept.

    TLS before 1.3 strips the leading zeros of this (RFC 5246 section 8.1.2): that is the caller's to do.
    CKR_MECHANISM_PARAM_INVALID for a public value outside 2 to p - 2 (RFC 7919 section 5.1).
    """
    p, x, y = number(private, CKA.PRIME, function), number(private, CKA.VALUE, function), int.from_bytes(peer, "big")
    if not 1 < y < p - 1:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "public value out of range")
    return pow(y, x, p).to_bytes((p.bit_length() + 7) // 8, "big")


@lru_cache(maxsize=64)
def is_safe_prime(p: int) -> bool:
    """Whether `p` and (p - 1) / 2 are primes, of at most 8192 bits. The latter is tested over random bases, so proven to 2^-16.

    Otherwise there are small subgroups, and a peer's value from one of them tells the private value modulo its order
    (Lim and Lee, CRYPTO 1997; RFC 2785).
    """
    half = p // 2
    if not 5 < p.bit_length() <= _LONGEST_PRIME or p % 4 != 3 or p % 3 == 0:
        return False
    # Pocklington: with (p - 1) / 2 a prime, one base proves p, provided that 2^2 - 1 has no factor of p.
    return pow(2, p - 1, p) == 1 and _probably_prime(half)


def _probably_prime(n: int) -> bool:
    """Miller and Rabin's test of an odd number over random bases."""
    twos = (n - 1 & 1 - n).bit_length() - 1
    return all(_passes(n, twos, 2 + secrets.randbelow(n - 3)) for _ in range(_BASES))


def _passes(n: int, twos: int, base: int) -> bool:
    power = pow(base, n - 1 >> twos, n)
    if power in (1, n - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % n
        if power == n - 1:
            return True
    return False


def _private_value(p: int, bits: int | None) -> int:
    """2 to p - 2, or exactly `bits` bits (PKCS #3 section 7.1)."""
    if bits is None:
        return 2 + secrets.randbelow(p - 3)
    return 1 << bits - 1 | secrets.randbits(bits - 1)
