"""Encryption and decryption in one shot: every cipher mechanism as a row of a table.

    encrypt(Mechanism(CKM.AES_CBC_PAD, Iv(iv)), CKK.AES, key, data)

Faults, in the order they are looked for: CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_KEY_TYPE_INCONSISTENT,
CKR_KEY_SIZE_RANGE, then the data's: CKR_DATA_LEN_RANGE when encrypting, CKR_ENCRYPTED_DATA_LEN_RANGE or
CKR_ENCRYPTED_DATA_INVALID (padding, tag) when decrypting. Data and keys are in bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.modes import CFB, CFB8, OFB
from cryptography.hazmat.primitives.ciphers import Cipher, aead
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, ECB, GCM
from cryptography.hazmat.primitives.padding import PKCS7

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKK, CKM, CKR
from keyfence.cryptoki.params import Ccm, ChaCha20Poly1305, Ctr, Gcm, Iv, Parameters, Rc2, Rc2Cbc

from .blocks import AES, BLOWFISH, CAMELLIA, CAST128, DES, DES3, IDEA, SEED, BlockCipher
from .refusals import check_key, no_parameters, parameters_of, refuse
from .rivest import RC2_BLOCK, rc2_cbc, rc2_ecb, rc4

_GCM_TAG_BITS: Final = (32, 64, 96, 104, 112, 120, 128)  # SP 800-38D section 5.2.1.2
_GCM_IV_SIZES: Final = range(8, 129)  # what the library takes, in bytes
_CCM_NONCE_SIZES: Final = range(7, 14)  # SP 800-38C appendix A.1
_CCM_TAG_SIZES: Final = range(4, 17, 2)


@dataclass(frozen=True, slots=True)
class Call:
    """Which way, and for which C function."""

    encrypting: bool
    function: str

    def whole_blocks(self, data: bytes, block: int) -> None:
        if len(data) % block:
            raise self.bad_length(f"not a multiple of {block} bytes")

    def bad_length(self, detail: str) -> Exception:
        return refuse(CKR.DATA_LEN_RANGE if self.encrypting else CKR.ENCRYPTED_DATA_LEN_RANGE, self.function, detail)

    def not_authentic(self, detail: str) -> Exception:
        return refuse(CKR.ENCRYPTED_DATA_INVALID, self.function, detail)


Run = Callable[[Call, bytes, Any, bytes], bytes]
"""(call, key, parameter, data) to data, the parameter being of the row's class."""


@dataclass(frozen=True, slots=True)
class CipherMechanism:
    """A row: which keys it takes (sizes in bytes), its parameter's class and which of them are valid, how it runs.

    `block` is the number of bytes of which data has to be a multiple; `wraps` says whether C_WrapKey may use it.
    """

    key_types: tuple[CKK, ...]
    key_sizes: range | tuple[int, ...]
    parameters: type[Parameters] | None
    valid: Callable[[Any], bool] | None
    run: Run
    block: int = 1
    wraps: bool = True


def encrypt(mechanism: Mechanism, key_type: int, key: bytes, data: bytes, *, function: str = "C_Encrypt") -> bytes:
    """The ciphertext, with the tag at its end for an AEAD."""
    row = check(mechanism, key_type, key, function=function)
    return row.run(Call(True, function), key, mechanism.parameters, data)


def decrypt(mechanism: Mechanism, key_type: int, key: bytes, data: bytes, *, function: str = "C_Decrypt") -> bytes:
    """The plaintext."""
    row = check(mechanism, key_type, key, function=function)
    return row.run(Call(False, function), key, mechanism.parameters, data)


def check(mechanism: Mechanism, key_type: int, key: bytes, *, function: str) -> CipherMechanism:
    """The mechanism's row, after everything that can be judged without data: what C_EncryptInit has to refuse."""
    row = MECHANISMS.get(mechanism.type)
    if row is None:
        raise refuse(CKR.MECHANISM_INVALID, function, mechanism.name)
    if row.parameters is None or row.valid is None:
        no_parameters(mechanism, function)
    elif not row.valid(parameters_of(mechanism, row.parameters, function)):
        raise refuse(CKR.MECHANISM_PARAM_INVALID, function, f"a field of {row.parameters.__name__} is out of range")
    check_key(key_type, key, row.key_types, row.key_sizes, function)
    return row


# Block modes. Each makes a row's `run` for one cipher.


def _ecb(cipher: BlockCipher) -> CipherMechanism:
    def run(call: Call, key: bytes, _parameters: None, data: bytes) -> bytes:
        call.whole_blocks(data, cipher.block)
        return cipher.run(key, ECB(), data, call.encrypting)

    return CipherMechanism(cipher.key_types, cipher.key_sizes, None, None, run, cipher.block)


