"""The C structures of PKCS#11 (and NSS's initialisation arguments) as cffi reads them; Unix packing, CK_ULONG an unsigned long.

Written from the standard's text; names and order of fields are the standard's, so an error can name the field it is about.
"""

from typing import Final

from cffi import FFI

_BASE: Final = """
typedef unsigned char CK_BYTE; typedef unsigned char CK_BBOOL; typedef unsigned long CK_ULONG;
typedef struct { CK_BYTE major, minor; } CK_VERSION;
typedef struct { CK_ULONG mechanism; void *pParameter; CK_ULONG ulParameterLen; } CK_MECHANISM;
typedef struct { CK_ULONG type; void *pValue; CK_ULONG ulValueLen; } CK_ATTRIBUTE;
typedef struct { char *pInterfaceName; void *pFunctionList; CK_ULONG flags; } CK_INTERFACE;
typedef struct { CK_VERSION version; void *functions[]; } CK_FUNCTION_LIST;
typedef struct { void *CreateMutex, *DestroyMutex, *LockMutex, *UnlockMutex; CK_ULONG flags; void *pReserved;
} CK_C_INITIALIZE_ARGS;
typedef struct { void *CreateMutex, *DestroyMutex, *LockMutex, *UnlockMutex; CK_ULONG flags; char *LibraryParameters;
    void *pReserved; } CK_NSS_C_INITIALIZE_ARGS;
"""

_INFORMATION: Final = """
typedef struct { CK_VERSION cryptokiVersion; CK_BYTE manufacturerID[32]; CK_ULONG flags; CK_BYTE libraryDescription[32];
    CK_VERSION libraryVersion; } CK_INFO;
typedef struct { CK_BYTE slotDescription[64], manufacturerID[32]; CK_ULONG flags;
    CK_VERSION hardwareVersion, firmwareVersion; } CK_SLOT_INFO;
typedef struct { CK_BYTE label[32], manufacturerID[32], model[16], serialNumber[16]; CK_ULONG flags, ulMaxSessionCount,
    ulSessionCount, ulMaxRwSessionCount, ulRwSessionCount, ulMaxPinLen, ulMinPinLen, ulTotalPublicMemory, ulFreePublicMemory,
    ulTotalPrivateMemory, ulFreePrivateMemory; CK_VERSION hardwareVersion, firmwareVersion; CK_BYTE utcTime[16];
} CK_TOKEN_INFO;
typedef struct { CK_ULONG slotID, state, flags, ulDeviceError; } CK_SESSION_INFO;
typedef struct { CK_ULONG ulMinKeySize, ulMaxKeySize, flags; } CK_MECHANISM_INFO;
"""

_CIPHERS: Final = """
typedef struct { CK_BYTE *pIv; CK_ULONG ulIvLen, ulIvBits; CK_BYTE *pAAD; CK_ULONG ulAADLen, ulTagBits; } CK_GCM_PARAMS;
typedef struct { CK_BYTE *pIv; CK_ULONG ulIvLen; CK_BYTE *pAAD; CK_ULONG ulAADLen, ulTagBits; } CK_GCM_PARAMS_2_40;
typedef struct { CK_ULONG ulDataLen; CK_BYTE *pNonce; CK_ULONG ulNonceLen; CK_BYTE *pAAD; CK_ULONG ulAADLen, ulMACLen;
} CK_CCM_PARAMS;
typedef struct { CK_ULONG ulCounterBits; CK_BYTE cb[16]; } CK_AES_CTR_PARAMS;
typedef struct { CK_BYTE *pNonce; CK_ULONG ulNonceLen; CK_BYTE *pAAD; CK_ULONG ulAADLen; } CK_SALSA20_CHACHA20_POLY1305_PARAMS;
typedef struct { CK_ULONG ulEffectiveBits; CK_BYTE iv[8]; } CK_RC2_CBC_PARAMS;
typedef struct { CK_ULONG hashAlg, mgf, sLen; } CK_RSA_PKCS_PSS_PARAMS;
typedef struct { CK_ULONG hashAlg, mgf, source; void *pSourceData; CK_ULONG ulSourceDataLen; } CK_RSA_PKCS_OAEP_PARAMS;
typedef struct { CK_BYTE *pIv; CK_ULONG ulIvLen, ulIvFixedBits, ivGenerator; CK_BYTE *pTag; CK_ULONG ulTagBits;
} CK_GCM_MESSAGE_PARAMS;
typedef struct { CK_ULONG ulDataLen; CK_BYTE *pNonce; CK_ULONG ulNonceLen, ulNonceFixedBits, nonceGenerator; CK_BYTE *pMAC;
    CK_ULONG ulMACLen; } CK_CCM_MESSAGE_PARAMS;
typedef struct { CK_BYTE *pNonce; CK_ULONG ulNonceLen; CK_BYTE *pTag; } CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS;
"""

