"""The separated schedule's judgement of signatures that RSA makes without hashing; `schedule.signatures` says why."""

from keyfence.cryptoki.constants import CKA, CKR
from keyfence.schedule.signatures import is_tls_digest

from ..objects import StoredObject
from ..refused import Refused


def judge_raw_signature(key: StoredObject, data: bytes) -> None:
    """Refuse what is no digest, and a digest wide enough to make relations with."""
    modulus = key.attributes[CKA.MODULUS]
    assert isinstance(modulus, bytes)
    if not is_tls_digest(data, len(modulus)):
        raise Refused(CKR.DATA_INVALID, "no DigestInfo of a hash that fits the modulus three times")
