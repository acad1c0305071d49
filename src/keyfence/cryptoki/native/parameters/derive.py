"""Parameters of `params.derive` in C."""

from collections.abc import Callable
from typing import Final

from ...constants import HkdfSalt
from ...params import (
    ByteArray,
    CbcEncryptData,
    DerivationString,
    DkmLength,
    Ecdh1Derive,
    ExtractParams,
    Hkdf,
    Ike1ExtendedDerive,
    Ike1PrfDerive,
    Ike2PrfPlusDerive,
    IkePrfDerive,
    IterationVariable,
    KeyHandle,
    OptionalCounter,
    PublicValue,
    Segment,
    SegmentKey,
    Sp800108Kdf,
)
from ...values import Derived
from .. import templates
from ..memory import CData, Memory
from ..structures import ffi
from .encoded import Encoded, of_structure

# CK_PRF_DATA_TYPE (PKCS#11 3.1 section 6.42.1)
_ITERATION_VARIABLE: Final = 1
_OPTIONAL_COUNTER: Final = 2
_DKM_LENGTH: Final = 3
_BYTE_ARRAY: Final = 4
_KEY_HANDLE: Final = 5

# CK_SP800_108_DKM_LENGTH_METHOD
_SUM_OF_KEYS: Final = 1
_SUM_OF_SEGMENTS: Final = 2


def hkdf(memory: Memory, p: Hkdf) -> Encoded:
    if p.salt is not None and p.salt_key is not None:
        raise ValueError("CK_HKDF_PARAMS: a salt is data or a key, not both")
    kind = HkdfSalt.KEY if p.salt_key is not None else HkdfSalt.NULL if p.salt is None else HkdfSalt.DATA
    return of_structure(
        memory.structure(
            "CK_HKDF_PARAMS",
            bExtract=p.extract,
            bExpand=p.expand,
            prfHashMechanism=p.prf_hash,
            ulSaltType=kind,
            pSalt=ffi.NULL if p.salt is None else memory.octets(p.salt, "pSalt"),
            ulSaltLen=len(p.salt or b""),
            hSaltKey=p.salt_key or 0,
            pInfo=memory.optional(p.info, "pInfo"),
            ulInfoLen=len(p.info),
        )
    )


def ecdh1_derive(memory: Memory, p: Ecdh1Derive) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_ECDH1_DERIVE_PARAMS",
            kdf=p.kdf,
            ulSharedDataLen=len(p.shared_data),
            pSharedData=memory.optional(p.shared_data, "pSharedData"),
            ulPublicDataLen=len(p.public_data),
            pPublicData=memory.octets(p.public_data, "pPublicData"),
        )
    )


def public_value(memory: Memory, p: PublicValue) -> Encoded:
    return Encoded(memory.octets(p.value, "public value"), len(p.value))


def extract(memory: Memory, p: ExtractParams) -> Encoded:
    return of_structure(memory.ulong(p.bit_offset, "CK_EXTRACT_PARAMS"))


def key_handle(memory: Memory, p: KeyHandle) -> Encoded:
    return of_structure(memory.ulong(p.handle, "CK_OBJECT_HANDLE"))


def derivation_string(memory: Memory, p: DerivationString) -> Encoded:
    data = memory.octets(p.data, "pData")
    return of_structure(memory.structure("CK_KEY_DERIVATION_STRING_DATA", pData=data, ulLen=len(p.data)))


def cbc_encrypt_data(memory: Memory, p: CbcEncryptData) -> Encoded:
    """The IV stands inside the structure, so its length decides which of the two structures this is."""
    structures = {8: "CK_DES_CBC_ENCRYPT_DATA_PARAMS", 16: "CK_AES_CBC_ENCRYPT_DATA_PARAMS"}
    if len(p.iv) not in structures:
        raise ValueError(f"iv: 8 or 16 bytes needed, not {len(p.iv)}")
    data = memory.octets(p.data, "pData")
    return of_structure(memory.structure(structures[len(p.iv)], iv=p.iv, pData=data, length=len(p.data)))


def sp800_108(memory: Memory, p: Sp800108Kdf) -> Encoded:
    segments = memory.array("CK_PRF_DATA_PARAM", len(p.segments))
    for segment, element in zip(p.segments, segments, strict=False):
        element.type, element.pValue, element.ulValueLen = _segment(memory, segment)
    handles = memory.array("CK_ULONG", len(p.additional_keys))
    fields = {
        "prfType": p.prf,
        "ulNumberOfDataParams": len(p.segments),
        "pDataParams": segments,
        "ulAdditionalDerivedKeys": len(p.additional_keys),
        "pAdditionalDerivedKeys": _additional_keys(memory, p, handles),
    }
    if p.iv is None:
        pointer = memory.structure("CK_SP800_108_KDF_PARAMS", **fields)
    else:
        iv = memory.optional(p.iv, "pIV")
        pointer = memory.structure("CK_SP800_108_FEEDBACK_KDF_PARAMS", **fields, ulIVLen=len(p.iv), pIV=iv)

    def collect(handle: int) -> Derived:
        return Derived(handle, additional=tuple(handles[i] for i in range(len(p.additional_keys))))

    return of_structure(pointer, collect)


