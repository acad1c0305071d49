"""Decryption by signatures: two signatures under a fixed padding, one divided by the other, undo an RSA encryption.

CKM_RSA_PKCS pads what the caller gives, up to eleven bytes less than the modulus. With P the padding, a ciphertext c has
m1 and m2 of that width with c * (P + m1) = P + m2 (mod n): vectors of a two-dimensional lattice. Signing both gives
c^d = sig2 / sig1 (mod n). It is forgery under a fixed pattern (Brier, Clavier, Coron, Naccache, CRYPTO 2001) turned round.
"""

from collections.abc import Callable

PADDING_BYTES = 11  # 00 01, eight bytes FF at least, 00 (RFC 8017 §9.2)

Sign = Callable[[bytes], bytes]
"""A signature, modulus wide, of data that the module pads."""

_Vector = tuple[int, int]


def decrypt_by_signatures(sign: Sign, modulus: int, ciphertext: bytes) -> bytes:
    """c^d mod n, as wide as the ciphertext, in two signatures of data as wide as the padding lets them be."""
    size = len(ciphertext)
    room = 1 << 8 * (size - PADDING_BYTES)
    pattern = int.from_bytes(b"\0\1" + b"\xff" * 8 + b"\0", "big") * room
    chosen = pattern_relation(int.from_bytes(ciphertext, "big"), modulus, pattern, room)
    one, two = (int.from_bytes(sign(m.to_bytes(size - PADDING_BYTES, "big")), "big") for m in chosen)
    return (two * pow(one, -1, modulus) % modulus).to_bytes(size, "big")


def pattern_relation(ciphertext: int, modulus: int, pattern: int, room: int) -> _Vector:
    """(m1, m2) below `room` with ciphertext * (pattern + m1) = pattern + m2 (mod modulus): the vector nearest the middle."""
    a, b = _reduced((1, ciphertext % modulus), (0, modulus))
    offset = (pattern - ciphertext * pattern) % modulus
    x, y, area = room // 2, room // 2 + offset, a[0] * b[1] - a[1] * b[0]
    i, j = ((2 * part + area) // (2 * area) for part in (x * b[1] - y * b[0], a[0] * y - a[1] * x))
    return i * a[0] + j * b[0], i * a[1] + j * b[1] - offset


def _reduced(a: _Vector, b: _Vector) -> tuple[_Vector, _Vector]:
    """The two shortest vectors of their lattice (Lagrange)."""
    while True:
        if a[0] ** 2 + a[1] ** 2 > b[0] ** 2 + b[1] ** 2:
            a, b = b, a
        norm = a[0] ** 2 + a[1] ** 2
        times = (2 * (a[0] * b[0] + a[1] * b[1]) + norm) // (2 * norm)
        if not times:
            return a, b
        b = b[0] - times * a[0], b[1] - times * a[1]
