"""The kernel as LLVM IR: DES on vectors of one-bit lanes, a lane per key.

    step0 … step7   one box of any round, for what changes less often than the innermost loop
    search          rounds 4 to 11, as much of 12 as is needed, and the first 12 bits of X[13] compared
    match           the other 20 bits, for the one vector in eight that has lanes left
    run             counts in Gray code and calls these; ends where a lane fits

What differs between paths is the width of a vector and what counts as a gate. With a complemented pair every comparison
is made with two wanted values.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from keyfence.search.code import attributes, counting

from .circuits import load
from .frame import MISS, ROW, Path, key_slot
from .gates import Block, Gate2, Lut3, Made, Value
from .layout import MEETING, OUTPUTS
from .tables import BOXES, EXPANSION, ROTATION


class Writer:
    """Writes the kernel's functions for one path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.circuits = load(path.circuits)

    def gates(self, block: Block) -> Lut3 | Gate2:
        return Lut3(block) if self.path.circuits == "lut3" else Gate2(block)

    def box(
        self,
        block: Block,
        number: int,
        right: Callable[[int], Value],
        key: Value,
        turn: int,
        added: Mapping[int, Made],
    ) -> dict[int, Value]:
        """One box: `right(place)` is a bit of the half block, `turn` the round's rotation, `added` what outputs join."""
        gates = self.gates(block)

        def entry(bit: int) -> Made:
            place = EXPANSION[6 * number + bit]
            return lambda: gates.xor(right(place), block.load(key, key_slot(number, bit) + turn))

        return gates.box(self.circuits[number], [entry(bit) for bit in range(6)], added)

    @staticmethod
    def _loads(block: Block, row: Value, number: int) -> dict[int, Made]:
        """The four bits of a half block that a box adds to, each loaded when it is needed."""
        return {output: partial(block.load, row, place) for output, place in enumerate(OUTPUTS[number])}

    def step(self, number: int) -> str:
        """`step`: one box of any round: (out, left, right, key turned to the round)."""
        block = Block(path=self.path)
        added = self._loads(block, "%left", number)
        results = self.box(block, number, lambda place: block.load("%right", place), "%key", 0, added)
        for output, value in results.items():
            block.store(value, "%out", OUTPUTS[number][output])
        body = "\n".join(block.lines)
        return f"define void @step{number}(ptr noalias %out, ptr %left, ptr %right, ptr %key) #0 {{\n{body}\n  ret void\n}}\n"

    def round(self, block: Block, out: Value, left: Value, right: Value, key: Value) -> None:
        """All eight boxes of a round."""
        cached: dict[int, Value] = {}

        def bit(place: int) -> Value:
            if place not in cached:
                cached[place] = block.load(right, place)
            return cached[place]

        for number in range(BOXES):
            added = self._loads(block, left, number)
            for output, value in self.box(block, number, bit, key, 0, added).items():
                block.store(value, out, OUTPUTS[number][output])

    def search(self, early: Sequence[int], pair: bool) -> str:
        """`search`: rounds 4 to 11 in a loop, what of round 12 the first comparison needs, and that comparison.

        Returns whether a lane survived: (frame) -> i1.
        """
        body = Block("r", path=self.path)
        self.round(body, "%a", "%lefta", "%rightb", "%key1")
        self.round(body, "%b", "%rightb", "%a", "%key2")
        tail = Block("t", path=self.path)
        misses = self._compare_early(tail, early, pair)
        survived = self._any_left(tail, misses)
        addresses = "\n".join(
            f"  %{name} = getelementptr {self.path.type}, ptr %frame, i64 {ROW[row]}"
            for name, row in (("a", "A"), ("b", "B"), ("x2", "X2"), ("x3", "X3"))
        )
        turns = ", ".join(f"i64 {ROTATION[number - 1]}" for number in range(4, 12))
        return f"""
@turns{early[0]} = internal constant [8 x i64] [{turns}]
define i1 @search{early[0]}{"p" if pair else ""}(ptr noalias %frame) #0 {{
entry:
{addresses}
  br label %rounds
rounds:
  %i = phi i64 [0, %entry], [%next, %rounds]
  %lefta = phi ptr [%x2, %entry], [%a, %rounds]
  %rightb = phi ptr [%x3, %entry], [%b, %rounds]
  %p1 = getelementptr i64, ptr @turns{early[0]}, i64 %i
  %p2 = getelementptr i64, ptr %p1, i64 1
  %turn1 = load i64, ptr %p1
  %turn2 = load i64, ptr %p2
  %key1 = getelementptr {self.path.type}, ptr %frame, i64 %turn1
  %key2 = getelementptr {self.path.type}, ptr %frame, i64 %turn2
{chr(10).join(body.lines)}
  %next = add i64 %i, 2
  %more = icmp ult i64 %next, 8
  br i1 %more, label %rounds, label %tail
tail:
{chr(10).join(tail.lines)}
  ret i1 {survived}
}}
"""

    def _compare_early(self, block: Block, early: Sequence[int], pair: bool) -> list[Value]:
        needed = {place for number in early for place in EXPANSION[6 * number : 6 * number + 6]}
        x12: dict[int, Value] = {}
        for number in range(BOXES):
            added = {o: it for o, it in self._loads(block, "%a", number).items() if OUTPUTS[number][o] in needed}
            if added:
                results = self.box(block, number, lambda place: block.load("%b", place), "%frame", ROTATION[11], added)
                x12 |= {OUTPUTS[number][output]: value for output, value in results.items()}
        return self._compare(block, early, x12.__getitem__, pair, {})

    def _compare(
        self, block: Block, boxes: Iterable[int], x12: Callable[[int], Value], pair: bool, misses: dict[str, Value]
    ) -> list[Value]:
        """Lanes in which these boxes of X[13] differ from what the ciphertext says; stored too."""
        gates = self.gates(block)
        for number in boxes:
            added = self._loads(block, "%b", number)
            results = self.box(block, number, x12, "%frame", ROTATION[MEETING - 1], added)
            for output, value in results.items():
                for row in ("BACK", "BACK'")[: 1 + pair]:
                    wanted = block.load("%frame", ROW[row] + OUTPUTS[number][output])
                    known = misses.get(row)
                    misses[row] = gates.differs(known, value, wanted) if known else gates.xor(value, wanted)
        for index, value in enumerate(misses.values()):
            block.store(value, "%frame", MISS + index)
        return list(misses.values())

    def _any_left(self, block: Block, misses: Sequence[Value]) -> Value:
        """Whether a lane is clear in one of these."""
        all_miss = misses[0] if len(misses) == 1 else block.gate("and", *misses)
        words = self.path.lanes // 64
        unlike = block.let(f"icmp ne {self.path.type} {all_miss}, {block.ones()}")
        bits = block.let(f"bitcast <{words} x i1> {unlike} to i{words}")
        return block.let(f"icmp ne i{words} {bits}, 0")

    def match(self, early: Sequence[int], pair: bool) -> str:
        """`match`: the other boxes of X[13], one after the other while lanes survive: (frame) -> i1."""
        name = f"{early[0]}{'p' if pair else ''}"
        others = [number for number in range(BOXES) if number not in early]
        first = Block("f", path=self.path)
        for number in range(BOXES):
            self._call_step(first, number, "X12", "A", "B", 12)
        blocks = [f"define i1 @match{name}(ptr %frame) #0 {{", *first.lines, f"  br label %box{others[0]}"]
        for number, following in zip(others, [*(f"box{n}" for n in others[1:]), "survived"], strict=True):
            block = Block(f"b{number}_", path=self.path)
            survived = self._match_box(block, number, pair)
            blocks += [f"box{number}:", *block.lines, f"  br i1 {survived}, label %{following}, label %missed"]
        return "\n".join([*blocks, "survived:", "  ret i1 true", "missed:", "  ret i1 false", "}", ""])

    def _call_step(self, block: Block, number: int, out: str, left: str, right: str, round_number: int) -> None:
        rows = [block.address("%frame", ROW[row]) for row in (out, left, right)]
        key = block.address("%frame", ROTATION[round_number - 1])
        block.lines.append(f"  call void @step{number}({', '.join(f'ptr {pointer}' for pointer in (*rows, key))})")

    def _match_box(self, block: Block, number: int, pair: bool) -> Value:
        gates = self.gates(block)
        self._call_step(block, number, "FORTH", "B", "X12", MEETING)
        misses = []
        for index, mark in enumerate(("", "'")[: 1 + pair]):
            self._call_step(block, number, f"BACK{mark}", f"X15{mark}", f"X14{mark}", 15)
            miss = block.load("%frame", MISS + index)
            for place in OUTPUTS[number]:
                forth = block.load("%frame", ROW["FORTH"] + place)
                miss = gates.differs(miss, forth, block.load("%frame", ROW[f"BACK{mark}"] + place))
            block.store(miss, "%frame", MISS + index)
            misses.append(miss)
        return self._any_left(block, misses)

    def run(self, early: Sequence[int], pair: bool) -> str:
        """`run`: counts from `first` to `stop` in Gray code, and ends early where a lane fits: its count, or `stop`.

        `bit` says what flips before the first one. A head of `heads` is four words: the two vectors that the bit's flip
        inverts, and where its steps begin and end; a step is five: the function and its four arguments.
        """
        kind, align = self.path.type, self.path.vector_bytes
        name = f"{early[0]}{'p' if pair else ''}"
        return counting(
            f"run{name}",
            "ptr %frame, ptr %heads",
            f"""\
  %head = getelementptr [4 x ptr], ptr %heads, i64 %bit
  %head1 = getelementptr ptr, ptr %head, i64 1
  %head2 = getelementptr ptr, ptr %head, i64 2
  %head3 = getelementptr ptr, ptr %head, i64 3
  %key1 = load ptr, ptr %head
  %key2 = load ptr, ptr %head1
  %steps = load ptr, ptr %head2
  %end = load ptr, ptr %head3
  %old = load {kind}, ptr %key1, align {align}
  %new = xor {kind} %old, {Block(path=self.path).ones()}
  store {kind} %new, ptr %key1, align {align}
  store {kind} %new, ptr %key2, align {align}
  %none = icmp eq ptr %steps, %end
  br i1 %none, label %inner, label %step
step:
  %at = phi ptr [%steps, %count], [%after, %step]
  %at1 = getelementptr ptr, ptr %at, i64 1
  %at2 = getelementptr ptr, ptr %at, i64 2
  %at3 = getelementptr ptr, ptr %at, i64 3
  %at4 = getelementptr ptr, ptr %at, i64 4
  %function = load ptr, ptr %at
  %out = load ptr, ptr %at1
  %left = load ptr, ptr %at2
  %right = load ptr, ptr %at3
  %key = load ptr, ptr %at4
  call void %function(ptr %out, ptr %left, ptr %right, ptr %key)
  %after = getelementptr ptr, ptr %at, i64 5
  %done = icmp eq ptr %after, %end
  br i1 %done, label %inner, label %step
inner:
  %maybe = call i1 @search{name}(ptr %frame)
  br i1 %maybe, label %closer, label %advance
closer:
  %fits = call i1 @match{name}(ptr %frame)
  br i1 %fits, label %found, label %advance""",
        )

    def module(self, early: Sequence[int], pair: bool) -> str:
        """Everything for one choice of boxes compared first; `pair` adds the complemented pair's comparison."""
        functions = [*map(self.step, range(BOXES)), self.search(early, pair), self.match(early, pair), self.run(early, pair)]
        ternary = f"declare {self.path.type} @llvm.x86.avx512.pternlog.q.512({', '.join([self.path.type] * 3)}, i32 immarg)\n"
        return "\n".join(
            [
                *functions,
                ternary if self.path.circuits == "lut3" else "",
                attributes(self.path.lanes),
            ]
        )