def _cbc(cipher: BlockCipher) -> CipherMechanism:
    def run(call: Call, key: bytes, parameters: Iv, data: bytes) -> bytes:
        call.whole_blocks(data, cipher.block)
        return cipher.run(key, CBC(parameters.iv), data, call.encrypting)

    return CipherMechanism(cipher.key_types, cipher.key_sizes, Iv, _one_block(cipher.block), run, cipher.block)


def _cbc_pad(cipher: BlockCipher) -> CipherMechanism:
    row = _cbc(cipher)
    return CipherMechanism(row.key_types, row.key_sizes, Iv, row.valid, _padded(row.run, cipher.block))


def _stream(cipher: BlockCipher, mode: Callable[[bytes], CFB | CFB8 | OFB]) -> CipherMechanism:
    def run(call: Call, key: bytes, parameters: Iv, data: bytes) -> bytes:
        return cipher.run(key, mode(parameters.iv), data, call.encrypting)

    return CipherMechanism(cipher.key_types, cipher.key_sizes, Iv, _one_block(cipher.block), run)


def _padded(run: Run, block: int) -> Run:
    """The same mode with PKCS #7 padding (RFC 5652 section 6.3)."""

    def padded(call: Call, key: bytes, parameters: Parameters, data: bytes) -> bytes:
        if call.encrypting:
            padder = PKCS7(block * 8).padder()
            return run(call, key, parameters, padder.update(data) + padder.finalize())
        if not data:
            raise call.bad_length("padded data has at least one block")
        unpadder = PKCS7(block * 8).unpadder()
        plaintext = unpadder.update(run(call, key, parameters, data))
        try:
            return plaintext + unpadder.finalize()
        except ValueError:
            raise call.not_authentic("padding") from None

    return padded


def _one_block(block: int) -> Callable[[Iv], bool]:
    return lambda parameters: len(parameters.iv) == block


# AES in modes of its own


