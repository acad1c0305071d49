"""GCM from its subkeys alone, against the whole of it (pyca/cryptography) and the test cases of its designers."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.schedule import Side
from keyfence.techniques.ghash import counter_blocks, forge, ghash
from keyfence.techniques.recovery import GcmSubkeys


def encrypt_block(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def subkeys(key: bytes, number: bytes, length: int) -> GcmSubkeys:
    stream = {block: encrypt_block(key, block) for block in counter_blocks(number, length)}
    return GcmSubkeys(Side.CLIENT, encrypt_block(key, bytes(16)), stream)


def test_ghash_of_test_case_2() -> None:
    """McGrew and Viega, The Galois/Counter Mode of Operation, appendix B."""
    hash_key = bytes.fromhex("66e94bd4ef8a2c3b884cfa59ca342b2e")
    data = bytes.fromhex("0388dace60b6a392f328c2b971b2fe7800000000000000000000000000000080")
    assert ghash(hash_key, data).hex() == "f38cbb1ad69223dcc3457ae5b6b0f885"


@settings(max_examples=50)
@given(
    key=st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32),
    number=st.binary(min_size=12, max_size=12),
    additional=st.binary(max_size=40),
    plaintext=st.binary(max_size=70),
)
def test_what_is_forged_from_subkeys_is_what_the_key_makes(
    key: bytes, number: bytes, additional: bytes, plaintext: bytes
) -> None:
    forged = forge(subkeys(key, number, len(plaintext)), number, additional, plaintext)
    assert forged == AESGCM(key).encrypt(number, plaintext, additional)
