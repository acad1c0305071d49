"""What a flipped key bit changes, against the cipher itself; and the numbering of candidates."""

from random import Random

import pytest

from keyfence.search.des import BadProblem, DesProblem, complemented, odd_parity
from keyfence.search.des.layout import KEY_BITS, LANE_BITS, box_of, layout, touched
from keyfence.search.des.reference import round_key
from keyfence.search.des.tables import BOXES, PERMUTED_CHOICE_1

from .blocks import inverted, planted, planted_complement

PAIR = (bytes(8), bytes(8))


def with_bit(bit: int) -> bytes:
    return (1 << (63 - PERMUTED_CHOICE_1[bit])).to_bytes(8)


def test_the_box_a_key_bit_reaches_in_each_round() -> None:
    for bit in range(KEY_BITS):
        for number in range(1, 17):
            key = round_key(with_bit(bit), number - 1)
            reached = [box for box in range(BOXES) if any(key[6 * box : 6 * box + 6])]
            assert reached == [box for box in (box_of(bit, number),) if box is not None]


def test_a_bit_that_round_one_leaves_out_reaches_one_box_of_round_two() -> None:
    for bit in range(KEY_BITS):
        steps = touched(bit, (0, 1, 2))
        boxes = [sum(step.round == number for step in steps) for number in (1, 2)]
        assert boxes[0] == (box_of(bit, 1) is not None)
        assert boxes[0] or boxes[1] == 1


@pytest.mark.parametrize("unknown", [0, 1, 8, 9, 10, 32, 56])
def test_a_layout_orders_exactly_the_unknown_bits(unknown: int) -> None:
    bits = frozenset(Random(unknown).sample(range(KEY_BITS), unknown))
    chosen = layout(bits)
    assert sorted(chosen.order) == sorted(bits)
    assert len(chosen.lanes) == min(unknown, LANE_BITS)


def test_the_worst_layout_costs_little_more_than_the_best() -> None:
    """Boxes a vector, beside some 72 in the innermost loop: random sets, and the 32 bits that reach the most boxes."""
    random = Random(2)
    sets = [frozenset(random.sample(range(KEY_BITS), 32)) for _ in range(200)]
    far_reaching = sorted(range(KEY_BITS), key=lambda bit: len(touched(bit, (0, 1, 2))))[-32:]
    costs = [72 + layout(bits).boxes_per_flip for bits in (*sets, frozenset(range(KEY_BITS)), frozenset(far_reaching))]
    assert min(costs) / max(costs) > 0.9


@pytest.mark.parametrize("unknown", [0, 1, 9, 12, 30, 56])
def test_numbers_and_keys_are_one_to_one(unknown: int) -> None:
    random = Random(unknown)
    key = random.randbytes(8)
    problem = planted(random, key, unknown)
    assert problem.candidates == problem.keys == 2**unknown
    assert problem.key(problem.candidate(key)) == odd_parity(key)
    for candidate in {0, problem.candidates - 1, random.randrange(problem.candidates)}:
        assert problem.candidate(problem.key(candidate)) == candidate


def test_a_small_space_holds_every_key_once() -> None:
    random = Random(3)
    problem = planted(random, random.randbytes(8), 11)
    assert len({problem.key(candidate) for candidate in range(problem.candidates)}) == 2**11


def test_with_a_complemented_pair_a_key_and_its_complement_have_one_number() -> None:
    random = Random(4)
    key = random.randbytes(8)
    problem = planted_complement(random, key)
    assert (problem.candidates, problem.keys) == (2**55, 2**56)
    assert problem.candidate(key) == problem.candidate(complemented(key))
    assert problem.key(problem.candidate(key)) in {odd_parity(key), complemented(key)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pairs": ()}, "at least one pair"),
        ({"pairs": ((bytes(8), bytes(7)),)}, "8 bytes"),
        ({"pairs": (PAIR,), "known_mask": 2**64}, "64 bits"),
        ({"pairs": (PAIR,), "known_mask": 0xF0, "known_value": 0x0E}, "calls unknown"),
        ({"pairs": (PAIR,), "known_mask": 0xF0, "complement": (b"\xff" * 8, bytes(8))}, "no key bit is known"),
        ({"pairs": (PAIR,), "complement": PAIR}, "not the complement"),
        ({"pairs": (PAIR, (PAIR[0], b"\xaa" * 8))}, "contradict each other"),
    ],
)
def test_contradictions_are_told(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(BadProblem, match=message) as raised:
        DesProblem(**arguments)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_wrong_keys_to_expect() -> None:
    """2^56 keys and 64 bits to tell them by; a pair that is there twice tells nothing more."""
    assert DesProblem((PAIR,)).expected_false == pytest.approx(2**-8)
    assert DesProblem((PAIR, PAIR)).expected_false == pytest.approx(2**-8)
    assert DesProblem((PAIR,), complement=(inverted(PAIR[0]), bytes(8))).expected_false == pytest.approx(2**-72)
    assert DesProblem((PAIR,), 2**64 - 1, 0).expected_false == 0


def test_a_key_outside_the_problem_has_no_number() -> None:
    problem = DesProblem((PAIR,), 0xF0, 0x50)
    with pytest.raises(BadProblem, match="contradicts"):
        problem.candidate((0xA0).to_bytes(8))