def _ctr(call: Call, key: bytes, parameters: Ctr, data: bytes) -> bytes:
    """Counter bits never wrap: data that would make them is refused (PKCS#11 3.0, AES with counter)."""
    limit = 1 << parameters.counter_bits
    start = int.from_bytes(parameters.counter_block, "big") % limit
    if -(-len(data) // AES.block) > limit - start:
        raise refuse(CKR.DATA_LEN_RANGE, call.function, "more blocks than the counter can count")
    return AES.run(key, CTR(parameters.counter_block), data, call.encrypting)


def _ctr_valid(parameters: Ctr) -> bool:
    return len(parameters.counter_block) == AES.block and 1 <= parameters.counter_bits <= 128


def _gcm(call: Call, key: bytes, parameters: Gcm, data: bytes) -> bytes:
    tag_size = parameters.tag_bits // 8
    if call.encrypting:
        encryptor = Cipher(AES.algorithm(key), GCM(parameters.iv)).encryptor()
        encryptor.authenticate_additional_data(parameters.aad)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag[:tag_size]
    if len(data) < tag_size:
        raise call.bad_length("shorter than the tag")
    ciphertext, tag = data[: len(data) - tag_size], data[len(data) - tag_size :]
    decryptor = Cipher(AES.algorithm(key), GCM(parameters.iv, tag, min_tag_length=tag_size)).decryptor()
    decryptor.authenticate_additional_data(parameters.aad)
    try:
        return decryptor.update(ciphertext) + decryptor.finalize()
    except InvalidTag:
        raise call.not_authentic("tag") from None


def _gcm_valid(parameters: Gcm) -> bool:
    return len(parameters.iv) in _GCM_IV_SIZES and parameters.tag_bits in _GCM_TAG_BITS


def _ccm(call: Call, key: bytes, parameters: Ccm, data: bytes) -> bytes:
    """`data_length` is the plaintext's, both ways; the length field's width follows from the nonce's (RFC 3610)."""
    expected = parameters.data_length + (0 if call.encrypting else parameters.mac_length)
    if len(data) != expected or parameters.data_length >> 8 * (15 - len(parameters.nonce)):
        raise call.bad_length("not the length that the parameter announces")
    return _aead(call, aead.AESCCM(key, parameters.mac_length), parameters.nonce, data, parameters.aad)


def _ccm_valid(parameters: Ccm) -> bool:
    return len(parameters.nonce) in _CCM_NONCE_SIZES and parameters.mac_length in _CCM_TAG_SIZES


def _chacha20_poly1305(call: Call, key: bytes, parameters: ChaCha20Poly1305, data: bytes) -> bytes:
    if not call.encrypting and len(data) < 16:
        raise call.bad_length("shorter than the tag")
    return _aead(call, aead.ChaCha20Poly1305(key), parameters.nonce, data, parameters.aad)


def _aead(call: Call, cipher: aead.AESCCM | aead.ChaCha20Poly1305, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    if call.encrypting:
        return cipher.encrypt(nonce, data, aad)
    try:
        return cipher.decrypt(nonce, data, aad)
    except InvalidTag:
        raise call.not_authentic("tag") from None


# RC2 and RC4


def _rc2_ecb(call: Call, key: bytes, parameters: Rc2, data: bytes) -> bytes:
    call.whole_blocks(data, RC2_BLOCK)
    return rc2_ecb(key, parameters.effective_bits, data, call.encrypting)


def _rc2_cbc(call: Call, key: bytes, parameters: Rc2Cbc, data: bytes) -> bytes:
    call.whole_blocks(data, RC2_BLOCK)
    return rc2_cbc(key, parameters.effective_bits, parameters.iv, data, call.encrypting)


def _rc2_valid(parameters: Rc2) -> bool:
    return 1 <= parameters.effective_bits <= 1024


def _rc2_cbc_valid(parameters: Rc2Cbc) -> bool:
    return 1 <= parameters.effective_bits <= 1024 and len(parameters.iv) == RC2_BLOCK


def _rc4(_call: Call, key: bytes, _parameters: None, data: bytes) -> bytes:
    return rc4(key, data)


_RC2_KEY: Final = ((CKK.RC2,), range(1, 129))

MECHANISMS: Final[Mapping[int, CipherMechanism]] = {
    CKM.AES_ECB: _ecb(AES),
    CKM.AES_CBC: _cbc(AES),
    CKM.AES_CBC_PAD: _cbc_pad(AES),
    CKM.AES_CTR: CipherMechanism(AES.key_types, AES.key_sizes, Ctr, _ctr_valid, _ctr),
    CKM.AES_GCM: CipherMechanism(AES.key_types, AES.key_sizes, Gcm, _gcm_valid, _gcm),
    CKM.AES_CCM: CipherMechanism(AES.key_types, AES.key_sizes, Ccm, _ccm_valid, _ccm),
    CKM.AES_OFB: _stream(AES, OFB),
    CKM.AES_CFB128: _stream(AES, CFB),
    CKM.AES_CFB8: _stream(AES, CFB8),
    CKM.DES_ECB: _ecb(DES),
    CKM.DES_CBC: _cbc(DES),
    CKM.DES_CBC_PAD: _cbc_pad(DES),
    CKM.DES_OFB64: _stream(DES, OFB),
    CKM.DES_CFB64: _stream(DES, CFB),
    CKM.DES_CFB8: _stream(DES, CFB8),
    CKM.DES3_ECB: _ecb(DES3),
    CKM.DES3_CBC: _cbc(DES3),
    CKM.DES3_CBC_PAD: _cbc_pad(DES3),
    CKM.CAMELLIA_ECB: _ecb(CAMELLIA),
    CKM.CAMELLIA_CBC: _cbc(CAMELLIA),
    CKM.CAMELLIA_CBC_PAD: _cbc_pad(CAMELLIA),
    CKM.SEED_ECB: _ecb(SEED),
    CKM.SEED_CBC: _cbc(SEED),
    CKM.SEED_CBC_PAD: _cbc_pad(SEED),
    CKM.IDEA_ECB: _ecb(IDEA),
    CKM.IDEA_CBC: _cbc(IDEA),
    CKM.IDEA_CBC_PAD: _cbc_pad(IDEA),
    CKM.CAST128_ECB: _ecb(CAST128),
    CKM.CAST128_CBC: _cbc(CAST128),
    CKM.CAST128_CBC_PAD: _cbc_pad(CAST128),
    CKM.BLOWFISH_CBC: _cbc(BLOWFISH),
    CKM.BLOWFISH_CBC_PAD: _cbc_pad(BLOWFISH),
    CKM.RC2_ECB: CipherMechanism(*_RC2_KEY, Rc2, _rc2_valid, _rc2_ecb, RC2_BLOCK),
    CKM.RC2_CBC: CipherMechanism(*_RC2_KEY, Rc2Cbc, _rc2_cbc_valid, _rc2_cbc, RC2_BLOCK),
    CKM.RC2_CBC_PAD: CipherMechanism(*_RC2_KEY, Rc2Cbc, _rc2_cbc_valid, _padded(_rc2_cbc, RC2_BLOCK)),
    CKM.RC4: CipherMechanism((CKK.RC4,), range(1, 257), None, None, _rc4, wraps=False),
    CKM.CHACHA20_POLY1305: CipherMechanism(
        (CKK.CHACHA20,), (32,), ChaCha20Poly1305, lambda p: len(p.nonce) == 12, _chacha20_poly1305, wraps=False
    ),
}
"""Every cipher mechanism the token computes."""
