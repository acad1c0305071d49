"""The kernel for GPUs, which have many registers, many work-items and no patience with divergence.

A work-item takes 32 lanes of an aligned block of `2**depth` counts and goes through them in Gray code. Its key register,
X[1], X[2], what is compared first of X[14] and X[13], and the half blocks of the round it is in are variables: every
index is a constant, so a compiler can hold them in registers. In a block of that kind all work-items flip the same bit
at the same time; what the flip computes again is data that all of them read alike, and so no branch on it diverges.

A step is a number: FORTH + 8 × (round − 1) + box, BACK + box (round 16), MEET + box (round 15), FLIP + bit of the key.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from keyfence.search.des.gates import Value
from keyfence.search.des.layout import KEY_BITS, LANE_BITS, OUTPUTS, Step, backward, forward, touched
from keyfence.search.des.tables import BOXES, HALF, PERMUTED_CHOICE_2, ROTATION

from .boxes import Boxes, Held, KeyBit, places
from .emit import Text, Vector, program

EARLY: Final = (4, 5, 6, 7)
"""Compared first: 16 bits. Of 32 work-items that go together, 1,024 lanes, one time in 65 a lane survives."""
OTHERS: Final = tuple(box for box in range(BOXES) if box not in EARLY)
FORTH, BACK, MEET, FLIP = 0, 16, 24, 32
PART_BITS: Final = LANE_BITS - 5  # of the nine bits that vary in lanes five fill a 32-bit variable
GROUP: Final = 64
"""Work-items in a group on a GPU, which the program knows as GROUP."""
CAPACITY: Final = 1024  # what a launch can report; one key in 2^32 survives all 32 bits by chance
RECORD: Final = 4  # words: the count, low and high; first lane, and 1 if by the complemented pair; lanes that fit
BLOCKS: Final = ("X-1", "X0", "X16", "X15", "X16'", "X15'")
"""The half blocks in `blocks`; each bit is a word, all zeros or all ones."""
EARLY_X14: Final = tuple(places(EARLY))
LATE_X14: Final = tuple(sorted(set(range(32)) - set(EARLY_X14)))
EARLY_X13: Final = tuple(place for box in EARLY for place in OUTPUTS[box])
NEWLINE: Final = "\n"


def schedule(bit: int | None) -> list[int]:
    """The steps of a flip of that bit of the key register, or of everything."""
    if bit is None:
        steps = [forward(number, box) for number in (1, 2) for box in range(BOXES)]
        steps += [*(backward(16, box) for box in range(BOXES)), *(backward(15, box) for box in EARLY)]
        return [number for step in steps for number in _number(step)]
    return [FLIP + bit, *(number for step in touched(bit, EARLY) for number in _number(step))]


def _number(step: Step) -> list[int]:
    """None for what is not kept: X[3], and what of X[14] is not compared first."""
    if step.round in (1, 2):
        return [FORTH + BOXES * (step.round - 1) + step.box]
    if step.round == 16:
        return [BACK + step.box] if set(OUTPUTS[step.box]) & set(EARLY_X14) else []
    return [MEET + step.box] if step.round == 15 else []


def source(vector: Vector, pair: bool) -> str:
    """The program; `pair` adds the complemented pair's comparison."""
    marks = ("", "'")[: 1 + pair]
    body = f"""
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void search(constant const uint *blocks, constant const uint *fixed, constant const uint *moving,
            constant const uint *heads, constant const uint *steps,
            ulong first, ulong end, uint depth, global uint *found)
{{
    const ulong block = first + (get_global_id(0) >> {PART_BITS});
    const uint lane = (uint)(get_global_id(0) & {2**PART_BITS - 1}) << {LANE_BITS - PART_BITS};
    if (block >= end)
        return;
    const ulong start = block << depth;
    const ulong chosen = (start ^ start >> 1) << {LANE_BITS} | lane;
{_key_register()}
    V {", ".join(f"{name} = 0" for name in _state(marks))};
    uint head = 0;
    for (uint turn = 0;;) {{
        for (uint at = heads[head]; at != heads[head + 1]; ++at) {{
            switch (steps[at]) {{
{_cases(vector, marks)}
            }}
        }}
{_rounds(vector, marks)}
        if (++turn >> depth)
            return;
        head = 1 + popcount((turn & -turn) - 1);
    }}
}}
"""
    return program(vector, body)


def _kept(row: str) -> Held:
    """A half block that is variables: X1, X2, X14, X13 from the ciphertext."""
    name = row.lower().replace("'", "_")
    return lambda place: f"{name}_{place}"


def _given(row: str) -> Held:
    """A half block of the plaintext or ciphertext."""
    return lambda place: f"blocks[{BLOCKS.index(row) * 32 + place}]"


