"""What a ledger's database holds: three tables, their version, and a check that the hash key is the right one.

Secrets and key blocks are keyed hashes (32 bytes). `cut` says how a key block was cut and nothing about keys; times are in
seconds since 1970.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, MetaData, Table, inspect, select

from .base import LedgerUnavailable, keyed_hash

VERSION: Final = 1
"""Of the schema. A higher one in a database was written by a keyfence that knows more than this one."""

METADATA: Final = MetaData()

HEADER: Final = Table(
    "keyfence_ledger",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("key_check", LargeBinary, nullable=False),
)
"""One row."""

CUTS: Final = Table(
    "keyfence_cut",
    METADATA,
    Column("secret", LargeBinary, primary_key=True),
    Column("block", LargeBinary, primary_key=True),
    Column("cut", LargeBinary, nullable=False),
    Column("committed_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A row per key block. `block` is a hash of secret and randoms, so the primary key lets one cut stand for each."""

RETIRED: Final = Table(
    "keyfence_retired",
    METADATA,
    # In SQLite an INTEGER is the row's own number and takes no second place.
    Column("secret", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
)
"""What is left of pruned secrets: `mark`. A secret with a mark is never cut again, so that no pruned cut is reopened."""


def mark(secret: bytes) -> int:
    """64 bits of a secret's hash. Two secrets may share one (a chance of 1 in 10^10 for a new secret beside a billion marks):
    then one is refused that need not be, and the hash being keyed, nobody can bring that about.
    """
    return int.from_bytes(secret[:8], "big", signed=True)


def exists(connection: Connection) -> bool:
    """Whether the database holds a ledger of any version."""
    return inspect(connection).has_table(HEADER.name)


def create(connection: Connection, key: bytes) -> None:
    """An empty ledger under this hash key, in the connection's transaction."""
    METADATA.create_all(connection)
    connection.execute(HEADER.insert().values(version=VERSION, key_check=_key_check(key)))


def verify(connection: Connection, key: bytes) -> None:
    """LedgerUnavailable where this keyfence cannot read the ledger or the hash key is another ledger's."""
    header = connection.execute(select(HEADER.c.version, HEADER.c.key_check)).first()
    if header is None:
        raise LedgerUnavailable("it is damaged: its header is empty")
    if header.version != VERSION:
        raise LedgerUnavailable(f"it has schema {header.version}, made by another keyfence; this one knows schema {VERSION}")
    if header.key_check != _key_check(key):
        raise LedgerUnavailable("it was made under another hash key")


def _key_check(key: bytes) -> bytes:
    return keyed_hash(key, b"key check", b"")
