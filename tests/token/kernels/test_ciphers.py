"""Cipher mechanisms against the vectors of their standards, and refused where PKCS#11 refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKK, CKM, CKR
from keyfence.cryptoki.params import Ccm, ChaCha20Poly1305, Ctr, Gcm, Iv, Parameters, Raw, Rc2, Rc2Cbc
from keyfence.token.kernels import ciphers

h = bytes.fromhex

AES_KEY = h("2b7e151628aed2a6abf7158809cf4f3c")
FOUR_BLOCKS = h(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
COUNTING_IV = bytes(range(16))
DES_KEY = h("0123456789abcdef")
NOW_IS = b"Now is the time for all "
DES_IV = h("1234567890abcdef")
GCM_TEXT = h(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
GCM_AAD = h("feedfacedeadbeeffeedfacedeadbeefabaddad2")
GCM_KEY = h("feffe9928665731c6d6a8f9467308308")
SUNSCREEN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
)
RC2_KEY = h("88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e")

VECTORS = {
    "SP 800-38A F.1.1": (
        CKM.AES_ECB, None, CKK.AES, AES_KEY, FOUR_BLOCKS,
        "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
        "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
    ),
    "SP 800-38A F.2.1": (
        CKM.AES_CBC, Iv(COUNTING_IV), CKK.AES, AES_KEY, FOUR_BLOCKS,
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    ),
    "SP 800-38A F.3.13": (
        CKM.AES_CFB128, Iv(COUNTING_IV), CKK.AES, AES_KEY, FOUR_BLOCKS,
        "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
        "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6",
    ),
    "SP 800-38A F.3.7": (
        CKM.AES_CFB8, Iv(COUNTING_IV), CKK.AES, AES_KEY, FOUR_BLOCKS[:18],
        "3b79424c9c0dd436bace9e0ed4586a4f32b9",
    ),
    "SP 800-38A F.4.1": (
        CKM.AES_OFB, Iv(COUNTING_IV), CKK.AES, AES_KEY, FOUR_BLOCKS,
        "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825"
        "9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e",
    ),
    "SP 800-38A F.5.1": (
        CKM.AES_CTR, Ctr(bytes(range(0xF0, 0x100)), 128), CKK.AES, AES_KEY, FOUR_BLOCKS,
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    ),
    "GCM test case 4": (
        CKM.AES_GCM, Gcm(h("cafebabefacedbaddecaf888"), GCM_AAD), CKK.AES, GCM_KEY, GCM_TEXT,
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
        "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
    ),
    "GCM test case 5, tag cut to 96 bits": (
        CKM.AES_GCM, Gcm(h("cafebabefacedbad"), GCM_AAD, tag_bits=96), CKK.AES, GCM_KEY, GCM_TEXT,
        "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b42"
        "4989b5e1ebac0f07c23f45983612d2e79e3b0785561be14a",
    ),
    "SP 800-38C example 1": (
        CKM.AES_CCM, Ccm(4, h("10111213141516"), bytes(range(8)), 4), CKK.AES, bytes(range(0x40, 0x50)), h("20212223"),
        "7162015b4dac255d",
    ),
    "SP 800-38C example 2": (
        CKM.AES_CCM, Ccm(16, h("1011121314151617"), COUNTING_IV, 6), CKK.AES, bytes(range(0x40, 0x50)),
        bytes(range(0x20, 0x30)), "d2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd",
    ),
    "RFC 8439 section 2.8.2": (
        CKM.CHACHA20_POLY1305, ChaCha20Poly1305(h("070000004041424344454647"), h("50515253c0c1c2c3c4c5c6c7")),
        CKK.CHACHA20, bytes(range(0x80, 0xA0)), SUNSCREEN,
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
        "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
        "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
    ),
    "FIPS 81 ECB": (
        CKM.DES_ECB, None, CKK.DES, DES_KEY, NOW_IS, "3fa40e8a984d48156a271787ab8883f9893d51ec4b563b53",
    ),
    "FIPS 81 CBC": (
        CKM.DES_CBC, Iv(DES_IV), CKK.DES, DES_KEY, NOW_IS, "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    ),
    "FIPS 81 CFB64": (
        CKM.DES_CFB64, Iv(DES_IV), CKK.DES, DES_KEY, NOW_IS, "f3096249c7f46e51a69e839b1a92f78403467133898ea622",
    ),
    "FIPS 81 CFB8": (
        CKM.DES_CFB8, Iv(DES_IV), CKK.DES, DES_KEY, NOW_IS, "f31fda07011462ee187f43d80a7cd9b5b0d290da6e5b9a87",
    ),
    "FIPS 81 OFB64": (
        CKM.DES_OFB64, Iv(DES_IV), CKK.DES, DES_KEY, NOW_IS, "f3096249c7f46e5135f24a242eeb3d3f3d6d5be3255af8c3",
    ),
    "SP 800-67 appendix B": (
        CKM.DES3_ECB, None, CKK.DES3, h("0123456789abcdef23456789abcdef01456789abcdef0123"), b"The qufck brown fox jump",
        "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900",
    ),
    "DES2 whose halves are one is DES": (
        CKM.DES3_CBC, Iv(DES_IV), CKK.DES2, DES_KEY * 2, NOW_IS, "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    ),
    "RFC 3713 appendix A": (
        CKM.CAMELLIA_ECB, None, CKK.CAMELLIA, h("0123456789abcdeffedcba9876543210"), h("0123456789abcdeffedcba9876543210"),
        "67673138549669730857065648eabe43",
    ),
    "RFC 4269 appendix B.1": (
        CKM.SEED_ECB, None, CKK.SEED, bytes(16), COUNTING_IV, "5ebac6e0054e166819aff1cc6d346cdb",
    ),
    "IDEA, Lai's example": (
        CKM.IDEA_ECB, None, CKK.IDEA, h("00010002000300040005000600070008"), h("0000000100020003"), "11fbed2b01986de5",
    ),
    "RFC 2144 appendix B.1, 128 bits": (
        CKM.CAST128_ECB, None, CKK.CAST128, h("0123456712345678234567893456789a"), DES_KEY, "238b4fe5847e44b2",
    ),
    "RFC 2144 appendix B.1, 40 bits": (
        CKM.CAST128_ECB, None, CKK.CAST128, h("0123456712"), DES_KEY, "7ac816d16e9b302e",
    ),
    "Blowfish CBC, Young's example": (
        CKM.BLOWFISH_CBC, Iv(h("fedcba9876543210")), CKK.BLOWFISH, h("0123456789abcdeff0e1d2c3b4a59687"),
        b"7654321 Now is the time for \0\0\0\0", "6b77b4d63006dee605b156e27403979358deb9e7154616d959f1652bd5ff92cc",
    ),
    "RFC 6229, 40 bits": (CKM.RC4, None, CKK.RC4, h("0102030405"), bytes(16), "b2396305f03dc027ccc3524a0a1118a8"),
    "RFC 6229, 128 bits": (CKM.RC4, None, CKK.RC4, bytes(range(1, 17)), bytes(16), "9ac7cc9a609d1ef7b2932899cde41b97"),
    "RFC 2268, 63 bits": (CKM.RC2_ECB, Rc2(63), CKK.RC2, bytes(8), bytes(8), "ebb773f993278eff"),
    "RFC 2268, 64 bits": (CKM.RC2_ECB, Rc2(64), CKK.RC2, b"\xff" * 8, b"\xff" * 8, "278b27e42e2f0d49"),
    "RFC 2268, sparse": (
        CKM.RC2_ECB, Rc2(64), CKK.RC2, h("3000000000000000"), h("1000000000000001"), "30649edf9be7d2c2",
    ),
    "RFC 2268, one byte of key": (CKM.RC2_ECB, Rc2(64), CKK.RC2, RC2_KEY[:1], bytes(8), "61a8a244adacccf0"),
    "RFC 2268, seven bytes": (CKM.RC2_ECB, Rc2(64), CKK.RC2, RC2_KEY[:7], bytes(8), "6ccf4308974c267f"),
    "RFC 2268, sixteen bytes": (CKM.RC2_ECB, Rc2(64), CKK.RC2, RC2_KEY[:16], bytes(8), "1a807d272bbe5db1"),
    "RFC 2268, 128 bits": (CKM.RC2_ECB, Rc2(128), CKK.RC2, RC2_KEY[:16], bytes(8), "2269552ab0f85ca6"),
    "RFC 2268, 129 bits": (CKM.RC2_ECB, Rc2(129), CKK.RC2, RC2_KEY, bytes(8), "5b78d3a43dfff1f1"),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_the_standard_vector_goes_both_ways(name: str) -> None:
    number, parameters, key_type, key, plaintext, ciphertext = VECTORS[name]
    mechanism = Mechanism(number, parameters)
    assert ciphers.encrypt(mechanism, key_type, key, plaintext).hex() == ciphertext
    assert ciphers.decrypt(mechanism, key_type, key, h(ciphertext)) == plaintext


def _example(number: int, row: ciphers.CipherMechanism, iv: bytes, length: int) -> Mechanism:
    """The mechanism with a parameter fit for `length` bytes of plaintext."""
    block = 16 if row.key_types[0] in (CKK.AES, CKK.CAMELLIA, CKK.SEED) else 8
    fit: dict[type[Parameters] | None, Parameters | None] = {
        None: None,
        Iv: Iv(iv[:block]),
        Ctr: Ctr(iv, 128 if iv[0] < 0x80 else 24),
        Gcm: Gcm(iv[:12], b"aad"),
        Ccm: Ccm(length, iv[:11], b"aad", 8),
        ChaCha20Poly1305: ChaCha20Poly1305(iv[:12], b"aad"),
        Rc2: Rc2(40),
        Rc2Cbc: Rc2Cbc(1024, iv[:8]),
    }
    return Mechanism(number, fit[row.parameters])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_mechanism_undoes_itself(data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(sorted(ciphers.MECHANISMS)))
    row = ciphers.MECHANISMS[number]
    whole = "ECB" in CKM(number).name or CKM(number).name.endswith("_CBC")
    plaintext = data.draw(st.binary(max_size=80).map(lambda b: b[: len(b) // 16 * 16]) if whole else st.binary(max_size=80))
    size = data.draw(st.sampled_from(row.key_sizes))
    key = data.draw(st.binary(min_size=size, max_size=size))
    iv = data.draw(st.binary(min_size=16, max_size=16).filter(lambda b: b[0] < 0x80 or b[-3:] < b"\xff\xff\xf0"))
    mechanism = _example(number, row, iv, len(plaintext))
    for key_type in row.key_types:
        if key_type in (CKK.DES2, CKK.DES3) and size != (16 if key_type == CKK.DES2 else 24):
            continue
        ciphertext = ciphers.encrypt(mechanism, key_type, key, plaintext)
        assert ciphers.decrypt(mechanism, key_type, key, ciphertext) == plaintext
        if "PAD" in CKM(number).name:
            assert len(plaintext) < len(ciphertext) <= len(plaintext) + 16


def test_rc2_cbc_chains() -> None:
    """Against ECB by hand: the second block is encrypted under the first one's ciphertext."""
    key, iv, text = RC2_KEY[:5], b"\x0f" * 8, bytes(range(16))
    first = _rc2_ecb(key, bytes(a ^ b for a, b in zip(text[:8], iv, strict=True)))
    second = _rc2_ecb(key, bytes(a ^ b for a, b in zip(text[8:], first, strict=True)))
    assert ciphers.encrypt(Mechanism(CKM.RC2_CBC, Rc2Cbc(40, iv)), CKK.RC2, key, text) == first + second


