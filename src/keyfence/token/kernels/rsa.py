"""RSA signatures and encryption as PKCS#11 offers them (PKCS#11 3.0 section 2.1, RFC 8017). Keys are attributes.

    sign(Mechanism(CKM.SHA256_RSA_PKCS), private_attributes, message)

CKM_RSA_X_509 runs on Python's integers and does not take constant time; everything else is the library's.
"""

import hmac
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKM, CKR
from keyfence.cryptoki.params import RsaOaep, RsaPss

from .digests import BY_MECHANISM, BY_MGF, BY_RSA_PKCS, BY_RSA_PSS, Digest, named_in_parameter
from .refusals import no_parameters, parameters_of, refuse
from .rsa_keys import load_private, load_public

SIGNATURES: Final = frozenset({CKM.RSA_PKCS, CKM.RSA_X_509, CKM.RSA_PKCS_PSS, *BY_RSA_PKCS, *BY_RSA_PSS})
ENCRYPTIONS: Final = frozenset({CKM.RSA_PKCS, CKM.RSA_X_509, CKM.RSA_PKCS_OAEP})

_PKCS1_OVERHEAD: Final = 11  # 00 01, at least eight bytes of padding, 00 (RFC 8017 section 9.2)

Scheme = tuple[padding.PKCS1v15 | padding.PSS, HashAlgorithm | Prehashed | NoDigestInfo]


# Signatures


def sign(mechanism: Mechanism, key: Template, data: bytes, *, function: str = "C_Sign") -> bytes:
    """A signature as wide as the modulus.

    CKM_RSA_PKCS pads what it is given (a DigestInfo, made by the caller), CKM_RSA_PKCS_PSS takes a digest, and mechanisms
    with a hash in their name take the message.
    """
    private = load_private(key, function)
    if mechanism.type == CKM.RSA_X_509:
        no_parameters(mechanism, function)
        return _raw_private(private, data, function, CKR.DATA_LEN_RANGE, CKR.DATA_INVALID)
    pad, algorithm = _scheme(mechanism, data, private.key_size, function)
    try:
        return private.sign(data, pad, algorithm)
    except ValueError:
        raise refuse(CKR.KEY_SIZE_RANGE, function, "too short for this hash") from None


def verify(mechanism: Mechanism, key: Template, data: bytes, signature: bytes, *, function: str = "C_Verify") -> None:
    """Return where `signature` is one of `data`; CKR_SIGNATURE_LEN_RANGE or CKR_SIGNATURE_INVALID where it is not."""
    public = load_public(key, function)
    if len(signature) != _width(public):
        raise refuse(CKR.SIGNATURE_LEN_RANGE, function)
    if mechanism.type == CKM.RSA_X_509:
        no_parameters(mechanism, function)
        signed = _raw_public(public, signature, function, CKR.SIGNATURE_LEN_RANGE, CKR.SIGNATURE_INVALID)
        valid = hmac.compare_digest(signed, data.rjust(len(signed), b"\0"))
    else:
        valid = _verified(public, data, signature, _scheme(mechanism, data, public.key_size, function))
    if not valid:
        raise refuse(CKR.SIGNATURE_INVALID, function)


def _verified(public: RSAPublicKey, data: bytes, signature: bytes, scheme: Scheme) -> bool:
    pad, algorithm = scheme
    try:
        if isinstance(algorithm, NoDigestInfo):  # the library recovers such a signature, it does not verify it
            return hmac.compare_digest(public.recover_data_from_signature(signature, pad, None), data)
        public.verify(signature, data, pad, algorithm)
    except InvalidSignature:
        return False
    return True


def _scheme(mechanism: Mechanism, data: bytes, bits: int, function: str) -> Scheme:
    """The library's padding and hash for a mechanism; `bits` is the modulus's length."""
    if mechanism.type == CKM.RSA_PKCS:
        no_parameters(mechanism, function)
        if len(data) > (bits + 7) // 8 - _PKCS1_OVERHEAD:
            raise refuse(CKR.DATA_LEN_RANGE, function)
        return padding.PKCS1v15(), NoDigestInfo()
    if mechanism.type in BY_RSA_PKCS:
        no_parameters(mechanism, function)
        return padding.PKCS1v15(), BY_RSA_PKCS[mechanism.type].primitive()
    if mechanism.type == CKM.RSA_PKCS_PSS or mechanism.type in BY_RSA_PSS:
        return _pss(mechanism, data, bits, function)
    raise refuse(CKR.MECHANISM_INVALID, function, mechanism.name)


