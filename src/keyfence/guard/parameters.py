"""Which class of parameter each mechanism takes. In C a parameter is bytes: under another class's name the bytes of an IV are a
handle of the module's, and the structure of a PRF is one with pVersion where the PRF's output goes.
"""

from collections.abc import Mapping
from typing import Final

from keyfence.cryptoki.constants import CKM, VENDOR_DEFINED
from keyfence.cryptoki.constants import vendor as nss
from keyfence.cryptoki.params import (
    CbcEncryptData,
    Ccm,
    ChaCha20Poly1305,
    DerivationString,
    Ecdh1Derive,
    ExtendedMasterKeyDerive,
    ExtractParams,
    Gcm,
    Hkdf,
    Ike1ExtendedDerive,
    Ike1PrfDerive,
    Ike2PrfPlusDerive,
    IkePrfDerive,
    Iv,
    KeyHandle,
    KeyMat,
    MacGeneral,
    MasterKeyDerive,
    Parameters,
    PublicValue,
    Sp800108Kdf,
    Tls12KeyMat,
    Tls12MasterKeyDerive,
    TlsKdf,
    TlsPrf,
    WtlsKeyMat,
    WtlsMasterKeyDerive,
    WtlsPrf,
)

_CIPHERS: Final = ("AES", "DES", "DES3", "ARIA", "CAMELLIA", "SEED")

_DERIVATIONS: Final[Mapping[int, type[Parameters]]] = {
    **dict.fromkeys((CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE), Ecdh1Derive),
    CKM.DH_PKCS_DERIVE: PublicValue,
    **dict.fromkeys((CKM.HKDF_DERIVE, CKM.HKDF_DATA), Hkdf),
    CKM.CONCATENATE_BASE_AND_KEY: KeyHandle,
    **dict.fromkeys((CKM.CONCATENATE_BASE_AND_DATA, CKM.CONCATENATE_DATA_AND_BASE, CKM.XOR_BASE_AND_DATA), DerivationString),
    CKM.EXTRACT_KEY_FROM_KEY: ExtractParams,
    **{CKM[f"{cipher}_ECB_ENCRYPT_DATA"]: DerivationString for cipher in _CIPHERS},
    **{CKM[f"{cipher}_CBC_ENCRYPT_DATA"]: CbcEncryptData for cipher in _CIPHERS},
    **{CKM[f"SP800_108_{mode}_KDF"]: Sp800108Kdf for mode in ("COUNTER", "FEEDBACK", "DOUBLE_PIPELINE")},
    nss.CKM_NSS_SP800_108_COUNTER_KDF_DERIVE_DATA: Sp800108Kdf,
    nss.CKM_NSS_SP800_108_FEEDBACK_KDF_DERIVE_DATA: Sp800108Kdf,
    nss.CKM_NSS_SP800_108_DOUBLE_PIPELINE_KDF_DERIVE_DATA: Sp800108Kdf,
    **dict.fromkeys((CKM.IKE_PRF_DERIVE, nss.CKM_NSS_IKE_PRF_DERIVE), IkePrfDerive),
    **dict.fromkeys((CKM.IKE2_PRF_PLUS_DERIVE, nss.CKM_NSS_IKE_PRF_PLUS_DERIVE), Ike2PrfPlusDerive),
    **dict.fromkeys((CKM.IKE1_PRF_DERIVE, nss.CKM_NSS_IKE1_PRF_DERIVE), Ike1PrfDerive),
    **dict.fromkeys((CKM.IKE1_EXTENDED_DERIVE, nss.CKM_NSS_IKE1_APP_B_PRF_DERIVE), Ike1ExtendedDerive),
    **dict.fromkeys(
        (
            *(CKM.SSL3_MASTER_KEY_DERIVE, CKM.SSL3_MASTER_KEY_DERIVE_DH),
            *(CKM.TLS_MASTER_KEY_DERIVE, CKM.TLS_MASTER_KEY_DERIVE_DH),
            *(nss.CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256, nss.CKM_NSS_TLS_MASTER_KEY_DERIVE_DH_SHA256),
        ),
        MasterKeyDerive,
    ),
    **dict.fromkeys((CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH), Tls12MasterKeyDerive),
    **dict.fromkeys(
        (
            *(CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH),
            *(nss.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE, nss.CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE_DH),
        ),
        ExtendedMasterKeyDerive,
    ),
    **dict.fromkeys(
        (CKM.SSL3_KEY_AND_MAC_DERIVE, CKM.TLS_KEY_AND_MAC_DERIVE, nss.CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256), KeyMat
    ),
    **dict.fromkeys((CKM.TLS12_KEY_AND_MAC_DERIVE, CKM.TLS12_KEY_SAFE_DERIVE), Tls12KeyMat),
    CKM.TLS_PRF: TlsPrf,
    **dict.fromkeys((CKM.TLS_KDF, CKM.TLS12_KDF), TlsKdf),
    **dict.fromkeys((CKM.WTLS_MASTER_KEY_DERIVE, CKM.WTLS_MASTER_KEY_DERIVE_DH_ECC), WtlsMasterKeyDerive),
    **dict.fromkeys((CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE, CKM.WTLS_SERVER_KEY_AND_MAC_DERIVE), WtlsKeyMat),
    CKM.WTLS_PRF: WtlsPrf,
}
"""C_DeriveKey's. What is not here takes none: a structure of another mechanism's may hold handles in any place."""

_HOLDING_HANDLES: Final = frozenset({CKM.KIP_WRAP, CKM.KIP_MAC, CKM.CMS_SIG})
"""Mechanisms of other functions whose parameters hold handles, and have no class."""

_VENDORS: Final[Mapping[int, type[Parameters]]] = {
    nss.CKM_NSS_TLS_PRF_GENERAL: MacGeneral,
    nss.CKM_NSS_TLS_PRF_GENERAL_SHA256: MacGeneral,
    nss.CKM_NSS_AES_KEY_WRAP: Iv,
    nss.CKM_NSS_AES_KEY_WRAP_PAD: Iv,
    nss.CKM_NSS_CHACHA20_POLY1305: ChaCha20Poly1305,
}
"""Of a vendor's mechanisms, those whose parameters are known to hold none."""

_RECORDS: Final[Mapping[int, type[Parameters]]] = {
    CKM.AES_GCM: Gcm,
    CKM.AES_CCM: Ccm,
    CKM.CHACHA20_POLY1305: ChaCha20Poly1305,
    nss.CKM_NSS_CHACHA20_POLY1305: ChaCha20Poly1305,
}
"""Ciphers whose parameters hold the length of a tag, or have it fixed."""


def fits(function: str, mechanism: int, parameters: Parameters | None) -> bool:
    """Whether this is a parameter of the mechanism's, so that every handle in it is seen."""
    if parameters is None:
        return True
    if function == "C_DeriveKey":
        return type(parameters) is _DERIVATIONS.get(mechanism)
    if mechanism >= VENDOR_DEFINED:
        return type(parameters) is _VENDORS.get(mechanism)
    return mechanism not in _HOLDING_HANDLES


def fits_record(mechanism: int, parameters: Parameters | None) -> bool:
    """Whether it is the one that a record's cipher takes: CK_CCM_PARAMS in GCM's place have another length of tag."""
    wanted = _RECORDS.get(mechanism)
    return not isinstance(parameters, tuple(_RECORDS.values())) if wanted is None else type(parameters) is wanted
