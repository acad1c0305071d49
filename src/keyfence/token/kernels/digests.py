"""The hash functions, each with every PKCS#11 number that stands for it.

One row per hash; the numbers follow from the stems that the standard forms its names with (CKM_SHA256, CKM_SHA256_HMAC,
CKM_SHA256_RSA_PKCS …), so a row cannot pair two hashes by a slip.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes

from keyfence.cryptoki.constants import CKD, CKG, CKK, CKM, CKR

from .refusals import refuse


@dataclass(frozen=True, slots=True)
class Digest:
    """A hash by all its names. Sizes are in bytes; None where the standard has no such number.

    `kdf` and `kdf_sp800` are the ANSI X9.63 and SP 800-56A key derivations of ECDH; `mgf` is MGF1 over this hash.
    """

    name: str
    digest_size: int
    block_size: int
    primitive: type[hashes.HashAlgorithm]
    mechanism: CKM
    hmac: CKM
    hmac_general: CKM
    key_derivation: CKM
    hmac_key_type: CKK
    rsa_pkcs: CKM
    rsa_pss: CKM | None
    ecdsa: CKM | None
    mgf: CKG | None
    kdf: CKD | None
    kdf_sp800: CKD | None

    def of(self, data: bytes) -> bytes:
        """The hash of `data`."""
        return hashlib.new(self.name, data, usedforsecurity=False).digest()


def _row(name: str, stem: str, compound: str, primitive: type[hashes.HashAlgorithm]) -> Digest:
    """A row from its stems: SHA-1 alone is SHA_1 on its own and SHA1 inside of longer names."""
    instance = hashlib.new(name, usedforsecurity=False)
    return Digest(
        name=name,
        digest_size=instance.digest_size,
        block_size=instance.block_size,
        primitive=primitive,
        mechanism=CKM[stem],
        hmac=CKM[f"{stem}_HMAC"],
        hmac_general=CKM[f"{stem}_HMAC_GENERAL"],
        key_derivation=CKM[f"{compound}_KEY_DERIVATION"],
        hmac_key_type=CKK[f"{stem}_HMAC"],
        rsa_pkcs=CKM[f"{compound}_RSA_PKCS"],
        rsa_pss=CKM.__members__.get(f"{compound}_RSA_PKCS_PSS"),
        ecdsa=CKM.__members__.get(f"ECDSA_{compound}"),
        mgf=CKG.__members__.get(f"MGF1_{compound}"),
        kdf=CKD.__members__.get(f"{compound}_KDF"),
        kdf_sp800=CKD.__members__.get(f"{compound}_KDF_SP800"),
    )


DIGESTS: Final = (
    _row("md5", "MD5", "MD5", hashes.MD5),
    _row("sha1", "SHA_1", "SHA1", hashes.SHA1),
    _row("sha224", "SHA224", "SHA224", hashes.SHA224),
    _row("sha256", "SHA256", "SHA256", hashes.SHA256),
    _row("sha384", "SHA384", "SHA384", hashes.SHA384),
    _row("sha512", "SHA512", "SHA512", hashes.SHA512),
    _row("sha3_224", "SHA3_224", "SHA3_224", hashes.SHA3_224),
    _row("sha3_256", "SHA3_256", "SHA3_256", hashes.SHA3_256),
    _row("sha3_384", "SHA3_384", "SHA3_384", hashes.SHA3_384),
    _row("sha3_512", "SHA3_512", "SHA3_512", hashes.SHA3_512),
)

BY_MECHANISM: Final[Mapping[int, Digest]] = {row.mechanism: row for row in DIGESTS}
BY_HMAC: Final[Mapping[int, Digest]] = {row.hmac: row for row in DIGESTS}
BY_HMAC_GENERAL: Final[Mapping[int, Digest]] = {row.hmac_general: row for row in DIGESTS}
BY_KEY_DERIVATION: Final[Mapping[int, Digest]] = {row.key_derivation: row for row in DIGESTS}
BY_RSA_PKCS: Final[Mapping[int, Digest]] = {row.rsa_pkcs: row for row in DIGESTS}
BY_RSA_PSS: Final[Mapping[int, Digest]] = {row.rsa_pss: row for row in DIGESTS if row.rsa_pss is not None}
BY_ECDSA: Final[Mapping[int, Digest]] = {row.ecdsa: row for row in DIGESTS if row.ecdsa is not None}
BY_MGF: Final[Mapping[int, Digest]] = {row.mgf: row for row in DIGESTS if row.mgf is not None}
BY_KDF: Final[Mapping[int, Digest]] = {row.kdf: row for row in DIGESTS if row.kdf is not None}
BY_KDF_SP800: Final[Mapping[int, Digest]] = {row.kdf_sp800: row for row in DIGESTS if row.kdf_sp800 is not None}


def new(mechanism_type: int, *, function: str = "C_DigestInit") -> "hashlib._Hash":
    """A running hash (`update`, `digest`, `copy`) for a digest mechanism; CKR_MECHANISM_INVALID for any other."""
    row = BY_MECHANISM.get(mechanism_type)
    if row is None:
        raise refuse(CKR.MECHANISM_INVALID, function)
    return hashlib.new(row.name, usedforsecurity=False)


def named_in_parameter(table: Mapping[int, Digest], number: int, function: str) -> Digest:
    """The hash a parameter names by `number`; CKR_MECHANISM_PARAM_INVALID where `table` has none."""
    row = table.get(number)
    if row is None:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "unknown hash")
    return row
