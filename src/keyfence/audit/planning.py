"""Plans, each worked out once: attacks through different mechanisms often pose the model the same question.

Two questions are the same when they differ in the names of streams and mechanisms alone. Oracles are left out of this: to them
a stream's function is no mere name.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from keyfence.model import Capability, Chain, KeyMatCut, Limits, Slice, Stream, Unsat, Window, solve


def plan(target: Sequence[Slice], capabilities: Sequence[Capability], limits: Limits) -> Chain | Unsat:
    """`model.solve`, remembered. The chain's streams may bear other names; choices, places and prices are as asked."""
    if not all(isinstance(capability, KeyMatCut | Window) for capability in capabilities):
        return solve(target, capabilities, limits)
    names: dict[Stream, Stream] = {}

    def plain(stream: Stream) -> Stream:
        return names.setdefault(stream, Stream("secret", str(len(names)), b""))

    wanted = tuple(replace(piece, stream=plain(piece.stream)) for piece in target)
    allowed = tuple(replace(c, name="", stream=plain(c.stream)) for c in capabilities if isinstance(c, KeyMatCut | Window))
    return _solve(wanted, allowed, limits)


@lru_cache(maxsize=256)
def _solve(target: tuple[Slice, ...], capabilities: tuple[KeyMatCut | Window, ...], limits: Limits) -> Chain | Unsat:
    return solve(target, capabilities, limits)
