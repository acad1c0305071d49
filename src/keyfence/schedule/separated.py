"""Separated key expansion for TLS 1.2: a label, and so a stream, of its own for every key; IVs from public data only.

    key = PRF(master_secret, "EXPERIMENTAL separated key " ALG " " SIDE " " BITS, client_random + server_random)

Each key is a TLS exporter without context (RFC 5705 §4) under a label that names algorithm, direction and length, so that no
cut of one key shows a byte of another. `inputs` judges what a token may be asked for. BITS are bits; all else is in bytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from keyfence.cryptoki.constants import CKK, CKM

from .prf import PrfHash, prf_tls12
from .protocol import Side
from .suites import CipherSuite
from .tls import IV_BLOCK, exporter_seed

EXTENSION: Final = 0xFF6B
"""Code point of the extension separated_key_expansion (private use)."""

PREFIX: Final = b"EXPERIMENTAL separated key "
RANDOM_LENGTH: Final = 32


class BadSeparatedLabel(ValueError):
    """A label that the grammar does not make."""


@dataclass(frozen=True, slots=True)
class SeparatedAlgorithm:
    """An algorithm that labels can name.

    bits         key length, in bits
    key_types    the CKA_KEY_TYPE values a template may have, the algorithm's own first
    mechanism    the one mechanism in CKA_ALLOWED_MECHANISMS; None where PKCS#11 has none (ARIA and Camellia in GCM), and
                 then a token cannot hold such a key safely
    fixed_size   the key type fixes the length: CKA_VALUE_LEN may be absent from the template
    """

    name: str
    bits: int
    key_types: tuple[CKK, ...]
    mechanism: CKM | None
    fixed_size: bool = False


def _cipher(name: str, bits: int, ckk: CKK, mechanism: CKM | None, fixed_size: bool = False) -> SeparatedAlgorithm:
    return SeparatedAlgorithm(name, bits, (ckk,), mechanism, fixed_size)


def _hmac(name: str, prf_hash: PrfHash) -> SeparatedAlgorithm:
    key_types = (prf_hash.ckk_hmac, CKK.GENERIC_SECRET)
    return SeparatedAlgorithm(name, 8 * prf_hash.digest_size, key_types, prf_hash.ckm_hmac)


ALGORITHMS: Final[Mapping[str, SeparatedAlgorithm]] = MappingProxyType(
    {
        algorithm.name: algorithm
        for algorithm in (
            _cipher("AES_128_GCM", 128, CKK.AES, CKM.AES_GCM),
            _cipher("AES_256_GCM", 256, CKK.AES, CKM.AES_GCM),
            _cipher("AES_128_CCM", 128, CKK.AES, CKM.AES_CCM),
            _cipher("AES_256_CCM", 256, CKK.AES, CKM.AES_CCM),
            _cipher("AES_128_CCM_8", 128, CKK.AES, CKM.AES_CCM),
            _cipher("AES_256_CCM_8", 256, CKK.AES, CKM.AES_CCM),
            _cipher("CHACHA20_POLY1305", 256, CKK.CHACHA20, CKM.CHACHA20_POLY1305, fixed_size=True),
            _cipher("ARIA_128_GCM", 128, CKK.ARIA, None),
            _cipher("ARIA_256_GCM", 256, CKK.ARIA, None),
            _cipher("CAMELLIA_128_GCM", 128, CKK.CAMELLIA, None),
            _cipher("CAMELLIA_256_GCM", 256, CKK.CAMELLIA, None),
            _cipher("AES_128_CBC", 128, CKK.AES, CKM.AES_CBC),
            _cipher("AES_256_CBC", 256, CKK.AES, CKM.AES_CBC),
            _cipher("CAMELLIA_128_CBC", 128, CKK.CAMELLIA, CKM.CAMELLIA_CBC),
            _cipher("CAMELLIA_256_CBC", 256, CKK.CAMELLIA, CKM.CAMELLIA_CBC),
            _cipher("3DES_EDE_CBC", 192, CKK.DES3, CKM.DES3_CBC, fixed_size=True),
            _hmac("HMAC_SHA1", PrfHash.SHA1),
            _hmac("HMAC_SHA256", PrfHash.SHA256),
            _hmac("HMAC_SHA384", PrfHash.SHA384),
        )
    }
)
"""Every ALG of the specification, by its name."""

_LABEL: Final = re.compile(re.escape(PREFIX) + rb"([A-Z0-9_]+) (client|server) ([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class SeparatedLabel:
    """A label taken apart; BadSeparatedLabel where algorithm and bits are not one of the table's pairs."""

    algorithm: str
    side: Side
    bits: int

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise BadSeparatedLabel(f"no separated key is for {self.algorithm}")
        if self.bits != ALGORITHMS[self.algorithm].bits:
            raise BadSeparatedLabel(f"a key for {self.algorithm} has {ALGORITHMS[self.algorithm].bits} bits, not {self.bits}")

    @property
    def length(self) -> int:
        """The key's length in bytes."""
        return self.bits // 8

    @property
    def facts(self) -> SeparatedAlgorithm:
        """The algorithm's line of the table."""
        return ALGORITHMS[self.algorithm]

    def build(self) -> bytes:
        """The label: ASCII, single spaces, no terminator."""
        return PREFIX + f"{self.algorithm} {self.side} {self.bits}".encode("ascii")

    @classmethod
    def of(cls, algorithm: str, side: Side) -> "SeparatedLabel":
        """The label of `algorithm`'s key at its one length; BadSeparatedLabel for an unknown algorithm."""
        if algorithm not in ALGORITHMS:
            raise BadSeparatedLabel(f"no separated key is for {algorithm}")
        return cls(algorithm, Side(side), ALGORITHMS[algorithm].bits)

    @classmethod
    def parse(cls, label: bytes) -> "SeparatedLabel":
        """The label that builds to exactly `label`: nothing before or after, single spaces, no leading zero."""
        match = _LABEL.fullmatch(label)
        if match is None:
            raise BadSeparatedLabel("not the label of a separated key")
        return cls(match[1].decode("ascii"), Side(match[2].decode("ascii")), int(match[3]))


