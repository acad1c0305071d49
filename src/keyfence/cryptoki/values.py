"""What flows through a `Cryptoki` besides parameters: mechanisms, templates, PINs, and what calls return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .constants import CKM, MechanismFlag, SessionFlag, SlotFlag, TokenFlag, describe
from .params import Parameters

AttributeValue = bool | int | bytes | str | tuple[int, ...] | Mapping[int, Any]
"""CK_BBOOL, CK_ULONG, bytes (big integers too, big-endian), UTF-8 text, a mechanism list, a nested template."""

Template = Mapping[int, AttributeValue]
"""Attributes by type. A template of C that names a type twice is refused at the edge: it has no place in a mapping."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """CK_MECHANISM: a type and its parsed parameter."""

    type: int
    parameters: Parameters | None = None

    @property
    def name(self) -> str:
        return describe(CKM, self.type)


@dataclass(frozen=True, slots=True)
class Pin:
    """A PIN or passphrase that no repr, log or trace shows."""

    value: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> "Pin":
        return cls(text.encode())


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """CK_SSL3_KEY_MAT_OUT. A handle is 0 where the module made no such key; an IV is None where the module wrote none."""

    client_mac: int = 0
    server_mac: int = 0
    client_key: int = 0
    server_key: int = 0
    client_iv: bytes | None = None
    server_iv: bytes | None = None

    @property
    def handles(self) -> tuple[int, ...]:
        every = (self.client_mac, self.server_mac, self.client_key, self.server_key)
        return tuple(handle for handle in every if handle)


@dataclass(frozen=True, slots=True)
class Derived:
    """What C_DeriveKey gave: a key's handle (0 for none), or what the mechanism writes into its parameter."""

    handle: int = 0
    key_material: KeyMaterial | None = None
    version: tuple[int, int] | None = None
    output: bytes | None = None
    additional: tuple[int, ...] = ()

    @property
    def handles(self) -> tuple[int, ...]:
        """Every object the call made, so that a caller can destroy all of them."""
        own = (self.handle,) if self.handle else ()
        material = self.key_material.handles if self.key_material else ()
        return (*own, *material, *self.additional)


@dataclass(frozen=True, slots=True)
class Info:
    """CK_INFO, texts stripped of their padding."""

    cryptoki_version: tuple[int, int]
    manufacturer: str
    description: str
    library_version: tuple[int, int]
    flags: int = 0


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """CK_SLOT_INFO."""

    description: str
    manufacturer: str
    flags: SlotFlag
    hardware_version: tuple[int, int] = (0, 0)
    firmware_version: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """CK_TOKEN_INFO, the fields that matter here."""

    label: str
    manufacturer: str
    model: str
    serial: str
    flags: TokenFlag
    firmware_version: tuple[int, int] = (0, 0)
    hardware_version: tuple[int, int] = (0, 0)
    min_pin_length: int = 0
    max_pin_length: int = 255


@dataclass(frozen=True, slots=True)
class MechanismInfo:
    """CK_MECHANISM_INFO; key sizes in the unit the mechanism itself uses (bits or bytes)."""

    min_key_size: int
    max_key_size: int
    flags: MechanismFlag


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """CK_SESSION_INFO."""

    slot: int
    state: int
    flags: SessionFlag
    device_error: int = 0
