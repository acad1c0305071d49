"""The mechanisms that cut a key block (PKCS#11 3.2 sections 6.39.7, 6.40.6, 6.40.7): the leak this project is about.

The caller says how long MAC keys, write keys and IVs are, and nothing in the stream depends on it. All lengths are in bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import Derived, KeyMaterial, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.constants import vendor as nss
from keyfence.cryptoki.params import KeyMat, Tls12KeyMat, WtlsKeyMat
from keyfence.schedule import Part, PrfHash, Shape, Side, Version, export_iv, export_write_key, key_block, ssl3
from keyfence.schedule.wtls import wtls_key_block

from ..attributes import Act, Attributes
from ..keytypes import FIXED, GENERIC, LENGTHS
from ..objects import StoredObject
from ..quirks import Quirks, Rounding, Source
from ..refused import Refused
from ..templates import Inheritance, NewKey, number, secret_key
from .derivation import GENERIC_ONLY, Derivation, Derive, Outcome, Request, randoms, tls_function
from .master import MASTER_LENGTH

_KEY_PARTS: Final = (Part.CLIENT_MAC, Part.SERVER_MAC, Part.CLIENT_KEY, Part.SERVER_KEY)
_FOR_WRITE_KEYS: Final = (CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.WRAP, CKA.UNWRAP, CKA.DERIVE)
_MOST_BITS: Final = 8 << 16
_ANY_LENGTH: Final = (*GENERIC, CKK.RC2, CKK.RC4)
_LAST_SEQUENCE: Final = 0xFFFF
_NOT_OF_MAC_KEYS: Final = (CKA.KEY_TYPE, CKA.VALUE_LEN, CKA.ALLOWED_MECHANISMS, CKA.CHECK_VALUE, *_FOR_WRITE_KEYS)


@dataclass(frozen=True, slots=True)
class Cut:
    """What is asked for: the shape that is cut, and how much stream is generated for it."""

    shape: Shape
    amount: int
    key_type: int
    writes: bool = True
    """False: neither write keys nor IVs come of it (a quirk)."""


def whole_bytes(bits: int, quirks: Quirks) -> int:
    """A size in BITS as bytes."""
    if not 0 <= bits <= _MOST_BITS:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "a size beyond all reason")
    if bits % 8 and quirks.rounding is Rounding.REFUSE:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, f"{bits} bits are no whole bytes")
    return (bits + 7) // 8 if quirks.rounding is Rounding.UP else bits // 8


def plan(parameters: KeyMat | Tls12KeyMat | WtlsKeyMat, template: Template, quirks: Quirks, ivs: bool = True) -> Cut:
    """The cut that parameter and template ask for; refused where strict reading or a quirk says so. `ivs` False: never any."""
    mac, asked, iv = (
        whole_bytes(bits, quirks) for bits in (parameters.mac_bits, parameters.key_bits, parameters.iv_bits if ivs else 0)
    )
    key_type = number(template, CKA.KEY_TYPE)
    if key_type is None:
        if asked:
            raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_KEY_TYPE")
        key_type = CKK.GENERIC_SECRET
    key, writes = (asked, True) if parameters.is_export else _write_key_length(asked, key_type, template, quirks)
    shape = Shape(mac, key, iv)
    _check_limits(shape, quirks)
    _check_type(exported_length(key, template) if parameters.is_export else key, key_type, quirks)
    generated = asked if quirks.amount is Source.PARAMETER else key
    return Cut(shape, 2 * (mac + generated + iv), key_type, writes)


def _write_key_length(asked: int, key_type: int, template: Template, quirks: Quirks) -> tuple[int, bool]:
    """The length a write key is cut to, and whether there is anything to write at all."""
    said = number(template, CKA.VALUE_LEN)
    if quirks.write_key_cut is Source.TEMPLATE:
        length = FIXED.get(key_type, said)
        if length is None and not quirks.silent_without_value_len:
            raise Refused(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN")
        return length or 0, bool(length)
    if said not in (None, asked) and not quirks.ignore_value_len:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_VALUE_LEN against ulKeySizeInBits")
    return asked, True


def exported_length(key: int, template: Template) -> int:
    """How long an EXPORT suite's keys are in the end, which the template says (section 6.41.2)."""
    return FIXED.get(number(template, CKA.KEY_TYPE) or 0, number(template, CKA.VALUE_LEN) or key)


