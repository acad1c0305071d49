"""Between a problem and a frame, whatever computes on it: blocks and keys as vectors, and keys out of lanes again."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from keyfence.search.problem import Hit

from .frame import KEY
from .layout import LANE_BITS
from .problem import DesProblem, complemented
from .reference import Bits, halves, key_register
from .tables import HALF


def given_rows(problem: DesProblem) -> Mapping[str, Bits]:
    """The half blocks that plaintext and ciphertext give, by their row; with a complemented pair that one's too."""
    plaintext, ciphertext = problem.pairs[0]
    rows = dict(zip(("X-1", "X0", "X16", "X15"), (*halves(plaintext), *halves(ciphertext)), strict=True))
    if problem.complement is not None:
        inverted = bytes(byte ^ 0xFF for byte in problem.complement[1])
        rows |= dict(zip(("X16'", "X15'"), halves(inverted), strict=True))
    return rows


def spread(bits: Iterable[int], lanes: int) -> list[bytes]:
    """Each bit as a vector of lanes that all have it."""
    of = bytes(lanes // 8), b"\xff" * (lanes // 8)
    return [of[bit] for bit in bits]


def key_vectors(problem: DesProblem, count: int, first_lane: int, lanes: int) -> list[bytes]:
    """The key register as it lies in a frame, C C D D: at this count, and in the lanes all values of the first unknown bits."""
    register = spread(key_register(problem.key(count << LANE_BITS)), lanes)
    for index, bit in enumerate(problem.layout.lanes):
        register[bit] = _pattern(index, first_lane, lanes)
    c, d = register[:HALF], register[HALF:]
    return [*c, *c, *d, *d]


def key_slots(bit: int) -> tuple[int, int]:
    """The two places of a bit of the key register in a frame."""
    half, place = divmod(bit, HALF)
    first = KEY + 2 * HALF * half + place
    return first, first + HALF


def confirmed(problem: DesProblem, count: int, first_lane: int, fitting: int, complement: bool) -> Iterator[Hit]:
    """The keys among the lanes that are set in `fitting`, bit 0 being `first_lane` of this count's 512.

    A kernel could not tell them from the key; they are few, so a plain DES on every pair decides.
    """
    while fitting:
        lane = first_lane + (fitting & -fitting).bit_length() - 1
        fitting &= fitting - 1
        candidate = count << LANE_BITS | lane
        if candidate >= problem.candidates:  # fewer than nine unknown bits: lanes repeat
            continue
        key = problem.key(candidate)
        key = complemented(key) if complement else key
        if problem.fits(key):
            yield Hit(candidate, key)


@cache
def _pattern(index: int, first: int, lanes: int) -> bytes:
    """Bit `index` of the numbers `first` to `first + lanes - 1`, a lane each."""
    return sum(1 << lane for lane in range(lanes) if (first + lane) >> index & 1).to_bytes(lanes // 8, "little")
