"""Searches that the search room's engines do: what a key made of a message, as a problem of theirs, and what a trial costs.

They need the extra keyfence[search]; without it nothing is searchable here, and who asks prices the search instead.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from keyfence.cryptoki.constants import CKK, CKM
from keyfence.search.problem import BadProblem, Engine, Problem, SearchError
from keyfence.search.threads import processors

from . import keysearch
from .base import Bench, Inconclusive
from .keysearch import MESSAGE, Matches, Use

DES, AES, RC4 = "des", "aes", "rc4"
ALGORITHMS: Final[Mapping[int, str]] = {CKK.DES: DES, CKK.AES: AES, CKK.RC4: RC4}
"""Key types to what the search room calls their ciphers."""
SHORT: Final[Mapping[int, str]] = {
    CKM.AES_CBC: AES,
    CKM.RC4: RC4,
    CKM.SHA_1_HMAC: "hmac-sha1",
    CKM.SHA256_HMAC: "hmac-sha256",
    CKM.SHA256_HMAC_GENERAL: "hmac-sha256",
}
"""Mechanisms to the algorithms that `keyfence.search.short` knows."""
ENGINES: Final = frozenset({CKM.DES_CBC, *SHORT})
"""The uses of keys that an engine can search by."""
SETUP_SECONDS: Final = 0.2
"""What a search takes before its first trial, about: its kernel is compiled."""
RECORD_SECONDS: Final = 2e-5
"""What opening a record takes, about: no engine does it."""
_MEASURED_FOR: Final = 0.1
_PLAIN_BYTES: Final = 2


@cache
def searchable() -> frozenset[str]:
    """The ciphers whose keys can be searched here."""
    return frozenset(ALGORITHMS.values()) if find_spec("llvmlite") else frozenset()


def problem(use: Use, known_mask: bytes, known_value: bytes) -> Problem:
    """The key that was used so, with these bits known. For uses in ENGINES. Raises BadProblem."""
    from keyfence.search.des import DesProblem
    from keyfence.search.short import Algorithm, ShortKeyProblem

    if use.mechanism == CKM.DES_CBC:
        return DesProblem(tuple(blocks(use, 8)), int.from_bytes(known_mask), int.from_bytes(known_value))
    algorithm = Algorithm(SHORT[use.mechanism])
    samples = blocks(use, 16) if algorithm is Algorithm.AES else [(MESSAGE, use.answer)]
    return ShortKeyProblem(algorithm, tuple(samples), known_mask, known_value)


def blocks(use: Use, size: int) -> list[tuple[bytes, bytes]]:
    """What CBC from an IV of zeros made of MESSAGE, as pairs of blocks: to each plaintext the block before is added."""
    chain = bytes(size) + use.answer
    return [
        (bytes(a ^ b for a, b in zip(MESSAGE[at : at + size], chain[at:], strict=False)), chain[at + size : at + 2 * size])
        for at in range(0, len(MESSAGE), size)
    ]


def short(bench: Bench, matches: Matches, length: int, known: Mapping[int, int]) -> bytes:
    """`keysearch.find`; more than two bytes by an engine, where the bench allows it and one knows that use of a key."""
    unknown = frozenset(range(length)).difference(known)
    large = len(unknown) > _PLAIN_BYTES and 8 * len(unknown) <= bench.max_search_bits
    if not (large and bench.searchable and isinstance(matches, Use) and matches.mechanism in SHORT):
        return keysearch.find(matches, length, known, bench.max_search_bits)
    mask = bytes(0 if place in unknown else 0xFF for place in range(length))
    try:
        wanted = problem(matches, mask, bytes(known.get(place, 0) for place in range(length)))
    except BadProblem:  # a length that the engine has no use for
        return keysearch.find(matches, length, known, bench.max_search_bits)
    return bench.search(wanted)


def find(wanted: Problem, progress: Callable[[int], None] = lambda _: None) -> bytes:
    """The key. Inconclusive where no candidate is it. `progress` is told how many candidates are done."""
    hit = _engine(wanted).search(wanted, threads=processors(), progress=progress)
    if hit is None:
        raise Inconclusive("no candidate is the key: it is not cut from where it was taken to be")
    return hit.key


@cache
def seconds(algorithm: str, length: int) -> float:
    """Of one trial, on all of this machine, for a key of `length` bytes; measured once."""
    mechanism = {DES: CKM.DES_CBC, AES: CKM.AES_CBC, RC4: CKM.RC4}[algorithm]
    unknown = min(length, 5)
    mask = bytes(unknown) + b"\xff" * (length - unknown)
    shape = problem(Use(mechanism, bytes(len(MESSAGE)), bytes), mask, bytes(length))
    return 1 / _engine(shape).rate(shape, seconds=_MEASURED_FOR, threads=processors())


def _engine(wanted: Problem) -> Engine[Any]:
    """Inconclusive where there is none after all: an extra that is installed, say, and cannot be loaded."""
    from keyfence.search.registry import engine_for

    try:
        return engine_for(wanted)
    except SearchError as error:
        raise Inconclusive(f"the search cannot be run: {error}") from error
