"""From ways, as rules leave them, to the capabilities that the model reasons about."""

from dataclasses import replace
from typing import Final

from keyfence.cryptoki.constants import CKA, CKK, CKM, describe
from keyfence.model import ANY, Capability, Key, KeyMatCut, KeyOption, Lengths, Oracle, Public, Readable, Sink, Stream, Window

from ..blocks import Cut
from ..ways import Cutting, Reading, Sizes, Way

_ANY_TYPE: Final = (CKK.GENERIC_SECRET, CKK.AES, CKK.DES3)
_START: Final = Lengths.exactly(0)


def capability(way: Way) -> Capability:
    """All calls of this way, lengths open as far as the way leaves them open."""
    if isinstance(way, Cutting):
        return _cutting(way)
    if way.oracle:
        return Oracle(name(way), way.stream.secret, way.oracle)
    return Window(name(way), way.stream, _sink(way.key_type, way.readable), _START, _lengths(way.length))


def ivs_alone(way: Cutting) -> KeyMatCut:
    """The same calls by somebody who looks at nothing but the IVs that come back."""
    found = _cutting(way)
    return replace(found, keys=tuple(KeyOption(None, option.lengths) for option in found.keys), mac_sink=None)


def name(way: Way) -> str:
    """What is called: "C_DeriveKey, CKM_HKDF_DATA"; and as which suite, where it is to be one's."""
    parts = [way.function]
    if way.mechanism >= 0:
        parts.append(describe(CKM, way.mechanism))
    if isinstance(way, Reading) and way.attribute is not None:
        parts.append(describe(CKA, way.attribute))
    if isinstance(way, Reading) and way.operand:
        parts.append("the secret as an operand")
    if isinstance(way, Cutting) and way.cut is not None:
        parts.append(f"as {suites(way.cut)}")
    return ", ".join(parts)


def suites(cut: Cut) -> str:
    """The first of the suites that cut so, and how many there are besides."""
    first, *others = cut.suites
    return f"{first} (+{len(others)})" if others else first


def cut_capability(cut: Cut, stream: Stream) -> KeyMatCut:
    """The one call that cuts so."""
    shape = cut.shape
    mac, key, iv = (Lengths.exactly(length) for length in (shape.mac, shape.key, shape.iv))
    option = KeyOption(Key.of(cut.key_type), key)
    return KeyMatCut(suites(cut), stream, mac, (option,), iv, mac_sink=Key.of(CKK.GENERIC_SECRET))


def _cutting(way: Cutting) -> KeyMatCut:
    types = _ANY_TYPE if way.key_type is None else (way.key_type,)
    options = tuple(KeyOption(_sink(key_type, way.readable), _lengths(way.key)) for key_type in types)
    mac_sink = _sink(CKK.GENERIC_SECRET, way.readable)
    return KeyMatCut(name(way), way.stream, _lengths(way.mac), options, _lengths(way.iv), mac_sink=mac_sink)


def _sink(key_type: int | None, readable: bool) -> Sink:
    if key_type is None:
        return Public()
    return Readable() if readable else Key.of(key_type)


def _lengths(sizes: Sizes) -> Lengths:
    return ANY if sizes is None else Lengths(allowed=sizes)
