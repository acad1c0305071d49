"""From lanes that a kernel could not tell from the key to keys: few, so a plain DES on every pair decides."""

from collections.abc import Iterator

from keyfence.search.des.layout import LANE_BITS
from keyfence.search.des.problem import DesProblem, complemented
from keyfence.search.problem import Hit


def confirmed(problem: DesProblem, count: int, first_lane: int, fitting: int, complement: bool) -> Iterator[Hit]:
    """The keys among the lanes that are set in `fitting`, bit 0 being `first_lane` of this count's 512."""
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
