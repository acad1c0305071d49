"""Oracles: a function keyed with the victim's secret, on input of the caller's choice, rebuilds whole streams.

RFC 5246 §5 builds the TLS 1.2 PRF from HMAC under the whole secret, so whoever may compute that HMAC can compute the
PRF, block by block. The table below says so for each construction. TLS 1.0's PRF is absent on purpose: it keys MD5 and
SHA-1 with the two HALVES of the secret (RFC 2246 §5), which no HMAC under the whole secret computes.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import z3

from .calls import Call, Part, Reach, Shape
from .streams import PUBLIC, Public, Readable, Slice, Stream

DIGEST_BYTES: Mapping[str, int] = {"MD5": 16, "SHA1": 20, "SHA224": 28, "SHA256": 32, "SHA384": 48, "SHA512": 64}

FIXED_BYTES: Mapping[str, int] = {
    "CMAC": 16,
    **{f"HMAC-{digest}": size for digest, size in DIGEST_BYTES.items()},
    **{f"DIGEST-{digest}": size for digest, size in DIGEST_BYTES.items()},
}
"""Functions whose whole output is this long; all others go on for as long as they are asked to."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a stream grows, one block of `block` bytes at a time, each one evaluation of `output`.

    With a `helper`, each block also needs a helper value of `helper_block` bytes, one evaluation of that function, which
    itself needs the helper before it when `helper_chained`. `chained`: a block needs the block before it.
    """

    output: str
    block: int
    helper: str | None = None
    helper_block: int = 0
    helper_chained: bool = False
    chained: bool = False


def _recipes() -> dict[str, Recipe]:
    recipes = {
        # RFC 6101 §6.2.2: MD5(secret + SHA(letters + secret + randoms)), each block on its own.
        "SSL3": Recipe("DIGEST-MD5", 16, "DIGEST-SHA1", 20),
        # SP 800-108 with CMAC, counter mode: each block on its own.
        "KBKDF-COUNTER-CMAC": Recipe("CMAC", 16),
        "KBKDF-FEEDBACK-CMAC": Recipe("CMAC", 16, chained=True),
        "KBKDF-PIPELINE-CMAC": Recipe("CMAC", 16, "CMAC", 16, helper_chained=True),
    }
    for digest, size in DIGEST_BYTES.items():
        mac = f"HMAC-{digest}"
        recipes |= {
            # RFC 5246 §5: block i = HMAC(A(i) + seed), A(i) = HMAC(A(i-1)).
            f"TLS12-PRF-{digest}": Recipe(mac, size, mac, size, helper_chained=True),
            # RFC 5869 §2.3: T(i) = HMAC(T(i-1) | info | i).
            f"HKDF-EXPAND-{digest}": Recipe(mac, size, chained=True),
            # RFC 7296 §2.13: T(i) = prf(K, T(i-1) | S | i).
            f"IKE-PRF-PLUS-{digest}": Recipe(mac, size, chained=True),
            # SP 800-108 §4.1 to §4.3.
            f"KBKDF-COUNTER-{mac}": Recipe(mac, size),
            f"KBKDF-FEEDBACK-{mac}": Recipe(mac, size, chained=True),
            f"KBKDF-PIPELINE-{mac}": Recipe(mac, size, mac, size, helper_chained=True),
        }
    return recipes


RECIPES: Mapping[str, Recipe] = _recipes()
"""Function of a stream → how it is rebuilt from a smaller function under the same secret."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of the oracle towards `stream`: its block number `index`, or the helper value of that block."""

    stream: Stream
    index: int
    helper: bool = False


