"""The descriptions of the hashes, computed with numbers: the same code that writes the kernels."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.search.short.hashes import HASHES, compress, expanded
from keyfence.search.short.paths import Path
from keyfence.search.short.staged import INNER, MASK, OUTER, Node, Staged

NUMBERS = Path("numbers", 1, ())


def hashed(name: str, message: bytes) -> bytes:
    """A whole hash, FIPS 180-4 section 5 around the compression function."""
    kind, code = HASHES[name], Staged(NUMBERS)
    state = kind.initial
    padded = message + b"\x80" + bytes(-(len(message) + 9) % 64) + (8 * len(message)).to_bytes(8)
    for start in range(0, len(padded), 64):
        block = [int.from_bytes(padded[start + 4 * n : start + 4 * n + 4]) for n in range(16)]
        after = compress(kind, code, state, expanded(kind, code, block))
        state = tuple((a + b) & MASK for a, b in zip(state, after, strict=True))
    assert code.lines == {OUTER: [], INNER: []}  # numbers need no instructions
    return b"".join(word.to_bytes(4) for word in state)


@pytest.mark.parametrize("name", HASHES)
@given(message=st.binary(max_size=200))
def test_as_hashlib_has_it(name: str, message: bytes) -> None:
    assert hashed(name, message) == hashlib.new(name, message).digest()


@pytest.mark.parametrize("name", HASHES)
def test_a_word_of_the_digest_is_there_early(name: str) -> None:
    kind, code = HASHES[name], Staged(NUMBERS)
    block = [0x80000000, *[0] * 15]  # the empty message
    digest = hashlib.new(name).digest()
    for known in range(1, len(kind.initial) + 1):
        early = kind.early(known)
        register = compress(kind, code, kind.initial, expanded(kind, code, block), early.rounds)[early.register]
        told = (code.rotate(register, early.turn) + kind.initial[early.word]) & MASK
        assert early.word < known
        assert told == int.from_bytes(digest[4 * early.word : 4 * early.word + 4])


def test_what_inner_code_needs_of_outer_code_is_kept_once() -> None:
    code = Staged(Path("four", 4, ()), kept=64)
    slow, fast = code.load(OUTER, "%frame", 0), code.load(INNER, "%frame", 16)
    both = code.add(fast, 5, slow, 7)
    assert isinstance(both, Node)
    assert both.stage == INNER
    code.add(both, code.add(slow, 12))
    assert sum("store" in line for line in code.lines[OUTER]) == 2  # slow + 12 for the first, and again for the second
    assert not any("store" in line for line in code.lines[INNER])
