"""The record ciphers that cipher suites name: what each algorithm is, and what PKCS#11 calls it.

This table is of ALGORITHMS, one line each; the shapes of suites follow from their names (`names`). Lengths are in bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from keyfence.cryptoki.constants import CKK, CKM


class Mode(StrEnum):
    """How a record cipher is used."""

    NULL = "NULL"
    STREAM = "stream"
    CBC = "CBC"
    GCM = "GCM"
    CCM = "CCM"
    POLY1305 = "Poly1305"
    CTR = "CTR"
    """Counter mode with a MAC of its own (the GOST suites of RFC 9189): not an AEAD for the key block."""

    @property
    def is_aead(self) -> bool:
        """Whether the mode authenticates, so that a suite with it cuts no MAC keys."""
        return self in (Mode.GCM, Mode.CCM, Mode.POLY1305)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One cipher algorithm. `block` is 1 for stream ciphers; `keys` lists its key lengths, the default first."""

    name: str
    block: int
    keys: tuple[int, ...]
    ckk: CKK | None
    mechanisms: Mapping[Mode, CKM | None]


@dataclass(frozen=True, slots=True)
class Cipher:
    """An algorithm in a mode, with its lengths.

    `key` is the length the cipher runs with, `material` what the key block yields of it: less in export suites, whose
    write key is stretched from 40 bits (RFC 2246 §6.3.1). `ckk` and `ckm` are None where PKCS#11 3.2 has no such thing.
    """

    name: str
    algorithm: str
    mode: Mode
    key: int
    material: int
    block: int
    tag: int
    ckk: CKK | None
    ckm: CKM | None


def _algorithm(
    name: str, block: int, keys: tuple[int, ...], ckk: CKK | None, **mechanisms: CKM | None
) -> tuple[str, Algorithm]:
    return name, Algorithm(name, block, keys, ckk, MappingProxyType({Mode[m]: ckm for m, ckm in mechanisms.items()}))


ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType(
    dict(
        (
            _algorithm("NULL", 1, (0,), None, NULL=None),
            _algorithm("RC4", 1, (16,), CKK.RC4, STREAM=CKM.RC4),
            _algorithm("RC2", 8, (16,), CKK.RC2, CBC=CKM.RC2_CBC),
            _algorithm("DES", 8, (8,), CKK.DES, CBC=CKM.DES_CBC),
            _algorithm("DES40", 8, (8,), CKK.DES, CBC=CKM.DES_CBC),
            _algorithm("3DES_EDE", 8, (24,), CKK.DES3, CBC=CKM.DES3_CBC),
            _algorithm("IDEA", 8, (16,), CKK.IDEA, CBC=CKM.IDEA_CBC),
            _algorithm("SEED", 16, (16,), CKK.SEED, CBC=CKM.SEED_CBC),
            _algorithm("AES", 16, (16, 32), CKK.AES, CBC=CKM.AES_CBC, GCM=CKM.AES_GCM, CCM=CKM.AES_CCM),
            _algorithm("CAMELLIA", 16, (16, 32), CKK.CAMELLIA, CBC=CKM.CAMELLIA_CBC, GCM=None),
            _algorithm("ARIA", 16, (16, 32), CKK.ARIA, CBC=CKM.ARIA_CBC, GCM=None),
            _algorithm("CHACHA20", 1, (32,), CKK.CHACHA20, POLY1305=CKM.CHACHA20_POLY1305),
            # CKM_GOST28147 leaves mode and key meshing to the key's parameter set, so it names none of these three.
            _algorithm("KUZNYECHIK", 16, (32,), None, CTR=None),
            _algorithm("MAGMA", 8, (32,), None, CTR=None),
            _algorithm("28147", 8, (32,), None, CTR=None),
        )
    )
)
