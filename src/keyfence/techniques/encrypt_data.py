"""encrypt-data: a derivation whose output is the encryption of the caller's data under the write key."""

from collections.abc import Iterable, Sequence

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.params import CbcEncryptData, DerivationString
from keyfence.cryptoki.session import secret_key

from .base import Attack, Bench, Technique
from .block_oracle import KINDS, ZERO, BlockOracleAttack, concerns
from .carving import READABLE
from .usage import permitted
from .victim import Victim
from .wrapping import read


class EncryptData(Technique):
    id = "encrypt-data"
    title = "Keys derived by encrypting chosen data under a write key"
    summary = (
        "CKM_AES_ECB_ENCRYPT_DATA and CKM_AES_CBC_ENCRYPT_DATA make a key of the encryption of the caller's data under the "
        "base key, and the template may ask for a readable one. Under a GCM write key that is E(0), the GHASH key, and any "
        "record's keystream. The standard flags a key block's write keys for derivation; for others a copy can be so flagged."
    )
    section = "PKCS#11 3.2 §6.17 (key derivation by data encryption), §6.39.6 (CKA_DERIVE of write keys)"
    references = ("NIST SP 800-38D §7, §8", "Clulow, On the Security of PKCS #11, CHES 2003")
    remedy = "CKA_DERIVE false and CKA_ALLOWED_MECHANISMS with the suite's one mechanism on write keys, and CKA_COPYABLE false."
    kinds = KINDS

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        mechanisms = (CKM.AES_ECB_ENCRYPT_DATA, CKM.AES_CBC_ENCRYPT_DATA)
        return [EncryptDataAttack(victim, mechanism) for mechanism in mechanisms] if concerns(victim) else []


class EncryptDataAttack(BlockOracleAttack):
    """C_DeriveKey under the write key, read."""

    def groups(self, blocks: Sequence[bytes]) -> Sequence[bytes]:
        """One each: a key of 16 bytes is what every module can make, and of longer data some make none."""
        return blocks

    def encrypted(self, bench: Bench, key: int, group: bytes) -> bytes:
        ecb = self.mechanism == CKM.AES_ECB_ENCRYPT_DATA
        mechanism = Mechanism(self.mechanism, DerivationString(group) if ecb else CbcEncryptData(ZERO, group))
        return permitted(bench, key, CKA.DERIVE, lambda key: _read(bench, mechanism, key, len(group)))

    @property
    def call(self) -> str:
        return f"C_DeriveKey({self.name}, base = the client write key, CKA_SENSITIVE=FALSE), C_GetAttributeValue(CKA_VALUE)"


def _read(bench: Bench, mechanism: Mechanism, key: int, length: int) -> bytes:
    """The derived value, by the first way of asking for a readable key that the module takes."""
    refusal: CryptokiError | None = None
    for flags in READABLE:
        template = secret_key(CKK.GENERIC_SECRET, length, **flags)
        try:
            return read(bench, bench.session.derive(mechanism, key, template).handle)
        except CryptokiError as error:
            if error.ckr == CKR.KEY_FUNCTION_NOT_PERMITTED:
                raise
            refusal = refusal or error
    assert refusal is not None
    raise refusal
