"""Wrapping against RFC 3394 and RFC 5649, and every wrapping mechanism undone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki import CryptokiError, Mechanism, Template
from keyfence.cryptoki.constants import CKG, CKK, CKM, CKR
from keyfence.cryptoki.params import Ctr, Gcm, Iv, Rc2Cbc, RsaOaep
from keyfence.token.kernels import asymmetric, ciphers, wrapping

h = bytes.fromhex

COUNTING = bytes(range(32))
KEK_192 = h("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
VALUE = h("00112233445566778899aabbccddeeff")
RSA_PUBLIC, RSA_PRIVATE = asymmetric.generate_rsa(1024)

VECTORS = {
    "RFC 3394 section 4.1": (
        CKM.AES_KEY_WRAP, COUNTING[:16], VALUE, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
    ),
    "RFC 3394 section 4.6": (
        CKM.AES_KEY_WRAP, COUNTING, VALUE + COUNTING[:16],
        "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
    ),
    "RFC 5649 section 6, 20 bytes": (
        CKM.AES_KEY_WRAP_KWP, KEK_192, h("c37b7e6492584340bed12207808941155068f738"),
        "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
    ),
    "RFC 5649 section 6, 7 bytes": (
        CKM.AES_KEY_WRAP_PAD, KEK_192, h("466f7250617369"), "afbeb0f07dfbf5419200f2ccb50bb24f",
    ),
    "PKCS #7 padding, then RFC 3394": (
        CKM.AES_KEY_WRAP_PKCS7, COUNTING[:16], VALUE[:8],
        wrapping.wrap(Mechanism(CKM.AES_KEY_WRAP), CKK.AES, COUNTING[:16], VALUE[:8] + b"\x08" * 8).hex(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_the_standard_vector_goes_both_ways(name: str) -> None:
    number, kek, value, wrapped = VECTORS[name]
    assert wrapping.wrap(Mechanism(number), CKK.AES, kek, value).hex() == wrapped
    assert wrapping.unwrap(Mechanism(number), CKK.AES, kek, h(wrapped)) == value


def test_the_standards_initial_value_may_be_said() -> None:
    said = Mechanism(CKM.AES_KEY_WRAP, Iv(b"\xa6" * 8))
    assert wrapping.wrap(said, CKK.AES, COUNTING, VALUE) == wrapping.wrap(Mechanism(CKM.AES_KEY_WRAP), CKK.AES, COUNTING, VALUE)


BY_SECRET: dict[str, tuple[Mechanism, int, int]] = {
    "AES_ECB": (Mechanism(CKM.AES_ECB), CKK.AES, 16),
    "AES_CBC": (Mechanism(CKM.AES_CBC, Iv(bytes(16))), CKK.AES, 32),
    "DES3_CBC": (Mechanism(CKM.DES3_CBC, Iv(bytes(8))), CKK.DES3, 24),
    "RC2_CBC": (Mechanism(CKM.RC2_CBC, Rc2Cbc(40, bytes(8))), CKK.RC2, 5),
    "AES_CBC_PAD": (Mechanism(CKM.AES_CBC_PAD, Iv(bytes(16))), CKK.AES, 16),
    "AES_CTR": (Mechanism(CKM.AES_CTR, Ctr(bytes(16), 32)), CKK.AES, 16),
    "AES_GCM": (Mechanism(CKM.AES_GCM, Gcm(bytes(12))), CKK.AES, 16),
    "AES_KEY_WRAP_KWP": (Mechanism(CKM.AES_KEY_WRAP_KWP), CKK.AES, 16),
    "AES_KEY_WRAP_PKCS7": (Mechanism(CKM.AES_KEY_WRAP_PKCS7), CKK.AES, 16),
}


@pytest.mark.parametrize("name", BY_SECRET)
@given(value=st.binary(min_size=8, max_size=64))
@settings(max_examples=20, deadline=None)
def test_a_value_comes_back_whole_or_filled_up_with_zeros(name: str, value: bytes) -> None:
    mechanism, key_type, size = BY_SECRET[name]
    unwrapped = wrapping.unwrap(
        mechanism, key_type, COUNTING[:size], wrapping.wrap(mechanism, key_type, COUNTING[:size], value)
    )
    block = ciphers.MECHANISMS[mechanism.type].block if mechanism.type in ciphers.MECHANISMS else 1
    assert unwrapped == value + bytes(-len(value) % block)


OAEP = RsaOaep(CKM.SHA_1, CKG.MGF1_SHA1)


@pytest.mark.parametrize("mechanism", [Mechanism(CKM.RSA_PKCS), Mechanism(CKM.RSA_PKCS_OAEP, OAEP)], ids=lambda m: m.name)
def test_rsa_gives_a_value_back_as_it_was(mechanism: Mechanism) -> None:
    wrapped = wrapping.wrap(mechanism, CKK.RSA, RSA_PUBLIC, COUNTING + VALUE)
    assert wrapping.unwrap(mechanism, CKK.RSA, RSA_PRIVATE, wrapped) == COUNTING + VALUE


def test_bare_rsa_gives_it_back_as_wide_as_the_modulus() -> None:
    wrapped = wrapping.wrap(Mechanism(CKM.RSA_X_509), CKK.RSA, RSA_PUBLIC, VALUE)
    assert wrapping.unwrap(Mechanism(CKM.RSA_X_509), CKK.RSA, RSA_PRIVATE, wrapped) == bytes(112) + VALUE


KW, KWP, PKCS7 = (Mechanism(n) for n in (CKM.AES_KEY_WRAP, CKM.AES_KEY_WRAP_KWP, CKM.AES_KEY_WRAP_PKCS7))
KEK = COUNTING[:16]
BAD_WRAPS: dict[str, tuple[Mechanism, int, bytes | Template, bytes, int]] = {
    "RC4": (Mechanism(CKM.RC4), CKK.RC4, KEK, VALUE, CKR.MECHANISM_INVALID),
    "a hash": (Mechanism(CKM.SHA256), CKK.AES, KEK, VALUE, CKR.MECHANISM_INVALID),
    "another initial value": (
        Mechanism(CKM.AES_KEY_WRAP, Iv(bytes(8))), CKK.AES, KEK, VALUE, CKR.MECHANISM_PARAM_INVALID,
    ),
    "an RSA key for AES": (KW, CKK.RSA, RSA_PUBLIC, VALUE, CKR.WRAPPING_KEY_TYPE_INCONSISTENT),
    "a secret key for RSA": (Mechanism(CKM.RSA_PKCS), CKK.AES, KEK, VALUE, CKR.WRAPPING_KEY_TYPE_INCONSISTENT),
    "a generic secret": (KW, CKK.GENERIC_SECRET, KEK, VALUE, CKR.WRAPPING_KEY_TYPE_INCONSISTENT),
    "a long AES key": (KW, CKK.AES, bytes(33), VALUE, CKR.WRAPPING_KEY_SIZE_RANGE),
    "half a semiblock": (KW, CKK.AES, KEK, bytes(20), CKR.KEY_SIZE_RANGE),
    "one semiblock": (KW, CKK.AES, KEK, bytes(8), CKR.KEY_SIZE_RANGE),
    "nothing": (KWP, CKK.AES, KEK, b"", CKR.KEY_SIZE_RANGE),
    "seven bytes, padded to one semiblock": (PKCS7, CKK.AES, KEK, bytes(7), CKR.KEY_SIZE_RANGE),
    "too much for RSA": (Mechanism(CKM.RSA_PKCS), CKK.RSA, RSA_PUBLIC, bytes(118), CKR.KEY_SIZE_RANGE),
    "a value above the modulus": (Mechanism(CKM.RSA_X_509), CKK.RSA, RSA_PUBLIC, b"\xff" * 128, CKR.KEY_NOT_WRAPPABLE),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_WRAPS)
def test_wrapping_is_refused_for(name: str) -> None:
    mechanism, key_type, key, value, ckr = BAD_WRAPS[name]
    with pytest.raises(CryptokiError) as caught:
        wrapping.wrap(mechanism, key_type, key, value)
    assert (caught.value.ckr, caught.value.function) == (ckr, "C_WrapKey")


CBC_PAD = Mechanism(CKM.AES_CBC_PAD, Iv(bytes(16)))
BAD_PKCS7 = wrapping.wrap(KW, CKK.AES, KEK, bytes(16))
BAD_UNWRAPS: dict[str, tuple[Mechanism, int, bytes | Template, bytes, int]] = {
    "RC4": (Mechanism(CKM.RC4), CKK.RC4, KEK, VALUE, CKR.MECHANISM_INVALID),
    "an RSA key for AES": (KW, CKK.RSA, RSA_PRIVATE, VALUE, CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT),
    "a secret key for RSA": (Mechanism(CKM.RSA_PKCS), CKK.RSA, KEK, VALUE, CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT),
    "a short AES key": (CBC_PAD, CKK.AES, bytes(8), VALUE, CKR.UNWRAPPING_KEY_SIZE_RANGE),
    "two semiblocks": (KW, CKK.AES, KEK, bytes(16), CKR.WRAPPED_KEY_LEN_RANGE),
    "half a semiblock": (KWP, CKK.AES, KEK, bytes(20), CKR.WRAPPED_KEY_LEN_RANGE),
    "zeros": (KW, CKK.AES, KEK, bytes(24), CKR.WRAPPED_KEY_INVALID),
    "zeros, padded": (KWP, CKK.AES, KEK, bytes(24), CKR.WRAPPED_KEY_INVALID),
    "what was not padded": (PKCS7, CKK.AES, KEK, BAD_PKCS7, CKR.WRAPPED_KEY_INVALID),
    "bad CBC padding": (CBC_PAD, CKK.AES, KEK, bytes(16), CKR.WRAPPED_KEY_INVALID),
    "part of a block": (CBC_PAD, CKK.AES, KEK, bytes(15), CKR.WRAPPED_KEY_LEN_RANGE),
    "zeros for OAEP": (Mechanism(CKM.RSA_PKCS_OAEP, OAEP), CKK.RSA, RSA_PRIVATE, bytes(128), CKR.WRAPPED_KEY_INVALID),
}


@pytest.mark.parametrize("name", BAD_UNWRAPS)
def test_unwrapping_is_refused_for(name: str) -> None:
    mechanism, key_type, key, wrapped, ckr = BAD_UNWRAPS[name]
    with pytest.raises(CryptokiError) as caught:
        wrapping.unwrap(mechanism, key_type, key, wrapped)
    assert (caught.value.ckr, caught.value.function) == (ckr, "C_UnwrapKey")


def test_every_row_that_wraps_is_listed() -> None:
    assert CKM.AES_GCM in wrapping.MECHANISMS
    assert CKM.RSA_PKCS in wrapping.MECHANISMS
    assert {CKM.RC4, CKM.CHACHA20_POLY1305}.isdisjoint(wrapping.MECHANISMS)
