"""RC2 and RC4 outside of a mechanism; their vectors stand in test_ciphers."""

import pytest

from keyfence.token.kernels.rivest import Rc2, rc2_cbc, rc4


@pytest.mark.parametrize(("key", "bits"), [(b"", 40), (bytes(129), 40), (bytes(5), 0), (bytes(5), 1025)])
def test_rc2_takes_no_other_keys(key: bytes, bits: int) -> None:
    with pytest.raises(ValueError, match="RC2 takes"):
        Rc2(key, bits)


@pytest.mark.parametrize("key", [b"", bytes(257)], ids=["empty", "long"])
def test_rc4_takes_no_other_keys(key: bytes) -> None:
    with pytest.raises(ValueError, match="RC4 takes"):
        rc4(key, b"data")


def test_rc4_of_one_byte_of_key() -> None:
    """The key an export attack is after: every position of the schedule takes the same byte."""
    assert rc4(b"\x2a", bytes(8)) == rc4(b"\x2a" * 16, bytes(8))


def test_one_effective_bit_leaves_two_keys() -> None:
    """Whatever the eight bytes of key are: this is what an export suite's 40 bits do to a longer key."""
    ciphertexts = {rc2_cbc(bytes([i]) * 8, 1, bytes(8), bytes(8), True) for i in range(64)}
    assert len(ciphertexts) == 2
