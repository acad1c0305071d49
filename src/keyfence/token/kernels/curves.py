"""The elliptic curves, by CKA_EC_PARAMS; points as CKA_EC_POINT and as peers send them. Widths are in bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519

from keyfence.cryptoki.constants import CKR

from .refusals import refuse

_OCTET_STRING: Final = 0x04


@dataclass(frozen=True, slots=True)
class Curve:
    """A Weierstrass curve: the width of a coordinate, and of a number below the group's order."""

    algorithm: ec.EllipticCurve

    @property
    def width(self) -> int:
        return (self.algorithm.key_size + 7) // 8

    @property
    def order_width(self) -> int:
        return (self.algorithm.group_order.bit_length() + 7) // 8


@dataclass(frozen=True, slots=True)
class Montgomery:
    """X25519 or X448 (RFC 7748). Private keys, points and shared secrets are strings of `width` bytes, little-endian.

    `public` and `exchange` raise ValueError for what is no key, and for a peer that makes the shared secret zero.
    """

    width: int
    generate: Callable[[], bytes]
    public: Callable[[bytes], bytes]
    exchange: Callable[[bytes, bytes], bytes]


def _montgomery(width: int, private: Any, public: Any) -> Montgomery:
    """The library's two classes of a curve as functions on bytes."""
    return Montgomery(
        width,
        generate=lambda: private.generate().private_bytes_raw(),
        public=lambda value: private.from_private_bytes(value).public_key().public_bytes_raw(),
        exchange=lambda value, point: private.from_private_bytes(value).exchange(public.from_public_bytes(point)),
    )


_X25519: Final = _montgomery(32, x25519.X25519PrivateKey, x25519.X25519PublicKey)
_X448: Final = _montgomery(56, x448.X448PrivateKey, x448.X448PublicKey)

P256: Final = bytes.fromhex("06082a8648ce3d030107")
P384: Final = bytes.fromhex("06052b81040022")
P521: Final = bytes.fromhex("06052b81040023")
X25519: Final = bytes.fromhex("06032b656e")

CURVES: Final[Mapping[bytes, Curve]] = {
    bytes.fromhex("06052b81040021"): Curve(ec.SECP224R1()),
    P256: Curve(ec.SECP256R1()),
    P384: Curve(ec.SECP384R1()),
    P521: Curve(ec.SECP521R1()),
    bytes.fromhex("06052b8104000a"): Curve(ec.SECP256K1()),
    bytes.fromhex("06092b2403030208010107"): Curve(ec.BrainpoolP256R1()),
    bytes.fromhex("06092b240303020801010b"): Curve(ec.BrainpoolP384R1()),
    bytes.fromhex("06092b240303020801010d"): Curve(ec.BrainpoolP512R1()),
}
"""By the DER of the curve's object identifier."""

MONTGOMERY: Final[Mapping[bytes, Montgomery]] = {
    X25519: _X25519,
    bytes.fromhex("06092b06010401da470f01"): _X25519,  # the identifier before RFC 8410, which NSS writes
    b"\x13\x0acurve25519": _X25519,  # a PrintableString (PKCS#11 3.0 section 2.3)
    bytes.fromhex("06032b656f"): _X448,
    b"\x13\x08curve448": _X448,
}


def curve_of(params: bytes, function: str) -> Curve | Montgomery:
    """The curve that CKA_EC_PARAMS names; CKR_CURVE_NOT_SUPPORTED for any other, and for explicit parameters."""
    curve = CURVES.get(params) or MONTGOMERY.get(params)
    if curve is None:
        raise refuse(CKR.CURVE_NOT_SUPPORTED, function)
    return curve


def wrapped(point: bytes) -> bytes:
    """A point as CKA_EC_POINT holds it: the DER of an OCTET STRING (PKCS#11 3.0 section 2.3)."""
    length = bytes([len(point)]) if len(point) < 0x80 else bytes([0x81, len(point)])
    return bytes([_OCTET_STRING]) + length + point


def bare(point: bytes, curve: Curve | Montgomery) -> bytes:
    """A point without the OCTET STRING that may be around it.

    04 begins both the OCTET STRING and an uncompressed point: what has a bare point's length is one.
    """
    lengths = (curve.width,) if isinstance(curve, Montgomery) else (1 + curve.width, 1 + 2 * curve.width)
    for length in lengths:
        if len(point) > length and point == wrapped(point[-length:]):
            return point[-length:]
    return point
