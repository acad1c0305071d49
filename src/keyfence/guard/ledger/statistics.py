"""A ledger as a whole: what is committed, how large it is, since when."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, distinct, func, select

from .schema import CUTS, RETIRED
from .sql import SqlLedger


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one moment.

    cuts       how key blocks were cut, and how many so, most first
    retired    secrets that were pruned
    size       bytes on disk
    since, latest    the first and the last commit that stands; None in an empty ledger
    damage     what the database found wrong with itself, where it was asked
    """

    blocks: int
    secrets: int
    retired: int
    size: int
    since: datetime | None
    latest: datetime | None
    cuts: tuple[tuple[bytes, int], ...]
    damage: tuple[str, ...]


def statistics(ledger: SqlLedger, *, examine: bool = False) -> Statistics:
    """Counts; with `examine` also what damage the database finds in itself. LedgerUnavailable."""
    with ledger.reading() as connection:
        first, last = func.min(CUTS.c.committed_at), func.max(CUTS.c.committed_at)
        counts = select(func.count(), func.count(distinct(CUTS.c.secret)), first, last)
        blocks, secrets, since, latest = connection.execute(counts).one()
        return Statistics(
            blocks=blocks,
            secrets=secrets,
            retired=connection.execute(select(func.count()).select_from(RETIRED)).scalar_one(),
            size=ledger.database.size(connection),
            since=_time(since),
            latest=_time(latest),
            cuts=_cuts(connection),
            damage=tuple(ledger.database.examine(connection)) if examine else (),
        )


def _cuts(connection: Connection) -> tuple[tuple[bytes, int], ...]:
    rows = connection.execute(select(CUTS.c.cut, func.count()).group_by(CUTS.c.cut).order_by(func.count().desc(), CUTS.c.cut))
    return tuple((bytes(cut), number) for cut, number in rows)


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
