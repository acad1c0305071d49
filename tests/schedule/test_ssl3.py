"""SSL 3.0, against values that two other implementations (tlslite-ng 0.8, scapy 2.8) agree on for the same inputs."""

import pytest

from keyfence.schedule import PrfHash, Side, Version, finished, key_block, mac_input, master_secret, ssl3, tls_prf

PRE_MASTER = b"\x03\x00" + bytes(range(46))
CLIENT_RANDOM, SERVER_RANDOM = bytes(range(0x20, 0x40)), bytes(range(0x80, 0xA0))
MASTER = bytes.fromhex("7892c7a7c99eb72961f9480fee6e8385dd33e2c4978eb7310ed57a1c375fda9c46e71547d0bfc29b6c89db0c6fae9362")


def test_master_secret() -> None:
    assert master_secret(Version.SSL3, None, PRE_MASTER, CLIENT_RANDOM, SERVER_RANDOM) == MASTER


def test_key_block() -> None:
    assert key_block(Version.SSL3, None, MASTER, CLIENT_RANDOM, SERVER_RANDOM, 104).hex() == (
        "07f298bcfed7d03650611abac6f07a17a6635f065205ccb69b2d47f133b5ffca612ffbd47aa25473043c4cb5db2610d9"
        "4972691ab15bc6b8cd242398d4e3bedbf0dbd561b830455898ce5dfd1a4d21f5a39750d65efe6a04ab579488e4978219"
        "27aff726039e9bc5"
    )


def test_the_letters_end_at_z() -> None:
    block = key_block(Version.SSL3, None, MASTER, CLIENT_RANDOM, SERVER_RANDOM, ssl3.MAX_STREAM)
    inner = PrfHash.SHA1.digest(b"Z" * 26 + MASTER + SERVER_RANDOM + CLIENT_RANDOM)
    assert block[-16:] == PrfHash.MD5.digest(MASTER + inner)
    with pytest.raises(ValueError, match="at most 416 bytes"):
        ssl3.key_block(MASTER, CLIENT_RANDOM, SERVER_RANDOM, 417)


def test_an_export_key_is_one_md5() -> None:
    assert len(ssl3.export_key(b"12345", b"a", b"b", 16)) == len(ssl3.export_iv(b"a", b"b", 16)) == 16
    for too_long in (lambda: ssl3.export_key(b"12345", b"a", b"b", 17), lambda: ssl3.export_iv(b"a", b"b", 17)):
        with pytest.raises(ValueError, match="at most 16"):
            too_long()


def test_finished() -> None:
    assert finished(Version.SSL3, None, MASTER, Side.CLIENT, b"transcript").hex() == (
        "d67e7042a61ca76c7ae00f2d8b84948770ff108b372c0483544878ff34c57f8c0b9b2788"
    )
    assert finished(Version.SSL3, None, MASTER, Side.SERVER, b"transcript").hex() == (
        "1e0753074a8061173afc47a279a3ad4c9fd7e910702272604a3ce0df89a7248cb06e5228"
    )


def test_certificate_verify() -> None:
    assert ssl3.certificate_verify(MASTER, b"transcript").hex() == (
        "6e8690445c9a2dad8d082c4aa2330ab9572e5ac9136f2280df1e021c18ab34f728150637"
    )


@pytest.mark.parametrize(
    ("prf_hash", "mac"),
    [
        (PrfHash.SHA1, "c23df4a7264df262ab36fbc249ced05eabff793b"),
        (PrfHash.MD5, "847bb8c81a2d6efc335d10d03cb3ee2e"),
    ],
)
def test_record_mac(prf_hash: PrfHash, mac: str) -> None:
    data = mac_input(Version.SSL3, 5, 23, b"hello")
    assert ssl3.record_mac(prf_hash, bytes(range(prf_hash.digest_size)), data).hex() == mac


def test_only_md5_and_sha1_have_a_record_mac() -> None:
    with pytest.raises(ValueError, match="no MAC with SHA256"):
        ssl3.record_mac(PrfHash.SHA256, bytes(32), b"")


def test_it_has_no_prf() -> None:
    with pytest.raises(ValueError, match=r"SSL 3\.0 has no PRF"):
        tls_prf(Version.SSL3, None, MASTER, b"key expansion", b"", 16)
