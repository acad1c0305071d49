"""Elliptic curve keys, ECDSA and ECDH as PKCS#11 offers them (PKCS#11 3.0 section 2.3). Keys are attributes.

Numbers are big-endian and as wide as the curve makes them; a signature is r and s side by side.
"""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKD, CKM, CKR

from .curves import Curve, Montgomery, bare, curve_of, wrapped
from .digests import BY_ECDSA, BY_KDF, BY_KDF_SP800, named_in_parameter
from .refusals import no_parameters, octets, refuse

SIGNATURES: Final = frozenset({CKM.ECDSA, *BY_ECDSA})

_BY_SIZE: Final[dict[int, hashes.HashAlgorithm]] = {
    28: hashes.SHA224(),
    32: hashes.SHA256(),
    48: hashes.SHA384(),
    64: hashes.SHA512(),
}


# Keys


def generate(params: bytes, *, function: str = "C_GenerateKeyPair") -> tuple[dict[int, bytes], dict[int, bytes]]:
    """A key pair as (public, private) attributes on the curve that CKA_EC_PARAMS `params` names."""
    curve = curve_of(params, function)
    if isinstance(curve, Montgomery):
        value = curve.generate()
    else:
        value = ec.generate_private_key(curve.algorithm).private_numbers().private_value.to_bytes(curve.order_width, "big")
    private: dict[int, bytes] = {CKA.EC_PARAMS: params, CKA.VALUE: value}
    return public_attributes(private, function=function), private


def public_attributes(private: Template, *, function: str = "C_CreateObject") -> dict[int, bytes]:
    """CKA_EC_PARAMS and CKA_EC_POINT of a private key's public half.

    CKA_EC_POINT is the DER of an OCTET STRING, on a Montgomery curve the bare bytes (PKCS#11 3.0 section 2.3).
    CKR_ATTRIBUTE_VALUE_INVALID where CKA_VALUE is no private key of the curve.
    """
    params, value = octets(private, CKA.EC_PARAMS, function), octets(private, CKA.VALUE, function)
    curve = curve_of(params, function)
    try:
        if isinstance(curve, Montgomery):
            point = curve.public(value)
        else:
            own = ec.derive_private_key(int.from_bytes(value, "big"), curve.algorithm)
            point = wrapped(own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    except ValueError:
        raise refuse(CKR.ATTRIBUTE_VALUE_INVALID, function, "no private key of this curve") from None
    return {CKA.EC_PARAMS: params, CKA.EC_POINT: point}


def check_public(public: Template, *, function: str = "C_CreateObject") -> None:
    """CKR_ATTRIBUTE_VALUE_INVALID unless CKA_EC_POINT is a point of the curve that CKA_EC_PARAMS names."""
    curve = curve_of(octets(public, CKA.EC_PARAMS, function), function)
    point = octets(public, CKA.EC_POINT, function)
    if not isinstance(curve, Montgomery):
        _load_point(curve, point, function, CKR.ATTRIBUTE_VALUE_INVALID)
    elif len(bare(point, curve)) != curve.width:
        raise refuse(CKR.ATTRIBUTE_VALUE_INVALID, function, "not a point of this curve")


def _load_private(curve: Curve, key: Template, function: str) -> ec.EllipticCurvePrivateKey:
    value = int.from_bytes(octets(key, CKA.VALUE, function), "big")
    try:
        return ec.derive_private_key(value, curve.algorithm)
    except ValueError:
        raise refuse(CKR.KEY_TYPE_INCONSISTENT, function, "no private key of this curve") from None


def _load_point(curve: Curve, point: bytes, function: str, ckr: CKR) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve.algorithm, bare(point, curve))
    except ValueError:
        raise refuse(ckr, function, "not a point of this curve") from None


# ECDSA


def sign(mechanism: Mechanism, key: Template, data: bytes, *, function: str = "C_Sign") -> bytes:
    """r and s, each as wide as the group's order. CKM_ECDSA signs `data` as the digest it is, of any length up to 64 bytes."""
    curve = _signing_curve(key, function)
    private = _load_private(curve, key, function)
    digest, algorithm = _to_sign(mechanism, curve, data, function)
    r, s = decode_dss_signature(private.sign(digest, ec.ECDSA(algorithm)))
    return r.to_bytes(curve.order_width, "big") + s.to_bytes(curve.order_width, "big")


