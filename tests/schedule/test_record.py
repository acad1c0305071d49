"""Record protection: RFC 8448's records, round trips for every suite that runs here, and nothing accepted that was changed."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.schedule import (
    SUITES,
    BadRecordMac,
    CipherSuite,
    ContentType,
    Mode,
    Part,
    Plaintext,
    PrfHash,
    RecordKeys,
    Side,
    UnsupportedCipher,
    Version,
    aad,
    export_iv,
    export_write_key,
    header,
    mac_input,
    nonce,
    pad,
    record,
    ssl3,
    suite,
    unpad,
)

DATA = ContentType.APPLICATION_DATA
CLIENT_RANDOM, SERVER_RANDOM = bytes(range(32)), bytes(range(32, 64))
RFC8448_CLIENT = bytes.fromhex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")


def runs_here(each: CipherSuite) -> bool:
    """Whether pyca/cryptography has the cipher: no ARIA, no GOST, Camellia in CBC only."""
    name, mode = each.cipher.algorithm, each.mode
    return name != "ARIA" and mode is not Mode.CTR and not (name == "CAMELLIA" and mode is Mode.GCM)


def keys_for(each: CipherSuite, version: Version, sequence: int = 0) -> RecordKeys:
    if version is Version.TLS13:
        assert each.prf_hash is not None
        return replace(RecordKeys.from_traffic_secret(each, bytes(each.prf_hash.digest_size)), sequence=sequence)
    block = bytes(range(256))[: each.shape(version).length]
    keys = RecordKeys.from_key_block(each, version, block, Side.CLIENT, CLIENT_RANDOM, SERVER_RANDOM)
    return replace(keys, sequence=sequence)


def explicit_for(keys: RecordKeys) -> bytes | None:
    return bytes(range(keys.suite.cipher.block)) if keys.suite.record_iv(keys.version) and keys.mac else None


PROTECTING = [(each, version) for each in SUITES if runs_here(each) for version in Version if each.supports(version)]
KINDS = {(s.cipher.name, s.mac, version): (s, version) for s, version in PROTECTING}.values()
"""One suite for each way of protecting a record."""

AUTHENTICATED = [(s, version) for s, version in KINDS if s.code != 0]


def test_client_data_of_rfc8448() -> None:
    keys = RecordKeys.from_traffic_secret(suite("TLS_AES_128_GCM_SHA256"), RFC8448_CLIENT)
    fragment = bytes.fromhex(
        "a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a"
        "6292a2977014bd1e3deae63aeebb21694915e4"
    )
    assert record.open(keys, DATA, fragment) == Plaintext(DATA, bytes(range(50)))
    assert record.seal(keys, DATA, bytes(range(50))) == fragment


@pytest.mark.parametrize(("each", "version"), KINDS, ids=str)
def test_three_records_in_a_row(each: CipherSuite, version: Version) -> None:
    keys = keys_for(each, version)
    for text in (b"", b"hello", b"x" * 300):
        fragment = record.seal(keys, DATA, text, explicit_for(keys))
        assert record.open(keys, DATA, fragment) == (DATA, text)
        keys = keys.after(fragment)
    assert keys.sequence == 3


@settings(max_examples=200)
@given(st.sampled_from(AUTHENTICATED), st.booleans(), st.integers(0, 2**64 - 1), st.binary(max_size=600), st.data())
def test_round_trip_and_a_flipped_bit(
    kind: tuple[CipherSuite, Version], etm: bool, sequence: int, text: bytes, data: st.DataObject
) -> None:
    keys = keys_for(*kind, sequence)
    keys = replace(keys, encrypt_then_mac=etm and keys.suite.mode is Mode.CBC)
    fragment = record.seal(keys, DATA, text, explicit_for(keys))
    assert record.open(keys, DATA, fragment).data == text
    at = data.draw(st.integers(0, 8 * len(fragment) - 1))
    flipped = bytearray(fragment)
    flipped[at // 8] ^= 1 << at % 8
    if _only_changes_ssl3_padding(keys, text, at // 8, len(fragment)):
        return
    with pytest.raises(BadRecordMac):
        record.open(keys, DATA, bytes(flipped))


def _only_changes_ssl3_padding(keys: RecordKeys, text: bytes, at: int, length: int) -> bool:
    """SSL 3.0 does not authenticate its padding, and the last block may hold nothing else: one flip in 256 passes (POODLE)."""
    block = keys.suite.cipher.block
    ssl3_cbc = keys.version is Version.SSL3 and keys.suite.mode is Mode.CBC and not keys.encrypt_then_mac
    return ssl3_cbc and length - len(text) - len(keys.mac) == block and at >= length - block


@settings(max_examples=100)
@given(st.sampled_from(AUTHENTICATED), st.binary(max_size=80))
def test_other_keys_sequence_and_type_are_refused(kind: tuple[CipherSuite, Version], text: bytes) -> None:
    keys = keys_for(*kind)
    fragment = record.seal(keys, DATA, text, explicit_for(keys))
    wrong = [replace(keys, sequence=1)]
    if keys.mac:
        wrong.append(replace(keys, mac=bytes(len(keys.mac))))
    if keys.suite.is_aead:
        wrong.append(replace(keys, key=bytes(len(keys.key))))
    for other in wrong:
        with pytest.raises(BadRecordMac):
            record.open(other, DATA, fragment)
    if keys.version is not Version.TLS13:
        with pytest.raises(BadRecordMac):
            record.open(keys, ContentType.ALERT, fragment)


@settings(max_examples=200)
@given(st.sampled_from(AUTHENTICATED), st.booleans(), st.binary(max_size=100))
def test_random_bytes_are_no_record(kind: tuple[CipherSuite, Version], etm: bool, fragment: bytes) -> None:
    keys = keys_for(*kind)
    keys = replace(keys, encrypt_then_mac=etm and keys.suite.mode is Mode.CBC)
    with pytest.raises(BadRecordMac):
        record.open(keys, DATA, fragment)


@pytest.mark.parametrize(
    "name",
    [
        "TLS_RSA_WITH_ARIA_128_CBC_SHA256",
        "TLS_RSA_WITH_ARIA_128_GCM_SHA256",
        "TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256",
        "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",
    ],
)
def test_ciphers_that_only_modules_have(name: str) -> None:
    keys = keys_for(suite(name), Version.TLS12)
    with pytest.raises(UnsupportedCipher, match=keys.suite.cipher.name):
        record.seal(keys, DATA, b"hello", explicit_for(keys))


def test_cbc_chains_until_tls10() -> None:
    keys = keys_for(suite("TLS_RSA_WITH_AES_128_CBC_SHA"), Version.TLS10)
    fragment = record.seal(keys, DATA, b"hello")
    assert keys.after(fragment).iv == fragment[-16:]
    both = replace(keys, encrypt_then_mac=True)
    fragment = record.seal(both, DATA, b"hello")
    assert both.after(fragment).iv == fragment[-36:-20]


def test_rc4_runs_on() -> None:
    keys = keys_for(suite("TLS_RSA_WITH_RC4_128_SHA"), Version.TLS12)
    fragment = record.seal(keys, DATA, b"hello")
    after = keys.after(fragment)
    assert (after.sequence, after.position) == (1, 25)
    assert record.open(after, DATA, record.seal(after, DATA, b"again")).data == b"again"
    with pytest.raises(BadRecordMac):
        record.open(replace(after, position=24), DATA, record.seal(after, DATA, b"again"))


@pytest.mark.parametrize("side", Side)
def test_keys_come_from_their_sides_parts(side: Side) -> None:
    found = suite("TLS_RSA_WITH_AES_128_CBC_SHA")
    parts = found.shape(Version.TLS10).split(bytes(range(104)))
    keys = RecordKeys.from_key_block(found, Version.TLS10, bytes(range(104)), side)
    assert keys.mac == parts[Part(f"{side} MAC key")]
    assert keys.key == parts[Part(f"{side} write key")]
    assert keys.iv == parts[Part(f"{side} IV")]


@pytest.mark.parametrize("version", [Version.SSL3, Version.TLS10])
@pytest.mark.parametrize("side", Side)
def test_export_keys_are_stretched(version: Version, side: Side) -> None:
    found = suite("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5")
    block = bytes(range(found.shape(version).length))
    keys = RecordKeys.from_key_block(found, version, block, side, CLIENT_RANDOM, SERVER_RANDOM)
    short = block[32:37] if side is Side.CLIENT else block[37:42]
    assert keys.key == export_write_key(version, short, side, CLIENT_RANDOM, SERVER_RANDOM, 16)
    assert keys.iv == export_iv(version, side, CLIENT_RANDOM, SERVER_RANDOM, 8)


def test_lengths_are_checked() -> None:
    gcm, cbc = suite("TLS_RSA_WITH_AES_128_GCM_SHA256"), suite("TLS_RSA_WITH_AES_128_CBC_SHA")
    with pytest.raises(ValueError, match=r"write key of .* has 16 bytes in TLS 1\.2, not 15"):
        RecordKeys(gcm, Version.TLS12, b"", bytes(15), bytes(4))
    with pytest.raises(ValueError, match=r"IV of .* has 16 bytes in TLS 1\.0, not 0"):
        RecordKeys(cbc, Version.TLS10, bytes(20), bytes(16), b"")
    with pytest.raises(ValueError, match="does not negotiate"):
        RecordKeys(gcm, Version.TLS11, b"", bytes(16), bytes(4))
    with pytest.raises(ValueError, match="for CBC suites"):
        RecordKeys(gcm, Version.TLS12, b"", bytes(16), bytes(4), encrypt_then_mac=True)
    with pytest.raises(ValueError, match=r"is no suite of TLS 1\.3"):
        RecordKeys.from_traffic_secret(gcm, bytes(32))
    with pytest.raises(ValueError, match="writes 16 bytes of IV"):
        record.seal(keys_for(cbc, Version.TLS12), DATA, b"hello")
    with pytest.raises(ValueError, match="at most 16384 bytes"):
        record.seal(keys_for(gcm, Version.TLS12), DATA, bytes(2**14 + 1))
    with pytest.raises(ValueError, match=r"only TLS 1\.3 pads"):
        record.seal(keys_for(gcm, Version.TLS12), DATA, b"hello", padding=1)


def test_tls13_hides_type_and_length() -> None:
    keys = keys_for(suite("TLS_CHACHA20_POLY1305_SHA256"), Version.TLS13)
    fragment = record.seal(keys, ContentType.ALERT, b"\1\0", padding=100)
    assert len(fragment) == 2 + 1 + 100 + 16
    assert record.open(keys, DATA, fragment) == (ContentType.ALERT, b"\1\0")


def test_nothing_but_padding_is_no_record() -> None:
    keys = keys_for(suite("TLS_AES_128_CCM_8_SHA256"), Version.TLS13)
    with pytest.raises(BadRecordMac):
        record.open(keys, DATA, record.seal(keys, 0, b"", padding=5))


def test_keys_do_not_show() -> None:
    keys = keys_for(suite("TLS_RSA_WITH_AES_128_CBC_SHA"), Version.TLS10)
    other = replace(keys, mac=b"m" * 20, key=b"k" * 16, iv=b"i" * 16)
    assert repr(keys) == repr(other)


def test_bad_record_mac_does_not_say_why() -> None:
    assert str(BadRecordMac()) == "bad_record_mac"


def test_mac_input() -> None:
    assert mac_input(Version.TLS12, 1, 23, b"hello").hex() == "0000000000000001" + "17" + "0303" + "0005" + b"hello".hex()
    assert mac_input(Version.SSL3, 1, 23, b"hello").hex() == "0000000000000001" + "17" + "0005" + b"hello".hex()


@pytest.mark.parametrize("version", [Version.SSL3, Version.TLS10])
def test_record_mac_over_mac_input(version: Version) -> None:
    keys = keys_for(suite("TLS_RSA_WITH_NULL_MD5"), version, sequence=7)
    data = mac_input(version, 7, DATA, b"hello")
    expected = ssl3.record_mac(PrfHash.MD5, keys.mac, data) if version is Version.SSL3 else PrfHash.MD5.hmac(keys.mac, data)
    assert record.record_mac(keys, DATA, b"hello") == expected
    assert record.seal(keys, DATA, b"hello") == b"hello" + expected


def test_aad() -> None:
    assert aad(Version.TLS12, 1, 22, 5).hex() == "0000000000000001" + "16" + "0303" + "0005"
    assert aad(Version.TLS13, 1, 22, 22).hex() == "17" + "0303" + "0016"


def test_nonce() -> None:
    gcm, poly = suite("TLS_RSA_WITH_AES_128_GCM_SHA256"), suite("TLS_PSK_WITH_CHACHA20_POLY1305_SHA256")
    assert nonce(gcm, Version.TLS12, b"salt", 9, b"explicit") == b"saltexplicit"
    assert nonce(poly, Version.TLS12, bytes(range(12)), 0x0102, b"").hex() == "000102030405060708090b09"
    assert nonce(suite(0x1301), Version.TLS13, bytes(12), 5, b"").hex() == "000000000000000000000005"


def test_header() -> None:
    assert header(Version.SSL3, 22, 0x0102).hex() == "16" + "0300" + "0102"
    assert header(Version.TLS13, 23, 1).hex() == "17" + "0303" + "0001"


@given(st.sampled_from([8, 16]), st.binary(max_size=70), st.sampled_from(Version))
def test_padding_round_trips(block: int, data: bytes, version: Version) -> None:
    padded = pad(block, data)
    assert len(padded) % block == 0
    assert 1 <= len(padded) - len(data) <= block
    assert unpad(version, block, padded) == data


@pytest.mark.parametrize(
    ("version", "data"),
    [
        (Version.TLS12, b""),
        (Version.TLS12, b"\x05"),
        (Version.TLS12, b"abcdef\x01\x02"),
        (Version.TLS12, b"abcde\x02\x01\x02"),
        (Version.SSL3, bytes(15) + b"\x08"),
        (Version.SSL3, b"\x01"),
    ],
)
def test_bad_padding(version: Version, data: bytes) -> None:
    with pytest.raises(BadRecordMac):
        unpad(version, 8, data)


def test_ssl3_looks_at_the_last_byte_only_and_tls_allows_long_padding() -> None:
    assert unpad(Version.SSL3, 8, b"hello??\x02") == b"hello"
    assert unpad(Version.TLS10, 8, b"hello" + b"\x12" * 19) == b"hello"
