"""Each test that takes `place` runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyfence.guard.ledger.sql import SqlLedger

from .places import Place


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a ledger may be made; nothing is there yet."""
    location = str(tmp_path / "ledger.db") if request.param == "sqlite" else request.getfixturevalue("postgresql")
    return Place(location, tmp_path / "ledger.key")


@pytest.fixture
def ledger(place: Place) -> Iterator[SqlLedger]:
    made = place.ledger()
    yield made
    made.close()
