"""Message authentication codes, full or truncated as the mechanism says, and the PRFs that PKCS#11 hides behind C_Sign.

Faults: CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID (also for a length the MAC cannot have), CKR_KEY_TYPE_INCONSISTENT,
CKR_KEY_SIZE_RANGE, CKR_DATA_LEN_RANGE. Lengths are in bytes.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.cmac import CMAC

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKK, CKM, CKR
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_PRF_GENERAL, CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.params import MacGeneral, TlsMac
from keyfence.schedule.prf import PrfHash, prf_tls10, prf_tls12
from keyfence.schedule.ssl3 import record_mac

from .blocks import AES, CAMELLIA, CAST128, DES, DES3, IDEA, SEED, BlockCipher
from .digests import DIGESTS, Digest
from .refusals import check_key, no_parameters, parameters_of, refuse

Compute = Callable[[bytes, bytes], bytes]
"""(key, data) to the whole MAC."""

_FINISHED: Final = {1: b"server finished", 2: b"client finished"}
_ANY_SIZE: Final = range(1, 1 << 31)


@dataclass(frozen=True, slots=True)
class MacMechanism:
    """A row: the keys it takes (sizes in bytes), how it computes, and the MAC's length in bytes.

    `general`: the caller chooses the length, 1 to `length`, by CK_MAC_GENERAL_PARAMS.
    """

    key_types: tuple[CKK, ...]
    key_sizes: range | tuple[int, ...]
    compute: Compute
    length: int
    general: bool = False


def mac(mechanism: Mechanism, key_type: int, key: bytes, data: bytes, *, function: str = "C_Sign") -> bytes:
    """The MAC of `data`, as long as the mechanism or its parameter says."""
    check(mechanism, key_type, key, function=function)
    if mechanism.type in TLS_MACS:
        return _finished(parameters_of(mechanism, TlsMac, function), key, data, function)
    row = MECHANISMS[mechanism.type]
    if not (whole := row.compute(key, data)):
        raise refuse(CKR.DATA_LEN_RANGE, function, "no data, no MAC")
    return whole[: parameters_of(mechanism, MacGeneral, function).length if row.general else row.length]


def verify(
    mechanism: Mechanism, key_type: int, key: bytes, data: bytes, signature: bytes, *, function: str = "C_Verify"
) -> None:
    """Return where `signature` is the MAC; CKR_SIGNATURE_LEN_RANGE or CKR_SIGNATURE_INVALID where it is not."""
    expected = mac(mechanism, key_type, key, data, function=function)
    if len(signature) != len(expected):
        raise refuse(CKR.SIGNATURE_LEN_RANGE, function)
    if not hmac.compare_digest(signature, expected):
        raise refuse(CKR.SIGNATURE_INVALID, function)


def check(mechanism: Mechanism, key_type: int, key: bytes, *, function: str) -> None:
    """Everything that can be judged without data: what C_SignInit has to refuse."""
    if mechanism.type in TLS_MACS:
        return _check_finished(mechanism, key_type, key, function)
    row = MECHANISMS.get(mechanism.type)
    if row is None:
        raise refuse(CKR.MECHANISM_INVALID, function, mechanism.name)
    if not row.general:
        no_parameters(mechanism, function)
    elif not 1 <= parameters_of(mechanism, MacGeneral, function).length <= row.length:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, f"a MAC of 1 to {row.length} bytes")
    check_key(key_type, key, row.key_types, row.key_sizes, function)
    return None


def prf_sign(mechanism: Mechanism, key: bytes, data: bytes, output_length: int, *, function: str = "C_Sign") -> bytes:
    """NSS's PRFs by C_Sign: `output_length` bytes of the TLS 1.0 or the SHA-256 PRF.

    `data` is label and seed in one string, which is all a PRF ever sees of the two. NSS makes as much as the caller's
    buffer holds.
    """
    if output_length < 1:
        raise refuse(CKR.DATA_LEN_RANGE, function, "no output asked for")
    if mechanism.type == CKM_NSS_TLS_PRF_GENERAL:
        return prf_tls10(key, b"", data, output_length)
    if mechanism.type == CKM_NSS_TLS_PRF_GENERAL_SHA256:
        return prf_tls12(PrfHash.SHA256, key, b"", data, output_length)
    raise refuse(CKR.MECHANISM_INVALID, function, mechanism.name)


# Finished values


def _check_finished(mechanism: Mechanism, key_type: int, key: bytes, function: str) -> None:
    parameters = parameters_of(mechanism, TlsMac, function)
    if parameters.server_or_client not in _FINISHED or parameters.mac_length < 1:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "server or client, and at least 1 byte")
    if parameters.prf_hash != CKM.TLS_PRF:
        _prf_hash(parameters.prf_hash, function)
    check_key(key_type, key, (CKK.GENERIC_SECRET,), _ANY_SIZE, function)


def _finished(parameters: TlsMac, key: bytes, data: bytes, function: str) -> bytes:
    """PRF(secret, label, hash of the handshake) (RFC 5246 section 7.4.9); CKM_TLS_PRF for a hash means TLS 1.0's PRF."""
    label = _FINISHED[parameters.server_or_client]
    if parameters.prf_hash == CKM.TLS_PRF:
        return prf_tls10(key, label, data, parameters.mac_length)
    return prf_tls12(_prf_hash(parameters.prf_hash, function), key, label, data, parameters.mac_length)


