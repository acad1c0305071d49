"""The kernel for AES as LLVM IR without AES instructions: one key after the other, by tables of a column each.

    expand   (round keys, frame, lane's bits): the key schedule
    encrypt  (frame, round keys) -> whether the block is the wanted one

Words are big-endian as FIPS 197 writes them. Tables make time depend on the key, which is nobody's secret here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from keyfence.search.code import Code, attributes, function

from .aes import LANES, ROUNDS, round_constants
from .counting import BASE, OWN, RUN, machine_words
from .kernel import Kernel
from .problem import ShortKeyProblem
from .reference import BLOCK_BYTES

WORDS: Final = 4
LONGEST: Final = 32
PLAINTEXT: Final = OWN
CIPHERTEXT: Final = OWN + BLOCK_BYTES
ROUND_KEYS: Final = OWN + 64
DELTAS: Final = ROUND_KEYS + 4 * WORDS * 15
FRAME: Final = DELTAS + LANES * LONGEST


def times(a: int, b: int) -> int:
    """The product in GF(2^8) (FIPS 197 section 4.2)."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = a << 1 ^ (0x11B if a & 0x80 else 0), b >> 1
    return product


def _substituted(byte: int) -> int:
    """FIPS 197 section 5.1.1: the inverse (byte^254), then the affine map."""
    inverse = 1
    for _ in range(254):
        inverse = times(inverse, byte)
    turned = [inverse << left | inverse >> (8 - left) for left in range(5)]
    return (turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63) & 0xFF


def s_box() -> list[int]:
    return [_substituted(byte) for byte in range(256)]


def columns(row: int) -> list[int]:
    """What a byte of this row adds to its column: SubBytes, then MixColumns."""
    factors = [(2, 1, 1, 3), (3, 2, 1, 1), (1, 3, 2, 1), (1, 1, 3, 2)][row]
    return [int.from_bytes(times(byte, factor) for factor in factors) for byte in s_box()]


