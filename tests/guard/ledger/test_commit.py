"""What a ledger answers, on SQLite and on PostgreSQL, now and after it was closed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from keyfence.guard.ledger import Answer, Ledger
from keyfence.guard.ledger.sql import SqlLedger
from keyfence.guard.ledger.statistics import statistics

from .places import Place, commit, committed, of

TOMORROW = timedelta(days=1)


def test_the_first_cut_stands(ledger: SqlLedger) -> None:
    assert committed(ledger, 1) is None
    assert commit(ledger, 1, b"first") is Answer.ACCEPTED
    assert commit(ledger, 1, b"first") is Answer.SAME
    assert commit(ledger, 1, b"second") is Answer.CONFLICT
    assert committed(ledger, 1) == b"first"


def test_it_is_a_ledger(ledger: SqlLedger) -> None:
    as_protocol: Ledger = ledger
    assert as_protocol.hash(b"a", b"x") != as_protocol.hash(b"b", b"x")


def test_other_secrets_and_other_randoms_are_other_blocks(ledger: SqlLedger) -> None:
    fingerprint, client, server = of(ledger, 1, secret=1)
    assert ledger.commit(fingerprint, client, server, b"cut") is Answer.ACCEPTED
    others = [
        (fingerprint[::-1], client, server),
        (fingerprint, server, client),
        (fingerprint, client[:-1], client[-1:] + server),
    ]
    for other in others:
        assert ledger.commit(*other, b"other cut") is Answer.ACCEPTED


def test_another_guard_sees_what_was_committed(place: Place, ledger: SqlLedger) -> None:
    commit(ledger, 1, b"first")
    other = place.ledger()
    assert other.hash(b"master", b"x") == ledger.hash(b"master", b"x")
    assert commit(other, 1, b"second") is Answer.CONFLICT
    other.close()


def test_it_opens_itself_again_after_close(ledger: SqlLedger) -> None:
    commit(ledger, 1)
    ledger.close()
    assert commit(ledger, 1) is Answer.SAME


@pytest.mark.parametrize("pruned", ["forget", "prune"])
def test_pruning_never_reopens_a_cut(ledger: SqlLedger, pruned: str) -> None:
    commit(ledger, 1, b"first")
    commit(ledger, 2, b"first")
    if pruned == "forget":
        assert ledger.forget(of(ledger, 1, 0)[0]) == 2
    else:
        assert ledger.prune(datetime.now(UTC) + TOMORROW) == 2
    assert committed(ledger, 1) is None
    for block in (1, 2, 3):  # the third was never cut: it is the same secret's all the same
        assert commit(ledger, block, b"second") is Answer.CONFLICT
        assert commit(ledger, block, b"first") is Answer.CONFLICT
    assert commit(ledger, 1, b"second", secret=1) is Answer.ACCEPTED


def test_pruning_leaves_secrets_that_were_cut_since(ledger: SqlLedger) -> None:
    commit(ledger, 1, secret=1)
    assert ledger.prune(datetime.now(UTC) - TOMORROW) == 0
    assert commit(ledger, 1, secret=1) is Answer.SAME


def test_pruning_takes_many_batches(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyfence.guard.ledger.sql._BATCH", 3)
    for secret in range(10):
        commit(ledger, 0, secret=secret)
    assert ledger.prune(datetime.now(UTC) + TOMORROW) == 10
    found = statistics(ledger)
    assert (found.blocks, found.secrets, found.retired) == (0, 0, 10)


def test_a_secret_forgotten_before_it_was_cut_is_never_cut(ledger: SqlLedger) -> None:
    assert ledger.forget(of(ledger, 1, 0)[0]) == 0
    assert commit(ledger, 1) is Answer.CONFLICT
    assert committed(ledger, 1) is None


def test_statistics(ledger: SqlLedger) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    for block in range(3):
        commit(ledger, block, b"usual")
    commit(ledger, 0, b"rare", secret=1)
    found = statistics(ledger, examine=True)
    assert (found.blocks, found.secrets, found.retired, found.damage) == (4, 2, 0, ())
    assert found.cuts == ((b"usual", 3), (b"rare", 1))
    assert found.since is not None
    assert found.latest is not None
    assert before <= found.since <= found.latest <= datetime.now(UTC)
    assert found.size > 4 * 64


def test_statistics_of_an_empty_ledger(ledger: SqlLedger) -> None:
    found = statistics(ledger)
    assert (found.blocks, found.since, found.latest, found.cuts) == (0, None, None, ())


def test_only_keyed_hashes_are_stored(ledger: SqlLedger) -> None:
    fingerprint, client, server = of(ledger, 1, secret=0)
    ledger.commit(fingerprint, client, server, b"the cut")
    with ledger.reading() as connection:
        (row,) = connection.execute(text("SELECT * FROM keyfence_cut")).all()
    stored = [bytes(value) for value in row if not isinstance(value, int)]
    assert stored.count(b"the cut") == 1
    assert not {fingerprint, client, server} & set(stored)
    assert sorted(map(len, stored)) == [7, 32, 32]
