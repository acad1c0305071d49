"""The mechanisms that concern TLS: which version each belongs to, which function it keys. What is in no table is not TLS's."""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.constants import vendor as nss
from keyfence.cryptoki.params import ExtendedMasterKeyDerive, Parameters, Tls12KeyMat, Tls12MasterKeyDerive, TlsKdf, TlsMac
from keyfence.schedule import PrfHash, Version

_TLS10: Final = frozenset({Version.TLS10, Version.TLS11})
_TLS12: Final = frozenset({Version.TLS12})
_UP_TO_12: Final = _TLS10 | _TLS12

PRE_MASTERS: Final = frozenset({CKM.SSL3_PRE_MASTER_KEY_GEN, CKM.TLS_PRE_MASTER_KEY_GEN})

RSA_MASTERS: Final[Mapping[int, str]] = {
    CKM.SSL3_MASTER_KEY_DERIVE: "SSL3",
    CKM.TLS_MASTER_KEY_DERIVE: "TLS10",
    CKM.TLS12_MASTER_KEY_DERIVE: "",
    CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE: "",
    nss.CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256: "SHA256",
    nss.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE: "",
}
"""From a pre-master secret that begins with a version, to the master secret's function; "" where the parameter names it."""

DH_MASTERS: Final[Mapping[int, str]] = {
    CKM.SSL3_MASTER_KEY_DERIVE_DH: "SSL3",
    CKM.TLS_MASTER_KEY_DERIVE_DH: "TLS10",
    CKM.TLS12_MASTER_KEY_DERIVE_DH: "",
    CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH: "",
    nss.CKM_NSS_TLS_MASTER_KEY_DERIVE_DH_SHA256: "SHA256",
    nss.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE_DH: "",
}
"""The same from an agreed secret."""

KEY_BLOCKS: Final[Mapping[int, str]] = {
    CKM.SSL3_KEY_AND_MAC_DERIVE: "SSL3",
    CKM.TLS_KEY_AND_MAC_DERIVE: "TLS10",
    CKM.TLS12_KEY_AND_MAC_DERIVE: "",
    CKM.TLS12_KEY_SAFE_DERIVE: "",
    nss.CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256: "SHA256",
}
"""What cuts a key block."""

EXPORTS: Final = frozenset({CKM.TLS_KDF, CKM.TLS12_KDF})
TLS_MACS: Final = frozenset({CKM.TLS_MAC, CKM.TLS12_MAC})
SIGNING_PRFS: Final[Mapping[int, str]] = {
    nss.CKM_NSS_TLS_PRF_GENERAL: "TLS10",
    nss.CKM_NSS_TLS_PRF_GENERAL_SHA256: "SHA256",
}
"""PRFs that NSS does by C_Sign: the data is label and seed in one string."""

AGREEMENTS: Final = frozenset({CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE, CKM.DH_PKCS_DERIVE})
HKDFS: Final = frozenset({CKM.HKDF_DERIVE, CKM.HKDF_DATA})

OF_A_MASTER: Final = frozenset({*KEY_BLOCKS, *EXPORTS, CKM.TLS_PRF})
"""Derivations with a master secret as base key."""

TLS_DERIVATIONS: Final = frozenset({*RSA_MASTERS, *DH_MASTERS, *OF_A_MASTER})
"""Derivations that nothing outside TLS has a use for."""

_VERSIONS: Final[Mapping[int, frozenset[Version]]] = {
    **dict.fromkeys(
        (CKM.SSL3_MASTER_KEY_DERIVE, CKM.SSL3_MASTER_KEY_DERIVE_DH, CKM.SSL3_KEY_AND_MAC_DERIVE), frozenset({Version.SSL3})
    ),
    **dict.fromkeys((CKM.SSL3_MD5_MAC, CKM.SSL3_SHA1_MAC), frozenset({Version.SSL3})),
    **dict.fromkeys((CKM.TLS_MASTER_KEY_DERIVE, CKM.TLS_MASTER_KEY_DERIVE_DH, CKM.TLS_KEY_AND_MAC_DERIVE), _TLS10),
    **dict.fromkeys((CKM.TLS_PRF, nss.CKM_NSS_TLS_PRF_GENERAL), _TLS10),
    **dict.fromkeys(PRE_MASTERS, _UP_TO_12 | {Version.SSL3}),
    **dict.fromkeys((*EXPORTS, *TLS_MACS), _UP_TO_12),
    **dict.fromkeys(
        (
            CKM.TLS12_MASTER_KEY_DERIVE,
            CKM.TLS12_MASTER_KEY_DERIVE_DH,
            CKM.TLS12_KEY_AND_MAC_DERIVE,
            CKM.TLS12_KEY_SAFE_DERIVE,
            CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE,
            CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH,
            nss.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE,
            nss.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE_DH,
        ),
        _UP_TO_12,
    ),
    **dict.fromkeys(
        (
            nss.CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256,
            nss.CKM_NSS_TLS_MASTER_KEY_DERIVE_DH_SHA256,
            nss.CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256,
            nss.CKM_NSS_TLS_PRF_GENERAL_SHA256,
        ),
        _TLS12,
    ),
    **dict.fromkeys(
        (
            CKM.WTLS_PRE_MASTER_KEY_GEN,
            CKM.WTLS_MASTER_KEY_DERIVE,
            CKM.WTLS_MASTER_KEY_DERIVE_DH_ECC,
            CKM.WTLS_PRF,
            CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE,
            CKM.WTLS_SERVER_KEY_AND_MAC_DERIVE,
        ),
        frozenset[Version](),
    ),
}
"""The versions that a mechanism of TLS serves. WTLS is none."""

FUNCTION_VERSIONS: Final[Mapping[str, frozenset[Version]]] = {
    "SSL3": frozenset({Version.SSL3}),
    "TLS10": _TLS10,
    "SHA256": _TLS12,
    "SHA384": _TLS12,
}
"""The versions before 1.3 whose master secrets key this function. No suite of TLS 1.2 has another hash."""


def is_offered(mechanism: int, versions: frozenset[Version]) -> bool:
    """Whether a guard for these versions has a use for the mechanism; always, where it is none of TLS's."""
    return mechanism not in _VERSIONS or bool(_VERSIONS[mechanism] & versions)


def function_of(mechanism: int, parameters: Parameters | None) -> str | None:
    """The function that a master secret keys in this use ("SSL3", "TLS10", "SHA256" …); None where the call names none."""
    for table in (RSA_MASTERS, DH_MASTERS, KEY_BLOCKS, SIGNING_PRFS):
        if table.get(mechanism):
            return table[mechanism]
    match parameters:
        case Tls12MasterKeyDerive(prf_hash=number) | Tls12KeyMat(prf_hash=number) | TlsMac(prf_hash=number):
            return _named(number)
        case ExtendedMasterKeyDerive(prf_hash=number) | TlsKdf(prf=number):
            return _named(number)
        case _:
            return "TLS10" if mechanism == CKM.TLS_PRF else None


def _named(number: int) -> str | None:
    """What prfHashMechanism names: CKM_TLS_PRF is TLS 1.0's PRF (PKCS#11 3.2 section 6.40.9)."""
    if number == CKM.TLS_PRF:
        return "TLS10"
    try:
        return PrfHash.of_mechanism(number).name
    except ValueError:
        return None
