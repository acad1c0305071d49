"""keyfence search des: a DES key from blocks that it encrypted."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from . import inputs
from .options import How, with_options
from .running import new

if TYPE_CHECKING:
    from keyfence.search.des.problem import DesProblem

BLOCK: Final = 8
Blocks = tuple[bytes, bytes]


@with_options()
def des(
    pair: Annotated[list[str] | None, typer.Option(metavar="P:C", help="A block and its encryption (again for more).")] = None,
    known: Annotated[
        str | None, typer.Option(metavar="BITS", help="Known bits: 0123????89??cdef, or VALUE/MASK; parity is ignored.")
    ] = None,
    complement_pair: Annotated[
        str | None,
        typer.Option(metavar="P:C:~P:C'", help="A chosen block, its complement, their encryptions: half the work."),
    ] = None,
    *,
    how: How,
) -> None:
    """Find the DES key that turns each P into its C. Any set of its bits may be known.

    With one pair and nothing known, a wrong key fits in one case of 256: give a second pair.
    """
    pairs = [inputs.pair("--pair", it, ("P", "C"), BLOCK) for it in pair or ()]
    complement = None
    if complement_pair is not None:
        p, c, inverted, encrypted = inputs.parts("--complement-pair", complement_pair, ("P", "C", "~P", "C'"), BLOCK)
        pairs, complement = [(p, c), *pairs], (inverted, encrypted)
    mask, value = inputs.known("--known", known, BLOCK) if known is not None else (bytes(BLOCK), bytes(BLOCK))
    new(lambda: _problem(pairs, mask, value, complement), how)


def _problem(pairs: list[Blocks], mask: bytes, value: bytes, complement: Blocks | None) -> "DesProblem":
    from keyfence.search.des.problem import DesProblem

    return DesProblem(tuple(pairs), int.from_bytes(mask), int.from_bytes(value), complement)
