"""DES as the standard tabulates it (FIPS 46-3). Positions are 0-based here, bit 0 being the leftmost.

A 64-bit block or key is an int whose bit 63 is position 0. Position 7, 15, … of a key is the parity of its byte.
"""

from typing import Final

BLOCK_BITS: Final = 64
ROUNDS: Final = 16
BOXES: Final = 8
HALF: Final = 28  # bits of C and of D, the halves of the key register
PARITY_MASK: Final = 0x0101010101010101


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split())


def _positions(text: str) -> tuple[int, ...]:
    return tuple(number - 1 for number in _numbers(text))


# Rows of IP are columns of the block, read upwards: the even ones first.
INITIAL: Final = tuple(8 * (7 - column) + row for row in (1, 3, 5, 7, 0, 2, 4, 6) for column in range(8))
EXPANSION: Final = tuple((4 * box + bit - 1) % 32 for box in range(BOXES) for bit in range(6))
PERMUTATION: Final = _positions("""
    16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10
    2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25""")

PERMUTED_CHOICE_1: Final = _positions("""
    57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36
    63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4""")
PERMUTED_CHOICE_2: Final = _positions("""
    14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2
    41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32""")
SHIFTS: Final = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
ROTATION: Final = tuple(sum(SHIFTS[: number + 1]) for number in range(ROUNDS))

# Sixteen values to a row; the outer two of a box's six input bits choose the row, the inner four the column.
_BOXES: Final = (
    """14 4 13 1 2 15 11 8 3 10 6 12 5 9 0 7
       0 15 7 4 14 2 13 1 10 6 12 11 9 5 3 8
       4 1 14 8 13 6 2 11 15 12 9 7 3 10 5 0
       15 12 8 2 4 9 1 7 5 11 3 14 10 0 6 13""",
    """15 1 8 14 6 11 3 4 9 7 2 13 12 0 5 10
       3 13 4 7 15 2 8 14 12 0 1 10 6 9 11 5
       0 14 7 11 10 4 13 1 5 8 12 6 9 3 2 15
       13 8 10 1 3 15 4 2 11 6 7 12 0 5 14 9""",
    """10 0 9 14 6 3 15 5 1 13 12 7 11 4 2 8
       13 7 0 9 3 4 6 10 2 8 5 14 12 11 15 1
       13 6 4 9 8 15 3 0 11 1 2 12 5 10 14 7
       1 10 13 0 6 9 8 7 4 15 14 3 11 5 2 12""",
    """7 13 14 3 0 6 9 10 1 2 8 5 11 12 4 15
       13 8 11 5 6 15 0 3 4 7 2 12 1 10 14 9
       10 6 9 0 12 11 7 13 15 1 3 14 5 2 8 4
       3 15 0 6 10 1 13 8 9 4 5 11 12 7 2 14""",
    """2 12 4 1 7 10 11 6 8 5 3 15 13 0 14 9
       14 11 2 12 4 7 13 1 5 0 15 10 3 9 8 6
       4 2 1 11 10 13 7 8 15 9 12 5 6 3 0 14
       11 8 12 7 1 14 2 13 6 15 0 9 10 4 5 3""",
    """12 1 10 15 9 2 6 8 0 13 3 4 14 7 5 11
       10 15 4 2 7 12 9 5 6 1 13 14 0 11 3 8
       9 14 15 5 2 8 12 3 7 0 4 10 1 13 11 6
       4 3 2 12 9 5 15 10 11 14 1 7 6 0 8 13""",
    """4 11 2 14 15 0 8 13 3 12 9 7 5 10 6 1
       13 0 11 7 4 9 1 10 14 3 5 12 2 15 8 6
       1 4 11 13 12 3 7 14 10 15 6 8 0 5 9 2
       6 11 13 8 1 4 10 7 9 5 0 15 14 2 3 12""",
    """13 2 8 4 6 15 11 1 10 9 3 14 5 0 12 7
       1 15 13 8 10 3 7 4 12 5 6 11 0 14 9 2
       7 11 4 1 9 12 14 2 0 6 10 13 15 3 5 8
       2 1 14 7 4 10 8 13 15 12 9 0 3 5 6 11""",
)


def _by_input(rows: tuple[int, ...]) -> tuple[int, ...]:
    """The same box, indexed by its six input bits as one number."""
    return tuple(rows[16 * ((x >> 4 & 2) | (x & 1)) + (x >> 1 & 15)] for x in range(64))


SUBSTITUTION: Final = tuple(_by_input(_numbers(box)) for box in _BOXES)


def truth_table(box: int, output: int) -> int:
    """One output bit (0 the leftmost) of a box as 64 bits: bit x is its value at input x."""
    return sum((SUBSTITUTION[box][x] >> (3 - output) & 1) << x for x in range(64))