_TLS: Final = """
typedef struct { CK_BYTE *pClientRandom; CK_ULONG ulClientRandomLen; CK_BYTE *pServerRandom; CK_ULONG ulServerRandomLen;
} CK_SSL3_RANDOM_DATA;
typedef struct { CK_SSL3_RANDOM_DATA RandomInfo; CK_VERSION *pVersion; } CK_SSL3_MASTER_KEY_DERIVE_PARAMS;
typedef struct { CK_SSL3_RANDOM_DATA RandomInfo; CK_VERSION *pVersion; CK_ULONG prfHashMechanism;
} CK_TLS12_MASTER_KEY_DERIVE_PARAMS;
typedef struct { CK_ULONG prfHashMechanism; CK_BYTE *pSessionHash; CK_ULONG ulSessionHashLen; CK_VERSION *pVersion;
} CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS;
typedef struct { CK_ULONG hClientMacSecret, hServerMacSecret, hClientKey, hServerKey; CK_BYTE *pIVClient, *pIVServer;
} CK_SSL3_KEY_MAT_OUT;
typedef struct { CK_ULONG ulMacSizeInBits, ulKeySizeInBits, ulIVSizeInBits; CK_BBOOL bIsExport; CK_SSL3_RANDOM_DATA RandomInfo;
    CK_SSL3_KEY_MAT_OUT *pReturnedKeyMaterial; } CK_SSL3_KEY_MAT_PARAMS;
typedef struct { CK_ULONG ulMacSizeInBits, ulKeySizeInBits, ulIVSizeInBits; CK_BBOOL bIsExport; CK_SSL3_RANDOM_DATA RandomInfo;
    CK_SSL3_KEY_MAT_OUT *pReturnedKeyMaterial; CK_ULONG prfHashMechanism; } CK_TLS12_KEY_MAT_PARAMS;
typedef struct { CK_BYTE *pSeed; CK_ULONG ulSeedLen; CK_BYTE *pLabel; CK_ULONG ulLabelLen; CK_BYTE *pOutput;
    CK_ULONG *pulOutputLen; } CK_TLS_PRF_PARAMS;
typedef struct { CK_ULONG prfMechanism; CK_BYTE *pLabel; CK_ULONG ulLabelLength; CK_SSL3_RANDOM_DATA RandomInfo;
    CK_BYTE *pContextData; CK_ULONG ulContextDataLength; } CK_TLS_KDF_PARAMS;
typedef struct { CK_ULONG prfHashMechanism, ulMacLength, ulServerOrClient; } CK_TLS_MAC_PARAMS;
typedef struct { CK_ULONG DigestMechanism; CK_SSL3_RANDOM_DATA RandomInfo; CK_BYTE *pVersion;
} CK_WTLS_MASTER_KEY_DERIVE_PARAMS;
typedef struct { CK_ULONG hMacSecret, hKey; CK_BYTE *pIV; } CK_WTLS_KEY_MAT_OUT;
typedef struct { CK_ULONG DigestMechanism, ulMacSizeInBits, ulKeySizeInBits, ulIVSizeInBits, ulSequenceNumber;
    CK_BBOOL bIsExport; CK_SSL3_RANDOM_DATA RandomInfo; CK_WTLS_KEY_MAT_OUT *pReturnedKeyMaterial; } CK_WTLS_KEY_MAT_PARAMS;
typedef struct { CK_ULONG DigestMechanism; CK_BYTE *pSeed; CK_ULONG ulSeedLen; CK_BYTE *pLabel; CK_ULONG ulLabelLen;
    CK_BYTE *pOutput; CK_ULONG *pulOutputLen; } CK_WTLS_PRF_PARAMS;
"""

