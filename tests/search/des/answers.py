"""What every engine of DES keys must answer. A test module makes a class of it and has a fixture `engine`."""

from random import Random
from typing import Any, ClassVar

import pytest

from keyfence.search.des import BadProblem, DesProblem, Hit, complemented, odd_parity

from .blocks import ALL_BITS, des, planted, planted_complement


def around(random: Random, problem: DesProblem, key: bytes, spread: int) -> tuple[int, int, int]:
    """A range that holds the key, and the key's number."""
    at = problem.candidate(key)
    start = max(0, at - random.randrange(spread))
    return start, min(problem.candidates, at + 1 + random.randrange(spread)), at


class DesAnswers:
    """`times` is how many random problems each of these is tried with."""

    times: ClassVar[int]

    def test_the_numbers_at_the_ends_of_a_range_are_searched_and_no_other(self, engine: Any) -> None:
        random = Random(21)
        for _ in range(self.times):
            key = random.randbytes(8)
            problem = planted(random, key, random.randrange(12, 57))
            start, stop, at = around(random, problem, key, 3000)
            if start < at:
                assert engine.search(problem, start, at) is None
            if at + 1 < stop:
                assert engine.search(problem, at + 1, stop) is None
            assert engine.search(problem, at, at + 1) == Hit(at, odd_parity(key))

    def test_complemented_pairs(self, engine: Any) -> None:
        random = Random(23)
        for key in (random.randbytes(8) for _ in range(self.times)):
            for planted_key in (key, complemented(key)):
                problem = planted_complement(random, planted_key)
                start, stop, at = around(random, problem, planted_key, 3000)
                assert engine.search(problem, start, stop) == Hit(at, odd_parity(planted_key))

    def test_a_complemented_pair_that_another_key_made_is_no_hit(self, engine: Any) -> None:
        random = Random(24)
        key = random.randbytes(8)
        problem = planted_complement(random, key)
        assert problem.complement is not None
        other = DesProblem(problem.pairs, complement=(problem.complement[0], random.randbytes(8)))
        start, stop, _ = around(random, other, key, 3000)
        assert engine.search(other, start, stop) is None

    def test_every_pair_is_asked(self, engine: Any) -> None:
        """The first pair alone has a hit; a second one that contradicts it takes it away."""
        random = Random(25)
        key = random.randbytes(8)
        problem = planted(random, key, 16, pairs=1)
        assert engine.search(problem) == Hit(problem.candidate(key), odd_parity(key))
        contradicted = DesProblem((*problem.pairs, (bytes(8), bytes(8))), problem.known_mask, problem.known_value)
        assert engine.search(contradicted) is None

    def test_known_bits_alone_are_checked_too(self, engine: Any) -> None:
        """Nothing unknown: one candidate, right or wrong."""
        key = bytes.fromhex("0123456789ABCDEF")
        pairs = ((bytes(8), des(key, bytes(8))),)
        assert engine.search(DesProblem(pairs, ALL_BITS, int.from_bytes(key))) == Hit(0, key)
        assert engine.search(DesProblem(pairs, ALL_BITS, int.from_bytes(key) ^ 2)) is None

    def test_what_a_callback_raises_ends_the_search(self, engine: Any) -> None:
        def interrupt(_: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            engine.search(DesProblem(((bytes(8), bytes(8)),)), threads=2, progress=interrupt)

    @pytest.mark.parametrize(("start", "stop"), [(0, 0), (5, 4), (-1, 3), (0, 2**16 + 1)])
    def test_ranges_that_are_none(self, engine: Any, start: int, stop: int) -> None:
        with pytest.raises(BadProblem, match="range"):
            engine.search(DesProblem(((bytes(8), bytes(8)),), ALL_BITS ^ 0x3FDFE, 0), start, stop)

    def test_a_search_needs_a_thread(self, engine: Any) -> None:
        with pytest.raises(BadProblem, match="thread"):
            engine.search(DesProblem(((bytes(8), bytes(8)),), ALL_BITS, 0), threads=0)
