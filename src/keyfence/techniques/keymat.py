"""CKM_*_KEY_AND_MAC_DERIVE under a caller who chooses the cut: what is asked, what is measured, what comes back.

The standard leaves open which of two numbers cuts (CKA_VALUE_LEN of the template or ulKeySizeInBits of the parameter), how bits
round, and what an absent length means; modules differ. So nothing is assumed: on a secret of the lab's own a module is asked
for cuts, and the IVs it returns are looked up in the stream that the secret is known to yield. Lengths are in bytes, per
direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import KeyMaterial, Mechanism
from keyfence.cryptoki.constants import CKK, CKM, describe
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256
from keyfence.cryptoki.params import KeyMat, Parameters, Tls12KeyMat, WtlsKeyMat
from keyfence.cryptoki.session import secret_key
from keyfence.cryptoki.values import AttributeValue, Template
from keyfence.schedule import PrfHash, Side, key_block
from keyfence.schedule.wtls import wtls_key_block

from .base import Bench, Inconclusive
from .victim import Kind, Victim

TOTAL: Final = 400
"""Never ask for more stream than this: buffers in the field are 416 bytes and up, and no suite needs more than 160."""
MAX_MAC: Final = 112

# A buffer that still holds its filling counts as not written, and one byte in 256 equals its filling by chance.
_SHORT_IV: Final = 2
_RETRIES: Final = 2

MECHANISMS: Final[Mapping[Kind, tuple[int, ...]]] = {
    Kind.SSL3: (CKM.SSL3_KEY_AND_MAC_DERIVE,),
    Kind.TLS10: (CKM.TLS_KEY_AND_MAC_DERIVE,),
    Kind.TLS12: (CKM.TLS12_KEY_AND_MAC_DERIVE, CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256),
    Kind.SEPARATED: (CKM.TLS12_KEY_AND_MAC_DERIVE,),
    Kind.WTLS: (CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE,),
}
"""The mechanisms that cut a kind's key block and return IVs. WTLS: the client's direction; the server's is its twin."""

SAFE: Final = CKM.TLS12_KEY_SAFE_DERIVE
"""The same cut without IVs (PKCS#11 3.0 §2.39): it stops IV windows and nothing else."""

CUTS: Final[Mapping[Kind, tuple[int, ...]]] = {**MECHANISMS, Kind.TLS12: (*MECHANISMS[Kind.TLS12], SAFE)}
"""The mechanisms that cut a kind's key block, with or without IVs."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """How a write key is asked for: ulKeySizeInBits, and CKA_VALUE_LEN of the template or None for "left out"."""

    key_type: int
    bits: int
    value_len: int | None

    @classmethod
    def of(cls, key_type: int, length: int, *, fixed: bool = False) -> "KeyRequest":
        """The same length in both places; `fixed` for key types whose length is their type's."""
        return cls(key_type, 8 * length, None if fixed else length)


SMALLEST: Final = (
    KeyRequest.of(CKK.GENERIC_SECRET, 0),
    KeyRequest(CKK.GENERIC_SECRET, 0, None),
    KeyRequest.of(CKK.AES, 0),
    KeyRequest.of(CKK.RC4, 0),
    KeyRequest.of(CKK.GENERIC_SECRET, 1),
    KeyRequest.of(CKK.RC4, 1),
    KeyRequest.of(CKK.RC2, 1),
    KeyRequest.of(CKK.RC4, 5),
    KeyRequest.of(CKK.DES, 8, fixed=True),
    KeyRequest.of(CKK.AES, 16),
    KeyRequest.of(CKK.AES, 32),
    # One number small and the other honest, for modules that check one and cut by the other.
    KeyRequest(CKK.GENERIC_SECRET, 128, 1),
    KeyRequest(CKK.RC4, 128, 1),
    KeyRequest(CKK.AES, 8, 16),
    KeyRequest(CKK.AES, 0, 16),
)
"""Ways to ask for next to no write key, tried in this order."""


