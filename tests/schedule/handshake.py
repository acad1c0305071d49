"""Real TLS connections in memory: OpenSSL (through Python's ssl) talks to itself, and what passes is kept.

The secrets come from its key log, so that a test can rebuild keys, Finished and records from what an eavesdropper sees.
"""

import ssl
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from keyfence.schedule import CipherSuite, ContentType, Side, Version, suite

_NO_ENCRYPT_THEN_MAC = 0x80000
_TLS = {
    Version.TLS10: ssl.TLSVersion.TLSv1,
    Version.TLS11: ssl.TLSVersion.TLSv1_1,
    Version.TLS12: ssl.TLSVersion.TLSv1_2,
    Version.TLS13: ssl.TLSVersion.TLSv1_3,
}


@dataclass(frozen=True)
class Passed:
    """One record that passed."""

    side: Side
    content_type: int
    fragment: bytes


@dataclass
class Connection:
    """A connection of which everything is known. `secrets` are the key log's, by its labels."""

    version: Version
    suite: CipherSuite
    client_random: bytes = b""
    server_random: bytes = b""
    extended_master_secret: bool = False
    encrypt_then_mac: bool = False
    secrets: dict[str, bytes] = field(default_factory=dict)
    records: list[Passed] = field(default_factory=list)

    def protected(self, side: Side) -> list[Passed]:
        """What `side` sent after its ChangeCipherSpec (TLS 1.2 and before), Finished first."""
        sent = [record for record in self.records if record.side is side]
        start = [record.content_type for record in sent].index(ContentType.CHANGE_CIPHER_SPEC)
        return sent[start + 1 :]

    def clear_handshake(self) -> bytes:
        """All handshake messages in the clear, in the order they passed."""
        clear = []
        changed: set[Side] = set()
        for record in self.records:
            if record.content_type == ContentType.CHANGE_CIPHER_SPEC:
                changed.add(record.side)
            elif record.content_type == ContentType.HANDSHAKE and record.side not in changed:
                clear.append(record.fragment)
        return b"".join(clear)


def connect(version: Version, openssl_cipher: str, encrypt_then_mac: bool, client_says: list[bytes]) -> Connection:
    """Shake hands, let the client send each of `client_says` in a record, and the server answer "answer"."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "keys.log"
        client_context, server_context = _contexts(version, openssl_cipher, encrypt_then_mac)
        client_context.keylog_filename = str(log)
        received, sent = ({side: ssl.MemoryBIO() for side in Side} for _ in range(2))
        client = client_context.wrap_bio(received[Side.CLIENT], sent[Side.CLIENT], server_hostname="localhost")
        server = server_context.wrap_bio(received[Side.SERVER], sent[Side.SERVER], server_side=True)
        ends = {Side.CLIENT: client, Side.SERVER: server}
        records = list(_converse(ends, sent, received, client_says))
        connection = Connection(version, _suite_of(records), records=records)
        _read_hellos(connection)
        _read_log(connection, log.read_text())
    return connection


def _converse(
    ends: dict[Side, ssl.SSLObject],
    sent: dict[Side, ssl.MemoryBIO],
    received: dict[Side, ssl.MemoryBIO],
    client_says: list[bytes],
) -> Iterator[Passed]:
    """Records in the order they pass."""

    def deliver(side: Side) -> Iterator[Passed]:
        data = sent[side].read()
        received[side.other].write(data)
        yield from _cut(side, data)

    waiting = set(Side)
    while waiting:
        for side in Side:
            with suppress(ssl.SSLWantReadError):
                ends[side].do_handshake()
                waiting.discard(side)
            yield from deliver(side)
    for side, texts in ((Side.CLIENT, client_says), (Side.SERVER, [b"answer"])):
        for text in texts:
            ends[side].write(text)
            yield from deliver(side)
            assert ends[side.other].read() == text


def _cut(side: Side, data: bytes) -> Iterator[Passed]:
    while data:
        length = int.from_bytes(data[3:5], "big")
        yield Passed(side, data[0], data[5 : 5 + length])
        data = data[5 + length :]


def _hello(records: list[Passed], side: Side) -> bytes:
    """The first handshake message of `side` without its header: ClientHello or ServerHello."""
    first = next(record for record in records if record.side is side).fragment
    return first[4 : 4 + int.from_bytes(first[1:4], "big")]


def _after_session_id(hello: bytes) -> bytes:
    return hello[35 + hello[34] :]


def _suite_of(records: list[Passed]) -> CipherSuite:
    return suite(int.from_bytes(_after_session_id(_hello(records, Side.SERVER))[:2], "big"))


def _read_hellos(connection: Connection) -> None:
    connection.client_random = _hello(connection.records, Side.CLIENT)[2:34]
    server_hello = _hello(connection.records, Side.SERVER)
    connection.server_random = server_hello[2:34]
    extensions = _after_session_id(server_hello)[5:]
    while extensions:
        number, length = (int.from_bytes(extensions[at : at + 2], "big") for at in (0, 2))
        connection.extended_master_secret |= number == 23
        connection.encrypt_then_mac |= number == 22
        extensions = extensions[4 + length :]


def _read_log(connection: Connection, log: str) -> None:
    for line in log.splitlines():
        if line and not line.startswith("#"):
            label, _, secret = line.split()
            connection.secrets[label] = bytes.fromhex(secret)


def _contexts(version: Version, cipher: str, encrypt_then_mac: bool) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    for context in (client, server):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what is tested
            context.maximum_version = context.minimum_version = _TLS[version]
        context.options |= ssl.OP_NO_TICKET | (0 if encrypt_then_mac else _NO_ENCRYPT_THEN_MAC)
        # TLS 1.3's suites are fixed in Python's ssl; its first is AES_256_GCM.
        context.set_ciphers(f"{cipher}:@SECLEVEL=0" if version is not Version.TLS13 else "ALL:@SECLEVEL=0")
    certificate, key = _certificate("ECDSA" in cipher)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(certificate + key)
        file.flush()
        server.load_cert_chain(file.name)
    return client, server


@cache
def _certificate(elliptic: bool) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
