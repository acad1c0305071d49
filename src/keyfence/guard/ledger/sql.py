"""The ledger in a database, shared by any number of guards in any number of processes.

    ledger = SqlLedger("/var/lib/keyfence/ledger.db")              one machine
    ledger = SqlLedger("postgresql://guard@db/keyfence", key_file) several machines, the same hash key on each
    ledger.commit(fingerprint, client_random, server_random, cut)  → Answer

It opens itself when it is first asked, and tries again at the next question where that failed: a guard starts without its
ledger, and refuses until the ledger is there.

Pruning never reopens a cut. A secret that is pruned leaves a mark of 8 bytes in the place of its rows, and with the mark every
commit under it is a conflict for ever, whatever the randoms. So pruning a secret that is still alive loses its sessions, never
its keys; prune what is dead: what no key can make again, and of which no copy is left.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from . import hashkey, schema
from .base import Answer, LedgerUnavailable, keyed_hash
from .databases import READING, Database, Sqlite, database
from .schema import CUTS, RETIRED, mark

_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_BATCH: Final = 500
"""Secrets pruned in one transaction: others wait for it."""


@dataclass(frozen=True, slots=True)
class _Open:
    """What an opened ledger works with. A forked child must not use its parent's connections: `pid` tells whose they are."""

    engine: Engine
    key: bytes
    pid: int


