"""Where a ledger cannot answer it says why, and never begins anew: what was committed still stands when it is back."""

import errno
import os
import resource
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from sqlalchemy import text

from keyfence.guard.ledger import Answer, LedgerUnavailable
from keyfence.guard.ledger.databases import Postgresql, database
from keyfence.guard.ledger.sql import SqlLedger

from .places import Place, commit, committed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An SQLite ledger with one cut; its key lies beside it."""
    path = tmp_path / "ledger.db"
    ledger = SqlLedger(path)
    commit(ledger, 1, b"first")
    ledger.close()
    return path


def unavailable(path: Path, *, create: bool = True) -> str:
    """Why."""
    ledger = SqlLedger(path, create=create)
    with pytest.raises(LedgerUnavailable) as refused:
        commit(ledger, 1, b"second")
    ledger.close()
    assert str(path) in str(refused.value)
    return str(refused.value)


def elsewhere(work: Callable[..., Any], *arguments: Any) -> Any:
    """`work` in a forked child, which may limit itself."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(work, arguments)


def key_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.key")


# ---- the hash key


def test_the_key_is_its_owners_alone(file: Path) -> None:
    assert key_of(file).stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in sorted(file.parent.iterdir())] == ["ledger.db", "ledger.db.key"]


def test_without_its_key(file: Path) -> None:
    key_of(file).unlink()
    assert "restore" in unavailable(file)
    assert not key_of(file).exists()


def test_with_another_key(place: Place, tmp_path: Path) -> None:
    ledger = place.ledger()
    commit(ledger, 1)
    ledger.close()
    SqlLedger(tmp_path / "other.db", tmp_path / "other.key").hash(b"", b"")
    other = SqlLedger(place.location, tmp_path / "other.key")
    for question in (lambda: other.hash(b"", b""), lambda: other.commit(b"f", b"c", b"s", b"cut")):
        with pytest.raises(LedgerUnavailable, match="another hash key"):
            question()
    other.close()


