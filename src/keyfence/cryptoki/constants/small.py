"""The small tables: object classes, user types, session states, KDFs, MGFs."""

from .base import Constant


class CKO(Constant):
    """Object classes (PKCS#11 3.2 section 4)."""

    DATA = 0
    CERTIFICATE = 1
    PUBLIC_KEY = 2
    PRIVATE_KEY = 3
    SECRET_KEY = 4
    HW_FEATURE = 5
    DOMAIN_PARAMETERS = 6
    MECHANISM = 7
    OTP_KEY = 8
    PROFILE = 9
    VALIDATION = 10
    TRUST = 11
    VENDOR_DEFINED = 2147483648


class CKU(Constant):
    """User types for C_Login (PKCS#11 3.2 section 5.6)."""

    SO = 0
    USER = 1
    CONTEXT_SPECIFIC = 2
    USER_NOBODY = 999


class CKS(Constant):
    """Session states (PKCS#11 3.2 section 3.4)."""

    RO_PUBLIC_SESSION = 0
    LAST_VALIDATION_OK = 1
    RO_USER_FUNCTIONS = 1
    RW_PUBLIC_SESSION = 2
    RW_USER_FUNCTIONS = 3
    RW_SO_FUNCTIONS = 4


class CKD(Constant):
    """Key derivation functions of ECDH and X9.42 DH (PKCS#11 3.2 section 6.3.16)."""

    NULL = 1
    SHA1_KDF = 2
    SHA1_KDF_ASN1 = 3
    SHA1_KDF_CONCATENATE = 4
    SHA224_KDF = 5
    SHA256_KDF = 6
    SHA384_KDF = 7
    SHA512_KDF = 8
    CPDIVERSIFY_KDF = 9
    SHA3_224_KDF = 10
    SHA3_256_KDF = 11
    SHA3_384_KDF = 12
    SHA3_512_KDF = 13
    SHA1_KDF_SP800 = 14
    SHA224_KDF_SP800 = 15
    SHA256_KDF_SP800 = 16
    SHA384_KDF_SP800 = 17
    SHA512_KDF_SP800 = 18
    SHA3_224_KDF_SP800 = 19
    SHA3_256_KDF_SP800 = 20
    SHA3_384_KDF_SP800 = 21
    SHA3_512_KDF_SP800 = 22
    BLAKE2B_160_KDF = 23
    BLAKE2B_256_KDF = 24
    BLAKE2B_384_KDF = 25
    BLAKE2B_512_KDF = 26


class CKG(Constant):
    """Mask generation functions and GCM/CCM IV generators (PKCS#11 3.2 sections 6.1.7, 6.13)."""

    NO_GENERATE = 0
    GENERATE = 1
    MGF1_SHA1 = 1
    GENERATE_COUNTER = 2
    MGF1_SHA256 = 2
    GENERATE_RANDOM = 3
    MGF1_SHA384 = 3
    GENERATE_COUNTER_XOR = 4
    MGF1_SHA512 = 4
    MGF1_SHA224 = 5
    MGF1_SHA3_224 = 6
    MGF1_SHA3_256 = 7
    MGF1_SHA3_384 = 8
    MGF1_SHA3_512 = 9


class CKC(Constant):
    """Certificate types."""

    X_509 = 0
    X_509_ATTR_CERT = 1
    WTLS = 2
    VENDOR_DEFINED = 2147483648


class CKH(Constant):
    """Hardware feature types."""

    HEDGE_PREFERRED = 0
    HEDGE_REQUIRED = 1
    MONOTONIC_COUNTER = 1
    CLOCK = 2
    DETERMINISTIC_REQUIRED = 2
    USER_INTERFACE = 3
    VENDOR_DEFINED = 2147483648


class CKZ(Constant):
    """Salt and encoding parameter sources (OAEP, PBKDF2)."""

    DATA_SPECIFIED = 1
    SALT_SPECIFIED = 1
