"""From two DES keys to the AES key that they are the halves of."""

from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from keyfence.search.des import odd_parity
from keyfence.search.halves import aes_from_des_halves
from keyfence.search.problem import BadProblem
from keyfence.search.short import Engine


def aes(key: bytes, block: bytes) -> tuple[bytes, bytes]:
    """A block and what pyca/cryptography makes of it."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return block, encryptor.update(block) + encryptor.finalize()


@pytest.mark.parametrize("parity", ["as it is", "odd", "inverted"])
def test_the_sixteen_bits_that_parity_hides_are_found(parity: str) -> None:
    random = Random(parity)
    key = random.randbytes(16)
    given = {"as it is": key, "odd": odd_parity(key), "inverted": bytes(byte ^ 1 for byte in key)}[parity]
    problem = aes_from_des_halves(given[:8], given[8:], [aes(key, random.randbytes(16))])
    assert problem.candidates == 2**16
    hit = Engine().search(problem)
    assert hit is not None
    assert hit.key == key


def test_fips_197_from_its_halves() -> None:
    """Appendix C.1: the key 00 01 … 0F, of which half the bytes have the wrong parity."""
    sample = (bytes.fromhex("00112233445566778899AABBCCDDEEFF"), bytes.fromhex("69C4E0D86A7B0430D8CDB78070B4C55A"))
    hit = Engine().search(aes_from_des_halves(odd_parity(bytes(range(8))), odd_parity(bytes(range(8, 16))), [sample]))
    assert hit is not None
    assert hit.key == bytes(range(16))


def test_halves_of_another_key_have_no_hit() -> None:
    random = Random(2)
    key = random.randbytes(16)
    wrong = bytes([key[0] ^ 0x80]) + key[1:8]
    assert Engine().search(aes_from_des_halves(wrong, key[8:], [aes(key, bytes(16))])) is None
    assert Engine().search(aes_from_des_halves(key[8:], key[:8], [aes(key, bytes(16))])) is None


def test_halves_have_eight_bytes() -> None:
    with pytest.raises(BadProblem, match="8 bytes, not 7"):
        aes_from_des_halves(bytes(8), bytes(7), [aes(bytes(16), bytes(16))])
    with pytest.raises(BadProblem, match="at least one sample"):
        aes_from_des_halves(bytes(8), bytes(8), [])
