"""Parameters of the general derivations: HKDF, key agreement, slicing, data derivation, SP 800-108 and IKE."""

from collections.abc import Mapping
from dataclasses import dataclass

from .base import Parameters


@dataclass(frozen=True, slots=True)
class Hkdf(Parameters):
    """CK_HKDF_PARAMS (PKCS#11 3.0 section 2.62). Salt: None is NULL, bytes are data; `salt_key` is a key's handle."""

    extract: bool
    expand: bool
    prf_hash: int
    info: bytes = b""
    salt: bytes | None = None
    salt_key: int | None = None

    @property
    def operands(self) -> tuple[int, ...]:
        return () if self.salt_key is None else (self.salt_key,)


@dataclass(frozen=True, slots=True)
class Ecdh1Derive(Parameters):
    """CK_ECDH1_DERIVE_PARAMS; `kdf` is a CKD, `public_data` the peer's point."""

    kdf: int
    public_data: bytes
    shared_data: bytes = b""


@dataclass(frozen=True, slots=True)
class PublicValue(Parameters):
    """The bare public value of CKM_DH_PKCS_DERIVE, big-endian."""

    value: bytes


@dataclass(frozen=True, slots=True)
class ExtractParams(Parameters):
    """CK_EXTRACT_PARAMS of CKM_EXTRACT_KEY_FROM_KEY: the first BIT to take, counted from the most significant."""

    bit_offset: int


@dataclass(frozen=True, slots=True)
class KeyHandle(Parameters):
    """A bare CK_OBJECT_HANDLE, for CKM_CONCATENATE_BASE_AND_KEY."""

    handle: int

    @property
    def operands(self) -> tuple[int, ...]:
        return (self.handle,)


@dataclass(frozen=True, slots=True)
class DerivationString(Parameters):
    """CK_KEY_DERIVATION_STRING_DATA, for CONCATENATE_*_DATA, XOR_BASE_AND_DATA and *_ECB_ENCRYPT_DATA."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CbcEncryptData(Parameters):
    """CK_AES_CBC_ENCRYPT_DATA_PARAMS and CK_DES_CBC_ENCRYPT_DATA_PARAMS; the IV is one block long."""

    iv: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class IterationVariable:
    """CK_SP800_108_ITERATION_VARIABLE; the counter form where a width is given, the feedback value where it is not."""

    width_bits: int | None = 32
    little_endian: bool = False


@dataclass(frozen=True, slots=True)
class OptionalCounter:
    """CK_SP800_108_COUNTER: the optional counter of the feedback and double-pipeline modes."""

    width_bits: int = 32
    little_endian: bool = False


@dataclass(frozen=True, slots=True)
class DkmLength:
    """CK_SP800_108_DKM_LENGTH; `sum_of_segments` False is "sum of keys"."""

    width_bits: int = 32
    little_endian: bool = False
    sum_of_segments: bool = False


@dataclass(frozen=True, slots=True)
class ByteArray:
    """CK_SP800_108_BYTE_ARRAY."""

    data: bytes


@dataclass(frozen=True, slots=True)
class SegmentKey:
    """CK_SP800_108_KEY_HANDLE (3.1): a key's value as a segment of the PRF's input."""

    handle: int


Segment = IterationVariable | OptionalCounter | DkmLength | ByteArray | SegmentKey


@dataclass(frozen=True, slots=True)
class Sp800108Kdf(Parameters):
    """CK_SP800_108_KDF_PARAMS and, with an `iv` that is not None, CK_SP800_108_FEEDBACK_KDF_PARAMS."""

    prf: int
    segments: tuple[Segment, ...]
    iv: bytes | None = None
    additional_keys: tuple[Mapping[int, object], ...] = ()

    @property
    def operands(self) -> tuple[int, ...]:
        return tuple(s.handle for s in self.segments if isinstance(s, SegmentKey))


@dataclass(frozen=True, slots=True)
class IkePrfDerive(Parameters):
    """CK_IKE_PRF_DERIVE_PARAMS: prf(Ni | Nr, base), prf(base, Ni | Nr) or the rekey form (PKCS#11 3.1 section 6.64)."""

    prf: int
    data_as_key: bool
    rekey: bool
    ni: bytes
    nr: bytes
    new_key: int = 0

    @property
    def operands(self) -> tuple[int, ...]:
        return (self.new_key,) if self.rekey else ()


@dataclass(frozen=True, slots=True)
class Ike2PrfPlusDerive(Parameters):
    """CK_IKE2_PRF_PLUS_DERIVE_PARAMS: prf+(base, [seed key |] seed data)."""

    prf: int
    seed_data: bytes
    seed_key: int | None = None

    @property
    def operands(self) -> tuple[int, ...]:
        return () if self.seed_key is None else (self.seed_key,)


@dataclass(frozen=True, slots=True)
class Ike1PrfDerive(Parameters):
    """CK_IKE1_PRF_DERIVE_PARAMS: prf(base, [previous key |] g^xy | CKYi | CKYr | number)."""

    prf: int
    keygxy: int
    cky_i: bytes
    cky_r: bytes
    key_number: int
    previous_key: int | None = None

    @property
    def operands(self) -> tuple[int, ...]:
        previous = () if self.previous_key is None else (self.previous_key,)
        return (self.keygxy, *previous)


@dataclass(frozen=True, slots=True)
class Ike1ExtendedDerive(Parameters):
    """CK_IKE1_EXTENDED_DERIVE_PARAMS: IKEv1 appendix B, prf(base, [g^xy |] extra data) iterated."""

    prf: int
    extra_data: bytes = b""
    keygxy: int | None = None

    @property
    def operands(self) -> tuple[int, ...]:
        return () if self.keygxy is None else (self.keygxy,)
