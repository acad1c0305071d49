"""What is asked: numbering, what fits, and what is refused in one line."""

import pickle
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.short import Algorithm, BadProblem, ShortKeyProblem

from .samples import made, masked, planted

KEY = bytes(range(16))
BLOCK = bytes(16)
ALL_KNOWN = b"\xff" * 16
CIPHERED = made(Algorithm.AES, KEY, BLOCK)


@given(size=st.integers(1, 64), seed=st.integers(0, 2**32), data=st.data())
@settings(max_examples=100)
def test_every_number_stands_for_one_key(size: int, seed: int, data: st.DataObject) -> None:
    random = Random(seed)
    unknown = data.draw(st.sets(st.integers(0, 8 * size - 1), max_size=63))
    key = random.randbytes(size)
    problem = planted(random, Algorithm.HMAC_SHA256, key, unknown, samples=1)
    assert problem.candidates == problem.keys == 2 ** len(unknown)
    assert problem.key(problem.candidate(key)) == key
    number = random.randrange(problem.candidates)
    assert problem.candidate(problem.key(number)) == number
    assert sorted(problem.layout.order) == sorted(unknown)


@given(unknown=st.sets(st.integers(0, 127), min_size=5, max_size=10))
@settings(max_examples=20)
def test_numbers_reach_all_keys(unknown: set[int]) -> None:
    problem = planted(Random(1), Algorithm.RC4, KEY, unknown)
    keys = {problem.key(number) for number in range(problem.candidates)}
    assert len(keys) == problem.candidates
    assert all(masked(key, unknown) == masked(KEY, unknown) for key in keys)


@given(unknown=st.sets(st.integers(0, 127), min_size=5, max_size=40))
def test_the_next_count_is_one_bit_away(unknown: set[int]) -> None:
    problem = planted(Random(2), Algorithm.AES, KEY, unknown)
    first, second = (int.from_bytes(problem.key(number)) for number in (0, 16))
    assert (first ^ second).bit_count() == 1


