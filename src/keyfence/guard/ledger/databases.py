"""The two databases a ledger lies in, each set so that a transaction that was committed is on the disk.

SQLite       a file on a local disk, for the guards of one machine: write-ahead log, a sync with every commit
PostgreSQL   for guards on several machines; one that does not sync (fsync = off) is refused
"""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from .base import LedgerUnavailable
from .schema import METADATA

PATIENCE: Final = 10
"""Seconds: how long a call waits for its turn, a lock, or an answer before the ledger counts as unavailable."""

READING: Final = "keyfence_reading"
"""Execution option: the transaction only reads."""


def database(location: str) -> "Database":
    """The database at a URL (postgresql://…, sqlite:///…) or in an SQLite file. LedgerUnavailable where neither is meant."""
    if "://" not in location:
        return Sqlite(Path(location))
    try:
        url = make_url(location)
    except (ArgumentError, ValueError):
        raise LedgerUnavailable("the ledger's URL does not parse") from None  # and is not shown: it may hold a password
    match url.get_backend_name():
        case "sqlite" if url.database:
            return Sqlite(Path(url.database))
        case "postgresql" | "postgres":
            return Postgresql(url)
        case other:
            raise LedgerUnavailable(f"a ledger lies in an SQLite file or in PostgreSQL, not in {other}")


class Database(ABC):
    """Where it is and how to connect to it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What messages call it; without passwords."""

    @abstractmethod
    def engine(self, *, create: bool) -> Engine:
        """Connects to nothing yet. Where the database itself is missing, `create` makes it; else LedgerUnavailable."""

    @abstractmethod
    def lock(self, connection: Connection) -> None:
        """Until the transaction ends, no other process sets up a ledger here."""

    @abstractmethod
    def size(self, connection: Connection) -> int:
        """Bytes on disk."""

    @abstractmethod
    def examine(self, connection: Connection) -> list[str]:
        """Every damage that the database itself can find; takes time in proportion to its size."""

    def is_moved(self) -> bool:
        """Whether what is connected is no longer what a new connection would find."""
        return False


class Sqlite(Database):
    """One connection per process: SQLite lets one write at a time, and threads wait more fairly for a pool than for a file."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._log = Path(f"{self.path}-wal")
        self._identity: _Files | None = None

    @property
    def name(self) -> str:
        return str(self.path)

    def engine(self, *, create: bool) -> Engine:
        if not create and not self.path.exists():
            raise LedgerUnavailable("its file is missing")
        self._identity = None
        mode = "rwc" if create else "rw"
        engine = create_engine(
            URL.create("sqlite+pysqlite", database=f"file:{quote(str(self.path))}", query={"mode": mode, "uri": "true"}),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=PATIENCE,
            connect_args={"timeout": PATIENCE, "check_same_thread": False},
        )
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "begin", _begin)
        return engine

    def lock(self, connection: Connection) -> None:
        """Every transaction that may write has the lock from its beginning."""

    def size(self, connection: Connection) -> int:
        return sum(path.stat().st_size for path in (self.path, self._log) if path.exists())

    def examine(self, connection: Connection) -> list[str]:
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(10)")]
        return [] if found == ["ok"] else found

    def is_moved(self) -> bool:
        """A file that was deleted or put in another's place, be it the write-ahead log: SQLite would go on writing to the one
        that nobody finds."""
        return self._identity != self._current()

    def _current(self) -> "_Files":
        return _identity(self.path), _identity(self._log)

    def _connected(self, connection: SqliteConnection, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise LedgerUnavailable("SQLite cannot keep a write-ahead log there")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # from here on it has its log open
        self._identity = self._current()


_Files = tuple[tuple[int, int] | None, tuple[int, int] | None]
"""Device and inode of the database's file and of its log; None for one that is not there."""


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: Connection) -> None:
    """Where it may write, a transaction takes the lock first: one that reads before cannot wait for it later."""
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")


class Postgresql(Database):
    """Up to eight connections per process."""

    _LOCK: Final = 0x6B657966656E6365
    """The advisory lock of those who set up a ledger."""

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+psycopg")

    @property
    def name(self) -> str:
        host = self._url.host or self._url.query.get("host") or "local socket"
        return f"PostgreSQL database {self._url.database or '(default)'} at {host}"

    def engine(self, *, create: bool) -> Engine:
        try:
            engine = create_engine(
                self._url,
                pool_size=8,
                max_overflow=0,
                pool_timeout=PATIENCE,
                pool_pre_ping=True,  # a server that was restarted costs no refusal
                isolation_level="READ COMMITTED",
                connect_args={"connect_timeout": PATIENCE, "tcp_user_timeout": 1000 * PATIENCE},
            )
        except ModuleNotFoundError:
            raise LedgerUnavailable("PostgreSQL needs psycopg: pip install 'keyfence[postgres]'") from None
        event.listen(engine, "connect", self._connected)
        return engine

    def lock(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": self._LOCK})

    def size(self, connection: Connection) -> int:
        names = [table.name for table in METADATA.tables.values()]
        sizes = [connection.execute(text("SELECT pg_total_relation_size(:name)"), {"name": name}) for name in names]
        return sum(size.scalar_one() for size in sizes)

    def examine(self, connection: Connection) -> list[str]:
        """PostgreSQL's own tools (pg_amcheck, data checksums) are its administrator's."""
        return []

    def _connected(self, connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('fsync')")
            if cursor.fetchone()[0] == "off":
                raise LedgerUnavailable("it runs with fsync = off: what it commits does not survive a power cut")
            # A stronger setting than "on" (remote_apply) is left as it is.
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
            )
            cursor.execute(f"SET statement_timeout = '{PATIENCE}s'")
        connection.commit()