def _key(number: int) -> KeyBit:
    """The key of a round (1 to 16)."""

    def variable(box: int, bit: int) -> Value:
        half, place = divmod(PERMUTED_CHOICE_2[6 * box + bit], HALF)
        return f"k{HALF * half + (place + ROTATION[number - 1]) % HALF}"

    return variable


def _key_register() -> str:
    """A bit is what is fixed of it, turned by the bit of `chosen` that moves it; bit 63 is clear and moves none."""
    return NEWLINE.join(f"V k{bit} = fixed[{bit}] ^ -(uint)(chosen >> moving[{bit}] & 1);" for bit in range(KEY_BITS))


def _state(marks: Sequence[str]) -> list[Value]:
    rows: list[tuple[str, Iterable[int]]] = [("X1", range(32)), ("X2", range(32))]
    for mark in marks:
        rows += [(f"X14{mark}", EARLY_X14), (f"X13{mark}", EARLY_X13)]
    return [_kept(row)(place) for row, kept in rows for place in kept]


def _cases(vector: Vector, marks: Sequence[str]) -> str:
    cases = [f"case {FLIP + bit}: k{bit} = ~k{bit}; break;" for bit in range(KEY_BITS)]
    for box in range(BOXES):
        lines = {
            FORTH + box: _assigned(vector, box, "X1", _given("X-1"), _given("X0"), 1),
            FORTH + BOXES + box: _assigned(vector, box, "X2", _given("X0"), _kept("X1"), 2),
            BACK + box: [line for mark in marks for line in _undone_16(vector, box, mark)],
            MEET + box: [line for mark in marks for line in _undone_15(vector, box, mark)],
        }
        cases += [NEWLINE.join([f"case {number}: {{", *text, "} break;"]) for number, text in lines.items() if text]
    return NEWLINE.join(cases)


def _undone_16(vector: Vector, box: int, mark: str) -> list[str]:
    return _assigned(vector, box, f"X14{mark}", _given(f"X16{mark}"), _given(f"X15{mark}"), 16, EARLY_X14)


def _undone_15(vector: Vector, box: int, mark: str) -> list[str]:
    return _assigned(vector, box, f"X13{mark}", _given(f"X15{mark}"), _kept(f"X14{mark}"), 15, EARLY_X13)


def _assigned(
    vector: Vector, box: int, out: str, left: Held, right: Held, number: int, wanted: Iterable[int] = range(32)
) -> list[str]:
    """A box of a round into variables that are kept, in a scope of its own."""
    text = Text(vector, "s")
    results = Boxes(text, vector).outputs(box, left, right, _key(number), wanted)
    stores = [f"{_kept(out)(place)} = {value};" for place, value in results.items()]
    return ["{", *text.lines, *stores, "}"] if stores else []


def _rounds(vector: Vector, marks: Sequence[str]) -> str:
    """Rounds 3 to 11, the bits of X[13] compared first, and where a lane survives the others."""
    text = Text(vector, "r")
    boxes = Boxes(text, vector)
    x10, x11 = _kept("X1"), _kept("X2")
    for number in range(3, 12):
        x10, x11 = x11, boxes.half_block(x10, x11, _key(number)).__getitem__
    x12 = boxes.half_block(x10, x11, _key(12), places(EARLY))
    x13 = boxes.some(EARLY, x11, x12.__getitem__, _key(13))
    misses = [boxes.differing(x13, _kept(f"X13{mark}")) for mark in marks]
    late = Text(vector, "l")
    boxes = Boxes(late, vector)
    x12 |= boxes.half_block(x10, x11, _key(12), LATE_X14)
    x13 = boxes.some(OTHERS, x11, x12.__getitem__, _key(13))
    for index, mark in enumerate(marks):
        x14 = boxes.half_block(_given(f"X16{mark}"), _given(f"X15{mark}"), _key(16), LATE_X14)
        x14 |= {place: _kept(f"X14{mark}")(place) for place in EARLY_X14}
        back = boxes.some(OTHERS, _given(f"X15{mark}"), x14.__getitem__, _key(15))
        late.lines += _recorded(boxes.differing(x13, back.__getitem__, misses[index]), index)
    return NEWLINE.join([*text.lines, f"if (({' & '.join(misses)}) != ONES) {{", *late.lines, "}"])


def _recorded(miss: Value, index: int) -> list[str]:
    lines = [f"if ({miss} != ONES) {{", "const uint record = atomic_inc(found);", f"if (record < {CAPACITY}) {{"]
    words = ("(uint)(start | turn)", "(uint)((start | turn) >> 32)", f"lane | {index}", f"~{miss}")
    lines += [f"found[{1 + word} + {RECORD} * record] = {value};" for word, value in enumerate(words)]
    return [*lines, "}", "}"]