def _pss(mechanism: Mechanism, data: bytes, bits: int, function: str) -> Scheme:
    """Hash, salt and two bytes have to fit into one bit less than the modulus (RFC 8017 section 9.1.1)."""
    parameters = parameters_of(mechanism, RsaPss, function)
    named = named_in_parameter(BY_MECHANISM, parameters.hash, function)
    if BY_RSA_PSS.get(mechanism.type, named) is not named:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "the parameter names another hash than the mechanism")
    if parameters.salt_length > (bits + 6) // 8 - named.digest_size - 2:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "the salt does not fit")
    pad = padding.PSS(_mgf(parameters.mgf, function), parameters.salt_length)
    if mechanism.type in BY_RSA_PSS:
        return pad, named.primitive()
    if len(data) != named.digest_size:
        raise refuse(CKR.DATA_LEN_RANGE, function, f"not a digest of {named.digest_size} bytes")
    return pad, Prehashed(named.primitive())


# Encryption


def encrypt(mechanism: Mechanism, key: Template, data: bytes, *, function: str = "C_Encrypt") -> bytes:
    """A ciphertext as wide as the modulus; CKR_DATA_LEN_RANGE for more data than the padding leaves room for."""
    public = load_public(key, function)
    if mechanism.type == CKM.RSA_X_509:
        no_parameters(mechanism, function)
        return _raw_public(public, data, function, CKR.DATA_LEN_RANGE, CKR.DATA_INVALID)
    try:
        return public.encrypt(data, _encryption_padding(mechanism, function))
    except ValueError:
        raise refuse(CKR.DATA_LEN_RANGE, function) from None


def decrypt(mechanism: Mechanism, key: Template, data: bytes, *, function: str = "C_Decrypt") -> bytes:
    """The plaintext: as wide as the modulus with CKM_RSA_X_509, else without its padding.

    A wrong PKCS #1 v1.5 padding gives random bytes of random length instead of a refusal where the library rejects
    implicitly (OpenSSL 3.2 and later), which takes Bleichenbacher's oracle away.
    """
    private = load_private(key, function)
    if mechanism.type == CKM.RSA_X_509:
        no_parameters(mechanism, function)
        return _raw_private(private, data, function, CKR.ENCRYPTED_DATA_LEN_RANGE, CKR.ENCRYPTED_DATA_INVALID)
    pad = _encryption_padding(mechanism, function)
    if len(data) != _width(private):
        raise refuse(CKR.ENCRYPTED_DATA_LEN_RANGE, function)
    try:
        return private.decrypt(data, pad)
    except ValueError:
        raise refuse(CKR.ENCRYPTED_DATA_INVALID, function) from None


def _encryption_padding(mechanism: Mechanism, function: str) -> padding.PKCS1v15 | padding.OAEP:
    if mechanism.type == CKM.RSA_PKCS:
        no_parameters(mechanism, function)
        return padding.PKCS1v15()
    if mechanism.type == CKM.RSA_PKCS_OAEP:
        parameters = parameters_of(mechanism, RsaOaep, function)
        named: Digest = named_in_parameter(BY_MECHANISM, parameters.hash, function)
        return padding.OAEP(_mgf(parameters.mgf, function), named.primitive(), parameters.source)
    raise refuse(CKR.MECHANISM_INVALID, function, mechanism.name)


def _mgf(number: int, function: str) -> padding.MGF1:
    return padding.MGF1(named_in_parameter(BY_MGF, number, function).primitive())


# CKM_RSA_X_509: the bare power. Input narrower than the modulus is the number it spells.


def _raw_public(public: RSAPublicKey, data: bytes, function: str, bad_length: CKR, bad_value: CKR) -> bytes:
    numbers = public.public_numbers()
    base = _base(data, numbers.n, function, bad_length, bad_value)
    return pow(base, numbers.e, numbers.n).to_bytes(_width(public), "big")


def _raw_private(private: RSAPrivateKey, data: bytes, function: str, bad_length: CKR, bad_value: CKR) -> bytes:
    """By the Chinese remainder theorem (RFC 8017 section 5.1.2)."""
    numbers = private.private_numbers()
    base = _base(data, numbers.public_numbers.n, function, bad_length, bad_value)
    m1, m2 = pow(base, numbers.dmp1, numbers.p), pow(base, numbers.dmq1, numbers.q)
    power = m2 + numbers.q * ((m1 - m2) * numbers.iqmp % numbers.p)
    return power.to_bytes(_width(private), "big")


def _base(data: bytes, modulus: int, function: str, bad_length: CKR, bad_value: CKR) -> int:
    base = int.from_bytes(data, "big")
    if len(data) > (modulus.bit_length() + 7) // 8:
        raise refuse(bad_length, function, "wider than the modulus")
    if base >= modulus:
        raise refuse(bad_value, function, "not below the modulus")
    return base


def _width(key: RSAPublicKey | RSAPrivateKey) -> int:
    """The modulus's length in bytes."""
    return (key.key_size + 7) // 8