def _rc2_ecb(key: bytes, block: bytes) -> bytes:
    return ciphers.encrypt(Mechanism(CKM.RC2_ECB, Rc2(40)), CKK.RC2, key, block)


def test_a_narrow_counter_counts_to_its_end_and_no_further() -> None:
    """PKCS#11's own example: two counter bits that start at 1 make three blocks."""
    block = bytes(15) + b"\xfd"
    narrow = Mechanism(CKM.AES_CTR, Ctr(block, 2))
    wide = Mechanism(CKM.AES_CTR, Ctr(block, 128))
    assert ciphers.encrypt(narrow, CKK.AES, AES_KEY, bytes(48)) == ciphers.encrypt(wide, CKK.AES, AES_KEY, bytes(48))
    with pytest.raises(CryptokiError) as caught:
        ciphers.encrypt(narrow, CKK.AES, AES_KEY, bytes(49))
    assert caught.value.ckr == CKR.DATA_LEN_RANGE


IV16 = Iv(bytes(16))
BAD_CALLS = {
    "no such cipher": (CKM.ARIA_CBC, IV16, CKK.ARIA, 16, CKR.MECHANISM_INVALID),
    "an IV where none belongs": (CKM.AES_ECB, IV16, CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "no IV": (CKM.AES_CBC, None, CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "another structure": (CKM.AES_GCM, Raw(bytes(48)), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "an IV of half a block": (CKM.AES_CBC, Iv(bytes(8)), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "a counter of no bits": (CKM.AES_CTR, Ctr(bytes(16), 0), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "a counter of 129 bits": (CKM.AES_CTR, Ctr(bytes(16), 129), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "a short counter block": (CKM.AES_CTR, Ctr(bytes(12), 32), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "an empty GCM IV": (CKM.AES_GCM, Gcm(b""), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "a GCM tag of 8 bits": (CKM.AES_GCM, Gcm(bytes(12), tag_bits=8), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "an odd CCM tag": (CKM.AES_CCM, Ccm(16, bytes(12), b"", 7), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "a long CCM nonce": (CKM.AES_CCM, Ccm(16, bytes(14)), CKK.AES, 16, CKR.MECHANISM_PARAM_INVALID),
    "a long ChaCha20 nonce": (
        CKM.CHACHA20_POLY1305, ChaCha20Poly1305(bytes(24)), CKK.CHACHA20, 32, CKR.MECHANISM_PARAM_INVALID,
    ),
    "RC2 with nothing effective": (CKM.RC2_ECB, Rc2(0), CKK.RC2, 8, CKR.MECHANISM_PARAM_INVALID),
    "RC2 with too much effective": (CKM.RC2_CBC, Rc2Cbc(1025, bytes(8)), CKK.RC2, 8, CKR.MECHANISM_PARAM_INVALID),
    "RC2 with a long IV": (CKM.RC2_CBC_PAD, Rc2Cbc(64, bytes(9)), CKK.RC2, 8, CKR.MECHANISM_PARAM_INVALID),
    "a generic secret": (CKM.AES_CBC, IV16, CKK.GENERIC_SECRET, 16, CKR.KEY_TYPE_INCONSISTENT),
    "a DES key for triple DES": (CKM.DES3_ECB, None, CKK.DES, 8, CKR.KEY_TYPE_INCONSISTENT),
    "an AES key of 17 bytes": (CKM.AES_CBC, IV16, CKK.AES, 17, CKR.KEY_SIZE_RANGE),
    "an empty RC4 key": (CKM.RC4, None, CKK.RC4, 0, CKR.KEY_SIZE_RANGE),
    "part of a block": (CKM.AES_CBC, IV16, CKK.AES, 16, CKR.DATA_LEN_RANGE),
    "part of an RC2 block": (CKM.RC2_ECB, Rc2(40), CKK.RC2, 5, CKR.DATA_LEN_RANGE),
    "not the length CCM was told": (CKM.AES_CCM, Ccm(16, bytes(12)), CKK.AES, 16, CKR.DATA_LEN_RANGE),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CALLS)
def test_encrypting_17_bytes_is_refused_for(name: str) -> None:
    number, parameters, key_type, key_length, ckr = BAD_CALLS[name]
    with pytest.raises(CryptokiError) as caught:
        ciphers.encrypt(Mechanism(number, parameters), key_type, bytes(key_length), bytes(17))
    assert (caught.value.ckr, caught.value.function) == (ckr, "C_Encrypt")


def test_ccm_counts_no_further_than_its_length_field() -> None:
    """A nonce of 13 bytes leaves two for the length: 65536 bytes are one too many."""
    ccm = Mechanism(CKM.AES_CCM, Ccm(65536, bytes(13)))
    with pytest.raises(CryptokiError) as caught:
        ciphers.encrypt(ccm, CKK.AES, bytes(16), bytes(65536))
    assert caught.value.ckr == CKR.DATA_LEN_RANGE


CHACHA = (CKM.CHACHA20_POLY1305, ChaCha20Poly1305(bytes(12)), CKK.CHACHA20, 32)
GCM = (CKM.AES_GCM, Gcm(bytes(12)), CKK.AES, 16)
BAD_CIPHERTEXTS = {
    "CBC": (CKM.AES_CBC, IV16, CKK.AES, 16, 17, CKR.ENCRYPTED_DATA_LEN_RANGE),
    "CBC_PAD of part of a block": (CKM.AES_CBC_PAD, IV16, CKK.AES, 16, 17, CKR.ENCRYPTED_DATA_LEN_RANGE),
    "CBC_PAD of nothing": (CKM.AES_CBC_PAD, IV16, CKK.AES, 16, 0, CKR.ENCRYPTED_DATA_LEN_RANGE),
    "CBC_PAD with wrong padding": (CKM.AES_CBC_PAD, IV16, CKK.AES, 16, 16, CKR.ENCRYPTED_DATA_INVALID),
    "GCM shorter than its tag": (*GCM, 15, CKR.ENCRYPTED_DATA_LEN_RANGE),
    "GCM with a wrong tag": (*GCM, 16, CKR.ENCRYPTED_DATA_INVALID),
    "CCM of another length": (CKM.AES_CCM, Ccm(4, bytes(12)), CKK.AES, 16, 4, CKR.ENCRYPTED_DATA_LEN_RANGE),
    "CCM with a wrong tag": (CKM.AES_CCM, Ccm(4, bytes(12)), CKK.AES, 16, 20, CKR.ENCRYPTED_DATA_INVALID),
    "ChaCha20-Poly1305 shorter than its tag": (*CHACHA, 15, CKR.ENCRYPTED_DATA_LEN_RANGE),
    "ChaCha20-Poly1305 with a wrong tag": (*CHACHA, 16, CKR.ENCRYPTED_DATA_INVALID),
}


@pytest.mark.parametrize("name", BAD_CIPHERTEXTS)
def test_decrypting_zeros_is_refused_for(name: str) -> None:
    number, parameters, key_type, key_length, data_length, ckr = BAD_CIPHERTEXTS[name]
    with pytest.raises(CryptokiError) as caught:
        ciphers.decrypt(Mechanism(number, parameters), key_type, bytes(key_length), bytes(data_length))
    assert (caught.value.ckr, caught.value.function) == (ckr, "C_Decrypt")


def test_a_message_function_has_its_own_word_for_a_wrong_tag() -> None:
    with pytest.raises(CryptokiError) as caught:
        ciphers.decrypt(Mechanism(CKM.AES_GCM, Gcm(bytes(12))), CKK.AES, bytes(16), bytes(16), function="C_DecryptMessage")
    assert caught.value.ckr == CKR.AEAD_DECRYPT_FAILED
