"""Every mechanism, with the functions, key types and sizes it is offered for. Denied by default: no row, no mechanism."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from keyfence.cryptoki import MechanismInfo
from keyfence.cryptoki.constants import CKK, CKM, CKR, MechanismFlag, describe
from keyfence.cryptoki.constants import vendor as nss

from ..kernels import ciphers, digests, elliptic, macs, rsa
from ..kernels.rsa_keys import MODULUS_BITS
from ..kernels.wrapping import KEY_WRAPS
from ..quirks import Quirks
from ..refused import Refused
from . import agreement, encrypt_data, hashing, hkdf, ike, kbkdf, key_block, master, prf, slicing
from .derivation import Derivation
from .generation import GENERATIONS
from .pairs import PAIRS

_FAMILIES: Final = (agreement, encrypt_data, hashing, hkdf, ike, kbkdf, key_block, master, prf, slicing)

DERIVATIONS: Final[Mapping[int, Derivation]] = {
    number: row for family in _FAMILIES for number, row in family.DERIVATIONS.items()
}
"""All derivation mechanisms."""


SIGNING_PRFS: Final = frozenset({nss.CKM_NSS_TLS_PRF_GENERAL, nss.CKM_NSS_TLS_PRF_GENERAL_SHA256})
"""PRFs that NSS hides behind C_Sign: any string in, PRF output out."""

PRIVATE_USES: Final = (
    MechanismFlag.DECRYPT
    | MechanismFlag.SIGN
    | MechanismFlag.UNWRAP
    | MechanismFlag.MESSAGE_DECRYPT
    | MechanismFlag.MESSAGE_SIGN
)
"""What a private key does."""

_NO_LIMIT: Final = 1 << 16
_RSA_BITS: Final = (MODULUS_BITS.start, MODULUS_BITS.stop - 1)
_EC_BITS: Final = (224, 521)


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
    generic = Offer(signing, frozenset({CKK.GENERIC_SECRET}), 1, _NO_LIMIT)
    return {
        **{
            mechanism: Offer(signing, frozenset(row.key_types), *_sizes(row.key_sizes))
            for mechanism, row in macs.MECHANISMS.items()
        },
        **dict.fromkeys((*macs.TLS_MACS, *SIGNING_PRFS), generic),
    }


def _digest_offers() -> Mapping[int, Offer]:
    return {mechanism: Offer(MechanismFlag.DIGEST) for mechanism in digests.BY_MECHANISM}


def _pair_offers() -> Mapping[int, Offer]:
    """Keys of pairs: sizes in BITS. Signing and unwrapping are the private key's, verifying and wrapping the public one's."""
    signing = MechanismFlag.SIGN | MechanismFlag.VERIFY
    encrypting = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT | MechanismFlag.WRAP | MechanismFlag.UNWRAP
    offers = {
        mechanism: Offer(MechanismFlag.GENERATE_KEY_PAIR, frozenset({row.key_type}), row.min_bits, row.max_bits)
        for mechanism, row in PAIRS.items()
    }
    for mechanism in rsa.SIGNATURES | rsa.ENCRYPTIONS:
        flags = signing if mechanism in rsa.SIGNATURES else MechanismFlag(0)
        flags |= encrypting if mechanism in rsa.ENCRYPTIONS else MechanismFlag(0)
        offers[mechanism] = Offer(flags | _messages(flags), frozenset({CKK.RSA}), *_RSA_BITS)
    return offers | dict.fromkeys(elliptic.SIGNATURES, Offer(signing | _messages(signing), frozenset({CKK.EC}), *_EC_BITS))


def _key_wrap_offers() -> Mapping[int, Offer]:
    return dict.fromkeys(KEY_WRAPS, Offer(MechanismFlag.WRAP | MechanismFlag.UNWRAP, frozenset({CKK.AES}), 16, 32))


def _messages(flags: MechanismFlag) -> MechanismFlag:
    """The message-based forms (3.0) of what a mechanism does."""
    forms = {
        MechanismFlag.ENCRYPT: MechanismFlag.MESSAGE_ENCRYPT,
        MechanismFlag.DECRYPT: MechanismFlag.MESSAGE_DECRYPT,
        MechanismFlag.SIGN: MechanismFlag.MESSAGE_SIGN,
        MechanismFlag.VERIFY: MechanismFlag.MESSAGE_VERIFY,
    }
    return functools.reduce(MechanismFlag.__or__, (forms[flag] for flag in forms if flag in flags), MechanismFlag(0))


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
    **_pair_offers(),
    **_key_wrap_offers(),
}
"""Every mechanism of the token. No number stands in two tables."""


class Registry:
    """The mechanisms that one token offers."""

    def __init__(self, quirks: Quirks, offered: Mapping[int, Offer] = OFFERS) -> None:
        kept = offered.keys() if quirks.only is None else offered.keys() & quirks.only
        self._offers = {mechanism: offered[mechanism] for mechanism in sorted(kept - quirks.without)}
        if not quirks.raw_rsa and CKM.RSA_X_509 in self._offers:
            raw = self._offers[CKM.RSA_X_509]
            self._offers[CKM.RSA_X_509] = replace(raw, functions=raw.functions & ~PRIVATE_USES)

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
            raise Refused(CKR.MECHANISM_INVALID, f"{describe(CKM, mechanism)} does not do this")
        return offer

    def _offer(self, mechanism: int) -> Offer:
        offer = self._offers.get(mechanism)
        if offer is None:
            raise Refused(CKR.MECHANISM_INVALID, describe(CKM, mechanism))
        return offer
