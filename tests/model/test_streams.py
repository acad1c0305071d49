"""Streams and slices: what is the same stream, what a sink is worth, what overlaps."""

import pytest

from keyfence.cryptoki.constants import CKK
from keyfence.model import Key, Public, Readable, Slice, Stream

from .samples import AES, DES, PUBLIC, SECRET, STREAM


def test_label_and_seed_are_one_string() -> None:
    whole = Stream.of("master", "TLS12-PRF-SHA256", b"key expansion", b"seed")
    moved = Stream.of("master", "TLS12-PRF-SHA256", b"k", b"ey expansionseed")
    assert whole == moved
    assert whole != Stream.of("master", "TLS12-PRF-SHA384", b"key expansion", b"seed")
    assert whole != Stream.of("other", "TLS12-PRF-SHA256", b"key expansion", b"seed")


@pytest.mark.parametrize(
    ("key_type", "hidden"), [(CKK.DES, 1), (CKK.DES2, 1), (CKK.DES3, 1), (CKK.AES, 0), (CKK.GENERIC_SECRET, 0)]
)
def test_only_the_des_family_hides_its_parity(key_type: CKK, hidden: int) -> None:
    assert Key.of(key_type).hidden_bits == hidden


@pytest.mark.parametrize(("sink", "bits"), [(PUBLIC, 0), (Readable(), 0), (AES, 64), (SECRET, 64), (DES, 56)])
def test_strength_is_what_must_be_searched(sink: Key | Public | Readable, bits: int) -> None:
    assert Slice(STREAM, 8, 16, sink).strength == bits


def test_a_slice_runs_forward() -> None:
    assert Slice(STREAM, 3, 3, PUBLIC).length == 0
    with pytest.raises(ValueError, match="runs forward"):
        Slice(STREAM, 4, 3, PUBLIC)
    with pytest.raises(ValueError, match="runs forward"):
        Slice(STREAM, -1, 3, PUBLIC)


def test_hidden_bits_are_0_or_1() -> None:
    with pytest.raises(ValueError, match="0 or 1"):
        Key(CKK.DES, 2)


def test_overlap_needs_the_same_stream_and_a_common_byte() -> None:
    key = Slice(STREAM, 8, 24, AES)
    assert key.overlap(Slice(STREAM, 20, 40, PUBLIC)) == (20, 24)
    assert key.overlap(Slice(STREAM, 24, 40, PUBLIC)) is None
    other = Stream.of("master", "TLS12-PRF-SHA256", b"key expansion", bytes(63))
    assert key.overlap(Slice(other, 8, 24, PUBLIC)) is None


def test_a_key_leaks_through_what_is_weaker() -> None:
    key = Slice(STREAM, 8, 24, AES)
    assert key.leaks_through(Slice(STREAM, 23, 40, PUBLIC))
    assert key.leaks_through(Slice(STREAM, 8, 16, DES))
    assert not key.leaks_through(Slice(STREAM, 8, 24, SECRET))
    assert not key.leaks_through(Slice(STREAM, 24, 40, PUBLIC))


def test_the_part_is_a_name_only() -> None:
    assert Slice(STREAM, 0, 4, PUBLIC, "client IV") == Slice(STREAM, 0, 4, PUBLIC)
