"""The kernel for HMAC (RFC 2104) as LLVM IR: a key in every lane of a vector of words.

    outer    of the two blocks made of the key: everything that the fast word does not reach
    keyed    the rest of one of these blocks: (frame, part) -> state in the part
    message  one block of the message, the same in all lanes, from a table of words with the constants added
    outside  the outer hash as far as is needed to tell one word of the MAC

The two blocks differ in what is added to the key, so one function does for both: a "part" of the frame holds what it
adds, its state, and what `outer` left for it.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from keyfence.search.code import attributes, function

from .counting import BASE, NUMBERS, OWN, RUN, machine_words
from .hashes import BLOCK_WORDS, HASHES, Early, Hash, compress, expanded
from .kernel import Kernel
from .paths import Path
from .problem import ShortKeyProblem
from .staged import INNER, OUTER, Staged, Value

PADS: Final = (0x36363636, 0x5C5C5C5C)
STATE_WORDS: Final = 8  # at most
WORD: Final = "I"
DIGEST_END: Final = 0x80000000  # the bit behind the message


@dataclass(frozen=True)
class MacKernel(Kernel):
    """HMAC for one path and one choice of the word that changes fast (None: all do), told by one word of the MAC.

    The frame, from OWN on, in vectors: for 16 words of the key what lanes change, the word of the MAC that is
    compared, the inner digest, and twice a part: what is added to the key, the state, what `outer` keeps.
    """

    hash_name: str
    fast: int | None
    early: Early

    @property
    def hash(self) -> Hash:
        return HASHES[self.hash_name]

    @property
    def lanes(self) -> int:
        return self.path.lanes

    def _vector(self, number: int) -> int:
        return OWN + number * self.path.vector_bytes

    @property
    def target(self) -> int:
        """Where the word of the MAC is expected, in all lanes."""
        return self._vector(BLOCK_WORDS)

    @property
    def digest(self) -> int:
        return self._vector(BLOCK_WORDS + 1)

    @property
    def parts(self) -> tuple[int, int]:
        """The inner hash's and the outer hash's."""
        first = self._vector(BLOCK_WORDS + 1 + STATE_WORDS)
        return first, first + self._state + STATE_WORDS * self.path.vector_bytes + self._keyed.kept_bytes

    @property
    def _state(self) -> int:
        """Where a part's state is, from the part's beginning."""
        return self.path.vector_bytes

    @property
    def _tables(self) -> int:
        """Where the message's tables are."""
        first, second = self.parts
        return second + second - first

    def frame_bytes(self, problem: ShortKeyProblem) -> int:
        return self._tables + len(message_tables(self.hash_name, problem.samples[0][0]))

    def image(self, key: bytes) -> bytes:
        """A key as it lies in BASE: its words as the machine has them."""
        return machine_words(key.ljust(4 * BLOCK_WORDS, b"\0"))

    def contents(self, problem: ShortKeyProblem, frame: int) -> Iterator[tuple[int, bytes]]:
        message, mac = problem.samples[0]
        word = mac[4 * self.early.word : 4 * self.early.word + 4]
        yield self.target, machine_words(word * self.lanes)
        for part, pad in zip(self.parts, PADS, strict=True):
            yield part, array(WORD, [pad] * self.lanes).tobytes()
        tables = message_tables(self.hash_name, message)
        yield self._tables, tables
        yield NUMBERS, array("Q", [frame + self._tables, frame + self._tables + len(tables)]).tobytes()

    def lane_contents(self, images: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
        for number in range(BLOCK_WORDS):
            yield self._vector(number), b"".join(image[4 * number : 4 * number + 4] for image in images)

    @cached_property
    def _keyed(self) -> Staged:
        code = Staged(self.path, self._state + STATE_WORDS * self.path.vector_bytes)
        words = [self._key_word(code, number) for number in range(BLOCK_WORDS)]
        initial = self.hash.initial
        for number, value in enumerate(compress(self.hash, code, initial, expanded(self.hash, code, words))):
            code.store(code.add(initial[number], value), "%part", self._state + number * self.path.vector_bytes)
        return code

    def _key_word(self, code: Staged, number: int) -> Value:
        stage = INNER if self.fast in (None, number) else OUTER
        lanes = code.load(stage, "%frame", self._vector(number))
        return code.xor(lanes, code.load_all(stage, "%frame", BASE + 4 * number), code.load(stage, "%part", 0))

    def _message(self) -> Staged:
        code = Staged(self.path)
        state = [code.load(INNER, "%state", number * self.path.vector_bytes) for number in range(len(self.hash.initial))]
        after = compress(self.hash, code, state, lambda number: [code.load_all(INNER, "%table", 4 * number)])
        for number, (old, value) in enumerate(zip(state, after, strict=True)):
            code.store(code.add(old, value), "%digest", number * self.path.vector_bytes)
        return code

    def _outside(self) -> tuple[Staged, str]:
        code, count, part = Staged(self.path), len(self.hash.initial), self.parts[1]
        state = [code.load(INNER, "%frame", part + self._state + n * self.path.vector_bytes) for n in range(count)]
        digest = [code.load(INNER, "%frame", self.digest + n * self.path.vector_bytes) for n in range(count)]
        zeros = [0] * (BLOCK_WORDS - count - 2)
        words: list[Value] = [*digest, DIGEST_END, *zeros, 8 * (4 * BLOCK_WORDS + 4 * count)]
        early = self.early
        register = compress(self.hash, code, state, expanded(self.hash, code, words), early.rounds)[early.register]
        value = code.rotate(register, early.turn) if early.turn else register
        wanted = code.sub(code.load(INNER, "%frame", self.target), state[early.word])
        return code, self._equal(code, value, wanted)

    def _equal(self, code: Staged, a: Value, b: Value) -> str:
        """The lanes in which two values are the same, as a word of 64 bits."""
        same = code.let(INNER, f"icmp eq {self.path.vector} {code.operand(a, INNER)}, {code.operand(b, INNER)}")
        bits = code.let(INNER, f"bitcast <{self.lanes} x i1> {same.name} to i{self.lanes}")
        return code.let(INNER, f"zext i{self.lanes} {bits.name} to i64").name

    def _functions(self) -> Iterator[str]:
        keyed, message, (outside, lanes) = self._keyed, self._message(), self._outside()
        yield function("void @outer_part(ptr noalias %frame, ptr noalias %part)", keyed.lines[OUTER])
        yield function("void @keyed(ptr noalias %frame, ptr noalias %part)", keyed.lines[INNER])
        yield function("void @message(ptr %digest, ptr %state, ptr noalias %table)", message.lines[INNER])
        yield function("i64 @outside(ptr %frame)", outside.lines[INNER], f"i64 {lanes}")
        yield keyed.declarations()

    def _whole(self) -> str:
        first, second = self.parts
        return f"""
define void @outer(ptr %frame) #0 {{
  %first = getelementptr i8, ptr %frame, i64 {first}
  %second = getelementptr i8, ptr %frame, i64 {second}
  call void @outer_part(ptr %frame, ptr %first)
  call void @outer_part(ptr %frame, ptr %second)
  ret void
}}
define i64 @test(ptr %frame) #0 {{
entry:
  %first = getelementptr i8, ptr %frame, i64 {first}
  %second = getelementptr i8, ptr %frame, i64 {second}
  %initial = getelementptr i8, ptr %first, i64 {self._state}
  %digest = getelementptr i8, ptr %frame, i64 {self.digest}
  %blocks = getelementptr i8, ptr %frame, i64 {NUMBERS}
  %blocks1 = getelementptr i8, ptr %frame, i64 {NUMBERS + 8}
  %begin = load ptr, ptr %blocks
  %end = load ptr, ptr %blocks1
  call void @keyed(ptr %frame, ptr %first)
  call void @keyed(ptr %frame, ptr %second)
  br label %block
block:
  %table = phi ptr [%begin, %entry], [%next, %block]
  %state = phi ptr [%initial, %entry], [%digest, %block]
  call void @message(ptr %digest, ptr %state, ptr %table)
  %next = getelementptr i8, ptr %table, i64 {4 * self.hash.rounds}
  %done = icmp eq ptr %next, %end
  br i1 %done, label %finish, label %block
finish:
  %lanes = call i64 @outside(ptr %frame)
  ret i64 %lanes
}}
"""

    def module(self) -> str:
        return "\n".join([*self._functions(), self._whole(), RUN, attributes(8 * self.path.vector_bytes)])


@lru_cache(maxsize=4)
def message_tables(hash_name: str, message: bytes) -> bytes:
    """For every round of every block behind the key's: the message word with the constant added, as the machine has it."""
    kind = HASHES[hash_name]
    code, tables = Staged(Path("numbers", 1, ())), array(WORD)
    for block in _padded(message):
        words = [int.from_bytes(block[4 * number : 4 * number + 4]) for number in range(BLOCK_WORDS)]
        terms = expanded(kind, code, words)
        tables.extend(value for number in range(kind.rounds) if isinstance(value := code.add(*terms(number)), int))
    return tables.tobytes()


def _padded(message: bytes) -> Iterator[bytes]:
    """The message behind a block, with the length that both have together (FIPS 180-4 section 5.1.1)."""
    size = 4 * BLOCK_WORDS
    whole = message + b"\x80"
    whole += bytes(-(len(whole) + 8) % size) + (8 * (size + len(message))).to_bytes(8)
    return (whole[start : start + size] for start in range(0, len(whole), size))