@dataclass(frozen=True)
class TableKernel(Kernel):
    """AES for one length of key, on any processor."""

    key_bytes: int

    def frame_bytes(self, problem: ShortKeyProblem) -> int:
        return FRAME

    def image(self, key: bytes) -> bytes:
        """A key as it lies in BASE: its words as the machine has them."""
        return machine_words(key.ljust(64, b"\0"))

    def contents(self, problem: ShortKeyProblem, frame: int) -> Iterator[tuple[int, bytes]]:
        plaintext, ciphertext = problem.samples[0]
        yield PLAINTEXT, machine_words(plaintext[:BLOCK_BYTES])
        yield CIPHERTEXT, machine_words(ciphertext[:BLOCK_BYTES])

    def lane_contents(self, images: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
        yield DELTAS, b"".join(image[:LONGEST] for image in images)

    def module(self) -> str:
        tables = [_table(f"column{row}", "i32", columns(row)) for row in range(WORDS)]
        functions = [self._expand(), self._encrypt(), self._test(), function("void @outer(ptr %frame)", [])]
        return "\n".join([_table("sbox", "i8", s_box()), *tables, *functions, RUN, attributes(8 * self.path.vector_bytes)])

    def _expand(self) -> str:
        code, count = Code(), self.key_bytes // 4
        constants = iter(round_constants(10))
        words = [
            code.let(f"xor i32 {code.load('i32', '%frame', BASE + 4 * n, 4)}, {code.load('i32', '%delta', 4 * n, 4)}")
            for n in range(count)
        ]
        for number in range(count, WORDS * (ROUNDS[self.key_bytes] + 1)):
            word = words[-1]
            if number % count == 0:
                turned = code.let(f"call i32 @llvm.fshl.i32(i32 {word}, i32 {word}, i32 8)")
                word = code.let(f"xor i32 {_sub_word(code, [turned] * 4)}, {next(constants) << 24}")
            elif count == 8 and number % count == 4:
                word = _sub_word(code, [word] * 4)
            words.append(code.let(f"xor i32 {word}, {words[-count]}"))
        for number, word in enumerate(words):
            code.do(f"store i32 {word}, ptr {code.at('%keys', 4 * number)}, align 4")
        declaration = "declare i32 @llvm.fshl.i32(i32, i32, i32)\n"
        return function("void @expand(ptr noalias %keys, ptr %frame, ptr %delta)", code.lines) + declaration

    def _encrypt(self) -> str:
        code, last = Code(), ROUNDS[self.key_bytes]
        state = [code.load("i32", "%frame", PLAINTEXT + 4 * n, 4) for n in range(WORDS)]
        for number in range(last + 1):
            if number:
                rows = [[state[(column + row) % WORDS] for row in range(WORDS)] for column in range(WORDS)]  # ShiftRows
                state = [_sub_word(code, it) if number == last else _mixed(code, it) for it in rows]
            keys = [code.load("i32", "%keys", 4 * (WORDS * number + n), 4) for n in range(WORDS)]
            state = [code.let(f"xor i32 {word}, {key}") for word, key in zip(state, keys, strict=True)]
        miss = "0"
        for number, word in enumerate(state):
            wanted = code.load("i32", "%frame", CIPHERTEXT + 4 * number, 4)
            miss = code.let(f"or i32 {miss}, {code.let(f'xor i32 {word}, {wanted}')}")
        fits = code.let(f"icmp eq i32 {miss}, 0")
        return function("i1 @encrypt(ptr %frame, ptr %keys)", code.lines, f"i1 {fits}")

    def _test(self) -> str:
        return f"""
define i64 @test(ptr %frame) #0 {{
entry:
  %keys = getelementptr i8, ptr %frame, i64 {ROUND_KEYS}
  %deltas = getelementptr i8, ptr %frame, i64 {DELTAS}
  br label %lane
lane:
  %i = phi i64 [0, %entry], [%next, %lane]
  %lanes = phi i64 [0, %entry], [%more, %lane]
  %offset = mul i64 %i, {LONGEST}
  %delta = getelementptr i8, ptr %deltas, i64 %offset
  call void @expand(ptr %keys, ptr %frame, ptr %delta)
  %fits = call i1 @encrypt(ptr %frame, ptr %keys)
  %bit = zext i1 %fits to i64
  %place = shl i64 %bit, %i
  %more = or i64 %lanes, %place
  %next = add i64 %i, 1
  %again = icmp ult i64 %next, {LANES}
  br i1 %again, label %lane, label %done
done:
  ret i64 %more
}}
"""


def _table(name: str, kind: str, values: Sequence[int]) -> str:
    content = ", ".join(f"{kind} {value}" for value in values)
    return f"@{name} = internal constant [{len(values)} x {kind}] [{content}], align 64"


def _byte(code: Code, word: str, row: int) -> str:
    """The byte of a word in that row, the first one being the highest."""
    moved = code.let(f"lshr i32 {word}, {24 - 8 * row}")
    return code.let(f"zext i32 {code.let(f'and i32 {moved}, 255')} to i64")


def _sub_word(code: Code, words: Sequence[str]) -> str:
    """A word of substituted bytes, row by row from these words."""
    result = "0"
    for row, word in enumerate(words):
        byte = code.load("i8", code.let(f"getelementptr i8, ptr @sbox, i64 {_byte(code, word, row)}"))
        moved = code.let(f"shl i32 {code.let(f'zext i8 {byte} to i32')}, {24 - 8 * row}")
        result = code.let(f"or i32 {result}, {moved}")
    return result


def _mixed(code: Code, words: Sequence[str]) -> str:
    """A column after SubBytes and MixColumns, its bytes row by row from these words."""
    result = "0"
    for row, word in enumerate(words):
        place = code.let(f"getelementptr i32, ptr @column{row}, i64 {_byte(code, word, row)}")
        result = code.let(f"xor i32 {result}, {code.load('i32', place, 0, 4)}")
    return result