def separated_key(prf_hash: PrfHash, master: bytes, label: SeparatedLabel, client_random: bytes, server_random: bytes) -> bytes:
    """The key that `label` names. ValueError for randoms that are not 32 bytes each."""
    seed = exporter_seed(*_randoms(client_random, server_random))
    return prf_tls12(prf_hash, master, label.build(), seed, label.length)


def separated_ivs(prf_hash: PrfHash, client_random: bytes, server_random: bytes, length: int) -> tuple[bytes, bytes]:
    """(client write IV, server write IV) of `length` bytes each, the suite's fixed IV length: a PRF of the empty secret."""
    seed = b"".join(_randoms(client_random, server_random))
    block = prf_tls12(prf_hash, b"", IV_BLOCK, seed, 2 * length)
    return block[:length], block[length:]


def labels_of(cipher_suite: CipherSuite, side: Side) -> tuple[SeparatedLabel, ...]:
    """The labels of `side`'s keys in a suite: the write key's, and before it the MAC key's where there is one.

    BadSeparatedLabel for suites whose algorithms the specification leaves out (RC4, NULL, DES, MD5 …).
    """
    write = SeparatedLabel.of(cipher_suite.cipher.name, side)
    if cipher_suite.is_aead:
        return (write,)
    return SeparatedLabel.of(f"HMAC_{cipher_suite.mac.name if cipher_suite.mac else 'NULL'}", side), write


def template_objection(label: SeparatedLabel, key_type: int | None, value_len: int | None) -> str | None:
    """Why CKA_KEY_TYPE and CKA_VALUE_LEN (bytes; None: absent from the template) disagree with `label`; None if they agree."""
    facts = label.facts
    if key_type not in facts.key_types:
        return f"CKA_KEY_TYPE is not {' or '.join(map(str, facts.key_types))}, as {label.algorithm} has it"
    if value_len is None and not facts.fixed_size:
        return f"CKA_VALUE_LEN is absent; the label says {label.length}"
    if value_len is not None and value_len != label.length:
        return f"CKA_VALUE_LEN is {value_len}; the label says {label.length}"
    return None


def _randoms(client_random: bytes, server_random: bytes) -> tuple[bytes, bytes]:
    if len(client_random) != RANDOM_LENGTH or len(server_random) != RANDOM_LENGTH:
        raise ValueError(f"randoms are 32 bytes each, not {len(client_random)} and {len(server_random)}")
    return client_random, server_random