@dataclass(frozen=True, slots=True)
class Oracle:
    """`function` under `secret` on any input of the caller's; at most `output` bytes come back per call (None: all).

    The function names are those of `RECIPES` and of what they build on ("HMAC-SHA256", "DIGEST-MD5", "CMAC").
    """

    name: str
    secret: str
    function: str
    sink: Public | Readable = PUBLIC
    output: int | None = None

    def rebuilds(self, stream: Stream) -> bool:
        """Whether this oracle yields bytes of the stream: it is the function itself, or computes its blocks."""
        recipe = RECIPES.get(stream.function)
        function = stream.function if recipe is None else recipe.output
        return self.secret == stream.secret and self.function in (stream.function, function)

    def calls(self, reach: Reach, /) -> Iterator[Call]:
        """The evaluations that rebuild every stream in `reach` up to there (and the helper values on the way)."""
        for stream, stop in reach.items():
            if stream.secret != self.secret:
                continue
            if stream.function == self.function:
                yield self._whole(stream, stop)
            elif recipe := RECIPES.get(stream.function):
                yield from self._blocks(stream, recipe, -(-stop // recipe.block))

    def least(self, call: Call, _stop: int, /) -> Call:
        """The call itself: an evaluation has no smaller form."""
        return call

    @property
    def streams(self) -> frozenset[Stream]:
        """None of its own."""
        return frozenset()

    def shapes(self, prefix: str, streams: Collection[Stream], /) -> Iterator[Shape]:
        """Any prefix of any stream this oracle has a hand in.

        For a proof this says more than `calls`: a cut-off output (`output`) is taken to be no protection, and of a stream
        with two functions (SSL 3.0) the outer one alone counts.
        """
        for number, stream in enumerate(sorted(set(streams))):
            if self.rebuilds(stream):
                length = z3.Int(f"{prefix}.{number}.length")
                part = Part("output", stream, 0, length, self.sink)
                yield Shape({"length": length}, (length > 0,), (part,), _PrefixBuilder(self, stream))

    def prefix(self, stream: Stream, length: int) -> Call:
        """All evaluations for the first `length` bytes, taken together as one call: the witness of a proof."""
        return Call(self, Evaluation(stream, 0), (Slice(stream, 0, length, self.sink, "output"),))

    def _whole(self, stream: Stream, stop: int) -> Call:
        stop = self._cut_off(min(stop, FIXED_BYTES.get(self.function, stop)))
        return Call(self, Evaluation(stream, 0), (self._slice(stream, 0, stop),))

    def _blocks(self, stream: Stream, recipe: Recipe, count: int) -> Iterator[Call]:
        for index in range(count):
            if recipe.helper == self.function:
                yield self._helper(stream, recipe, index)
            if recipe.output == self.function:
                yield self._output(stream, recipe, index)

    def _helper(self, stream: Stream, recipe: Recipe, index: int) -> Call:
        needs = (_helper_slice(stream, recipe, index - 1),) if recipe.helper_chained and index else ()
        start = index * recipe.helper_block
        piece = self._slice(_helper_stream(stream), start, start + self._cut_off(recipe.helper_block))
        return Call(self, Evaluation(stream, index, helper=True), (piece,), needs)

    def _output(self, stream: Stream, recipe: Recipe, index: int) -> Call:
        start, needs = index * recipe.block, []
        if recipe.helper:
            needs.append(_helper_slice(stream, recipe, index))
        if recipe.chained and index:
            needs.append(self._slice(stream, start - recipe.block, start))
        piece = self._slice(stream, start, start + self._cut_off(recipe.block))
        return Call(self, Evaluation(stream, index), (piece,), tuple(needs))

    def _slice(self, stream: Stream, start: int, stop: int) -> Slice:
        return Slice(stream, start, stop, self.sink, "output")

    def _cut_off(self, size: int) -> int:
        return size if self.output is None else min(size, self.output)


@dataclass(frozen=True, slots=True)
class _PrefixBuilder:
    oracle: Oracle
    stream: Stream

    def __call__(self, values: Mapping[str, int]) -> Call:
        return self.oracle.prefix(self.stream, values["length"])


def _helper_stream(stream: Stream) -> Stream:
    """The helper values of a stream, one after the other: a stream of their own, under the same secret."""
    return Stream(stream.secret, f"{stream.function}/helper", stream.input)


def _helper_slice(stream: Stream, recipe: Recipe, index: int) -> Slice:
    start = index * recipe.helper_block
    return Slice(_helper_stream(stream), start, start + recipe.helper_block, PUBLIC, "helper")
