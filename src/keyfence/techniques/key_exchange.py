"""RSA key exchange: a ClientKeyExchange of our own for the victim's key, so that what opens one can be rehearsed."""

import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding, rsa

from keyfence.cryptoki.constants import CKA

from .base import Bench, Inconclusive, preparing
from .victim import Victim

PRE_MASTER_BYTES: Final = 48


@dataclass(frozen=True, slots=True)
class OwnExchange:
    """What any client could send to the server: its pre-master secret is ours."""

    message: bytes
    pre_master: bytes = field(repr=False)


def own_exchange(bench: Bench, victim: Victim) -> OwnExchange:
    """For the victim's public key, as its certificate has it (RFC 5246 §7.4.7.1)."""
    private = victim.handles.private_key
    with preparing():
        modulus, exponent = (bench.session.attribute(private, kind) for kind in (CKA.MODULUS, CKA.PUBLIC_EXPONENT))
    assert isinstance(modulus, bytes)
    assert isinstance(exponent, bytes)
    numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    pre_master = victim.version.wire + os.urandom(PRE_MASTER_BYTES - 2)
    try:
        return OwnExchange(numbers.public_key().encrypt(pre_master, padding.PKCS1v15()), pre_master)
    except ValueError:
        raise Inconclusive("what the module gives for the private key's public numbers is no RSA key") from None
