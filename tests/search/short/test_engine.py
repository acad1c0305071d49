"""Keys planted and found, by every path that this processor has."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search import jit
from keyfence.search.short import PATHS, Algorithm, BadProblem, Engine, Hit, NoSuchPath, ShortKeyProblem, aes, native
from keyfence.search.short.aes_tables import s_box
from keyfence.search.short.paths import usable_paths
from keyfence.search.short.worker import Worker

from .samples import around, made, masked, planted
from .test_reference import STREAMS

USABLE = [path.name for path in usable_paths()]
HMACS = (Algorithm.HMAC_SHA1, Algorithm.HMAC_SHA256)
PLANTED = 150


@pytest.fixture(params=USABLE)
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


def spread(words: int, random: Random) -> list[int]:
    """A few unknown bits in every word: none has enough of them to be the fast one."""
    return [32 * word + bit for word in range(words) for bit in random.sample(range(32), 3)]


def unknown_sets(random: Random, algorithm: Algorithm, size: int) -> list[int]:
    """A random set of unknown bits. Of HMAC keys in words 3 and 15 or in all: each fast word is a kernel to be compiled."""
    if algorithm not in HMACS:
        return random.sample(range(8 * size), random.randrange(min(8 * size, 63) + 1))
    words = [word for word in (3, 15) if 4 * (word + 1) <= size]
    if not words or random.randrange(4) == 0:
        return spread(size // 4, random)
    bits = [32 * word + bit for word in random.sample(words, random.randrange(1, len(words) + 1)) for bit in range(32)]
    return random.sample(bits, random.randrange(min(len(bits), 63) + 1))


def key_size(random: Random, algorithm: Algorithm) -> int:
    if algorithm == Algorithm.AES:
        return random.choice([16, 24, 32])
    return random.randrange(1, 33 if algorithm == Algorithm.RC4 else 65)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_planted_keys(engine: Engine, algorithm: Algorithm) -> None:
    random = Random(engine.path)
    for _ in range(PLANTED):
        key = random.randbytes(key_size(random, algorithm))
        skip = random.choice([0, 0, 1, 300]) if algorithm == Algorithm.RC4 else 0
        problem = planted(random, algorithm, key, unknown_sets(random, algorithm, len(key)), skip=skip)
        start, stop, at = around(random, problem, key, 1000)
        assert engine.search(problem, start, stop) == Hit(at, key)
        if start < at:
            assert engine.search(problem, start, at) is None
        if at + 1 < stop:
            assert engine.search(problem, at + 1, stop) is None


@pytest.mark.parametrize("algorithm", HMACS)
def test_every_word_of_an_hmac_key_can_be_the_fast_one(algorithm: Algorithm) -> None:
    random = Random(algorithm)
    for word in range(16):
        key = random.randbytes(random.randrange(4 * word + 4, 65))
        problem = planted(random, algorithm, key, [*random.sample(range(32 * word + 32), 3), *range(32 * word, 32 * word + 9)])
        assert problem.layout.fast == word
        assert Engine().search(problem) == Hit(problem.candidate(key), key)


@pytest.mark.parametrize("algorithm", HMACS)
@pytest.mark.parametrize("length", [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 500])
def test_messages_of_any_length(algorithm: Algorithm, length: int) -> None:
    """Up to 55 bytes are one block; from 56 on the length has none of its own left."""
    random = Random(length)
    key, message = random.randbytes(16), random.randbytes(length)
    problem = ShortKeyProblem(algorithm, ((message, made(algorithm, key, message)),), *masked(key, range(96, 110)))
    assert Engine().search(problem) == Hit(problem.candidate(key), key)


@pytest.mark.parametrize("algorithm", HMACS)
def test_truncated_macs(engine: Engine, algorithm: Algorithm) -> None:
    random = Random(14)
    key = random.randbytes(16)
    whole = [(message, made(algorithm, key, message)) for message in (b"one", b"two")]
    for length in range(4, len(whole[0][1]) + 1) if engine.path == USABLE[0] else (4, 16):
        samples = tuple((message, mac[:length]) for message, mac in whole)
        problem = ShortKeyProblem(algorithm, samples, *masked(key, range(100, 113)))
        assert engine.search(problem) == Hit(problem.candidate(key), key)


def test_the_bits_that_parity_hides(engine: Engine) -> None:
    """An AES key out of two DES keys: one bit of each byte is unknown."""
    random = Random(15)
    key = random.randbytes(16)
    problem = planted(random, Algorithm.AES, key, range(7, 128, 8))
    assert engine.search(problem) == Hit(problem.candidate(key), key)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_every_sample_is_asked(engine: Engine, algorithm: Algorithm) -> None:
    """The first sample alone has a hit; a second one that is wrong takes it away."""
    random = Random(16)
    key = random.randbytes(16)
    problem = planted(random, algorithm, key, range(96, 107), samples=1)
    assert engine.search(problem) == Hit(problem.candidate(key), key)
    data, result = problem.samples[0]
    wrong = (data + bytes(16), result + bytes(16)) if algorithm == Algorithm.RC4 else (bytes(16), bytes(16))
    other = ShortKeyProblem(algorithm, (problem.samples[0], wrong), problem.known_mask, problem.known_value)
    assert engine.search(other) is None


def test_a_sample_too_short_to_tell_gives_the_first_key_that_fits() -> None:
    """With 16 unknown bits and 4 bytes nothing is certain; the hit fits all the same."""
    random = Random(17)
    for _ in range(10):
        problem = planted(random, Algorithm.HMAC_SHA1, random.randbytes(16), range(96, 112), samples=1)
        short = ShortKeyProblem(
            problem.algorithm, ((problem.samples[0][0], problem.samples[0][1][:4]),), problem.known_mask, problem.known_value
        )
        hit = Engine().search(short)
        assert hit is not None
        assert short.fits(hit.key)


# RFC 2202 section 3 and RFC 4231 section 4, cases 1 to 5; the fifth of RFC 4231 is truncated to 128 bits
KEYS = [b"\x0b" * 20, b"Jefe", b"\xaa" * 20, bytes(range(1, 26)), b"\x0c" * 20]
MESSAGES = [b"Hi There", b"what do ya want for nothing?", b"\xdd" * 50, b"\xcd" * 50, b"Test With Truncation"]
RFC_2202 = """
    b617318655057264e28bc0b6fb378c8ef146be00 effcdf6ae5eb2fa2d27416d5f184df9c259a7c79
    125d7342b9ac11cd91a39af48aa17b4f63f175d3 4c9007f4026250c6bc8414f9bf50c86c2d7235da
    4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"""
RFC_4231 = """
    b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7
    5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843
    773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe
    82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b
    a3b6167473100ee06e0c796c2955552b"""
# FIPS 197 appendices B and C
FIPS_197 = """
    2b7e151628aed2a6abf7158809cf4f3c 3243f6a8885a308d313198a2e0370734 3925841d02dc09fbdc118597196a0b32
    000102030405060708090a0b0c0d0e0f 00112233445566778899aabbccddeeff 69c4e0d86a7b0430d8cdb78070b4c55a
    000102030405060708090a0b0c0d0e0f1011121314151617 00112233445566778899aabbccddeeff dda97ca4864cdfe06eaf70a0ec0d7191
    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 00112233445566778899aabbccddeeff
    8ea2b7ca516745bfeafc49904b496089"""


def published() -> Iterator[tuple[Algorithm, bytes, bytes, bytes, int]]:
    """Algorithm, key, input, output, keystream skipped."""
    for algorithm, macs in ((Algorithm.HMAC_SHA1, RFC_2202), (Algorithm.HMAC_SHA256, RFC_4231)):
        for key, message, mac in zip(KEYS, MESSAGES, macs.split(), strict=True):
            yield algorithm, key, message, bytes.fromhex(mac), 0
    words = [bytes.fromhex(word) for word in FIPS_197.split()]
    for key, plaintext, ciphertext in zip(words[::3], words[1::3], words[2::3], strict=True):
        yield Algorithm.AES, key, plaintext, ciphertext, 0
    for size, skip, stream in STREAMS:
        yield Algorithm.RC4, bytes(range(1, size + 1)), bytes(16), stream, skip


@pytest.mark.parametrize(("algorithm", "key", "data", "result", "skip"), [*published()])
def test_published_vectors(algorithm: Algorithm, key: bytes, data: bytes, result: bytes, skip: int) -> None:
    """Every path finds the key whose second, third and fourth byte are unknown in part."""
    problem = ShortKeyProblem(algorithm, ((data, result),), *masked(key, range(14, 26)), skip)
    for path in USABLE:
        assert Engine(path).search(problem) == Hit(problem.candidate(key), key)


@given(seed=st.integers(0, 2**32), algorithm=st.sampled_from(Algorithm))
@settings(max_examples=50, deadline=None)
def test_all_paths_answer_the_same(seed: int, algorithm: Algorithm) -> None:
    random = Random(seed)
    key = random.randbytes(16)
    problem = planted(random, algorithm, key, random.sample([*range(32), *range(96, 128)], 40), samples=1)
    start, stop, at = around(random, problem, key, 2000)
    assert [Engine(path).search(problem, start, stop) for path in USABLE] == [Hit(at, key)] * len(USABLE)


@pytest.mark.parametrize("blocks", [1, 2, 4])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_aes_instructions_of_every_width(blocks: int, size: int) -> None:
    """Also those that no path takes here, because there are wider ones."""
    path = next((it for it in usable_paths() if it.lanes >= 4 * blocks and it.features), None)
    if path is None or not jit.usable(aes.features(blocks)):
        pytest.skip("this processor has no such instructions")
    random = Random(blocks)
    kernel = native.ready(aes.AesKernel(path, size, blocks))
    for _ in range(20):
        key = random.randbytes(size)
        problem = planted(random, Algorithm.AES, key, random.sample(range(8 * size), 12))
        assert list(Worker(kernel, problem).hits(0, problem.candidates >> 4)) == [Hit(problem.candidate(key), key)]


def test_the_s_box() -> None:
    """FIPS 197 figure 7: its corners, and that nothing is there twice."""
    box = s_box()
    assert [box[0x00], box[0x0F], box[0x53], box[0xF0], box[0xFF]] == [0x63, 0x76, 0xED, 0x8C, 0x16]
    assert sorted(box) == list(range(256))


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("unknown", [0, 1, 3, 4, 5])
def test_few_unknown_bits(engine: Engine, algorithm: Algorithm, unknown: int) -> None:
    """Fewer than lanes and counts have room for; the key right, and wrong in a known bit."""
    random = Random(unknown)
    key = random.randbytes(16)
    problem = planted(random, algorithm, key, range(unknown))
    assert engine.search(problem) == Hit(problem.candidate(key), key)
    value = problem.known_value[:-1] + bytes([key[-1] ^ 1])
    assert engine.search(ShortKeyProblem(algorithm, problem.samples, problem.known_mask, value)) is None


def test_two_threads_find_the_same_and_tell_how_far_they_are() -> None:
    random = Random(10)
    key = random.randbytes(16)
    problem = planted(random, Algorithm.AES, key, range(22))
    told: list[int] = []
    hit = Engine().search(problem, threads=2, progress=told.append)
    assert hit == Hit(problem.candidate(key), key)
    assert told == sorted(told)
    assert Engine().search(problem, threads=2, stop=hit.candidate, progress=told.append) is None
    assert told[-1] == hit.candidate


def test_a_stopped_search_goes_on_where_it_was() -> None:
    random = Random(11)
    key = random.randbytes(16)
    problem = planted(random, Algorithm.HMAC_SHA256, key, range(90, 128))
    at = problem.candidate(key)
    told = [0]
    assert Engine().search(problem, stop_flag=lambda: told[-1] > 0, progress=told.append) is None
    assert 0 < told[-1] <= at
    assert Engine().search(problem, max(told[-1], at - 10**5)) == Hit(at, key)


def test_what_a_callback_raises_ends_the_search() -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Engine().search(planted(Random(12), Algorithm.RC4, bytes(5), range(40)), threads=2, progress=interrupt)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (5, 4), (-1, 3), (0, 2**16 + 1)])
def test_ranges_that_are_none(start: int, stop: int) -> None:
    with pytest.raises(BadProblem, match="range"):
        Engine().search(planted(Random(13), Algorithm.AES, bytes(16), range(16)), start, stop)


def test_a_path_is_known_or_refused() -> None:
    assert Engine().path == USABLE[0]
    assert set(USABLE) <= set(PATHS)
    with pytest.raises(NoSuchPath, match="mmx"):
        Engine("mmx")


@pytest.mark.parametrize("algorithm", Algorithm)
def test_rate(engine: Engine, algorithm: Algorithm) -> None:
    problem = planted(Random(14), algorithm, bytes(16), range(96, 128))
    assert engine.rate(problem, seconds=0.05) > 1e4


def test_a_search_does_not_change_with_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor without AES instructions, and one with nothing: the tables, and the generic path."""
    random = Random(18)
    key = random.randbytes(16)
    problem = planted(random, Algorithm.AES, key, range(12))
    monkeypatch.setattr(jit, "usable", lambda wanted: not set(wanted) & {"aes", "vaes"})
    assert type(native.kernel_for(usable_paths()[0], problem)).__name__ == "TableKernel"
    assert Engine().search(problem) == Hit(problem.candidate(key), key)