@pytest.mark.parametrize("content", [b"", b"ab" * 31 + b"\n", b"ab" * 33, b"xy" * 32, bytes(range(128, 160))])
def test_with_a_damaged_key(file: Path, content: bytes) -> None:
    key_of(file).write_bytes(content)
    assert "64 hexadecimal digits" in unavailable(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_with_a_key_open_to_others(file: Path, mode: int) -> None:
    key_of(file).chmod(mode)
    assert "chmod 600" in unavailable(file)


# ---- the ledger itself


def test_with_its_key_alone(place: Place) -> None:
    """A ledger that is lost must not begin anew: every cut would be open again."""
    place.key_file.touch(0o600)
    place.key_file.write_text("ab" * 32)
    ledger = place.ledger()
    with pytest.raises(LedgerUnavailable, match=r"it is empty, yet|its file is missing"):
        commit(ledger, 1)
    ledger.close()


def test_where_there_is_none_and_none_shall_be_made(place: Place) -> None:
    ledger = place.ledger(create=False)
    with pytest.raises(LedgerUnavailable, match=r"there is no ledger|its file is missing"):
        commit(ledger, 1)
    assert not place.key_file.exists()
    ledger.close()


def test_a_first_use_that_fails_leaves_no_key_behind(place: Place, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is a first use again."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("keyfence.guard.ledger.schema.create", full)
    with pytest.raises(LedgerUnavailable, match="No space left on device"):
        commit(ledger, 1)
    assert not place.key_file.exists()
    monkeypatch.undo()
    assert commit(ledger, 1) is Answer.ACCEPTED


def test_a_newer_schema(place: Place, ledger: SqlLedger) -> None:
    commit(ledger, 1)
    with ledger.reading() as connection:
        connection.execute(text("UPDATE keyfence_ledger SET version = 2"))
        connection.commit()
    other = place.ledger()
    with pytest.raises(LedgerUnavailable, match="schema 2, made by another keyfence; this one knows schema 1"):
        commit(other, 1)
    other.close()


@pytest.mark.parametrize(
    ("start", "length", "reason"), [(0, 100, "not a database"), (100, 4000, "malformed"), (4096, 10_000_000, "malformed")]
)
def test_a_corrupt_file(file: Path, start: int, length: int, reason: str) -> None:
    content = bytearray(file.read_bytes())
    stop = min(start + length, len(content))
    content[start:stop] = b"\xa5" * (stop - start)
    file.write_bytes(content)
    assert reason in unavailable(file)


def test_a_file_cut_short(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)
    assert "malformed" in unavailable(file)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    unavailable(tmp_path / "absent" / "ledger.db")


def test_a_file_that_was_replaced_under_a_running_guard(file: Path, tmp_path: Path) -> None:
    """The guard would go on in a file that the others no longer see."""
    ledger = SqlLedger(file)
    commit(ledger, 2)
    os.replace(file, tmp_path / "moved.db")
    with pytest.raises(LedgerUnavailable, match="moved"):
        commit(ledger, 3)
    ledger.close()


def test_it_is_back_when_the_reason_is_gone(file: Path) -> None:
    away = file.with_name("away")
    key_of(file).rename(away)
    ledger = SqlLedger(file)
    with pytest.raises(LedgerUnavailable):
        commit(ledger, 1, b"second")
    away.rename(key_of(file))
    assert commit(ledger, 1, b"second") is Answer.CONFLICT
    ledger.close()


# ---- the disk


def _fill(path: Path, limit: int) -> tuple[int, str]:
    """Commits while no file may grow beyond `limit` bytes: how many were accepted, and what was said then."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    ledger = SqlLedger(path)
    return _until_it_fails(ledger)


def _until_it_fails(ledger: SqlLedger) -> tuple[int, str]:
    for block in range(100_000):
        try:
            commit(ledger, block, b"cut", secret=2)
        except LedgerUnavailable as error:
            return block, str(error)
    raise AssertionError("it never fails")


def test_a_file_that_may_not_grow(file: Path) -> None:
    number, reason = elsewhere(_fill, file, 200_000)
    assert number > 0
    assert "disk" in reason
    _still_holds(file, number)


def test_a_full_disk(file: Path) -> None:
    ledger = SqlLedger(file)
    with ledger.reading() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {connection.exec_driver_sql('PRAGMA page_count').scalar_one()}")
    number, reason = _until_it_fails(ledger)
    assert "full" in reason
    ledger.close()
    _still_holds(file, number)


def _still_holds(file: Path, number: int) -> None:
    """Every cut that was answered for stands, the one that failed does not, and there is a way on."""
    ledger = SqlLedger(file)
    assert [committed(ledger, block, secret=2) for block in range(number)] == [b"cut"] * number
    assert committed(ledger, number, secret=2) is None
    assert commit(ledger, number, b"other cut", secret=2) is Answer.ACCEPTED
    ledger.close()


NOBODY = 65534


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """One that others may enter, which pytest's are not."""
    directory = Path(tempfile.mkdtemp(prefix="keyfence-"))
    directory.chmod(0o755)
    yield directory
    directory.chmod(0o755)
    rmtree(directory)


def test_a_file_that_is_read_only(open_directory: Path) -> None:
    file = open_directory / "ledger.db"
    ledger = SqlLedger(file)
    commit(ledger, 1, b"first")
    ledger.close()
    file.chmod(0o444)
    if os.geteuid() == 0:
        os.chown(key_of(file), NOBODY, NOBODY)
    else:
        open_directory.chmod(0o555)
    assert "readonly" in elsewhere(_commit_as_nobody, file)


def _commit_as_nobody(path: Path) -> str:
    if os.geteuid() == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
    return unavailable(path)


def test_a_busy_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds the lock and does not let go."""
    monkeypatch.setattr("keyfence.guard.ledger.databases.PATIENCE", 0.1)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert "locked" in unavailable(file)
    holder.close()


# ---- PostgreSQL


def test_an_unreachable_server(tmp_path: Path) -> None:
    ledger = SqlLedger(f"postgresql://guard:secret@/keyfence?host={tmp_path}", tmp_path / "key")
    with pytest.raises(LedgerUnavailable) as refused:
        commit(ledger, 1)
    assert "No such file" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert not (tmp_path / "key").exists()


def test_a_read_only_server(postgresql: str, tmp_path: Path) -> None:
    place = Place(postgresql, tmp_path / "key")
    first = place.ledger()
    commit(first, 1)
    first.close()
    ledger = SqlLedger(f"{postgresql}%20-cdefault_transaction_read_only%3Don", place.key_file)
    with pytest.raises(LedgerUnavailable, match="read-only transaction"):
        commit(ledger, 2)
    ledger.close()


def test_a_connection_that_was_ended_costs_nothing(postgresql: str, tmp_path: Path) -> None:
    ledger, other = (SqlLedger(postgresql, tmp_path / "key") for _ in range(2))
    commit(ledger, 1)
    with ledger.reading() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with other.reading() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
    assert commit(ledger, 1) is Answer.SAME
    ledger.close()
    other.close()


def test_commits_wait_for_the_disk_whatever_the_servers_default(postgresql: str, tmp_path: Path) -> None:
    ledger = SqlLedger(f"{postgresql}%20-csynchronous_commit%3Doff", tmp_path / "key")
    with ledger.reading() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
    ledger.close()


def test_a_stronger_setting_is_kept(postgresql: str, tmp_path: Path) -> None:
    ledger = SqlLedger(f"{postgresql}%20-csynchronous_commit%3Dremote_apply", tmp_path / "key")
    with ledger.reading() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "remote_apply"
    ledger.close()


class _ServerWithoutFsync:
    """What a server that runs with fsync = off answers to the first question; to see a real one takes a cluster of its own."""

    def cursor(self) -> "_ServerWithoutFsync":
        return self

    def __enter__(self) -> "_ServerWithoutFsync":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str) -> None:
        assert statement == "SELECT current_setting('fsync')"

    def fetchone(self) -> tuple[str]:
        return ("off",)


def test_a_server_that_does_not_sync_is_refused() -> None:
    server = database("postgresql://db/keyfence")
    assert isinstance(server, Postgresql)
    with pytest.raises(LedgerUnavailable, match="fsync = off"):
        server._connected(_ServerWithoutFsync(), None)


# ---- what is asked for


def test_postgresql_has_no_place_for_a_key_by_itself() -> None:
    with pytest.raises(LedgerUnavailable, match="hash key"):
        SqlLedger("postgresql://db/keyfence").hash(b"", b"")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("mysql://db/keyfence", "not in mysql"),
        ("postgresql://guard:secret@db:port/x", "does not parse"),
        ("sqlite://", "not in"),
    ],
)
def test_other_locations(location: str, reason: str) -> None:
    with pytest.raises(LedgerUnavailable, match=reason) as refused:
        SqlLedger(location)
    assert "secret" not in str(refused.value)


def test_names_show_no_password() -> None:
    assert database("postgresql://guard:secret@db/keyfence").name == "PostgreSQL database keyfence at db"
    assert database("sqlite:////var/ledger.db").name == database("/var/ledger.db").name == "/var/ledger.db"
