"""The plain implementations that confirm a key, beside other people's."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.search.short.reference import rc4_keystream

# RFC 6229: the key is 01 02 03 … of that many bytes; where in the keystream; 16 bytes of it
RFC_6229 = """
    5 0 b2396305f03dc027ccc3524a0a1118a8
    5 16 6982944f18fc82d589c403a47a0d0919
    5 240 28cb1132c96ce286421dcaadb8b69eae
    5 256 1cfcf62b03eddb641d77dfcf7f8d8c93
    5 512 6459844432a7da923cfb3eb4980661f6
    5 4096 ff25b58995996707e51fbdf08b34d875
    7 0 293f02d47f37c9b633f2af5285feb46b
    8 0 97ab8a1bf0afb96132f2f67258da15a8
    10 0 ede3b04643e586cc907dc21851709902
    16 0 9ac7cc9a609d1ef7b2932899cde41b97
    24 0 0595e57fe5f0bb3c706edac8a4b2db11
    32 0 eaa6bd25880bf93d3f5d1e4ca2611d91"""
STREAMS = [(int(size), int(skip), bytes.fromhex(stream)) for size, skip, stream in map(str.split, RFC_6229.strip().split("\n"))]


@pytest.mark.parametrize(("size", "skip", "stream"), STREAMS)
def test_rc4_as_published(size: int, skip: int, stream: bytes) -> None:
    assert rc4_keystream(bytes(range(1, size + 1)), skip, 16) == stream


@given(key=st.sampled_from([5, 7, 8, 10, 16, 20, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
@settings(max_examples=50)
def test_rc4_as_openssl_has_it(key: bytes) -> None:
    assert rc4_keystream(key, 3, 300) == Cipher(ARC4(key), mode=None).encryptor().update(bytes(303))[3:]
