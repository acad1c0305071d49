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

BASE: Final = 0
HITS: Final = 64
NUMBERS: Final = 72
OWN: Final = 128

RUN: Final = f"""
define i64 @run(ptr %frame, ptr %flips, i64 %fast, i64 %first, i64 %stop, i64 %firstbit) #0 {{
entry:
  %hits = getelementptr i8, ptr %frame, i64 {HITS}
  br label %count
count:
  %i = phi i64 [%first, %entry], [%following, %advance]
  %bit = phi i64 [%firstbit, %entry], [%flipping, %advance]
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
  br i1 %none, label %advance, label %found
advance:
  %following = add i64 %i, 1
  %flipping = call i64 @llvm.cttz.i64(i64 %following, i1 false)
  %finished = icmp eq i64 %following, %stop
  br i1 %finished, label %over, label %count
found:
  store i64 %lanes, ptr %hits
  ret i64 %i
over:
  ret i64 %stop
}}
declare i64 @llvm.cttz.i64(i64, i1 immarg)
"""
"""`run`: counts from `first` to `stop` in Gray code and ends early where a lane fits: its count, or `stop`.

`firstbit` says what flips before the first one. A flip of `flips` is two words of 64 bits: the byte offset of a word of
32 in the frame, and the mask that changes it. Bits from `fast` on are slow.
"""


def attributes(vector_bits: int) -> str:
    """Without these LLVM would split the widest vectors."""
    return f'attributes #0 = {{ nounwind "min-legal-vector-width"="{vector_bits}" "prefer-vector-width"="512" }}\n'


def machine_words(data: bytes) -> bytes:
    """Big-endian words of 32 bits as the machine has them."""
    words = array("I", data)
    if sys.byteorder == "little":
        words.byteswap()
    return words.tobytes()
