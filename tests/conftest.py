"""Fixtures every room may use: real PKCS#11 modules, one fresh process for each test that asks, and a PostgreSQL server."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from .modules import RealModule, real_module
from .postgresql import empty_schema

# CI says the same twice. KEYFENCE_RANDOM=1 draws anew, to look for what is not known yet.
settings.register_profile("suite", deadline=None, derandomize="KEYFENCE_RANDOM" not in os.environ)
settings.load_profile("suite")


@pytest.fixture
def nss() -> Iterator[RealModule]:
    """NSS softoken's generic slot: no login."""
    with real_module("nss") as module:
        yield module


@pytest.fixture
def nss_fips() -> Iterator[RealModule]:
    """NSS softoken in FIPS mode, without a database: an empty PIN."""
    with real_module("nss-fips") as module:
        yield module


@pytest.fixture
def nss_db() -> Iterator[RealModule]:
    """NSS softoken's database slot: a PIN."""
    with real_module("nss-db") as module:
        yield module


@pytest.fixture
def nss_db_fips() -> Iterator[RealModule]:
    """NSS softoken in FIPS mode with a database: a PIN."""
    with real_module("nss-db-fips") as module:
        yield module


@pytest.fixture
def opencryptoki() -> Iterator[RealModule]:
    """opencryptoki's software token: a PIN."""
    with real_module("opencryptoki") as module:
        yield module


@pytest.fixture
def softhsm2() -> Iterator[RealModule]:
    """SoftHSM2: a PIN."""
    with real_module("softhsm2") as module:
        yield module


@pytest.fixture
def postgresql() -> Iterator[str]:
    """The URL of an empty place in a PostgreSQL database."""
    with empty_schema() as url:
        yield url