def verify(mechanism: Mechanism, key: Template, data: bytes, signature: bytes, *, function: str = "C_Verify") -> None:
    """Return where `signature` is one of `data`; CKR_SIGNATURE_LEN_RANGE or CKR_SIGNATURE_INVALID where it is not."""
    curve = _signing_curve(key, function)
    public = _load_point(curve, octets(key, CKA.EC_POINT, function), function, CKR.KEY_TYPE_INCONSISTENT)
    digest, algorithm = _to_sign(mechanism, curve, data, function)
    if len(signature) != 2 * curve.order_width:
        raise refuse(CKR.SIGNATURE_LEN_RANGE, function)
    r, s = (int.from_bytes(half, "big") for half in (signature[: curve.order_width], signature[curve.order_width :]))
    try:
        public.verify(encode_dss_signature(r, s), digest, ec.ECDSA(algorithm))
    except InvalidSignature:
        raise refuse(CKR.SIGNATURE_INVALID, function) from None


def _signing_curve(key: Template, function: str) -> Curve:
    curve = curve_of(octets(key, CKA.EC_PARAMS, function), function)
    if isinstance(curve, Montgomery):
        raise refuse(CKR.KEY_TYPE_INCONSISTENT, function, "a Montgomery curve signs nothing")
    return curve


def _to_sign(mechanism: Mechanism, curve: Curve, data: bytes, function: str) -> tuple[bytes, hashes.HashAlgorithm | Prehashed]:
    """What the library is to sign: a message and its hash, or a digest brought to the width the library expects.

    Of a digest only the leftmost bits count, as many as the order has (FIPS 186-4 section 6.4), and a shorter one is the
    number it spells; so cutting and left-padding to the order's whole bytes changes nothing.
    """
    no_parameters(mechanism, function)
    if mechanism.type in BY_ECDSA:
        return data, BY_ECDSA[mechanism.type].primitive()
    if mechanism.type != CKM.ECDSA:
        raise refuse(CKR.MECHANISM_INVALID, function, mechanism.name)
    if not 1 <= len(data) <= max(_BY_SIZE):
        raise refuse(CKR.DATA_LEN_RANGE, function, "not a digest")
    size = min(curve.algorithm.group_order.bit_length() // 8, max(_BY_SIZE))
    return data[:size].rjust(size, b"\0"), Prehashed(_BY_SIZE[size])


# ECDH


def ecdh(private: Template, point: bytes, *, function: str = "C_DeriveKey") -> bytes:
    """The x-coordinate shared with the peer at `point`, as wide as the curve's field, leading zeros kept.

    `point` is bare or the DER of an OCTET STRING (PKCS#11 3.0 section 2.3 takes both). CKR_MECHANISM_PARAM_INVALID where
    it is no point of the curve, or one of an order so small that nothing is shared.
    """
    curve = curve_of(octets(private, CKA.EC_PARAMS, function), function)
    if isinstance(curve, Curve):
        peer = _load_point(curve, point, function, CKR.MECHANISM_PARAM_INVALID)
        return _load_private(curve, private, function).exchange(ec.ECDH(), peer)
    value = octets(private, CKA.VALUE, function)
    try:
        return curve.exchange(value, bare(point, curve))
    except ValueError:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "not a point of this curve") from None


def ecdh_kdf(
    kdf: int, shared: bytes, shared_data: bytes = b"", length: int | None = None, *, function: str = "C_DeriveKey"
) -> bytes:
    """`length` bytes of key from a shared secret, by a CKD.

    CKD_NULL cuts from the leading end, takes no shared data, and without a length gives all of
    it. ANSI X9.63 hashes Z + counter + data, SP 800-56A counter + Z + data. CKR_KEY_SIZE_RANGE for a length they do not give.
    """
    if kdf == CKD.NULL:
        return _cut(shared, shared_data, length, function)
    if not length:
        raise refuse(CKR.KEY_SIZE_RANGE, function, "a hash makes no key of a length nobody names")
    row = named_in_parameter({**BY_KDF, **BY_KDF_SP800}, kdf, function)
    stream = b""
    for count in range(1, -(-length // row.digest_size) + 1):
        counter = count.to_bytes(4, "big")
        head = counter + shared if kdf in BY_KDF_SP800 else shared + counter
        stream += hashlib.new(row.name, head + shared_data, usedforsecurity=False).digest()
    return stream[:length]


def _cut(shared: bytes, shared_data: bytes, length: int | None, function: str) -> bytes:
    if shared_data:
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, "CKD_NULL takes no shared data")
    if length is None:
        return shared
    if not 1 <= length <= len(shared):
        raise refuse(CKR.KEY_SIZE_RANGE, function, f"{length} of {len(shared)} bytes")
    return shared[len(shared) - length :]
