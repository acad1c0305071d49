"""What one bit of the key changes, and so which unknown bits should change how fast.

Rounds are numbered 1 to 16 here; half block X[r] is R of round r, so that X[r+1] = X[r−1] ⊕ f(X[r], K[r+1]), with
X[−1], X[0] from the plaintext and X[16], X[15] from the ciphertext. The search meets in X[13]: forwards from the
plaintext, backwards from the ciphertext through rounds 16 and 15. When ONE bit of the key flips, of rounds 1 to 3 and
16 to 15 only the boxes that it reaches are computed again (a flip reaches at most one box a round by the key itself).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from keyfence.search.numbering import Order

from .tables import BOXES, EXPANSION, HALF, PERMUTATION, PERMUTED_CHOICE_2, ROTATION

KEY_BITS: Final = 2 * HALF
LANE_BITS: Final = 9  # the unknown bits that vary inside a vector of 512 lanes
OUTPUTS: Final = tuple(tuple(PERMUTATION.index(4 * box + output) for output in range(4)) for box in range(BOXES))
"""The bits of a half block that a box adds to."""
MEETING: Final = 13
EARLY: Final = 3  # boxes compared first: 12 bits, which one vector in eight survives


@dataclass(frozen=True, slots=True)
class Step:
    """One box of one round: X[out] = X[left] ⊕ f(X[right], K[round]), in that box's four bits."""

    round: int
    box: int
    out: int
    left: int
    right: int


def forward(number: int, box: int) -> Step:
    """The box in round `number` of an encryption."""
    return Step(number, box, number, number - 2, number - 1)


def backward(number: int, box: int) -> Step:
    """The box in round `number` undone, as decryption does: X[14] from round 16, X[13] from round 15."""
    return Step(number, box, number - 2, number, number - 1)


@cache
def box_of(bit: int, number: int) -> int | None:
    """The box that this bit of the key register reaches in round `number`, if that round uses it."""
    half, place = divmod(bit, HALF)
    turned = HALF * half + (place - ROTATION[number - 1]) % HALF
    return PERMUTED_CHOICE_2.index(turned) // 6 if turned in PERMUTED_CHOICE_2 else None


def _reached(bit: int, steps: Iterator[Step]) -> tuple[Step, ...]:
    """Those of `steps` that a flip of the bit changes: by the key, or by what changed before them."""
    changed: set[tuple[int, int]] = set()
    reached = []
    for step in steps:
        inputs = {(step.right, place) for place in EXPANSION[6 * step.box : 6 * step.box + 6]}
        added = {(step.left, place) for place in OUTPUTS[step.box]}
        if box_of(bit, step.round) == step.box or changed & (inputs | added):
            reached.append(step)
            changed |= {(step.out, place) for place in OUTPUTS[step.box]}
    return tuple(reached)


def outer_steps(early: tuple[int, ...]) -> Iterator[Step]:
    """All that is computed outside the innermost loop; `early` are the boxes compared first."""
    yield from (forward(number, box) for number in (1, 2, 3) for box in range(BOXES))
    yield from (backward(16, box) for box in range(BOXES))
    yield from (backward(15, box) for box in early)


@cache
def touched(bit: int, early: tuple[int, ...]) -> tuple[Step, ...]:
    """What is computed again when this bit of the key register flips."""
    return _reached(bit, outer_steps(early))


@dataclass(frozen=True, slots=True)
class Layout(Order):
    """The unknown bits of the key register, and the boxes that are compared first."""

    lane_bits = LANE_BITS
    early: tuple[int, ...]

    @property
    def boxes_per_flip(self) -> float:
        """Boxes computed outside the innermost loop, on average, each time one counted bit flips."""
        return sum(len(touched(bit, self.early)) / 2.0 ** (1 + index) for index, bit in enumerate(self.counted))


@cache
def layout(unknown: frozenset[int]) -> Layout:
    """The cheapest layout: the bits that reach the fewest boxes count fastest, those that reach the most are lanes."""
    triples = [tuple((first + box) % BOXES for box in range(EARLY)) for first in range(BOXES)]
    return min((_sorted(unknown, early) for early in triples), key=lambda it: it.boxes_per_flip)


def _sorted(unknown: frozenset[int], early: tuple[int, ...]) -> Layout:
    cheapest_first = sorted(unknown, key=lambda bit: (len(touched(bit, early)), bit))
    split = max(0, len(cheapest_first) - LANE_BITS)
    return Layout((*cheapest_first[split:], *cheapest_first[:split]), early)
