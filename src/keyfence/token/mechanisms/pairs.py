"""Key pairs made and imported: RSA, EC, X25519 and Diffie-Hellman (PKCS#11 3.2 sections 6.1, 6.3, 6.4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR

from ..attributes import Act, name
from ..kernels import asymmetric
from ..kernels.rsa_keys import MODULUS_BITS
from ..objects import StoredObject
from ..quirks import Quirks
from ..refused import Refused
from ..templates import number, private_key, public_key

Halves = tuple[dict[int, bytes], dict[int, bytes]]
"""The components of a public and of a private key, by attribute."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A generation mechanism: what it makes, by what of the two templates. Sizes in BITS."""

    key_type: int
    make: Callable[[Template, Template], Halves]
    min_bits: int
    max_bits: int


def generate_pair(
    mechanism: Mechanism, public: Template, private: Template, quirks: Quirks
) -> tuple[StoredObject, StoredObject]:
    """(public, private) objects."""
    pair = PAIRS[mechanism.type]
    if mechanism.parameters is not None:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, f"{mechanism.name} takes no parameter")
    public_numbers, private_numbers = pair.make(public, private)
    generator = mechanism.type
    return (
        public_key(pair.key_type, public_numbers, public, Act.GENERATE, generator),
        private_key(pair.key_type, private_numbers, private, Act.GENERATE, quirks, generator),
    )


def imported(template: Template, quirks: Quirks) -> StoredObject:
    """A key of a pair by C_CreateObject, its numbers checked."""
    key_type = number(template, CKA.KEY_TYPE)
    if template[CKA.CLASS] == CKO.PRIVATE_KEY:
        return private_key(key_type or 0, _private_numbers(key_type, template), template, Act.CREATE, quirks)
    if key_type in (CKK.EC, CKK.EC_MONTGOMERY):
        asymmetric.check_ec_public(template)
    elif key_type != CKK.RSA:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_KEY_TYPE")
    needed = (CKA.MODULUS, CKA.PUBLIC_EXPONENT) if key_type == CKK.RSA else (CKA.EC_PARAMS, CKA.EC_POINT)
    return public_key(key_type, {attribute: _octets(template, attribute) for attribute in needed}, template, Act.CREATE)


def _private_numbers(key_type: int | None, template: Template) -> Template:
    if key_type == CKK.RSA:
        return asymmetric.complete_rsa(template)
    if key_type in (CKK.EC, CKK.EC_MONTGOMERY):
        asymmetric.ec_public_of(template)
        return {attribute: _octets(template, attribute) for attribute in (CKA.EC_PARAMS, CKA.VALUE)}
    if key_type == CKK.DH:
        return {attribute: _octets(template, attribute) for attribute in (CKA.PRIME, CKA.BASE, CKA.VALUE)}
    raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_KEY_TYPE")


def _rsa(public: Template, _private: Template) -> Halves:
    bits = number(public, CKA.MODULUS_BITS)
    if bits is None:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_MODULUS_BITS")
    exponent = public.get(CKA.PUBLIC_EXPONENT, b"\x01\x00\x01")
    if not isinstance(exponent, bytes):
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_EXPONENT")
    made, secret = asymmetric.generate_rsa(bits, int.from_bytes(exponent, "big"))
    return made | {CKA.PUBLIC_EXPONENT: exponent}, secret


def _ec(public: Template, _private: Template) -> Halves:
    return asymmetric.generate_ec(_octets(public, CKA.EC_PARAMS))


def _dh(public: Template, private: Template) -> Halves:
    return asymmetric.generate_dh(_octets(public, CKA.PRIME), _octets(public, CKA.BASE), number(private, CKA.VALUE_BITS))


def _octets(template: Template, attribute: int) -> bytes:
    value = template.get(attribute)
    if value is None:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, name(attribute))
    if not isinstance(value, bytes):
        raise Refused(CKR.ATTRIBUTE_VALUE_INVALID, name(attribute))
    return value


PAIRS: Final[Mapping[int, Pair]] = {
    CKM.RSA_PKCS_KEY_PAIR_GEN: Pair(CKK.RSA, _rsa, MODULUS_BITS.start, MODULUS_BITS.stop - 1),
    CKM.EC_KEY_PAIR_GEN: Pair(CKK.EC, _ec, 224, 521),
    CKM.EC_MONTGOMERY_KEY_PAIR_GEN: Pair(CKK.EC_MONTGOMERY, _ec, 255, 448),
    CKM.DH_PKCS_KEY_PAIR_GEN: Pair(CKK.DH, _dh, 1024, 8192),
}
