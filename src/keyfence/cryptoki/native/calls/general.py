"""General-purpose functions, slots and tokens."""

from typing import Final

from ...constants import CKR, MechanismFlag, SlotFlag, TokenFlag
from ...errors import refusal
from ...values import Info, MechanismInfo, Pin, SlotInfo, TokenInfo
from ..memory import CData, Memory
from ..structures import ffi
from .base import Calls

_OS_LOCKING_OK: Final = 0x02
_LABEL_SIZE: Final = 32


class General(Calls):
    """C_Initialize to C_InitToken."""

    _library_parameters: str | None

    def initialize(self) -> None:
        """A module that is already initialised, by other code in this process, is fine too."""
        with Memory() as memory:
            ckr = self._library.answer("C_Initialize", self._initialize_args(memory))
            if ckr in (CKR.CANT_LOCK, CKR.ARGUMENTS_BAD) and self._library_parameters is None:
                ckr = self._library.answer("C_Initialize", ffi.NULL)
        if ckr not in (CKR.OK, CKR.CRYPTOKI_ALREADY_INITIALIZED):
            raise refusal(ckr, "C_Initialize")

    def _initialize_args(self, memory: Memory) -> CData:
        if self._library_parameters is None:
            return memory.structure("CK_C_INITIALIZE_ARGS", flags=_OS_LOCKING_OK)
        text = memory.octets(self._library_parameters.encode() + b"\0")
        return memory.structure("CK_NSS_C_INITIALIZE_ARGS", LibraryParameters=ffi.cast("char *", text))

    def finalize(self) -> None:
        self._library.call("C_Finalize", ffi.NULL)

    def get_info(self) -> Info:
        info = self._information("C_GetInfo", "CK_INFO")
        return Info(
            cryptoki_version=_version(info.cryptokiVersion),
            manufacturer=_text(info.manufacturerID),
            description=_text(info.libraryDescription),
            library_version=_version(info.libraryVersion),
            flags=info.flags,
        )

    def get_slot_list(self, token_present: bool) -> tuple[int, ...]:
        with Memory() as memory:
            return self._list(memory, "C_GetSlotList", bool(token_present))

    def get_slot_info(self, slot: int) -> SlotInfo:
        info = self._information("C_GetSlotInfo", "CK_SLOT_INFO", slot)
        return SlotInfo(
            description=_text(info.slotDescription),
            manufacturer=_text(info.manufacturerID),
            flags=SlotFlag(info.flags),
            hardware_version=_version(info.hardwareVersion),
            firmware_version=_version(info.firmwareVersion),
        )

    def get_token_info(self, slot: int) -> TokenInfo:
        info = self._information("C_GetTokenInfo", "CK_TOKEN_INFO", slot)
        return TokenInfo(
            label=_text(info.label),
            manufacturer=_text(info.manufacturerID),
            model=_text(info.model),
            serial=_text(info.serialNumber),
            flags=TokenFlag(info.flags),
            firmware_version=_version(info.firmwareVersion),
            hardware_version=_version(info.hardwareVersion),
            min_pin_length=info.ulMinPinLen,
            max_pin_length=info.ulMaxPinLen,
        )

    def get_mechanism_list(self, slot: int) -> tuple[int, ...]:
        with Memory() as memory:
            return self._list(memory, "C_GetMechanismList", slot)

    def get_mechanism_info(self, slot: int, mechanism_type: int) -> MechanismInfo:
        info = self._information("C_GetMechanismInfo", "CK_MECHANISM_INFO", slot, mechanism_type)
        return MechanismInfo(info.ulMinKeySize, info.ulMaxKeySize, MechanismFlag(info.flags))

    def init_token(self, slot: int, so_pin: Pin, label: str) -> None:
        """Raises ValueError for a label of more than 32 bytes of UTF-8."""
        padded = label.encode().ljust(_LABEL_SIZE)
        if len(padded) > _LABEL_SIZE:
            raise ValueError(f"label: at most {_LABEL_SIZE} bytes, not {len(padded)}")
        with Memory() as memory:
            self._library.call("C_InitToken", slot, *memory.pin(so_pin), memory.octets(padded))

    def _information(self, function: str, structure: str, *arguments: int) -> CData:
        info = ffi.new(f"{structure} *")
        self._library.call(function, *arguments, info)
        return info


def _text(field: CData) -> str:
    """A fixed field without the blanks (or, in some modules, NULs) that pad it."""
    return bytes(field).decode(errors="replace").split("\0")[0].rstrip(" ")


def _version(version: CData) -> tuple[int, int]:
    return version.major, version.minor
