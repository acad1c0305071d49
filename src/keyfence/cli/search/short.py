"""keyfence search aes, rc4, hmac-sha1, hmac-sha256: keys that are short, or of which most is known."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from . import inputs
from .inputs import bad
from .options import How, with_options
from .running import new

if TYPE_CHECKING:
    from keyfence.search.short.problem import Sample, ShortKeyProblem

KnownOption = Annotated[
    str | None, typer.Option(metavar="BITS", help="The key as far as it is known: 0123????89??, or VALUE/MASK for single bits.")
]
LengthOption = Annotated[
    int | None, typer.Option(min=1, max=64, metavar="BYTES", help="The key's length, where nothing of it is known.")
]
PairOption = Annotated[list[str] | None, typer.Option(metavar="P:C", help="Plaintext and ciphertext (again for more).")]
MacOption = Annotated[
    list[str] | None, typer.Option("--pair", metavar="MESSAGE:MAC", help="A message and its MAC, 4 bytes of it or more.")
]
_MAC: Final = ("MESSAGE", "MAC")
_short = with_options("device", "gpu")  # OpenCL searches DES keys


@_short
def aes(
    pair: PairOption = None,
    known: KnownOption = None,
    half_keys: Annotated[
        tuple[str, str] | None, typer.Option(metavar="K1 K2", help="The key's halves as DES keys: parity alone is unknown.")
    ] = None,
    *,
    how: How,
) -> None:
    """Find the AES key that turns each P into its C (ECB, whole blocks), most of its bits known.

    --half-keys takes two DES keys that were cut from an AES-128 key's halves, and searches the 2^16 that DES parity hides.
    """
    if (known is None) == (half_keys is None):
        raise bad("--known", "say what is known of the key: --known, or --half-keys with two DES keys")
    if known is not None:
        mask, value = inputs.known("--known", known)
        new(lambda: _problem("aes", pair, mask, value), how)
    else:
        halves = [inputs.octets("--half-keys", inputs.contents("--half-keys", it), 8) for it in half_keys or ()]
        new(lambda: _whole(halves, pair), how)


@_short
def rc4(
    pair: PairOption = None,
    known: KnownOption = None,
    length: LengthOption = None,
    skip: Annotated[int, typer.Option(min=0, max=4096, metavar="BYTES", help="Keystream bytes before the pairs'.")] = 0,
    *,
    how: How,
) -> None:
    """Find the RC4 key that turns each P into its C, from the start of the keystream or `skip` bytes behind it."""
    mask, value = _known(known, length)
    new(lambda: _problem("rc4", pair, mask, value, skip=skip), how)


@_short
def hmac_sha1(pair: MacOption = None, known: KnownOption = None, length: LengthOption = None, *, how: How) -> None:
    """Find the HMAC-SHA1 key that gives each message its MAC, perhaps truncated (RFC 2104)."""
    mask, value = _known(known, length)
    new(lambda: _problem("hmac-sha1", pair, mask, value, _MAC), how)


@_short
def hmac_sha256(pair: MacOption = None, known: KnownOption = None, length: LengthOption = None, *, how: How) -> None:
    """Find the HMAC-SHA256 key that gives each message its MAC, perhaps truncated (RFC 2104)."""
    mask, value = _known(known, length)
    new(lambda: _problem("hmac-sha256", pair, mask, value, _MAC), how)


def _whole(halves: list[bytes], pairs: list[str] | None) -> "ShortKeyProblem":
    from keyfence.search.halves import aes_from_des_halves

    return aes_from_des_halves(halves[0], halves[1], _samples(pairs, ("P", "C")))


def _samples(pairs: list[str] | None, names: tuple[str, str]) -> "tuple[Sample, ...]":
    return tuple(inputs.pair("--pair", it, names) for it in pairs or ())


def _known(known: str | None, length: int | None) -> inputs.Known:
    if (known is None) == (length is None):
        raise bad("--length", "say how long the key is: --length, or --known with what is known of it")
    return inputs.known("--known", known) if known is not None else (bytes(length or 0), bytes(length or 0))


def _problem(
    algorithm: str,
    pairs: list[str] | None,
    mask: bytes,
    value: bytes,
    names: tuple[str, str] = ("P", "C"),
    *,
    skip: int = 0,
) -> "ShortKeyProblem":
    from keyfence.search.short.problem import Algorithm, ShortKeyProblem

    return ShortKeyProblem(Algorithm(algorithm), _samples(pairs, names), mask, value, skip)
