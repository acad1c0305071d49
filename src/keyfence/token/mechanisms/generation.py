"""Keys made of random bytes (PKCS#11 3.2 sections 6.8.3, 6.39.4, 6.62.5 and the *_KEY_GEN of each cipher)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.params import Raw

from ..attributes import Act, Attributes
from ..kernels.digests import DIGESTS
from ..keytypes import FIXED, check_length
from ..objects import StoredObject
from ..quirks import Quirks
from ..refused import Refused
from ..templates import NewKey, number, secret_key

PRE_MASTER_LENGTH: Final = 48


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation mechanism: the type it makes, and its length in bytes where that is not the template's to say."""

    key_type: int
    length: int | None = None
    min_size: int = 1
    max_size: int = 1 << 16
    versioned: int = 0
    """How many bytes of version the parameter holds and the key begins with."""
    defaults: Attributes = field(default_factory=dict)


def generate(generation: Generation, mechanism: Mechanism, template: Template, quirks: Quirks) -> StoredObject:
    """A new secret key of random bytes."""
    key_type = generation.key_type
    asked = number(template, CKA.VALUE_LEN)
    length = generation.length if generation.length is not None else asked
    if length is None:
        raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN")
    check_length(key_type, length, CKR.ATTRIBUTE_VALUE_INVALID)
    version = _version(mechanism, generation.versioned)
    value = version + secrets.token_bytes(length - len(version))
    new = NewKey(value, key_type, defaults=generation.defaults)
    return secret_key(new, template, Act.GENERATE, quirks, generator=mechanism.type)


def _version(mechanism: Mechanism, length: int) -> bytes:
    """CK_VERSION, or WTLS's one byte, as it begins a pre-master secret."""
    given = mechanism.parameters
    if not length:
        if given is not None:
            raise Refused(CKR.MECHANISM_PARAM_INVALID, f"{mechanism.name} takes no parameter")
        return b""
    if not isinstance(given, Raw) or len(given.data) != length:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, f"{mechanism.name} takes a version of {length} bytes")
    return given.data


_DERIVES: Final[Attributes] = {CKA.DERIVE: True}
_PRE_MASTER: Final = Generation(
    CKK.GENERIC_SECRET, PRE_MASTER_LENGTH, PRE_MASTER_LENGTH, PRE_MASTER_LENGTH, versioned=2, defaults=_DERIVES
)


def _sized(key_type: int, smallest: int, largest: int) -> Generation:
    return Generation(key_type, None, smallest, largest)


def _fixed(key_type: int) -> Generation:
    return Generation(key_type, FIXED[key_type], FIXED[key_type], FIXED[key_type])


GENERATIONS: Final[Mapping[int, Generation]] = {
    CKM.GENERIC_SECRET_KEY_GEN: _sized(CKK.GENERIC_SECRET, 1, 1 << 16),
    CKM.HKDF_KEY_GEN: Generation(CKK.HKDF, defaults=_DERIVES),
    CKM.AES_KEY_GEN: _sized(CKK.AES, 16, 32),
    CKM.CAMELLIA_KEY_GEN: _sized(CKK.CAMELLIA, 16, 32),
    CKM.DES_KEY_GEN: _fixed(CKK.DES),
    CKM.DES2_KEY_GEN: _fixed(CKK.DES2),
    CKM.DES3_KEY_GEN: _fixed(CKK.DES3),
    CKM.IDEA_KEY_GEN: _fixed(CKK.IDEA),
    CKM.SEED_KEY_GEN: _fixed(CKK.SEED),
    CKM.CAST128_KEY_GEN: _sized(CKK.CAST128, 5, 16),
    CKM.RC2_KEY_GEN: _sized(CKK.RC2, 1, 128),
    CKM.RC4_KEY_GEN: _sized(CKK.RC4, 1, 256),
    CKM.CHACHA20_KEY_GEN: _fixed(CKK.CHACHA20),
    **{CKM[f"{row.mechanism.name}_KEY_GEN"]: _sized(row.hmac_key_type, 1, 1 << 16) for row in DIGESTS if row.name != "md5"},
    CKM.SSL3_PRE_MASTER_KEY_GEN: _PRE_MASTER,
    CKM.TLS_PRE_MASTER_KEY_GEN: _PRE_MASTER,
    CKM.WTLS_PRE_MASTER_KEY_GEN: Generation(CKK.GENERIC_SECRET, None, 20, 1 << 16, versioned=1, defaults=_DERIVES),
}