_DERIVE: Final = """
typedef struct { CK_BBOOL bExtract, bExpand; CK_ULONG prfHashMechanism, ulSaltType; CK_BYTE *pSalt;
    CK_ULONG ulSaltLen, hSaltKey; CK_BYTE *pInfo; CK_ULONG ulInfoLen; } CK_HKDF_PARAMS;
typedef struct { CK_ULONG kdf, ulSharedDataLen; CK_BYTE *pSharedData; CK_ULONG ulPublicDataLen; CK_BYTE *pPublicData;
} CK_ECDH1_DERIVE_PARAMS;
typedef struct { CK_BYTE *pData; CK_ULONG ulLen; } CK_KEY_DERIVATION_STRING_DATA;
typedef struct { CK_BYTE iv[16]; CK_BYTE *pData; CK_ULONG length; } CK_AES_CBC_ENCRYPT_DATA_PARAMS;
typedef struct { CK_BYTE iv[8]; CK_BYTE *pData; CK_ULONG length; } CK_DES_CBC_ENCRYPT_DATA_PARAMS;
typedef struct { CK_ULONG type; void *pValue; CK_ULONG ulValueLen; } CK_PRF_DATA_PARAM;
typedef struct { CK_BBOOL bLittleEndian; CK_ULONG ulWidthInBits; } CK_SP800_108_COUNTER_FORMAT;
typedef struct { CK_ULONG dkmLengthMethod; CK_BBOOL bLittleEndian; CK_ULONG ulWidthInBits; } CK_SP800_108_DKM_LENGTH_FORMAT;
typedef struct { CK_ATTRIBUTE *pTemplate; CK_ULONG ulAttributeCount; CK_ULONG *phKey; } CK_DERIVED_KEY;
typedef struct { CK_ULONG prfType, ulNumberOfDataParams; CK_PRF_DATA_PARAM *pDataParams; CK_ULONG ulAdditionalDerivedKeys;
    CK_DERIVED_KEY *pAdditionalDerivedKeys; } CK_SP800_108_KDF_PARAMS;
typedef struct { CK_ULONG prfType, ulNumberOfDataParams; CK_PRF_DATA_PARAM *pDataParams; CK_ULONG ulIVLen; CK_BYTE *pIV;
    CK_ULONG ulAdditionalDerivedKeys; CK_DERIVED_KEY *pAdditionalDerivedKeys; } CK_SP800_108_FEEDBACK_KDF_PARAMS;
typedef struct { CK_ULONG prfMechanism; CK_BBOOL bDataAsKey, bRekey; CK_BYTE *pNi; CK_ULONG ulNiLen; CK_BYTE *pNr;
    CK_ULONG ulNrLen, hNewKey; } CK_IKE_PRF_DERIVE_PARAMS;
typedef struct { CK_ULONG prfMechanism; CK_BBOOL bHasSeedKey; CK_ULONG hSeedKey; CK_BYTE *pSeedData; CK_ULONG ulSeedDataLen;
} CK_IKE2_PRF_PLUS_DERIVE_PARAMS;
typedef struct { CK_ULONG prfMechanism; CK_BBOOL bHasPrevKey; CK_ULONG hKeygxy, hPrevKey; CK_BYTE *pCKYi; CK_ULONG ulCKYiLen;
    CK_BYTE *pCKYr; CK_ULONG ulCKYrLen; CK_BYTE keyNumber; } CK_IKE1_PRF_DERIVE_PARAMS;
typedef struct { CK_ULONG prfMechanism; CK_BBOOL bHasKeygxy; CK_ULONG hKeygxy; CK_BYTE *pExtraData; CK_ULONG ulExtraDataLen;
} CK_IKE1_EXTENDED_DERIVE_PARAMS;
"""

ffi: Final = FFI()
ffi.cdef(_BASE + _INFORMATION + _CIPHERS + _TLS + _DERIVE)