def _check_type(length: int, key_type: int, quirks: Quirks) -> None:
    if quirks.write_key_types is not None and key_type not in quirks.write_key_types:
        raise Refused(CKR.TEMPLATE_INCONSISTENT, "CKA_KEY_TYPE")
    nothing = not length and (key_type in _ANY_LENGTH or not quirks.empty_write_keys)
    if not nothing and length not in LENGTHS.get(key_type, ()):
        raise Refused(CKR.TEMPLATE_INCONSISTENT, f"{length} bytes against CKA_KEY_TYPE")


def _check_limits(shape: Shape, quirks: Quirks) -> None:
    for length, allowed in ((shape.mac, quirks.mac_lengths), (shape.key, quirks.key_lengths)):
        if allowed is not None and length not in allowed:
            raise Refused(CKR.MECHANISM_PARAM_INVALID, f"a part of {length} bytes")
    if quirks.max_iv is not None and shape.iv > quirks.max_iv:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, f"an IV of {shape.iv} bytes")
    if quirks.max_block is not None and shape.length > quirks.max_block:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, f"a key block of {shape.length} bytes")


# The mechanisms


def _tls10(version: Version, prf_hash: PrfHash | None = None) -> Derive:
    def derive(request: Request) -> Outcome:
        parameters = request.parameters(KeyMat)
        return _four_keys(request, parameters, version, prf_hash, mac_derives=True)

    return derive


def _tls12(ivs: bool) -> Derive:
    def derive(request: Request) -> Outcome:
        parameters = request.parameters(Tls12KeyMat)
        version, prf_hash = tls_function(parameters.prf_hash)
        if parameters.is_export:
            raise Refused(CKR.MECHANISM_PARAM_INVALID, "bIsExport after TLS 1.0")
        return _four_keys(request, parameters, version, prf_hash, mac_derives=False, ivs=ivs)

    return derive


def _four_keys(
    request: Request,
    parameters: KeyMat | Tls12KeyMat,
    version: Version,
    prf_hash: PrfHash | None,
    mac_derives: bool,
    ivs: bool = True,
) -> Outcome:
    """`mac_derives`: MAC keys are flagged for derivation too, as SSL 3.0's and TLS 1.0's are (section 6.39.7)."""
    quirks = request.quirks
    client, server = randoms(quirks, parameters.client_random, parameters.server_random)
    asked = plan(parameters, request.template, quirks, ivs)
    if version is Version.SSL3 and asked.amount > ssl3.MAX_STREAM:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, f"SSL 3.0 makes at most {ssl3.MAX_STREAM} bytes")
    block = key_block(version, prf_hash, request.secret, client, server, asked.amount)
    parts = dict(asked.shape.split(block[: asked.shape.length].ljust(asked.shape.length, b"\0")))
    if parameters.is_export:
        parts = _exported(version, parts, request, client, server)
    return _born(request, parts, asked, mac_derives)


def _exported(version: Version, parts: dict[Part, bytes], request: Request, client: bytes, server: bytes) -> dict[Part, bytes]:
    """Write keys and IVs of an EXPORT suite (RFC 2246 section 6.3.1)."""
    if version not in (Version.SSL3, Version.TLS10):
        raise Refused(CKR.MECHANISM_PARAM_INVALID, "bIsExport after TLS 1.0")
    final = exported_length(len(parts[Part.CLIENT_KEY]), request.template)
    if version is Version.SSL3 and max(final, len(parts[Part.CLIENT_IV])) > ssl3.MAX_EXPORT:
        raise Refused(CKR.MECHANISM_PARAM_INVALID, f"SSL 3.0 exports at most {ssl3.MAX_EXPORT} bytes")
    for side, key, iv in ((Side.CLIENT, Part.CLIENT_KEY, Part.CLIENT_IV), (Side.SERVER, Part.SERVER_KEY, Part.SERVER_IV)):
        parts[key] = export_write_key(version, parts[key], side, client, server, final) if parts[key] else b""
        parts[iv] = export_iv(version, side, client, server, len(parts[iv]))
    return parts


