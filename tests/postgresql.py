"""The PostgreSQL server that tests run against; scripts/install-test-modules brings it up. A missing one fails the test."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from .modules import LOCAL, SCRIPT, bring_up

SOCKET = LOCAL / "postgresql" / "socket"


@contextmanager
def empty_schema() -> Iterator[str]:
    """The URL of a place of one's own in the database: tables made through it are gone at the end."""
    bring_up()
    name = f"test_{secrets.token_hex(8)}"
    _administer(f"CREATE SCHEMA {name}")
    try:
        yield f"postgresql://keyfence@/keyfence?host={SOCKET}&options=-csearch_path%3D{name}"
    finally:
        _administer(f"DROP SCHEMA {name} CASCADE")


def _administer(statement: str) -> None:
    try:
        with psycopg.connect(host=str(SOCKET), user="keyfence", dbname="keyfence", autocommit=True) as connection:
            connection.execute(statement.encode())
    except psycopg.OperationalError as error:
        pytest.fail(f"PostgreSQL does not answer: {error}. Run {SCRIPT} as root.", pytrace=False)
