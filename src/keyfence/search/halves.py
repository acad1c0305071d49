"""Two broken DES keys to one AES-128 key: what DES parity hides is left, sixteen bits."""

from collections.abc import Iterable
from typing import Final

from .problem import BadProblem
from .short.problem import Algorithm, Sample, ShortKeyProblem

DES_KEY_BYTES: Final = 8
_TOLD: Final = bytes([0xFE] * 2 * DES_KEY_BYTES)


def aes_from_des_halves(first: bytes, second: bytes, samples: Iterable[Sample]) -> ShortKeyProblem:
    """The search of the AES-128 key whose two halves are these DES keys, eight bytes each, of any parity: 2^16 candidates.

    A DES key depends on the upper seven bits of each of its bytes (FIPS 46-3); the sixteen lowest bits are unknown.
    `samples` are plaintexts and ciphertexts of whole AES blocks under the key. Raises BadProblem.
    """
    for half in (first, second):
        if len(half) != DES_KEY_BYTES:
            raise BadProblem(f"half an AES-128 key is a DES key of {DES_KEY_BYTES} bytes, not {len(half)}")
    value = bytes(byte & told for byte, told in zip(first + second, _TOLD, strict=True))
    return ShortKeyProblem(Algorithm.AES, tuple(samples), _TOLD, value)
