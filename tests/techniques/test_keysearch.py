"""Telling short keys by one use: what a key's use or check value is, and the search for the key."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from keyfence.audit import Opened, Target
from keyfence.cryptoki import CryptokiError
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.techniques.base import Bench, Inconclusive
from keyfence.techniques.keysearch import MESSAGE, TooMany, Unidentified, check_value, find, identify, rc4
from keyfence.token import Quirks, SoftToken


@pytest.mark.parametrize(
    ("key", "stream"),
    [
        ("0102030405", "b2396305f03dc027ccc3524a0a1118a8"),
        ("01020304050607", "293f02d47f37c9b633f2af5285feb46b"),
        ("0102030405060708090a0b0c0d0e0f10", "9ac7cc9a609d1ef7b2932899cde41b97"),
    ],
)
def test_rc4_by_the_vectors_of_rfc_6229(key: str, stream: str) -> None:
    assert rc4(bytes.fromhex(key), bytes(16)) == bytes.fromhex(stream)


@pytest.mark.parametrize("length", [5, 7, 8, 16])
def test_rc4_of_any_length_is_rc4(length: int) -> None:
    """The lengths that pyca/cryptography knows, computed both ways: a key repeated is the same key."""
    key = bytes(range(1, length + 1))
    reference = Cipher(ARC4(key), None).encryptor().update(MESSAGE)
    assert rc4(key, MESSAGE) == reference
    assert rc4(key * 3, MESSAGE) == reference  # 15, 21, 24 and 48 bytes


class TestCheckValues:
    """PKCS#11 3.0 base §4.10.2."""

    def test_of_a_block_cipher_it_is_an_encrypted_block(self) -> None:
        aes = Cipher(algorithms.AES(b"k" * 16), modes.ECB()).encryptor().update(bytes(16))
        des = Cipher(TripleDES(b"keykeyke" * 3), modes.ECB()).encryptor().update(bytes(8))
        assert check_value(CKK.AES, b"k" * 16) == aes[:3]
        assert check_value(CKK.DES, b"keykeyke") == des[:3]
        assert check_value(CKK.DES3, b"keykeyke" * 3) == des[:3]

    def test_of_any_other_secret_it_is_a_hash(self) -> None:
        assert check_value(CKK.GENERIC_SECRET, b"\x17") == hashlib.sha1(b"\x17", usedforsecurity=False).digest()[:3]


class TestFind:
    def test_what_is_known_is_not_searched(self) -> None:
        tried: list[bytes] = []

        def matches(candidate: bytes) -> bool:
            tried.append(candidate)
            return candidate == b"\x01\x02\x03"

        assert find(matches, 3, {0: 1, 2: 3}, max_bits=8) == b"\x01\x02\x03"
        assert len(tried) == 3
        assert find(matches, 3, dict(enumerate(b"\x01\x02\x03")), max_bits=0) == b"\x01\x02\x03"

    def test_more_than_is_allowed_is_not_begun(self) -> None:
        with pytest.raises(Inconclusive, match=r"2\^24 trials is more than the 2\^16 allowed"):
            find(lambda _: pytest.fail("tried"), 3, {}, max_bits=16)

    def test_no_candidate_is_no_key(self) -> None:
        with pytest.raises(Inconclusive, match="no candidate is the key"):
            find(lambda _: False, 1, {}, max_bits=8)


def bench(**quirks: Any) -> Bench:
    return Opened(Target("test", lambda: SoftToken(quirks=Quirks(**quirks)))).bench


def key(bench: Bench, key_type: int, value: bytes, **flags: bool) -> int:
    return bench.import_key(key_type, value, **flags or {"sign": True, "encrypt": True})


@pytest.mark.parametrize(
    ("key_type", "value", "quirks"),
    [
        (CKK.GENERIC_SECRET, b"\x17", {}),
        (CKK.GENERIC_SECRET, b"\x17", {"without": frozenset({CKM.SHA256_HMAC})}),
        (CKK.GENERIC_SECRET, b"\x17", {"without": frozenset({CKM.SHA256_HMAC, CKM.SHA_1_HMAC, CKM.MD5_HMAC})}),
        (CKK.RC4, b"\x17", {}),
        (CKK.AES, b"k" * 16, {}),
        (CKK.DES3, bytes.fromhex("0123456789abcdef23456789abcdef01456789abcdef0123"), {}),
        (CKK.SHA256_HMAC, b"\x17\x18", {}),
    ],
)
def test_one_use_tells_a_key(key_type: int, value: bytes, quirks: dict[str, Any]) -> None:
    lab = bench(**quirks)
    matches: Callable[[bytes], bool] = identify(lab, key(lab, key_type, value), key_type)
    assert matches(value)
    assert not matches(value[:-1] + bytes([value[-1] ^ 2]))


def test_a_key_that_may_do_nothing_is_refused() -> None:
    lab = bench()
    with pytest.raises(CryptokiError, match="CKR_KEY_FUNCTION_NOT_PERMITTED"):
        identify(lab, key(lab, CKK.GENERIC_SECRET, b"\x17", derive=True, sign=False), CKK.GENERIC_SECRET)


def test_a_type_that_nothing_uses_is_told_by_nothing() -> None:
    lab = bench()
    with pytest.raises(Unidentified):
        identify(lab, key(lab, CKK.GENERIC_SECRET, b"\x17"), CKK.BLOWFISH)


def test_more_than_minutes_one_by_one_is_not_begun_whatever_is_allowed() -> None:
    with pytest.raises(TooMany, match=r"2\^32 trials is more than the 2\^24 that are tried one by one"):
        find(lambda _: pytest.fail("tried"), 4, {}, max_bits=56)
