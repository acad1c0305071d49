"""What all kernels share: the beginning of a worker's memory ("frame"), and the loop that counts.

    BASE     64 bytes: the key with its known bits and the counted bits as they are, the lanes' bits clear
    HITS     a word of 64 bits: the lanes that fit
    NUMBERS  a few words for the kernel's own use
    OWN      where the kernel's own memory begins

A kernel is a module with two functions more:

    outer    (frame): after a flip of a slow bit
    test     (frame) -> lanes that fit
"""

import sys
from array import array
from typing import Final

from keyfence.search.code import counting

BASE: Final = 0
HITS: Final = 64
NUMBERS: Final = 72
OWN: Final = 128

RUN: Final = counting(
    "run",
    "ptr %frame, ptr %flips, i64 %fast",
    """\
  %place = getelementptr [2 x i64], ptr %flips, i64 %bit
  %second = getelementptr i64, ptr %place, i64 1
  %offset = load i64, ptr %place
  %mask64 = load i64, ptr %second
  %mask = trunc i64 %mask64 to i32
  %word = getelementptr i8, ptr %frame, i64 %offset
  %old = load i32, ptr %word
  %new = xor i32 %old, %mask
  store i32 %new, ptr %word
  %slow = icmp uge i64 %bit, %fast
  br i1 %slow, label %again, label %inner
again:
  call void @outer(ptr %frame)
  br label %inner
inner:
  %lanes = call i64 @test(ptr %frame)
  %none = icmp eq i64 %lanes, 0
  br i1 %none, label %advance, label %found""",
    found=f"""\
  %hits = getelementptr i8, ptr %frame, i64 {HITS}
  store i64 %lanes, ptr %hits""",
)
"""`run`: counts from `first` to `stop` in Gray code and ends early where a lane fits: its count, or `stop`.

`bit` says what flips before the first one. A flip of `flips` is two words of 64 bits: the byte offset of a word of
32 in the frame, and the mask that changes it. Bits from `fast` on are slow.
"""


def machine_words(data: bytes) -> bytes:
    """Big-endian words of 32 bits as the machine has them."""
    words = array("I", data)
    if sys.byteorder == "little":
        words.byteswap()
    return words.tobytes()
