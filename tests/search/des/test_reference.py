"""The tables and the plain cipher, against published vectors and pyca/cryptography."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.des import complemented, encrypt, odd_parity
from keyfence.search.des.tables import BOXES, SUBSTITUTION

from .blocks import des, inverted

ZERO_KEY = bytes.fromhex("0101010101010101")

# NBS SP 500-20, appendix B: initial permutation and expansion (under the all-zero key, plaintext 2^i and its ciphertext)
VARIABLE_PLAINTEXT = """
    8000000000000000 95F8A5E5DD31D900   4000000000000000 DD7F121CA5015619   2000000000000000 2E8653104F3834EA
    1000000000000000 4BD388FF6CD81D4F   0800000000000000 20B9E767B2FB1456   0400000000000000 55579380D77138EF
    0200000000000000 6CC5DEFAAF04512F   0100000000000000 0D9F279BA5D87260   0000000000000001 166B40B44ABA4BD6"""

# The same, variable key: plaintext zero
VARIABLE_KEY = """
    8001010101010101 95A8D72813DAA94D   4001010101010101 0EEC1487DD8C26D5   2001010101010101 7AD16FFB79C45926
    1001010101010101 D3746294CA6A6CF3   0801010101010101 809F5F873C1FD761   0401010101010101 C02FAFFEC989D1FC
    0201010101010101 4615AA1D33E72F10   0180010101010101 2055123350C00858   0101010101010102 869EFD7F9F265A09"""

# The same, substitution tables: key, plaintext, ciphertext
SUBSTITUTION_TEST = """
    7CA110454A1A6E57 01A1D6D039776742 690F5B0D9A26939B
    0131D9619DC1376E 5CD54CA83DEF57DA 7A389D10354BD271
    07A1133E4A0B2686 0248D43806F67172 868EBB51CAB4599A
    3849674C2602319E 51454B582DDF440A 7178876E01F19B2A
    04B915BA43FEB5B6 42FD443059577FA2 AF37FB421F8C4095
    0113B970FD34F2CE 059B5E0851CF143A 86A560F10EC6D85B
    0170F175468FB5E6 0756D8E0774761D2 0CD3DA020021DC09
    43297FAD38E373FE 762514B829BF486A EA676B2CB7DB2B7A
    07A7137045DA2A16 3BDD119049372802 DFD64A815CAF1A0F
    04689104C2FD3B2F 26955F6835AF609A 5C513C9C4886C088
    37D06BB516CB7546 164D5E404F275232 0A2AEEAE3FF4AB77
    1F08260D1AC2465E 6B056E18759F5CCA EF1BF03E5DFA575A
    584023641ABA6176 004BD6EF09176062 88BF0DB6D70DEE56
    025816164629B007 480D39006EE762F2 A1F9915541020B56
    49793EBC79B3258F 437540C8698F3CFA 6FBF1CAFCFFD0556
    4FB05E1515AB73A7 072D43A077075292 2F22E49BAB7CA1AC
    49E95D6D4CA229BF 02FE55778117F12A 5A6B612CC26CCE4A
    018310DC409B26D6 1D9D5C5018F728C2 5F4C038ED12B2E41
    1C587F1C13924FEF 305532286D6F295A 63FAC0D034D9F793"""


def rows(text: str, columns: int) -> list[tuple[bytes, ...]]:
    words = [bytes.fromhex(word) for word in text.split()]
    return [tuple(words[index : index + columns]) for index in range(0, len(words), columns)]


VECTORS = [
    *((ZERO_KEY, plaintext, ciphertext) for plaintext, ciphertext in rows(VARIABLE_PLAINTEXT, 2)),
    *((key, bytes(8), ciphertext) for key, ciphertext in rows(VARIABLE_KEY, 2)),
    *rows(SUBSTITUTION_TEST, 3),
]


@pytest.mark.parametrize(("key", "plaintext", "ciphertext"), VECTORS)
def test_published_vectors(key: bytes, plaintext: bytes, ciphertext: bytes) -> None:
    assert encrypt(key, plaintext) == ciphertext


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