class Cutter:
    """Asks one mechanism for cuts of one secret's stream, with the victim's randoms."""

    def __init__(self, bench: Bench, mechanism: int, victim: Victim) -> None:
        self.bench = bench
        self.mechanism = mechanism
        self.victim = victim

    def cut(self, secret: int, request: KeyRequest, mac: int = 0, iv: int = 0, **flags: AttributeValue) -> KeyMaterial:
        """C_DeriveKey. `flags` are the template's attributes; default: sensitive, to encrypt, decrypt, sign and verify."""
        template = secret_key(request.key_type, request.value_len, **flags or _PROTECTED)
        mechanism = Mechanism(self.mechanism, self._parameters(8 * mac, request.bits, 8 * iv))
        made = self._derive(mechanism, secret, template)
        for _ in range(_RETRIES if 0 < iv <= _SHORT_IV else 0):
            if made.client_iv is None or made.server_iv is None:
                made = self._derive(mechanism, secret, template)
        return made

    def _derive(self, mechanism: Mechanism, secret: int, template: Template) -> KeyMaterial:
        made = self.bench.session.derive(mechanism, secret, template).key_material
        if made is None:
            raise Inconclusive("a key-and-MAC derivation returned no key material")
        return made

    def _parameters(self, mac_bits: int, key_bits: int, iv_bits: int) -> Parameters:
        bits = (mac_bits, key_bits, iv_bits)
        randoms = (self.victim.client_random, self.victim.server_random)
        if self.mechanism in (CKM.TLS12_KEY_AND_MAC_DERIVE, SAFE):
            return Tls12KeyMat(*bits, *randoms, int(self.victim.prf_hash.ckm))
        if self.victim.kind is Kind.WTLS:
            return WtlsKeyMat(int(CKM.SHA_1), *bits, 0, *randoms)
        return KeyMat(*bits, *randoms)

    def stream(self, secret: bytes, length: int = TOTAL) -> bytes:
        """What `secret` yields, computed outside the module."""
        return stream_of(self.victim, secret, length)

    @property
    def directions(self) -> int:
        """How many sides one derivation serves: both, or in WTLS one."""
        return 1 if self.victim.kind is Kind.WTLS else 2


def stream_of(victim: Victim, secret: bytes, length: int) -> bytes:
    """The start of what a master secret yields with the victim's randoms, computed outside the module."""
    randoms = (victim.client_random, victim.server_random)
    if victim.kind is Kind.WTLS:
        return wtls_key_block(PrfHash.SHA1, secret, Side.CLIENT, 0, *randoms, length)
    return key_block(victim.version, victim.prf_hash, secret, *randoms, length)


_PROTECTED: Final[Mapping[str, AttributeValue]] = {
    "sensitive": True,
    "extractable": False,
    "encrypt": True,
    "decrypt": True,
    "sign": True,
    "verify": True,
}


def cutting(victim: Victim, *, returning_ivs: bool = False) -> list[int]:
    """The mechanisms that cut the victim's own stream; the vendor form of TLS 1.2's derivation is fixed to SHA-256."""
    mechanisms = (MECHANISMS if returning_ivs else CUTS)[victim.kind]
    sha256 = victim.prf_hash is PrfHash.SHA256
    return [mechanism for mechanism in mechanisms if sha256 or mechanism != CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256]


def describe_cut(mechanism: int, request: KeyRequest, mac: int, iv: int) -> str:
    """A cut as a reader of the standard would ask for it: sizes in bits, the template's length in bytes."""
    length = "absent" if request.value_len is None else str(request.value_len)
    return (
        f"C_DeriveKey({describe(CKM, mechanism)}, ulMacSizeInBits={8 * mac}, ulKeySizeInBits={request.bits}, "
        f"ulIVSizeInBits={8 * iv}, CKA_KEY_TYPE={describe(CKK, request.key_type)}, CKA_VALUE_LEN={length})"
    )
