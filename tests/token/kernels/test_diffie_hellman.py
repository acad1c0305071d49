"""Diffie-Hellman over RFC 7919's ffdhe2048."""

import pytest

from keyfence.cryptoki import CryptokiError
from keyfence.cryptoki.constants import CKA, CKR
from keyfence.token.kernels import asymmetric
from keyfence.token.kernels.diffie_hellman import is_safe_prime


def e_times_power_of_two(bits: int) -> int:
    """floor(2^bits * e), summed from its series with 64 bits to spare."""
    term = total = 1 << bits + 64
    n = 1
    while term := term // n:
        total += term
        n += 1
    return total >> 64


# RFC 7919 appendix A.1
FFDHE2048 = (1 << 2048) - (1 << 1984) + (e_times_power_of_two(1918) + 560316) * (1 << 64) - 1
PRIME, BASE = FFDHE2048.to_bytes(256, "big"), b"\x02"


def test_the_prime_is_the_rfcs() -> None:
    assert PRIME[:16].hex() == "ffffffffffffffffadf85458a2bb4a9a"
    assert PRIME[-16:].hex() == "886b423861285c97ffffffffffffffff"


def test_both_sides_share_the_base_to_the_product_of_their_secrets() -> None:
    (public, private), (other_public, other_private) = (asymmetric.generate_dh(PRIME, BASE) for _ in range(2))
    x, y = (int.from_bytes(key[CKA.VALUE], "big") for key in (private, other_private))
    shared = asymmetric.dh(private, other_public[CKA.VALUE])
    assert shared == asymmetric.dh(other_private, public[CKA.VALUE]) == pow(2, x * y, FFDHE2048).to_bytes(256, "big")


def test_a_pair_holds_its_group() -> None:
    public, private = asymmetric.generate_dh(PRIME, BASE, 225)
    x = int.from_bytes(private[CKA.VALUE], "big")
    assert x.bit_length() == 225
    assert int.from_bytes(public[CKA.VALUE], "big") == pow(2, x, FFDHE2048)
    assert len(public[CKA.VALUE]) == 256
    assert {a: v for a, v in public.items() if a != CKA.VALUE} == {CKA.PRIME: PRIME, CKA.BASE: BASE}
    assert private.keys() == public.keys()


def test_leading_zeros_are_kept() -> None:
    """In the field of 257, 4 to the 4th is 256 - a number of two bytes - and 2 to the 4th is 16, still two bytes wide."""
    private = {CKA.PRIME: b"\x01\x01", CKA.VALUE: b"\x04"}
    assert asymmetric.dh(private, b"\x04") == b"\x01\x00"
    assert asymmetric.dh(private, b"\x02") == b"\x00\x10"


def test_a_private_value_in_a_small_field_is_never_trivial() -> None:
    values = {asymmetric.generate_dh(b"\x0b", b"\x02")[1][CKA.VALUE][0] for _ in range(200)}
    assert values <= set(range(2, 10))
    assert len(values) > 1


@pytest.mark.parametrize("peer", [0, 1, FFDHE2048 - 1, FFDHE2048], ids=["0", "1", "p - 1", "p"])
def test_a_public_value_that_shares_nothing_is_refused(peer: int) -> None:
    _public, private = asymmetric.generate_dh(PRIME, BASE, 225)
    with pytest.raises(CryptokiError) as caught:
        asymmetric.dh(private, peer.to_bytes(256, "big"))
    assert (caught.value.ckr, caught.value.function) == (CKR.MECHANISM_PARAM_INVALID, "C_DeriveKey")


@pytest.mark.parametrize(
    ("prime", "base", "bits"),
    [
        (b"\x03", b"\x02", None),
        (PRIME[:-1] + b"\xfe", b"\x02", None),
        (PRIME, b"\x01", None),
        (PRIME, BASE, 2048),
        (PRIME, BASE, 1),
    ],
    ids=["tiny", "even", "base 1", "as many bits as the prime", "one bit"],
)
def test_no_pair_in_a_group_that_is_none(prime: bytes, base: bytes, bits: int | None) -> None:
    with pytest.raises(CryptokiError) as caught:
        asymmetric.generate_dh(prime, base, bits)
    assert caught.value.ckr == CKR.ATTRIBUTE_VALUE_INVALID


def test_safe_primes() -> None:
    """Each prime whose half is one too, and no other; 8192 bits at most."""
    primes = {n for n in range(2, 2000) if all(n % small for small in range(2, n))}
    found = {n for n in range(32, 2000) if is_safe_prime(n)}
    assert found == {n for n in primes if n >= 32 and (n - 1) // 2 in primes}
    assert is_safe_prime(FFDHE2048)
    assert not is_safe_prime(FFDHE2048 - 2)
    assert not is_safe_prime((1 << 8192) + 3)
