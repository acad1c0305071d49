"""Parameters of cipher modes and of RSA padding schemes."""

from dataclasses import dataclass
from enum import Enum

from .base import Parameters


@dataclass(frozen=True, slots=True)
class Iv(Parameters):
    """The bare IV of a CBC, CFB or OFB mode: one block."""

    iv: bytes


class GcmLayout(Enum):
    """The two CK_GCM_PARAMS in the field: with ulIvBits (2.40 errata, 3.x headers) and without (2.40 text, NSS until 3.52)."""

    IV_BITS = "pIv ulIvLen ulIvBits pAAD ulAADLen ulTagBits"
    NO_IV_BITS = "pIv ulIvLen pAAD ulAADLen ulTagBits"


@dataclass(frozen=True, slots=True)
class Gcm(Parameters):
    """CK_GCM_PARAMS. A ciphertext carries its tag at the end."""

    iv: bytes
    aad: bytes = b""
    tag_bits: int = 128
    layout: GcmLayout = GcmLayout.IV_BITS


@dataclass(frozen=True, slots=True)
class Ccm(Parameters):
    """CK_CCM_PARAMS; `data_length` counts the plaintext's bytes, `mac_length` the tag's."""

    data_length: int
    nonce: bytes
    aad: bytes = b""
    mac_length: int = 16


@dataclass(frozen=True, slots=True)
class Ctr(Parameters):
    """CK_AES_CTR_PARAMS: the whole first counter block, and how many of its low BITS count."""

    counter_block: bytes
    counter_bits: int = 128


@dataclass(frozen=True, slots=True)
class ChaCha20Poly1305(Parameters):
    """CK_SALSA20_CHACHA20_POLY1305_PARAMS."""

    nonce: bytes
    aad: bytes = b""


@dataclass(frozen=True, slots=True)
class Rc2(Parameters):
    """CK_RC2_PARAMS: the effective key length in BITS, for CKM_RC2_ECB and CKM_RC2_MAC."""

    effective_bits: int


@dataclass(frozen=True, slots=True)
class Rc2Cbc(Parameters):
    """CK_RC2_CBC_PARAMS; the IV is 8 bytes."""

    effective_bits: int
    iv: bytes


@dataclass(frozen=True, slots=True)
class RsaPss(Parameters):
    """CK_RSA_PKCS_PSS_PARAMS."""

    hash: int
    mgf: int
    salt_length: int


@dataclass(frozen=True, slots=True)
class RsaOaep(Parameters):
    """CK_RSA_PKCS_OAEP_PARAMS with CKZ_DATA_SPECIFIED."""

    hash: int
    mgf: int
    source: bytes = b""