def _prf_hash(number: int, function: str) -> PrfHash:
    try:
        return PrfHash.of_mechanism(number)
    except ValueError:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "no hash of a TLS PRF") from None


# The table


def _hmac(row: Digest, general: bool) -> MacMechanism:
    def compute(key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, row.name)

    return MacMechanism((CKK.GENERIC_SECRET, row.hmac_key_type), _ANY_SIZE, compute, row.digest_size, general)


def _ssl3(prf_hash: PrfHash) -> MacMechanism:
    """Always of a chosen length: the standard gives these mechanisms CK_MAC_GENERAL_PARAMS (RFC 6101 section 5.2.3.1)."""

    def compute(key: bytes, data: bytes) -> bytes:
        return record_mac(prf_hash, key, data)

    return MacMechanism((CKK.GENERIC_SECRET,), _ANY_SIZE, compute, prf_hash.digest_size, general=True)


def _cmac(cipher: BlockCipher, general: bool) -> MacMechanism:
    def compute(key: bytes, data: bytes) -> bytes:
        context = CMAC(cipher.algorithm(key))
        context.update(data)
        return context.finalize()

    return MacMechanism(cipher.key_types, cipher.key_sizes, compute, cipher.block, general)


def _cbc_mac(cipher: BlockCipher, general: bool) -> MacMechanism:
    """Half a block without CK_MAC_GENERAL_PARAMS. No data makes no block, thus no MAC: `mac` refuses it."""
    length = cipher.block if general else cipher.block // 2
    return MacMechanism(cipher.key_types, cipher.key_sizes, cipher.cbc_mac, length, general)


TLS_MACS: Final = (CKM.TLS_MAC, CKM.TLS12_MAC)

MECHANISMS: Final[Mapping[int, MacMechanism]] = {
    **{row.hmac: _hmac(row, general=False) for row in DIGESTS},
    **{row.hmac_general: _hmac(row, general=True) for row in DIGESTS},
    CKM.SSL3_MD5_MAC: _ssl3(PrfHash.MD5),
    CKM.SSL3_SHA1_MAC: _ssl3(PrfHash.SHA1),
    CKM.AES_CMAC: _cmac(AES, general=False),
    CKM.AES_CMAC_GENERAL: _cmac(AES, general=True),
    CKM.DES3_CMAC: _cmac(DES3, general=False),
    CKM.DES3_CMAC_GENERAL: _cmac(DES3, general=True),
    CKM.AES_MAC: _cbc_mac(AES, general=False),
    CKM.AES_MAC_GENERAL: _cbc_mac(AES, general=True),
    CKM.DES_MAC: _cbc_mac(DES, general=False),
    CKM.DES_MAC_GENERAL: _cbc_mac(DES, general=True),
    CKM.DES3_MAC: _cbc_mac(DES3, general=False),
    CKM.DES3_MAC_GENERAL: _cbc_mac(DES3, general=True),
    CKM.CAMELLIA_MAC: _cbc_mac(CAMELLIA, general=False),
    CKM.CAMELLIA_MAC_GENERAL: _cbc_mac(CAMELLIA, general=True),
    CKM.SEED_MAC: _cbc_mac(SEED, general=False),
    CKM.SEED_MAC_GENERAL: _cbc_mac(SEED, general=True),
    CKM.IDEA_MAC: _cbc_mac(IDEA, general=False),
    CKM.IDEA_MAC_GENERAL: _cbc_mac(IDEA, general=True),
    CKM.CAST128_MAC: _cbc_mac(CAST128, general=False),
    CKM.CAST128_MAC_GENERAL: _cbc_mac(CAST128, general=True),
}
"""Every MAC whose length is known without a PRF; TLS_MACS, CKM_TLS_MAC and CKM_TLS12_MAC, stand beside it."""