def _additional_keys(memory: Memory, p: Sp800108Kdf, handles: CData) -> CData:
    if not p.additional_keys:
        return ffi.NULL
    keys = memory.array("CK_DERIVED_KEY", len(p.additional_keys))
    for i, template in enumerate(p.additional_keys):
        keys[i].pTemplate, keys[i].ulAttributeCount = templates.encode(memory, template)  # type: ignore[arg-type]
        keys[i].phKey = handles + i
    return keys


def _segment(memory: Memory, segment: Segment) -> tuple[int, CData, int]:
    """type, pValue, ulValueLen of one CK_PRF_DATA_PARAM."""
    if isinstance(segment, ByteArray):
        return _BYTE_ARRAY, memory.octets(segment.data, "CK_SP800_108_BYTE_ARRAY"), len(segment.data)
    if isinstance(segment, SegmentKey):
        return _KEY_HANDLE, memory.ulong(segment.handle, "CK_SP800_108_KEY_HANDLE"), ffi.sizeof("CK_ULONG")
    if isinstance(segment, IterationVariable) and segment.width_bits is None:
        return _ITERATION_VARIABLE, ffi.NULL, 0
    fields = {"bLittleEndian": segment.little_endian, "ulWidthInBits": segment.width_bits}
    if isinstance(segment, DkmLength):
        method = _SUM_OF_SEGMENTS if segment.sum_of_segments else _SUM_OF_KEYS
        dkm = memory.structure("CK_SP800_108_DKM_LENGTH_FORMAT", dkmLengthMethod=method, **fields)
        return _DKM_LENGTH, dkm, ffi.sizeof("CK_SP800_108_DKM_LENGTH_FORMAT")
    kind = _OPTIONAL_COUNTER if isinstance(segment, OptionalCounter) else _ITERATION_VARIABLE
    counter = memory.structure("CK_SP800_108_COUNTER_FORMAT", **fields)
    return kind, counter, ffi.sizeof("CK_SP800_108_COUNTER_FORMAT")


def ike_prf(memory: Memory, p: IkePrfDerive) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_IKE_PRF_DERIVE_PARAMS",
            prfMechanism=p.prf,
            bDataAsKey=p.data_as_key,
            bRekey=p.rekey,
            pNi=memory.octets(p.ni, "pNi"),
            ulNiLen=len(p.ni),
            pNr=memory.octets(p.nr, "pNr"),
            ulNrLen=len(p.nr),
            hNewKey=p.new_key,
        )
    )


def ike2_prf_plus(memory: Memory, p: Ike2PrfPlusDerive) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_IKE2_PRF_PLUS_DERIVE_PARAMS",
            prfMechanism=p.prf,
            bHasSeedKey=p.seed_key is not None,
            hSeedKey=p.seed_key or 0,
            pSeedData=memory.optional(p.seed_data, "pSeedData"),
            ulSeedDataLen=len(p.seed_data),
        )
    )


def ike1_prf(memory: Memory, p: Ike1PrfDerive) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_IKE1_PRF_DERIVE_PARAMS",
            prfMechanism=p.prf,
            bHasPrevKey=p.previous_key is not None,
            hKeygxy=p.keygxy,
            hPrevKey=p.previous_key or 0,
            pCKYi=memory.octets(p.cky_i, "pCKYi"),
            ulCKYiLen=len(p.cky_i),
            pCKYr=memory.octets(p.cky_r, "pCKYr"),
            ulCKYrLen=len(p.cky_r),
            keyNumber=p.key_number,
        )
    )


def ike1_extended(memory: Memory, p: Ike1ExtendedDerive) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_IKE1_EXTENDED_DERIVE_PARAMS",
            prfMechanism=p.prf,
            bHasKeygxy=p.keygxy is not None,
            hKeygxy=p.keygxy or 0,
            pExtraData=memory.optional(p.extra_data, "pExtraData"),
            ulExtraDataLen=len(p.extra_data),
        )
    )


ENCODERS: dict[type, Callable[..., Encoded]] = {
    Hkdf: hkdf,
    Ecdh1Derive: ecdh1_derive,
    PublicValue: public_value,
    ExtractParams: extract,
    KeyHandle: key_handle,
    DerivationString: derivation_string,
    CbcEncryptData: cbc_encrypt_data,
    Sp800108Kdf: sp800_108,
    IkePrfDerive: ike_prf,
    Ike2PrfPlusDerive: ike2_prf_plus,
    Ike1PrfDerive: ike1_prf,
    Ike1ExtendedDerive: ike1_extended,
}
