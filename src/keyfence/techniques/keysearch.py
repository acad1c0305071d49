"""Finding a short or partly known key: one call makes the module use it, and the trials are done outside.

What identifies a key is the first thing the module lets it do: a MAC (HMAC, or SSL 3.0's), a block or keystream of its
cipher, or its CKA_CHECK_VALUE. Candidates are tried here one by one; `searching` has engines for more than two bytes.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.params import Iv, MacGeneral, Parameters
from keyfence.schedule import PrfHash, ssl3

from .base import Bench, Inconclusive

Matches = Callable[[bytes], bool]
"""Whether a candidate is the key."""

MESSAGE: Final = b"keyfence: which key is this?...."  # two AES blocks, four DES blocks
HIDDEN_PARITY: Final = frozenset({CKK.DES, CKK.DES2, CKK.DES3})


@dataclass(frozen=True, slots=True, repr=False)
class Use:
    """What a key made of MESSAGE; called, it tells whether a candidate is the key. `mechanism` is what made it."""

    mechanism: CKM
    answer: bytes
    compute: Callable[[bytes], bytes]

    def __call__(self, candidate: bytes) -> bool:
        return self.compute(candidate) == self.answer


PLAIN_BITS: Final = 24
"""Most that is tried one by one, which takes minutes. What is larger and known to no engine is priced, whatever is allowed."""


class TooMany(Inconclusive):
    """A search that is not begun."""


class Unidentified(Inconclusive):
    """The module lets this key do nothing that would tell it from another."""


def _hmac(name: str) -> Callable[[bytes], bytes]:
    return lambda key: hmac.digest(key, MESSAGE, name)


def _ssl3(prf_hash: PrfHash) -> Callable[[bytes], bytes]:
    return lambda key: ssl3.record_mac(prf_hash, key, MESSAGE)


_MACS: Final[tuple[tuple[CKM, Parameters | None, Callable[[bytes], bytes]], ...]] = (
    (CKM.SHA256_HMAC, None, _hmac("sha256")),
    (CKM.SHA_1_HMAC, None, _hmac("sha1")),
    (CKM.MD5_HMAC, None, _hmac("md5")),
    (CKM.SHA256_HMAC_GENERAL, MacGeneral(16), lambda key: hmac.digest(key, MESSAGE, "sha256")[:16]),
    (CKM.SSL3_SHA1_MAC, MacGeneral(20), _ssl3(PrfHash.SHA1)),
    (CKM.SSL3_MD5_MAC, MacGeneral(16), _ssl3(PrfHash.MD5)),
)


def _aes(key: bytes) -> bytes:
    return _run(Cipher(algorithms.AES(key), modes.CBC(bytes(16))))


def _triple_des(key: bytes) -> bytes:
    return _run(Cipher(TripleDES(key * (24 // len(key)) if len(key) != 16 else key + key[:8]), modes.CBC(bytes(8))))


def _rc4(key: bytes) -> bytes:
    return rc4(key, MESSAGE)


def _run(cipher: Cipher[modes.CBC]) -> bytes:
    encryptor = cipher.encryptor()
    return encryptor.update(MESSAGE) + encryptor.finalize()


def rc4(key: bytes, data: bytes) -> bytes:
    """RC4 with a key of 1 to 256 bytes; pyca/cryptography knows eight lengths, and a search needs the others."""
    if 8 * len(key) in ARC4.key_sizes:
        encryptor = Cipher(ARC4(key), None).encryptor()
        return encryptor.update(data)
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    return bytes(byte ^ k for byte, k in zip(data, _rc4_stream(state, len(data)), strict=True))


def _rc4_stream(state: list[int], length: int) -> Iterable[int]:
    i = j = 0
    for _ in range(length):
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        yield state[(state[i] + state[j]) & 255]


_CIPHERS: Final[Mapping[int, tuple[CKM, Parameters | None, Callable[[bytes], bytes]]]] = {
    CKK.AES: (CKM.AES_CBC, Iv(bytes(16)), _aes),
    CKK.DES: (CKM.DES_CBC, Iv(bytes(8)), _triple_des),
    CKK.DES2: (CKM.DES3_CBC, Iv(bytes(8)), _triple_des),
    CKK.DES3: (CKM.DES3_CBC, Iv(bytes(8)), _triple_des),
    CKK.RC4: (CKM.RC4, None, _rc4),
}

MAC_TYPES: Final = frozenset({CKK.GENERIC_SECRET, CKK.SHA_1_HMAC, CKK.SHA256_HMAC, CKK.SHA384_HMAC, CKK.MD5_HMAC})
SEARCHABLE: Final = MAC_TYPES | frozenset({CKK.RC4})
"""Key types that a module may make short, and whose use is known here."""


def identify(bench: Bench, handle: int, key_type: int) -> Matches:
    """One use of the key, turned into a test of candidates. Raises the module's refusal where it allows no use at all."""
    refusal: CryptokiError | None = None
    for use in (_by_cipher, _by_mac):
        try:
            matches = use(bench, handle, key_type)
        except CryptokiError as error:
            refusal = refusal or error
            continue
        if matches is not None:
            return matches
    if refusal is not None:
        raise refusal
    raise Unidentified("the token has no mechanism that would use such a key")


def _by_cipher(bench: Bench, handle: int, key_type: int) -> Matches | None:
    use = _CIPHERS.get(key_type)
    if use is None:
        return None
    mechanism, parameters, compute = use
    return Use(mechanism, bench.session.encrypt(Mechanism(mechanism, parameters), handle, MESSAGE), compute)


def _by_mac(bench: Bench, handle: int, key_type: int) -> Matches | None:
    if key_type not in MAC_TYPES:
        return None
    refusal: CryptokiError | None = None
    for mechanism, parameters, compute in _MACS:
        try:
            return Use(mechanism, bench.session.sign(Mechanism(mechanism, parameters), handle, MESSAGE), compute)
        except CryptokiError as error:
            refusal = refusal or error
    if refusal is not None:
        raise refusal
    return None


CHECK_BYTES: Final = 3


def check_value(key_type: int, key: bytes) -> bytes:
    """CKA_CHECK_VALUE (PKCS#11 3.0 §4.10.2): a block cipher's first bytes of E(0), of other secrets the SHA-1 of the value."""
    if key_type == CKK.AES:
        encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the standard's definition
        return encryptor.update(bytes(16))[:CHECK_BYTES]
    if key_type in HIDDEN_PARITY:
        encryptor = Cipher(TripleDES(key * (24 // len(key))), modes.ECB()).encryptor()  # noqa: S305
        return encryptor.update(bytes(8))[:CHECK_BYTES]
    return hashlib.sha1(key, usedforsecurity=False).digest()[:CHECK_BYTES]


def find(matches: Matches, length: int, known: Mapping[int, int], max_bits: int) -> bytes:
    """The key of `length` bytes, some of them `known` by position. TooMany, or Inconclusive where no candidate is it."""
    unknown: Sequence[int] = [place for place in range(length) if place not in known]
    bits, most = 8 * len(unknown), min(max_bits, PLAIN_BITS)
    if bits > most:
        allowed = "allowed" if most == max_bits else "that are tried one by one, and no engine knows such a search"
        raise TooMany(f"a search of 2^{bits} trials is more than the 2^{most} {allowed}")
    candidate = bytearray(known.get(place, 0) for place in range(length))
    for values in product(range(256), repeat=len(unknown)):
        for place, value in zip(unknown, values, strict=True):
            candidate[place] = value
        if matches(bytes(candidate)):
            return bytes(candidate)
    raise Inconclusive("no candidate is the key: it is not cut from where it was taken to be")
