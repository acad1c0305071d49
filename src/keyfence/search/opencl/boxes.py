"""Boxes, rounds and comparisons as text, whatever half blocks and key bits are held in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from keyfence.search.des.circuits import Circuit, load
from keyfence.search.des.gates import Gate2, Lut3, Made, Value
from keyfence.search.des.layout import OUTPUTS
from keyfence.search.des.tables import BOXES, EXPANSION

from .emit import Text, Vector

EARLY: Final = (4, 5, 6)
"""The boxes compared first. The native path chooses them anew for every set of unknown bits; here one kernel serves all,
and these three cost the fewest gates and, over random sets, half a box a vector more than the best."""
OTHERS: Final = tuple(box for box in range(BOXES) if box not in EARLY)

Held = Callable[[int], Value]
"""A bit of a half block by its place."""
KeyBit = Callable[[int, int], Value]
"""The bit of the round's key that enters a box: (box, bit)."""


def places(boxes: Iterable[int]) -> list[int]:
    """The bits of a half block that enter these boxes."""
    return sorted({place for box in boxes for place in EXPANSION[6 * box : 6 * box + 6]})


class Boxes:
    """Writes boxes into one text."""

    def __init__(self, text: Text, vector: Vector) -> None:
        self.text = text
        self.gates = Lut3(text) if vector.circuits == "lut3" else Gate2(text)
        self._circuits: Sequence[Circuit] = load(vector.circuits)

    def box(self, number: int, right: Held, key: KeyBit, added: Mapping[int, Made]) -> dict[int, Value]:
        """The outputs named in `added`, by their place in the half block, each joined with the value there."""

        def entry(bit: int) -> Made:
            place = EXPANSION[6 * number + bit]
            return lambda: self.gates.xor(right(place), key(number, bit))

        results = self.gates.box(self._circuits[number], [entry(bit) for bit in range(6)], added)
        return {OUTPUTS[number][output]: value for output, value in results.items()}

    def outputs(self, number: int, left: Held, right: Held, key: KeyBit, wanted: Iterable[int]) -> dict[int, Value]:
        """`left` ⊕ f(`right`, `key`) in those of the box's four places that are wanted."""

        def later(place: int) -> Made:
            return lambda: left(place)

        places_wanted = set(wanted)
        added = {output: later(place) for output, place in enumerate(OUTPUTS[number]) if place in places_wanted}
        return self.box(number, right, key, added) if added else {}

    def half_block(self, left: Held, right: Held, key: KeyBit, wanted: Iterable[int] = range(32)) -> dict[int, Value]:
        """The wanted places of `left` ⊕ f(`right`, `key`): one round."""
        wanted = tuple(wanted)
        found: dict[int, Value] = {}
        for number in range(BOXES):
            found |= self.outputs(number, left, right, key, wanted)
        return found

    def some(self, numbers: Iterable[int], left: Held, right: Held, key: KeyBit) -> dict[int, Value]:
        """All places of these boxes in `left` ⊕ f(`right`, `key`)."""
        return {place: it for number in numbers for place, it in self.outputs(number, left, right, key, range(32)).items()}

    def differing(self, values: Mapping[int, Value], wanted: Held, known: Value | None = None) -> Value:
        """Lanes in which a value is not the wanted one, or that were known to differ before."""
        for place, value in values.items():
            known = self.gates.differs(known, value, wanted(place)) if known else self.gates.xor(value, wanted(place))
        assert known is not None
        return known
