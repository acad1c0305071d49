"""From a key object and a mechanism to the kernel that computes, once the gate has let the use through."""

import hmac
from typing import Final

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKO, CKR, MechanismFlag
from keyfence.cryptoki.params import MacGeneral, TlsMac

from .kernels import asymmetric, ciphers, macs
from .mechanisms.registry import SIGNING_PRFS
from .objects import StoredObject
from .quirks import Quirks
from .refused import Refused

PRF_OUTPUT: Final = 256
"""Bytes that NSS's PRFs by C_Sign give where no length is asked for; NSS itself fills the caller's buffer."""

_LONGEST_PRF: Final = 1 << 16
_SHORTEST_FINISHED: Final = 12  # section 6.40.3


def check(mechanism: Mechanism, key: StoredObject, function: str, flag: MechanismFlag, quirks: Quirks) -> None:
    """What an Init function has to refuse about parameter, key type and key size."""
    if key.object_class != CKO.SECRET_KEY:
        return  # the kernels for key pairs check when they compute
    value = key.value.reveal()
    if flag in MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT:
        ciphers.check(mechanism, key.key_type, value, function=function)
    elif mechanism.type in SIGNING_PRFS:
        _prf_length(mechanism)
    else:
        macs.check(mechanism, key.key_type, value, function=function)
        _check_mac_length(mechanism, quirks)


def encrypt(mechanism: Mechanism, key: StoredObject, data: bytes, function: str) -> bytes:
    """The ciphertext, by a secret or a public key."""
    if key.object_class != CKO.SECRET_KEY:
        return asymmetric.encrypt(mechanism, key.material(), data, function=function)
    return ciphers.encrypt(mechanism, key.key_type, key.value.reveal(), data, function=function)


def decrypt(mechanism: Mechanism, key: StoredObject, data: bytes, function: str) -> bytes:
    """The plaintext, by a secret or a private key."""
    if key.object_class != CKO.SECRET_KEY:
        return asymmetric.decrypt(mechanism, key.material(), data, function=function)
    return ciphers.decrypt(mechanism, key.key_type, key.value.reveal(), data, function=function)


def sign(mechanism: Mechanism, key: StoredObject, data: bytes, function: str) -> bytes:
    """The signature or MAC."""
    if key.object_class != CKO.SECRET_KEY:
        return asymmetric.sign(mechanism, key.material(), data, function=function)
    value = key.value.reveal()
    if mechanism.type in SIGNING_PRFS:
        return macs.prf_sign(mechanism, value, data, _prf_length(mechanism), function=function)
    return macs.mac(mechanism, key.key_type, value, data, function=function)


def verify(mechanism: Mechanism, key: StoredObject, data: bytes, signature: bytes, function: str, quirks: Quirks) -> None:
    """Return where the signature is right; SIGNATURE_INVALID or SIGNATURE_LEN_RANGE."""
    if key.object_class != CKO.SECRET_KEY:
        asymmetric.verify(mechanism, key.material(), data, signature, function=function)
        return
    expected = sign(mechanism, key, data, function)
    if quirks.short_signatures and signature:
        expected = expected[: len(signature)]
    if len(signature) != len(expected):
        raise Refused(CKR.SIGNATURE_LEN_RANGE)
    if not hmac.compare_digest(signature, expected):
        raise Refused(CKR.SIGNATURE_INVALID)


def _prf_length(mechanism: Mechanism) -> int:
    if mechanism.parameters is None:
        return PRF_OUTPUT
    if not isinstance(mechanism.parameters, MacGeneral) or not 1 <= mechanism.parameters.length <= _LONGEST_PRF:
        raise Refused(CKR.MECHANISM_PARAM_INVALID)
    return mechanism.parameters.length


def _check_mac_length(mechanism: Mechanism, quirks: Quirks) -> None:
    parameters = mechanism.parameters
    shortest = 1 if quirks.short_signatures else _SHORTEST_FINISHED
    if isinstance(parameters, TlsMac) and not shortest <= parameters.mac_length <= _LONGEST_PRF:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "a Finished value has at least 12 bytes")
    if quirks.general_macs or not isinstance(parameters, MacGeneral):
        return
    if parameters.length != macs.MECHANISMS[mechanism.type].length:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "MACs at full length only")
