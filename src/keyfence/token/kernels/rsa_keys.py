"""RSA keys as PKCS#11 attributes (PKCS#11 3.0 section 2.1): numbers are big-endian bytes without leading zeros."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from keyfence.cryptoki import Template
from keyfence.cryptoki.constants import CKA, CKR

from .refusals import number, refuse

MODULUS_BITS: Final = range(1024, 4097)
"""The sizes `generate` makes."""


def generate(
    bits: int = 2048, public_exponent: int = 65537, *, function: str = "C_GenerateKeyPair"
) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """A key pair as (public, private) attributes: `bits` of modulus, public exponent 3 or 65537."""
    if bits not in MODULUS_BITS:
        raise refuse(CKR.KEY_SIZE_RANGE, function, f"{bits} bits")
    if public_exponent not in (3, 65537):
        raise refuse(CKR.ATTRIBUTE_VALUE_INVALID, function, "a public exponent is 3 or 65537 here")
    key = rsa.generate_private_key(public_exponent, bits)
    return public_attributes(key.public_key()), private_attributes(key)


def public_attributes(key: rsa.RSAPublicKey) -> dict[int, bytes]:
    """CKA_MODULUS and CKA_PUBLIC_EXPONENT."""
    numbers = key.public_numbers()
    return {CKA.MODULUS: _octets(numbers.n), CKA.PUBLIC_EXPONENT: _octets(numbers.e)}


def private_attributes(key: rsa.RSAPrivateKey) -> dict[int, bytes]:
    """All eight numbers."""
    numbers = key.private_numbers()
    return {
        **public_attributes(key.public_key()),
        CKA.PRIVATE_EXPONENT: _octets(numbers.d),
        CKA.PRIME_1: _octets(numbers.p),
        CKA.PRIME_2: _octets(numbers.q),
        CKA.EXPONENT_1: _octets(numbers.dmp1),
        CKA.EXPONENT_2: _octets(numbers.dmq1),
        CKA.COEFFICIENT: _octets(numbers.iqmp),
    }


def complete_private(key: Template, *, function: str = "C_CreateObject") -> dict[int, bytes]:
    """All eight numbers from the modulus and both exponents, after checking that they make a key.

    The five others, where given, have to be that key's. CKR_TEMPLATE_INCOMPLETE where one of the three is missing,
    CKR_ATTRIBUTE_VALUE_INVALID where the numbers do not fit together.
    """
    needed = (CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT)
    n, e, d = (number(key, attribute, function, CKR.TEMPLATE_INCOMPLETE) for attribute in needed)
    try:
        p, q = rsa.rsa_recover_prime_factors(n, e, d)
        if CKA.PRIME_1 in key and number(key, CKA.PRIME_1, function) == q:
            p, q = q, p
        complete = private_attributes(_private_numbers(n, e, d, p, q).private_key())
    except ValueError:
        raise refuse(CKR.ATTRIBUTE_VALUE_INVALID, function, "the numbers make no RSA key") from None
    for attribute in complete.keys() & key.keys():
        if number(key, attribute, function) != number(complete, attribute, function):
            raise refuse(CKR.ATTRIBUTE_VALUE_INVALID, function, "the numbers are not of one RSA key")
    return complete


def load_public(key: Template, function: str) -> rsa.RSAPublicKey:
    """The library's key; CKR_KEY_TYPE_INCONSISTENT where the attributes are not an RSA key's or make none."""
    n, e = number(key, CKA.MODULUS, function), number(key, CKA.PUBLIC_EXPONENT, function)
    try:
        return rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError:
        raise refuse(CKR.KEY_TYPE_INCONSISTENT, function, "the numbers make no RSA key") from None


def load_private(key: Template, function: str) -> rsa.RSAPrivateKey:
    """The library's key, from what `generate` or `complete_private` gave; the numbers are not checked again."""
    needed = (CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT, CKA.PRIME_1, CKA.PRIME_2)
    n, e, d, p, q = (number(key, attribute, function) for attribute in needed)
    return _private_numbers(n, e, d, p, q).private_key(unsafe_skip_rsa_key_validation=True)


def _private_numbers(n: int, e: int, d: int, p: int, q: int) -> rsa.RSAPrivateNumbers:
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, n))


def _octets(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
