"""DES one block at a time, straight from the tables: what every faster path has to agree with."""

from collections.abc import Iterable, Sequence

from .tables import (
    BLOCK_BITS,
    BOXES,
    EXPANSION,
    HALF,
    INITIAL,
    PERMUTATION,
    PERMUTED_CHOICE_1,
    PERMUTED_CHOICE_2,
    ROTATION,
    SUBSTITUTION,
)

Bits = list[int]


def bits_of(block: bytes) -> Bits:
    """The 64 bits of a block or key, leftmost first."""
    number = int.from_bytes(block)
    return [number >> (BLOCK_BITS - 1 - position) & 1 for position in range(BLOCK_BITS)]


def halves(block: bytes) -> tuple[Bits, Bits]:
    """What the initial permutation makes of a block: (L0, R0) of a plaintext, (R16, L16) of a ciphertext."""
    permuted = pick(bits_of(block), INITIAL)
    return permuted[:32], permuted[32:]


def pick(bits: Sequence[int], positions: Iterable[int]) -> Bits:
    return [bits[position] for position in positions]


def key_register(key: bytes) -> Bits:
    """The 56 bits of C and D that PC-1 makes of a key."""
    return pick(bits_of(key), PERMUTED_CHOICE_1)


def round_key(key: bytes, number: int) -> Bits:
    """The 48 bits of round `number` (0 to 15); parity bits of the key play no part."""
    register = key_register(key)
    turn = ROTATION[number]
    c, d = register[:HALF], register[HALF:]
    return pick(c[turn:] + c[:turn] + d[turn:] + d[:turn], PERMUTED_CHOICE_2)


def cipher_function(right: Bits, key: Bits) -> Bits:
    """f(R, K) of FIPS 46-3."""
    mixed = [bit ^ k for bit, k in zip(pick(right, EXPANSION), key, strict=True)]
    substituted: Bits = []
    for box in range(BOXES):
        value = SUBSTITUTION[box][int("".join(map(str, mixed[6 * box : 6 * box + 6])), 2)]
        substituted += [value >> shift & 1 for shift in (3, 2, 1, 0)]
    return pick(substituted, PERMUTATION)


def encrypt(key: bytes, plaintext: bytes) -> bytes:
    """One block (8 bytes) under an 8-byte key of any parity."""
    left, right = halves(plaintext)
    for number in range(16):
        mixed = cipher_function(right, round_key(key, number))
        left, right = right, [bit ^ f for bit, f in zip(left, mixed, strict=True)]
    preoutput = right + left
    block = sum(bit << (BLOCK_BITS - 1 - INITIAL[index]) for index, bit in enumerate(preoutput))
    return block.to_bytes(8)
