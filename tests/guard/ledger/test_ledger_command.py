"""keyfence guard ledger, as it is typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keyfence.cli.app import app
from keyfence.guard.ledger import Answer
from keyfence.guard.ledger.sql import SqlLedger

from .places import Place, commit


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["guard", "ledger", *arguments], input=answer)


def words(ran: Result) -> dict[str, str]:
    """The first lines, by their names."""
    lines = (line.split(maxsplit=1) for line in ran.stdout.partition("\n\n")[0].splitlines())
    return {line[0]: line[1] for line in lines if len(line) == 2}


def test_what_is_committed(place: Place, ledger: SqlLedger) -> None:
    for block in range(3):
        commit(ledger, block, b"SHA256 mac=0 key=16 iv=4 type=31")
    commit(ledger, 0, b"other", secret=1)
    ran = run("--db", place.location, "--key", str(place.key_file), "--examine")
    assert ran.exit_code == 0
    assert words(ran)["committed"] == "4 key blocks of 2 secrets"
    assert words(ran)["since"].endswith(" UTC")
    assert "  3  SHA256 mac=0 key=16 iv=4 type=31\n  1  other\n" in ran.stdout


@pytest.mark.parametrize("arguments", [("--yes",), ()])
def test_pruning(place: Place, ledger: SqlLedger, arguments: tuple[str, ...]) -> None:
    commit(ledger, 1, b"first")
    place_of = ("--db", place.location, "--key", str(place.key_file))
    assert words(run(*place_of, "--prune-before", "2020-01-01", "--yes"))["committed"] == "1 key block of 1 secret"
    ran = run(*place_of, "--prune-before", "2999-01-01", *arguments, answer="y\n")
    assert ran.exit_code == 0
    assert "pruned: 1 cut" in ran.stdout
    assert words(ran)["committed"] == "0 key blocks of 0 secrets"
    assert commit(ledger, 1, b"second") is Answer.CONFLICT


def test_pruning_is_asked_for(place: Place, ledger: SqlLedger) -> None:
    commit(ledger, 1, b"first")
    ran = run("--db", place.location, "--key", str(place.key_file), "--prune-before", "2999-01-01", answer="n\n")
    assert ran.exit_code == 0
    assert commit(ledger, 1, b"first") is Answer.SAME


def test_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("KEYFENCE_LEDGER", raising=False)
    ran = run()
    assert ran.exit_code == 3
    assert ran.stderr == f"keyfence: the ledger {tmp_path}/keyfence/ledger.db: its file is missing\n"
    assert list(tmp_path.iterdir()) == []


def test_the_ledger_may_be_named_where_no_process_list_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = SqlLedger(tmp_path / "ledger.db")
    commit(ledger, 1)
    ledger.close()
    monkeypatch.setenv("KEYFENCE_LEDGER", f"sqlite:///{tmp_path}/ledger.db")
    assert words(run())["committed"] == "1 key block of 1 secret"


def test_damage_is_found(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    ledger = SqlLedger(file)
    for block in range(200):
        commit(ledger, block)
    ledger.close()
    content = bytearray(file.read_bytes())
    content[-4096:] = bytes(4096)
    file.write_bytes(content)
    ran = run("--db", str(file), "--examine")
    assert ran.exit_code == 3
    assert "malformed" in ran.stderr or "damaged" in ran.stderr