@pytest.mark.parametrize(
    ("unknown", "fast"),
    [
        (range(8, 24), 0),
        (range(96, 128), 3),
        ([*range(40, 48), *range(96, 103)], 1),  # word 3 has seven unknown bits only
        ([*range(40, 48), *range(96, 104)], 3),
        ([0, 32, 64], None),
        ([], None),
        ([5], 0),
    ],
)
def test_the_last_word_with_enough_unknown_bits_is_fast(unknown: list[int], fast: int | None) -> None:
    layout = planted(Random(3), Algorithm.HMAC_SHA1, KEY, unknown).layout
    assert layout.fast == fast
    quick = layout.order[: 4 + layout.kept] if layout.kept else ()
    assert all(bit // 32 == fast for bit in quick)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_only_the_key_fits(algorithm: Algorithm) -> None:
    problem = planted(Random(4), algorithm, KEY, range(8))
    assert problem.fits(KEY)
    assert not problem.fits(b"\xff" + KEY[1:])
    assert not problem.fits(KEY[:-1] + b"\xff")  # contradicts a known bit
    assert not problem.fits(KEY[:8])
    with pytest.raises(BadProblem, match="contradicts"):
        problem.candidate(KEY[:-1] + b"\xff")


def test_all_of_a_sample_is_asked() -> None:
    two = made(Algorithm.AES, KEY, BLOCK + KEY)
    assert ShortKeyProblem(Algorithm.AES, ((BLOCK + KEY, two),), ALL_KNOWN, KEY).fits(KEY)
    assert not ShortKeyProblem(Algorithm.AES, ((BLOCK + KEY, two[:-1] + b"!"),), ALL_KNOWN, KEY).fits(KEY)


def test_neither_key_bits_nor_samples_are_shown() -> None:
    problem = planted(Random(5), Algorithm.RC4, b"Secret", range(20))
    assert repr(problem) == "ShortKeyProblem(rc4, 20 of 48 key bits unknown, 2 samples)"


def test_it_can_be_sent_away() -> None:
    problem = planted(Random(6), Algorithm.RC4, b"Secret", range(20), skip=7)
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert hash(problem) == hash(pickle.loads(pickle.dumps(problem)))


def test_whole_bytes_unknown() -> None:
    problem = ShortKeyProblem.unknown_bytes(Algorithm.AES, ((BLOCK, CIPHERED),), KEY, frozenset({0, 15}))
    assert problem.known_mask == b"\0" + b"\xff" * 14 + b"\0"
    assert problem.known_value == b"\0" + KEY[1:15] + b"\0"


@pytest.mark.parametrize(
    ("algorithm", "results", "expected"),
    [
        (Algorithm.HMAC_SHA256, {b"a": 4}, 2.0**-16),
        (Algorithm.HMAC_SHA256, {b"a": 4, b"b": 4}, 2.0**-48),
        (Algorithm.AES, {BLOCK: 16}, 2.0**-112),
        (Algorithm.AES, {BLOCK + BLOCK: 32}, 2.0**-112),  # the second block says what the first one says
        (Algorithm.RC4, {bytes(8): 8, b"other": 5}, 2.0**-48),  # one keystream
    ],
)
def test_how_many_wrong_keys_will_fit(algorithm: Algorithm, results: dict[bytes, int], expected: float) -> None:
    samples = tuple((data, made(algorithm, KEY, data)[:size]) for data, size in results.items())
    problem = ShortKeyProblem(algorithm, samples, *masked(KEY, range(16)))
    assert problem.expected_false == pytest.approx(expected, rel=1e-4)
    assert ShortKeyProblem(algorithm, samples, ALL_KNOWN, KEY).expected_false == 0


AES_SAMPLE = ((BLOCK, CIPHERED),)
REFUSED = [
    ("des", AES_SAMPLE, ALL_KNOWN, KEY, 0, "no search for keys of that algorithm"),
    (Algorithm.AES, AES_SAMPLE, ALL_KNOWN, KEY[:15], 0, "16 bytes and their value 15"),
    (Algorithm.AES, AES_SAMPLE, ALL_KNOWN[:15], KEY[:15], 0, "16, 24, 32 bytes here, not 15"),
    (Algorithm.RC4, ((BLOCK, BLOCK),), b"\xff" * 33, bytes(33), 0, "1 to 32 bytes here, not 33"),
    (Algorithm.HMAC_SHA1, ((b"", BLOCK),), b"\xff" * 65, bytes(65), 0, "1 to 64 bytes here, not 65"),
    (Algorithm.HMAC_SHA1, ((b"", BLOCK),), b"", b"", 0, "1 to 64 bytes here, not 0"),
    (Algorithm.AES, AES_SAMPLE, BLOCK, KEY, 0, "calls unknown"),
    (Algorithm.AES, AES_SAMPLE, BLOCK, BLOCK, 0, "128 bits of the key are unknown; at most 63"),
    (Algorithm.AES, (), ALL_KNOWN, KEY, 0, "at least one sample"),
    (Algorithm.AES, ((BLOCK, CIPHERED[:15]),), ALL_KNOWN, KEY, 0, "16 bytes and its ciphertext 15"),
    (Algorithm.AES, ((BLOCK[:15], CIPHERED[:15]),), ALL_KNOWN, KEY, 0, "blocks of 16 bytes, not 15"),
    (Algorithm.AES, ((b"", b""),), ALL_KNOWN, KEY, 0, "blocks of 16 bytes, not 0"),
    (Algorithm.RC4, ((b"abc", b"def"),), ALL_KNOWN, KEY, 0, "at least 4 bytes, not 3"),
    (Algorithm.HMAC_SHA1, ((b"", b"abc"),), ALL_KNOWN, KEY, 0, "MACs of 4 to 20 bytes, not 3"),
    (Algorithm.HMAC_SHA256, ((b"", bytes(33)),), ALL_KNOWN, KEY, 0, "MACs of 4 to 32 bytes, not 33"),
    (Algorithm.RC4, ((BLOCK, BLOCK),), ALL_KNOWN, KEY, 4097, "at most 4096 bytes"),
    (Algorithm.RC4, ((BLOCK, BLOCK),), ALL_KNOWN, KEY, -1, "at most 4096 bytes"),
    (Algorithm.AES, AES_SAMPLE, ALL_KNOWN, KEY, 1, "only RC4 skips"),
    (Algorithm.AES, (*AES_SAMPLE, (BLOCK, BLOCK)), ALL_KNOWN, KEY, 0, "contradict each other"),
    (Algorithm.RC4, ((BLOCK, BLOCK), (BLOCK[:4], b"abcd")), ALL_KNOWN, KEY, 0, "contradict each other"),
    (Algorithm.HMAC_SHA1, ((b"", bytes(20)), (b"", b"abcd")), ALL_KNOWN, KEY, 0, "contradict each other"),
]


@pytest.mark.parametrize(("algorithm", "samples", "mask", "value", "skip", "message"), REFUSED)
def test_what_is_no_problem(
    algorithm: Algorithm, samples: tuple[tuple[bytes, bytes], ...], mask: bytes, value: bytes, skip: int, message: str
) -> None:
    with pytest.raises(BadProblem, match=message) as refused:
        ShortKeyProblem(algorithm, samples, mask, value, skip)
    assert "\n" not in str(refused.value)
