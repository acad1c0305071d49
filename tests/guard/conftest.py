"""A guard before the software token and before NSS, both with the default policy and a ledger in memory."""

from collections.abc import Iterator

import pytest

from keyfence.cryptoki import Cryptoki
from keyfence.guard import Guard, MemoryLedger, Policy
from keyfence.token import Quirks, SoftToken

from ..modules import real_module

SLOT = 1


@pytest.fixture
def token() -> SoftToken:
    """The classic token: what the standard allows."""
    token = SoftToken()
    token.initialize()
    return token


@pytest.fixture
def guard(token: SoftToken) -> Guard:
    return Guard(token, Policy.default(), MemoryLedger())


@pytest.fixture(params=["token", pytest.param("nss", marks=pytest.mark.native)])
def behind(request: pytest.FixtureRequest) -> Iterator[tuple[Cryptoki, int]]:
    """A module to stand before, and its slot."""
    if request.param == "token":
        token = SoftToken(quirks=Quirks(ignore_allowed_mechanisms=True))  # as NSS does: the guard's table decides alone
        token.initialize()
        yield token, SLOT
        return
    with real_module("nss") as nss:
        yield nss.module, nss.slot


def guarded(quirks: Quirks = Quirks(), policy: Policy | None = None) -> Guard:  # noqa: B008 - frozen
    """A guard before a classic token with these quirks; not yet initialised."""
    return Guard(SoftToken(quirks=quirks), policy or Policy.default(), MemoryLedger())
