"""Keys made by encrypting data (PKCS#11 3.2 section 6.17): the start of a ciphertext, under a template that decides all."""

from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

from keyfence.cryptoki.constants import CKM, CKR
from keyfence.cryptoki.params import CbcEncryptData, DerivationString

from ..kernels.blocks import AES, CAMELLIA, DES, DES3, SEED, BlockCipher, Mode
from ..refused import Refused
from ..templates import Inheritance
from .derivation import Derivation, Derive, Outcome, Request, cut_key


def _ecb(cipher: BlockCipher) -> Derive:
    return lambda request: _encrypted(request, cipher, ECB(), request.parameters(DerivationString).data)


def _cbc(cipher: BlockCipher) -> Derive:
    def derive(request: Request) -> Outcome:
        parameters = request.parameters(CbcEncryptData)
        if len(parameters.iv) != cipher.block:
            raise Refused(CKR.MECHANISM_PARAM_INVALID, "an IV is one block")
        return _encrypted(request, cipher, CBC(parameters.iv), parameters.data)

    return derive


def _encrypted(request: Request, cipher: BlockCipher, mode: Mode, data: bytes) -> Outcome:
    if not data or len(data) % cipher.block:
        raise Refused(CKR.DATA_LEN_RANGE, "whole blocks")
    return cut_key(request, cipher.run(request.secret, mode, data, True), Inheritance.TEMPLATE)


_CIPHERS: Final = {"AES": AES, "DES": DES, "DES3": DES3, "CAMELLIA": CAMELLIA, "SEED": SEED}


def _row(cipher: BlockCipher, derive: Derive) -> Derivation:
    return Derivation(frozenset(cipher.key_types), derive, min(cipher.key_sizes), max(cipher.key_sizes))


DERIVATIONS: Final[Mapping[int, Derivation]] = {
    **{CKM[f"{name}_ECB_ENCRYPT_DATA"]: _row(cipher, _ecb(cipher)) for name, cipher in _CIPHERS.items()},
    **{CKM[f"{name}_CBC_ENCRYPT_DATA"]: _row(cipher, _cbc(cipher)) for name, cipher in _CIPHERS.items()},
}