def _born(request: Request, parts: Mapping[Part, bytes], asked: Cut, mac_derives: bool) -> Outcome:
    made = {part: _key(request, part, parts[part], asked, mac_derives) for part in _KEY_PARTS if part in parts}
    keys = {part: key for part, key in made.items() if key is not None}
    shows = asked.writes and asked.shape.iv > 0
    client_iv, server_iv = (parts.get(part) if shows else None for part in (Part.CLIENT_IV, Part.SERVER_IV))

    def answer(handles: tuple[int, ...]) -> Derived:
        of = dict(zip(keys, handles, strict=True))
        client_mac, server_mac, client_key, server_key = (of.get(part, 0) for part in _KEY_PARTS)
        return Derived(key_material=KeyMaterial(client_mac, server_mac, client_key, server_key, client_iv, server_iv))

    return Outcome(tuple(keys.values()), answer)


def _key(request: Request, part: Part, value: bytes, asked: Cut, mac_derives: bool) -> StoredObject | None:
    if part.kind == "MAC key":
        return mac_key(request, value, mac_derives) if value or request.quirks.empty_mac_keys else None
    made = value or (request.quirks.empty_write_keys and asked.writes)
    return write_key(request, value, asked.key_type) if made else None


def mac_key(request: Request, value: bytes, derives: bool) -> StoredObject:
    """A MAC key: always CKK_GENERIC_SECRET, for signing and verifying; of the template it has what is not the write keys'."""
    template = {attribute: v for attribute, v in request.template.items() if attribute not in _NOT_OF_MAC_KEYS}
    uses: Attributes = {CKA.SIGN: True, CKA.VERIFY: True, CKA.DERIVE: derives}
    new = NewKey(value, CKK.GENERIC_SECRET, (request.base,), Inheritance.SAME, defaults=uses)
    return secret_key(new, template, Act.DERIVE, request.quirks)


def write_key(request: Request, value: bytes, key_type: int) -> StoredObject:
    """A write key: typed by the template, for encryption, decryption and derivation unless the template says otherwise."""
    template = {attribute: v for attribute, v in request.template.items() if attribute != CKA.VALUE_LEN}
    uses: Attributes = {CKA.ENCRYPT: True, CKA.DECRYPT: True, CKA.DERIVE: True}
    new = NewKey(value, key_type, (request.base,), Inheritance.SAME, defaults=uses)
    return secret_key(new, template, Act.DERIVE, request.quirks)


def _wtls(side: Side) -> Derive:
    """One direction, its own stream: MAC key, write key, IV (section 6.41.6). The answer's client fields hold them."""

    def derive(request: Request) -> Outcome:
        parameters = request.parameters(WtlsKeyMat)
        _, prf_hash = tls_function(parameters.digest)
        if prf_hash is None or parameters.is_export or not 0 <= parameters.sequence_number <= _LAST_SEQUENCE:
            raise Refused(CKR.MECHANISM_PARAM_INVALID)
        asked = plan(parameters, request.template, request.quirks)
        client, server = parameters.client_random, parameters.server_random
        amount = asked.amount // 2
        stream = wtls_key_block(prf_hash, request.secret, side, parameters.sequence_number, client, server, amount)
        mac, key = asked.shape.mac, asked.shape.key
        stream = stream.ljust(asked.shape.length // 2, b"\0")
        parts = {Part.CLIENT_MAC: stream[:mac], Part.CLIENT_KEY: stream[mac : mac + key]}
        parts |= {Part.CLIENT_IV: stream[mac + key :][: asked.shape.iv]}
        return _born(request, parts, asked, mac_derives=True)

    return derive


def _cuts(derive: Derive) -> Derivation:
    return Derivation(GENERIC_ONLY, derive, MASTER_LENGTH, MASTER_LENGTH)


DERIVATIONS: Final[Mapping[int, Derivation]] = {
    CKM.SSL3_KEY_AND_MAC_DERIVE: _cuts(_tls10(Version.SSL3)),
    CKM.TLS_KEY_AND_MAC_DERIVE: _cuts(_tls10(Version.TLS10)),
    CKM.TLS12_KEY_AND_MAC_DERIVE: _cuts(_tls12(ivs=True)),
    CKM.TLS12_KEY_SAFE_DERIVE: _cuts(_tls12(ivs=False)),
    nss.CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256: _cuts(_tls10(Version.TLS12, PrfHash.SHA256)),
    CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE: Derivation(GENERIC_ONLY, _wtls(Side.CLIENT)),
    CKM.WTLS_SERVER_KEY_AND_MAC_DERIVE: Derivation(GENERIC_ONLY, _wtls(Side.SERVER)),
}
