"""Every mechanism, with the functions, key types and sizes it is offered for. Denied by default: no row, no mechanism."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import MechanismInfo
from keyfence.cryptoki.constants import CKM as MECHANISM_NAMES
from keyfence.cryptoki.constants import CKR, MechanismFlag, describe

from ..kernels import ciphers, digests, macs
from ..quirks import Quirks
from ..refused import Refused
from . import key_block, master
from .derivation import Derivation
from .generation import GENERATIONS

DERIVATIONS: Final[Mapping[int, Derivation]] = {**master.DERIVATIONS, **key_block.DERIVATIONS}
"""All derivation mechanisms."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one mechanism may be used for. Sizes of keys are in bytes; `key_types` empty: no key is used."""

    functions: MechanismFlag
    key_types: frozenset[int] = frozenset()
    min_size: int = 0
    max_size: int = 0

    @property
    def info(self) -> MechanismInfo:
        """CK_MECHANISM_INFO."""
        return MechanismInfo(self.min_size, self.max_size, self.functions)


def _sizes(sizes: Iterable[int]) -> tuple[int, int]:
    if isinstance(sizes, range):
        return sizes.start, sizes.stop - 1
    listed = tuple(sizes)
    return min(listed), max(listed)


def _cipher_offers() -> Mapping[int, Offer]:
    ciphering = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
    wrapping = MechanismFlag.WRAP | MechanismFlag.UNWRAP
    return {
        mechanism: Offer(
            ciphering | (wrapping if row.wraps else MechanismFlag(0)), frozenset(row.key_types), *_sizes(row.key_sizes)
        )
        for mechanism, row in ciphers.MECHANISMS.items()
    }


def _mac_offers() -> Mapping[int, Offer]:
    signing = MechanismFlag.SIGN | MechanismFlag.VERIFY
    return {
        mechanism: Offer(signing, frozenset(row.key_types), *_sizes(row.key_sizes))
        for mechanism, row in macs.MECHANISMS.items()
    }


def _digest_offers() -> Mapping[int, Offer]:
    return {mechanism: Offer(MechanismFlag.DIGEST) for mechanism in digests.BY_MECHANISM}


def _generation_offers() -> Mapping[int, Offer]:
    return {
        mechanism: Offer(MechanismFlag.GENERATE, frozenset({row.key_type}), row.min_size, row.max_size)
        for mechanism, row in GENERATIONS.items()
    }


def _derivation_offers() -> Mapping[int, Offer]:
    return {
        mechanism: Offer(MechanismFlag.DERIVE, row.base_types, row.min_size, row.max_size)
        for mechanism, row in DERIVATIONS.items()
    }


OFFERS: Final[Mapping[int, Offer]] = {
    **_cipher_offers(),
    **_mac_offers(),
    **_digest_offers(),
    **_generation_offers(),
    **_derivation_offers(),
}
"""Every mechanism of the token. No number stands in two tables."""


class Registry:
    """The mechanisms that one token offers."""

    def __init__(self, quirks: Quirks, offered: Mapping[int, Offer] = OFFERS) -> None:
        kept = offered.keys() if quirks.only is None else offered.keys() & quirks.only
        self._offers = {mechanism: offered[mechanism] for mechanism in sorted(kept - quirks.without)}

    @property
    def mechanisms(self) -> tuple[int, ...]:
        return tuple(self._offers)

    def info(self, mechanism: int) -> MechanismInfo:
        """CK_MECHANISM_INFO, or MECHANISM_INVALID."""
        return self._offer(mechanism).info

    def offer(self, mechanism: int, function: MechanismFlag) -> Offer:
        """The mechanism's row, if it is offered for `function`; MECHANISM_INVALID."""
        offer = self._offer(mechanism)
        if function not in offer.functions:
            raise Refused(CKR.MECHANISM_INVALID, f"{describe(MECHANISM_NAMES, mechanism)} does not do this")
        return offer

    def _offer(self, mechanism: int) -> Offer:
        offer = self._offers.get(mechanism)
        if offer is None:
            raise Refused(CKR.MECHANISM_INVALID, describe(MECHANISM_NAMES, mechanism))
        return offer