class SqlLedger:
    """A `Ledger` (see there) at a URL or in an SQLite file; its hash key in `key_file`, by default beside that file.

    Where there is neither ledger nor key, both are made, unless `create` is false. Where only one of the two is left the ledger
    is unavailable: to begin anew would open every cut again.
    """

    def __init__(self, location: str | Path, key_file: Path | None = None, *, create: bool = True) -> None:
        self.database: Final[Database] = database(str(location))
        if key_file is None and isinstance(self.database, Sqlite):
            key_file = self.database.path.with_name(f"{self.database.path.name}.key")
        self.key_file: Final = key_file
        self._create = create
        self._open: _Open | None = None
        self._inherited: list[_Open] = []  # a parent's: kept, so that nothing closes its connections
        self._opening = Lock()

    def hash(self, purpose: bytes, data: bytes) -> bytes:
        return keyed_hash(self._opened().key, purpose, data)

    def commit(self, fingerprint: bytes, client_random: bytes, server_random: bytes, cut: bytes) -> Answer:
        secret, block = self._block(fingerprint, client_random, server_random)
        row = {"secret": secret, "block": block, "cut": cut, "committed_at": int(time.time())}
        with self._transaction() as connection:
            if not self._insert(connection, CUTS, [row]):
                # A pruning that takes it away just now leaves None, which is no cut of ours either.
                return Answer.SAME if _standing(connection, secret, block) == cut else Answer.CONFLICT
            # Asked only now, with the row in its place: whatever was pruned before it has left its mark.
            if _is_retired(connection, secret):
                return Answer.CONFLICT
            connection.commit()
        return Answer.ACCEPTED

    def committed(self, fingerprint: bytes, client_random: bytes, server_random: bytes) -> bytes | None:
        block = self._block(fingerprint, client_random, server_random)
        with self._transaction(reading=True) as connection:
            return _standing(connection, *block)

    def forget(self, fingerprint: bytes) -> int:
        """Prunes a secret of which no copy is left. How many cuts that were; LedgerUnavailable."""
        secret = self.hash(b"secret", fingerprint)
        with self._transaction() as connection:
            return self._prune(connection, [secret])

    def prune(self, before: datetime) -> int:
        """Prunes every secret whose last cut was committed before this moment. How many cuts that were; LedgerUnavailable."""
        pruned, after = 0, b""
        while True:
            with self._transaction() as connection:
                secrets = _old(connection, int(before.timestamp()), after)
                if not secrets:
                    return pruned
                pruned += self._prune(connection, secrets)
            after = secrets[-1]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads, for those who look at the ledger as a whole."""
        with self._transaction(reading=True) as connection:
            yield connection

    def close(self) -> None:
        """Ends its connections. It opens itself again when asked."""
        with self._opening:
            if self._open is not None and self._open.pid == os.getpid():
                self._open.engine.dispose()
            self._open = None

    def _block(self, fingerprint: bytes, client_random: bytes, server_random: bytes) -> tuple[bytes, bytes]:
        """The hashes that stand for a secret and for one key block of it."""
        secret = self.hash(b"secret", fingerprint)
        randoms = len(client_random).to_bytes(4, "big") + client_random + server_random
        return secret, self.hash(b"block", secret + randoms)

    def _prune(self, connection: Connection, secrets: list[bytes]) -> int:
        """Rows go only together with the marks that take their place."""
        self._insert(connection, RETIRED, [{"secret": mark(secret)} for secret in secrets])
        pruned = connection.execute(delete(CUTS).where(CUTS.c.secret.in_(secrets))).rowcount
        connection.commit()
        return pruned

    def _insert(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
        """How many of the rows are new. The primary key decides, also between transactions: the second waits for the first."""
        insert = _INSERT[connection.dialect.name](table).values(rows)
        statement = insert.on_conflict_do_nothing().returning(*table.primary_key.columns)
        return len(connection.execute(statement).all())

    @contextmanager
    def _transaction(self, *, reading: bool = False) -> Iterator[Connection]:
        """Rolled back unless the caller commits."""
        engine = self._opened().engine
        with self._explained(), engine.connect().execution_options(**{READING: reading}) as connection:
            connection.begin()
            if self.database.is_moved():
                raise LedgerUnavailable("its file was moved or deleted while it was in use")
            yield connection

    def _opened(self) -> _Open:
        found = self._open
        if found is None or found.pid != os.getpid():
            with self._opening, self._explained():
                found = self._open
                if found is not None and found.pid != os.getpid():
                    self._inherited.append(found)
                    found = None
                self._open = found = found or self._new()
        return found

    def _new(self) -> _Open:
        if self.key_file is None:
            raise LedgerUnavailable("a ledger in PostgreSQL needs to be told where its hash key lies")
        key = hashkey.read(self.key_file)
        engine = self.database.engine(create=self._create and key is None)
        try:
            with engine.connect() as connection:
                connection.begin()
                self.database.lock(connection)
                return _Open(engine, self._checked(connection, self.key_file), os.getpid())
        except BaseException:
            engine.dispose()
            raise

    def _checked(self, connection: Connection, key_file: Path) -> bytes:
        """The ledger's hash key, once both were found to belong together. Read again: now we have the lock."""
        key = hashkey.read(key_file)
        if schema.exists(connection):
            if key is None:
                raise LedgerUnavailable(f"its hash key is missing: restore {key_file} from its backup")
            schema.verify(connection, key)
            return key
        if key is not None:
            raise LedgerUnavailable(
                f"it is empty, yet {key_file} is there: restore the ledger, or remove the key if there never was one"
            )
        if not self._create:
            raise LedgerUnavailable("there is no ledger")
        key = hashkey.create(key_file)
        try:
            schema.create(connection, key)
        except BaseException:
            key_file.unlink()  # nothing is under it yet, and alone it would stand for a ledger that was lost
            raise
        connection.commit()
        return key

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except LedgerUnavailable as error:
            raise self._unavailable(error) from error.__cause__
        except DBAPIError as error:
            raise self._unavailable(error.orig) from error
        except (SQLAlchemyError, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, reason: BaseException | None) -> LedgerUnavailable:
        """With the first line of what was said: others may hold the statement and its parameters."""
        line = next(iter(str(reason).splitlines()), "") or type(reason).__name__
        return LedgerUnavailable(f"the ledger {self.database.name}: {line}")


def _standing(connection: Connection, secret: bytes, block: bytes) -> bytes | None:
    standing = select(CUTS.c.cut).where(CUTS.c.secret == secret, CUTS.c.block == block)
    return connection.execute(standing).scalar_one_or_none()


def _old(connection: Connection, before: int, after: bytes) -> list[bytes]:
    """The next secrets that were last cut before that time, in the order of their hashes from `after` on."""
    last = func.max(CUTS.c.committed_at)
    old = select(CUTS.c.secret).where(CUTS.c.secret > after).group_by(CUTS.c.secret).having(last < before)
    return [bytes(secret) for secret in connection.execute(old.order_by(CUTS.c.secret).limit(_BATCH)).scalars()]


def _is_retired(connection: Connection, secret: bytes) -> bool:
    return connection.execute(select(RETIRED.c.secret).where(RETIRED.c.secret == mark(secret))).first() is not None
