"""The classic schedule of TLS 1.0 to 1.2, one function for all versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.schedule import (
    PrfHash,
    Side,
    Version,
    export_iv,
    export_write_key,
    exporter,
    exporter_seed,
    extended_master_secret,
    finished,
    key_block,
    master_secret,
    transcript_hash,
    verify_data,
    wtls_key_block,
    wtls_master_secret,
)

from .openssl import tls1_prf

PRE_MASTER, MASTER = bytes(range(48)), bytes(range(48, 96))
CLIENT_RANDOM, SERVER_RANDOM = bytes(range(0x20, 0x40)), bytes(range(0x80, 0xA0))
BEFORE_TLS12 = [(Version.TLS10, None, "MD5-SHA1"), (Version.TLS11, None, "MD5-SHA1")]
VERSIONS = [
    *BEFORE_TLS12,
    (Version.TLS12, PrfHash.SHA256, "SHA256"),
    (Version.TLS12, PrfHash.SHA384, "SHA384"),
]


@pytest.mark.parametrize(("version", "prf_hash", "digest"), VERSIONS)
def test_secrets_key_block_and_finished_are_openssls(version: Version, prf_hash: PrfHash | None, digest: str) -> None:
    both = CLIENT_RANDOM + SERVER_RANDOM
    assert master_secret(version, prf_hash, PRE_MASTER, CLIENT_RANDOM, SERVER_RANDOM) == tls1_prf(
        digest, PRE_MASTER, b"master secret" + both, 48
    )
    session_hash = transcript_hash(version, prf_hash, b"messages")
    assert extended_master_secret(version, prf_hash, PRE_MASTER, session_hash) == tls1_prf(
        digest, PRE_MASTER, b"extended master secret" + session_hash, 48
    )
    assert key_block(version, prf_hash, MASTER, CLIENT_RANDOM, SERVER_RANDOM, 136) == tls1_prf(
        digest, MASTER, b"key expansion" + SERVER_RANDOM + CLIENT_RANDOM, 136
    )
    for side in Side:
        assert finished(version, prf_hash, MASTER, side, b"messages") == tls1_prf(
            digest, MASTER, f"{side} finished".encode() + session_hash, 12
        )


@pytest.mark.parametrize(("version", "prf_hash", "digest"), VERSIONS)
def test_exporter_is_openssls(version: Version, prf_hash: PrfHash | None, digest: str) -> None:
    label, both = b"EXPORTER-Channel-Binding", CLIENT_RANDOM + SERVER_RANDOM
    plain = exporter(version, prf_hash, MASTER, label, CLIENT_RANDOM, SERVER_RANDOM, 32)
    empty = exporter(version, prf_hash, MASTER, label, CLIENT_RANDOM, SERVER_RANDOM, 32, b"")
    full = exporter(version, prf_hash, MASTER, label, CLIENT_RANDOM, SERVER_RANDOM, 32, b"context")
    assert plain == tls1_prf(digest, MASTER, label + both, 32)
    assert empty == tls1_prf(digest, MASTER, label + both + b"\0\0", 32)
    assert full == tls1_prf(digest, MASTER, label + both + b"\0\x07context", 32)


def test_a_context_has_two_bytes_of_length() -> None:
    assert exporter_seed(b"c", b"s", bytes(0xFFFF))[:4] == b"cs\xff\xff"
    with pytest.raises(ValueError, match="at most 65535"):
        exporter_seed(b"c", b"s", bytes(0x10000))


@pytest.mark.parametrize(
    ("version", "prf_hash", "size"),
    [(Version.TLS10, None, 36), (Version.TLS12, PrfHash.SHA256, 32), (Version.TLS12, PrfHash.SHA384, 48)],
)
def test_transcript_hash_sizes(version: Version, prf_hash: PrfHash | None, size: int) -> None:
    assert len(transcript_hash(version, prf_hash, b"messages")) == size


@pytest.mark.parametrize(("version", "prf_hash"), [(Version.SSL3, None), (Version.TLS13, None), (Version.TLS12, None)])
def test_no_transcript_hash(version: Version, prf_hash: PrfHash | None) -> None:
    with pytest.raises(ValueError, match="no transcript hash"):
        transcript_hash(version, prf_hash, b"messages")


def test_verify_data_takes_the_hash_and_any_length() -> None:
    digest = transcript_hash(Version.TLS12, PrfHash.SHA256, b"messages")
    long = verify_data(Version.TLS12, PrfHash.SHA256, MASTER, Side.SERVER, digest, 40)
    assert long[:12] == finished(Version.TLS12, PrfHash.SHA256, MASTER, Side.SERVER, b"messages")


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_key_block_is_one_stream(a: int, b: int) -> None:
    short, long = sorted((a, b))
    blocks = [key_block(Version.TLS10, None, MASTER, CLIENT_RANDOM, SERVER_RANDOM, n) for n in (short, long)]
    assert blocks[1].startswith(blocks[0])


def test_randoms_come_the_other_way_round_than_in_the_master_secret() -> None:
    made = key_block(Version.TLS12, PrfHash.SHA256, MASTER, CLIENT_RANDOM, SERVER_RANDOM, 32)
    assert made == exporter(Version.TLS12, PrfHash.SHA256, MASTER, b"key expansion", SERVER_RANDOM, CLIENT_RANDOM, 32)


@pytest.mark.parametrize("side", Side)
def test_final_write_key_of_a_tls10_export_suite(side: Side) -> None:
    made = export_write_key(Version.TLS10, b"12345", side, CLIENT_RANDOM, SERVER_RANDOM, 16)
    label = f"{side} write key".encode()
    assert made == tls1_prf("MD5-SHA1", b"12345", label + CLIENT_RANDOM + SERVER_RANDOM, 16)


def test_ivs_of_a_tls10_export_suite_are_one_public_block() -> None:
    client, server = (export_iv(Version.TLS10, side, CLIENT_RANDOM, SERVER_RANDOM, 8) for side in Side)
    longer = export_iv(Version.TLS10, Side.CLIENT, CLIENT_RANDOM, SERVER_RANDOM, 16)
    assert client + server == longer


def test_export_suites_of_ssl3_hash_the_writers_random_first() -> None:
    both, swapped = CLIENT_RANDOM + SERVER_RANDOM, SERVER_RANDOM + CLIENT_RANDOM
    for side, randoms in ((Side.CLIENT, both), (Side.SERVER, swapped)):
        key = export_write_key(Version.SSL3, b"12345", side, CLIENT_RANDOM, SERVER_RANDOM, 16)
        assert key == PrfHash.MD5.digest(b"12345" + randoms)
        iv = export_iv(Version.SSL3, side, CLIENT_RANDOM, SERVER_RANDOM, 8)
        assert iv == PrfHash.MD5.digest(randoms)[:8]


def test_no_export_suites_after_tls10() -> None:
    with pytest.raises(ValueError, match=r"TLS 1\.1 has no export suites"):
        export_write_key(Version.TLS11, b"12345", Side.CLIENT, CLIENT_RANDOM, SERVER_RANDOM, 16)
    with pytest.raises(ValueError, match=r"TLS 1\.2 has no export suites"):
        export_iv(Version.TLS12, Side.CLIENT, CLIENT_RANDOM, SERVER_RANDOM, 8)


def test_words() -> None:
    assert [str(version) for version in Version] == ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
    assert Version.TLS12.wire == b"\x03\x03"
    assert [side.other for side in Side] == [Side.SERVER, Side.CLIENT]


def test_wtls_expands_each_direction_by_its_sequence_number() -> None:
    client_random, server_random = CLIENT_RANDOM[:16], SERVER_RANDOM[:16]
    master = wtls_master_secret(PrfHash.SHA256, PRE_MASTER, client_random, server_random)
    assert master == tls1_prf("SHA256", PRE_MASTER, b"master secret" + client_random + server_random, 20)
    for side in Side:
        made = wtls_key_block(PrfHash.SHA256, master, side, 0x0102, client_random, server_random, 60)
        seed = f"{side} expansion".encode() + b"\x01\x02" + server_random + client_random
        assert made == tls1_prf("SHA256", master, seed, 60)
