"""The kernel for RC4 as LLVM IR: states side by side, so that one waits for its memory while the others go on.

begin   (frame): the lanes' keys, each byte 16 lanes in a row, from the common key and what the lanes change
group   (frame, states, keys) -> lanes that fit: some keys from scheduling to the four bytes compared
"""

import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from keyfence.search.code import Code, attributes, function

from .counting import NUMBERS, OWN, RUN
from .kernel import Kernel
from .layout import LANE_BITS
from .problem import LEAST_BYTES, ShortKeyProblem, keystream

LANES: Final = 2**LANE_BITS
GROUP: Final = 4
"""Keys at a time: fewer leave the processor waiting, and more do not fit into its registers."""
LONGEST: Final = 32
STATE: Final = 256
LENGTH, STEPS = NUMBERS, NUMBERS + 8
"""Where the key's length is and how many bytes of keystream are made."""
TARGET: Final = NUMBERS + 16
DELTAS: Final = OWN
KEYS: Final = DELTAS + LONGEST * LANES
IDENTITY: Final = KEYS + LONGEST * LANES
STATES: Final = IDENTITY + STATE
FRAME: Final = STATES + GROUP * STATE


@dataclass(frozen=True)
class Rc4Kernel(Kernel):
    """RC4 for keys of any length; paths make no difference but for what LLVM may use."""

    def frame_bytes(self, problem: ShortKeyProblem) -> int:
        return FRAME

    def contents(self, problem: ShortKeyProblem, frame: int) -> Iterator[tuple[int, bytes]]:
        yield LENGTH, array("Q", [problem.key_bytes, problem.skip + LEAST_BYTES]).tobytes()
        first = keystream(*problem.samples[0])[:LEAST_BYTES]
        yield TARGET, int.from_bytes(first, "little").to_bytes(4, sys.byteorder)
        yield IDENTITY, bytes(range(STATE))

    def lane_contents(self, images: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
        for index in range(LONGEST):
            yield DELTAS + LANES * index, bytes(image[index] for image in images)

    def module(self) -> str:
        return "\n".join([_BEGIN, _group(), _test(), RUN, attributes(8 * self.path.vector_bytes)])


_BEGIN: Final = f"""
define void @begin(ptr %frame) #0 {{
entry:
  %lengthat = getelementptr i8, ptr %frame, i64 {LENGTH}
  %length = load i64, ptr %lengthat
  br label %byte
byte:
  %i = phi i64 [0, %entry], [%next, %byte]
  %row = mul i64 %i, {LANES}
  %base = getelementptr i8, ptr %frame, i64 %i
  %deltas = getelementptr i8, ptr %frame, i64 {DELTAS}
  %keys = getelementptr i8, ptr %frame, i64 {KEYS}
  %delta = getelementptr i8, ptr %deltas, i64 %row
  %key = getelementptr i8, ptr %keys, i64 %row
  %one = load i8, ptr %base
  %first = insertelement <{LANES} x i8> poison, i8 %one, i64 0
  %all = shufflevector <{LANES} x i8> %first, <{LANES} x i8> poison, <{LANES} x i32> zeroinitializer
  %bits = load <{LANES} x i8>, ptr %delta, align 16
  %bytes = xor <{LANES} x i8> %all, %bits
  store <{LANES} x i8> %bytes, ptr %key, align 16
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %length
  br i1 %more, label %byte, label %done
done:
  ret void
}}
define void @outer(ptr %frame) #0 {{
  ret void
}}
"""


def _swap(code: Code, lane: int, i: str, old: str, key: str | None = None) -> tuple[str, str, str]:
    """One step in a lane: j from the old one, then S[i] and S[j] swapped. Gives the new j, and both as they were."""
    state = code.at("%states", STATE * lane)
    a = code.load("i8", state, i)
    j = code.let(f"add i8 {old}, {a}")
    if key is not None:
        j = code.let(f"add i8 {j}, {key}")
    place = code.let(f"zext i8 {j} to i64")
    b = code.load("i8", state, place)
    code.do(f"store i8 {b}, ptr {code.at(state, i)}")
    code.do(f"store i8 {a}, ptr {code.at(state, place)}")
    return j, a, b


def _schedule() -> tuple[list[str], list[str]]:
    """A step of key scheduling in all lanes, and the new js."""
    code = Code("s")
    keys = code.at("%keys", code.let(f"mul i64 %turn, {LANES}"))
    js = [_swap(code, lane, "%i", f"%j{lane}", code.load("i8", keys, lane))[0] for lane in range(GROUP)]
    return code.lines, js


def _stream() -> tuple[list[str], list[str], list[str]]:
    """A byte of keystream in all lanes, the new js, and the last four bytes made."""
    code, js, outs = Code("g"), [], []
    for lane in range(GROUP):
        j, a, b = _swap(code, lane, "%at", f"%q{lane}")
        place = code.let(f"zext i8 {code.let(f'add i8 {a}, {b}')} to i64")
        byte = code.let(f"zext i8 {code.load('i8', code.at('%states', STATE * lane), place)} to i32")
        older, newest = code.let(f"lshr i32 %out{lane}, 8"), code.let(f"shl i32 {byte}, 24")
        outs.append(code.let(f"or i32 {older}, {newest}"))
        js.append(j)
    return code.lines, js, outs


def _compare(outs: list[str]) -> tuple[list[str], str]:
    """The lanes whose four bytes are the wanted ones."""
    code, result = Code("c"), "0"
    target = code.load("i32", "%frame", TARGET)
    for lane, out in enumerate(outs):
        same = code.let(f"zext i1 {code.let(f'icmp eq i32 {out}, {target}')} to i64")
        result = code.let(f"or i64 {result}, {code.let(f'shl i64 {same}, {lane}')}")
    return code.lines, result


def _phis(kind: str, name: str, before: str, block: str, values: list[str]) -> str:
    """In each lane a value that begins with 0 and goes round."""
    return "\n".join(f"  %{name}{lane} = phi {kind} [0, %{before}], [{value}, %{block}]" for lane, value in enumerate(values))


def _group() -> str:
    scheduling, js = _schedule()
    streaming, qs, outs = _stream()
    comparing, result = _compare(outs)
    start = Code("a")
    identity = start.load(f"<{STATE} x i8>", "%frame", IDENTITY)
    for lane in range(GROUP):
        start.do(f"store <{STATE} x i8> {identity}, ptr {start.at('%states', STATE * lane)}, align 1")
    newline = "\n"
    return f"""
define i64 @group(ptr noalias %frame, ptr noalias %states, ptr noalias %keys) #0 {{
entry:
  %lengthat = getelementptr i8, ptr %frame, i64 {LENGTH}
  %stepsat = getelementptr i8, ptr %frame, i64 {STEPS}
  %length = load i64, ptr %lengthat
  %steps = load i64, ptr %stepsat
{newline.join(start.lines)}
  br label %schedule
schedule:
  %i = phi i64 [0, %entry], [%inext, %schedule]
  %turn = phi i64 [0, %entry], [%tnext, %schedule]
{_phis("i8", "j", "entry", "schedule", js)}
{newline.join(scheduling)}
  %inext = add i64 %i, 1
  %tafter = add i64 %turn, 1
  %around = icmp eq i64 %tafter, %length
  %tnext = select i1 %around, i64 0, i64 %tafter
  %imore = icmp ult i64 %inext, {STATE}
  br i1 %imore, label %schedule, label %stream
stream:
  %n = phi i64 [0, %schedule], [%nnext, %stream]
{_phis("i8", "q", "schedule", "stream", qs)}
{_phis("i32", "out", "schedule", "stream", outs)}
  %nnext = add i64 %n, 1
  %at = and i64 %nnext, 255
{newline.join(streaming)}
  %nmore = icmp ult i64 %nnext, %steps
  br i1 %nmore, label %stream, label %compare
compare:
{newline.join(comparing)}
  ret i64 {result}
}}
"""


def _test() -> str:
    code, result = Code(), "0"
    code.do("call void @begin(ptr %frame)")
    states = code.at("%frame", STATES)
    for first in range(0, LANES, GROUP):
        hits = code.let(f"call i64 @group(ptr %frame, ptr {states}, ptr {code.at('%frame', KEYS + first)})")
        result = code.let(f"or i64 {result}, {code.let(f'shl i64 {hits}, {first}')}")
    return function("i64 @test(ptr %frame)", code.lines, f"i64 {result}")
