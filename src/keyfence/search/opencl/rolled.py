"""The kernel for processors, which have few registers and a fast cache: the native kernel's twin (search/des/kernel.py).

One work-item is one run over counts in Gray code, in a frame of memory (search/des/frame.py); the rounds are a loop.
What a flipped bit computes again is data: a step is five words (box, out, left, right, key), the last four slots of the
frame; a head is four: the two slots that the flip inverts, and where its steps begin and end. Behind the heads of the
counted bits come those of the closer comparisons, one for each box that is not compared first.
"""

from typing import Final

from keyfence.search.des.frame import MISS, ROW, key_slot
from keyfence.search.des.gates import Value
from keyfence.search.des.layout import MEETING, OUTPUTS
from keyfence.search.des.tables import BOXES, ROTATION
from keyfence.search.numbering import COUNTERS

from .boxes import EARLY, OTHERS, Boxes, Held, KeyBit, places
from .emit import Text, Vector, program

CLOSER: Final = COUNTERS
"""The head of the first closer comparison."""
HEADS: Final = CLOSER + len(OTHERS)
HEAD_WORDS: Final = 4
STEP_WORDS: Final = 5


def source(vector: Vector, pair: bool) -> str:
    """The program; `pair` adds the complemented pair's comparison."""
    body = f"""
#define ROW(name) (frame + name)
constant uint turns[8] = {{{", ".join(str(ROTATION[number - 1]) for number in range(4, 12))}}};
constant uint places[{4 * len(OTHERS)}] = {{{", ".join(str(place) for box in OTHERS for place in OUTPUTS[box])}}};

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void search(global V *restrict frame, global const uint *restrict heads, global const uint *restrict steps,
            ulong first, ulong stop, uint bit, global ulong *restrict found)
{{
    for (ulong count = first; count != stop; ++count, bit = popcount((count & -count) - 1)) {{
        global const uint *head = heads + {HEAD_WORDS} * bit;
        const V flipped = ~frame[head[0]];
        frame[head[0]] = flipped;
        frame[head[1]] = flipped;
        for (uint closer = 0;; ++closer) {{
            for (uint at = head[2]; at != head[3]; at += {STEP_WORDS}) {{
                global V *out = frame + steps[at + 1];
                global const V *left = frame + steps[at + 2], *right = frame + steps[at + 3], *key = frame + steps[at + 4];
                switch (steps[at]) {{
{_steps(vector)}
                }}
            }}
            V missed;
            if (closer == 0) {{
{_rounds(vector)}
{_compare(vector, pair)}
            }} else {{
{_closer(pair)}
            }}
            if (!any(missed != ONES))
                break;
            if (closer == {len(OTHERS)}) {{
                *found = count;
                return;
            }}
            head = heads + {HEAD_WORDS} * ({CLOSER} + closer);
        }}
    }}
    *found = stop;
}}
"""
    return program(vector, body)


def _of(base: str, text: Text) -> Held:
    return lambda place: text.load(base, place)


def _key(base: str, text: Text) -> KeyBit:
    return lambda number, bit: text.load(base, key_slot(number, bit))


def _steps(vector: Vector) -> str:
    cases = []
    for number in range(BOXES):
        text = Text(vector, "s")
        results = Boxes(text, vector).outputs(number, _of("left", text), _of("right", text), _key("key", text), range(32))
        for place, value in results.items():
            text.store(value, "out", place)
        cases.append(f"case {number}: {{\n{chr(10).join(text.lines)}\n}} break;")
    return "\n".join(cases)


def _round(text: Text, vector: Vector, out: str, left: str, right: str, key: str) -> None:
    cached: dict[int, Value] = {}

    def bit(place: int) -> Value:
        if place not in cached:
            cached[place] = text.load(right, place)
        return cached[place]

    boxes = Boxes(text, vector)
    for number in range(BOXES):
        for place, value in boxes.outputs(number, _of(left, text), bit, _key(key, text), range(32)).items():
            text.store(value, out, place)


def _rounds(vector: Vector) -> str:
    """Rounds 4 to 11, two at a time, through the frame's rows A and B."""
    text = Text(vector, "r")
    _round(text, vector, "a", "left", "right", "key1")
    _round(text, vector, "b", "right", "a", "key2")
    return f"""global V *a = frame + {ROW["A"]}, *b = frame + {ROW["B"]};
global V *left = frame + {ROW["X2"]}, *right = frame + {ROW["X3"]};
#pragma unroll 1
for (uint round = 0; round != 8; round += 2) {{
global const V *key1 = frame + turns[round], *key2 = frame + turns[round + 1];
{chr(10).join(text.lines)}
left = a;
right = b;
}}"""


def _compare(vector: Vector, pair: bool) -> str:
    """As much of round 12 as the first boxes of round 13 need, and what these say against the ciphertext's side."""
    text = Text(vector, "t")
    boxes = Boxes(text, vector)
    key12, key13 = (_key(f"(frame + {ROTATION[number - 1]})", text) for number in (MEETING - 1, MEETING))
    x12 = boxes.half_block(_of("a", text), _of("b", text), key12, places(EARLY))
    misses: list[Value] = []
    for number in EARLY:
        for place, value in boxes.outputs(number, _of("b", text), x12.__getitem__, key13, range(32)).items():
            wanted = [text.load("frame", ROW[row] + place) for row in ("BACK", "BACK'")[: 1 + pair]]
            known = misses or [""] * len(wanted)
            misses = [
                boxes.gates.differs(m, value, w) if m else boxes.gates.xor(value, w) for m, w in zip(known, wanted, strict=True)
            ]
    for index, value in enumerate(misses):
        text.store(value, "frame", MISS + index)
    return "\n".join([*text.lines, f"missed = {' & '.join(misses)};"])


def _closer(pair: bool) -> str:
    """Four more bits of X[13], in lanes where all so far agree."""
    lines = [f"for (uint i = 0; i != {1 + pair}; ++i) {{", f"V miss = frame[{MISS} + i];", "for (uint j = 0; j != 4; ++j) {"]
    lines += ["const uint place = places[4 * (closer - 1) + j];"]
    second = ROW["BACK'"] - ROW["BACK"]
    lines += [f"miss |= frame[{ROW['FORTH']} + place] ^ frame[{ROW['BACK']} + {second} * i + place];", "}"]
    lines += [f"frame[{MISS} + i] = miss;", "missed = i ? missed & miss : miss;", "}"]
    return "\n".join(lines)
