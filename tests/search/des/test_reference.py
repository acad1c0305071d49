"""The tables and the plain cipher, against published vectors and pyca/cryptography."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.des import complemented, encrypt, odd_parity
from keyfence.search.des.tables import BOXES, SUBSTITUTION

from .blocks import des, inverted
from .sp500_20 import ALL, VECTORS


@pytest.mark.parametrize("test", VECTORS)
def test_published_vectors(test: str) -> None:
    for key, plaintext, ciphertext in VECTORS[test]:
        assert encrypt(key, plaintext) == ciphertext
        assert des(key, plaintext) == ciphertext


def test_they_are_all_there() -> None:
    assert [len(test) for test in VECTORS.values()] == [64, 64, 56, 32, 19]
    assert len(set(ALL)) == len(ALL) == 235


@given(key=st.binary(min_size=8, max_size=8), plaintext=st.binary(min_size=8, max_size=8))
@settings(max_examples=200, deadline=None)
def test_equal_to_pyca(key: bytes, plaintext: bytes) -> None:
    assert encrypt(key, plaintext) == des(key, plaintext)


def test_every_row_of_a_box_is_a_permutation() -> None:
    for box in range(BOXES):
        for row in ((0, 0), (0, 1), (1, 0), (1, 1)):
            assert {SUBSTITUTION[box][row[0] << 5 | column << 1 | row[1]] for column in range(16)} == set(range(16))


def test_complementation() -> None:
    random = Random(1)
    key, plaintext = random.randbytes(8), random.randbytes(8)
    assert encrypt(complemented(key), inverted(plaintext)) == inverted(encrypt(key, plaintext))


def test_parity_is_odd_and_changes_nothing_else() -> None:
    for byte in range(256):
        (fixed,) = odd_parity(bytes([byte]))
        assert fixed.bit_count() % 2 == 1
        assert fixed >> 1 == byte >> 1
