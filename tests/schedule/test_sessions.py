"""Everything at once, against OpenSSL: keys cut from the key log's master secret open every record of a real connection."""

from dataclasses import replace

import pytest

from keyfence.schedule import (
    ContentType,
    Mode,
    Plaintext,
    PrfHash,
    RecordKeys,
    Side,
    Version,
    finished,
    hkdf,
    key_block,
    record,
)

from .handshake import Connection, connect

SAYS = [b"first", b"x" * 100, b"third time lucky"]
HANDSHAKE, DATA = ContentType.HANDSHAKE, ContentType.APPLICATION_DATA


def keys_of(connection: Connection, side: Side) -> RecordKeys:
    suite, version = connection.suite, connection.version
    randoms = (connection.client_random, connection.server_random)
    length = suite.shape(version).length
    block = key_block(version, suite.prf_hash, connection.secrets["CLIENT_RANDOM"], *randoms, length)
    keys = RecordKeys.from_key_block(suite, version, block, side)
    # OpenSSL agrees on encrypt-then-MAC for the NULL cipher as well, where it changes nothing.
    return replace(keys, encrypt_then_mac=connection.encrypt_then_mac and suite.mode is Mode.CBC)


def open_all(keys: RecordKeys, connection: Connection, side: Side) -> list[Plaintext]:
    opened = []
    for passed in connection.protected(side):
        opened.append(record.open(keys, passed.content_type, passed.fragment))
        assert reseal(keys, opened[-1], passed.fragment) == passed.fragment
        keys = keys.after(passed.fragment)
    return opened


def reseal(keys: RecordKeys, plaintext: Plaintext, fragment: bytes) -> bytes:
    """The same record made here: OpenSSL pads as little as possible too."""
    explicit = fragment[: keys.suite.record_iv(keys.version)]
    return record.seal(keys, plaintext.content_type, plaintext.data, explicit)


@pytest.mark.parametrize("encrypt_then_mac", [False, True], ids=["mac-then-encrypt", "encrypt-then-mac"])
@pytest.mark.parametrize(
    ("version", "cipher"),
    [
        (Version.TLS10, "AES128-SHA"),
        (Version.TLS10, "ECDHE-ECDSA-AES256-SHA"),
        (Version.TLS11, "AES256-SHA"),
        (Version.TLS11, "CAMELLIA128-SHA"),
        (Version.TLS12, "AES128-SHA"),
        (Version.TLS12, "CAMELLIA256-SHA"),
        (Version.TLS12, "AES128-SHA256"),
        (Version.TLS12, "ECDHE-RSA-AES256-SHA384"),
        (Version.TLS12, "NULL-SHA256"),
        (Version.TLS12, "NULL-MD5"),
        (Version.TLS12, "AES128-GCM-SHA256"),
        (Version.TLS12, "ECDHE-RSA-AES256-GCM-SHA384"),
        (Version.TLS12, "ECDHE-ECDSA-AES128-CCM"),
        (Version.TLS12, "ECDHE-ECDSA-AES256-CCM8"),
        (Version.TLS12, "ECDHE-RSA-CHACHA20-POLY1305"),
    ],
)
def test_a_connection_of_openssls(version: Version, cipher: str, encrypt_then_mac: bool) -> None:
    connection = connect(version, cipher, encrypt_then_mac, SAYS)
    assert connection.extended_master_secret
    suite, master = connection.suite, connection.secrets["CLIENT_RANDOM"]
    client = open_all(keys_of(connection, Side.CLIENT), connection, Side.CLIENT)
    server = open_all(keys_of(connection, Side.SERVER), connection, Side.SERVER)
    heard = b"".join(text for kind, text in client if kind == DATA)
    assert heard == b"".join(SAYS)
    assert b"".join(text for kind, text in server if kind == DATA) == b"answer"

    transcript = connection.clear_handshake()
    assert client[0] == Plaintext(
        HANDSHAKE, b"\x14\0\0\x0c" + finished(version, suite.prf_hash, master, Side.CLIENT, transcript)
    )
    transcript += client[0].data
    assert server[0] == Plaintext(
        HANDSHAKE, b"\x14\0\0\x0c" + finished(version, suite.prf_hash, master, Side.SERVER, transcript)
    )


def open_tls13(connection: Connection, side: Side) -> tuple[bytes, bytes]:
    """The handshake messages and the application data that `side` protected; Finished is where its keys change."""
    suite, secrets = connection.suite, connection.secrets
    keys = RecordKeys.from_traffic_secret(suite, secrets[f"{side.upper()}_HANDSHAKE_TRAFFIC_SECRET"])
    said = {HANDSHAKE: b"", DATA: b""}
    finished_length = 4 + PrfHash.SHA384.digest_size
    for passed in connection.records:
        if passed.side is side and passed.content_type == DATA:
            kind, text = record.open(keys, DATA, passed.fragment)
            keys = keys.after(passed.fragment)
            said[ContentType(kind)] += text
            if text[-finished_length:].startswith(b"\x14\0\0\x30"):
                keys = RecordKeys.from_traffic_secret(suite, secrets[f"{side.upper()}_TRAFFIC_SECRET_0"])
    return said[HANDSHAKE], said[DATA]


def test_a_tls13_connection_of_openssls() -> None:
    connection = connect(Version.TLS13, "", True, SAYS)
    assert connection.suite.name == "TLS_AES_256_GCM_SHA384"
    transcript = connection.clear_handshake()
    server, answer = open_tls13(connection, Side.SERVER)
    client, heard = open_tls13(connection, Side.CLIENT)
    assert (heard, answer) == (b"".join(SAYS), b"answer")

    # The server's flight ends with its Finished; what follows under the next keys are session tickets.
    length = 4 + PrfHash.SHA384.digest_size
    end = server.index(b"\x14\0\0\x30") + length
    secret = connection.secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"]
    transcript += server[: end - length]
    assert server[end - length + 4 : end] == hkdf.finished(PrfHash.SHA384, secret, transcript)
    transcript += server[end - length : end]
    secret = connection.secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"]
    assert client == b"\x14\0\0\x30" + hkdf.finished(PrfHash.SHA384, secret, transcript)
