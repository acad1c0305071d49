"""Per-message AEAD parameters (PKCS#11 3.0 sections 2.13.4 and following): the tag is a field of its own there."""

from ...params import Ccm, ChaCha20Poly1305, Gcm, Parameters
from ..memory import CData, Memory
from ..structures import ffi
from . import encode
from .encoded import of_structure

_POLY1305_TAG = 16


class AeadMessage:
    """C_EncryptMessage's pParameter. Parameters that are not AEAD's go as they are, and have a tag of no bytes.

    Raises ValueError for parameters with additional data: that stands beside them in these calls.
    """

    def __init__(self, memory: Memory, parameters: Parameters | None) -> None:
        if isinstance(parameters, Gcm | Ccm | ChaCha20Poly1305) and parameters.aad:
            raise ValueError("additional data of a message goes beside its parameters")
        self._size = _tag_size(parameters)
        self._tag = memory.array("CK_BYTE", self._size)
        structure = self._structure(memory, parameters)
        encoded = of_structure(structure) if structure else encode(memory, parameters)
        self.pointer, self.length = encoded.pointer, encoded.length

    @property
    def tag(self) -> bytes:
        return bytes(ffi.buffer(self._tag, self._size))

    def take_tag(self, ciphertext: bytes) -> bytes:
        """Puts the ciphertext's last bytes where the module looks for the tag; the rest is returned."""
        cut = max(len(ciphertext) - self._size, 0)
        body, tag = ciphertext[:cut], ciphertext[cut:]
        ffi.memmove(self._tag, tag, len(tag))
        return body

    def _structure(self, memory: Memory, p: Parameters | None) -> CData | None:
        if isinstance(p, Gcm):
            iv = memory.octets(p.iv, "pIv")
            return memory.structure("CK_GCM_MESSAGE_PARAMS", pIv=iv, ulIvLen=len(p.iv), pTag=self._tag, ulTagBits=p.tag_bits)
        if isinstance(p, Ccm):
            fields = {"pNonce": memory.octets(p.nonce, "pNonce"), "ulNonceLen": len(p.nonce)}
            return memory.structure(
                "CK_CCM_MESSAGE_PARAMS", ulDataLen=p.data_length, **fields, pMAC=self._tag, ulMACLen=p.mac_length
            )
        if isinstance(p, ChaCha20Poly1305):
            fields = {"pNonce": memory.octets(p.nonce, "pNonce"), "ulNonceLen": len(p.nonce)}
            return memory.structure("CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS", **fields, pTag=self._tag)
        return None


def _tag_size(p: Parameters | None) -> int:
    if isinstance(p, Gcm):
        return (p.tag_bits + 7) // 8
    if isinstance(p, Ccm):
        return p.mac_length
    return _POLY1305_TAG if isinstance(p, ChaCha20Poly1305) else 0
