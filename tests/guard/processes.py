"""NSS softoken in a process of its own, bare or with a guard in that process."""

from collections.abc import Iterator
from contextlib import contextmanager

from keyfence.cryptoki import Cryptoki
from keyfence.cryptoki.isolation import Factory, IsolatedModule
from keyfence.guard import Guard, Policy
from keyfence.guard.ledger.sql import SqlLedger
from keyfence.presets import preset

from ..modules import ROOT


def guarded_nss(ledger: str) -> Cryptoki:
    """Made in the child: guard, ledger and module are all there."""
    return Guard(preset("nss").factory().make(), Policy.default(), SqlLedger(ledger))


@contextmanager
def processes(ledger: str | None) -> Iterator[tuple[IsolatedModule, IsolatedModule]]:
    """Two processes, each with NSS and, where there is a ledger, a guard before it."""
    factory = Factory("tests.guard.processes:guarded_nss", (ledger,)) if ledger else preset("nss").factory()
    made = [IsolatedModule(factory, environment={"PYTHONPATH": str(ROOT)}) for _ in range(2)]
    try:
        for module in made:
            module.initialize()
        yield made[0], made[1]
    finally:
        for module in made:
            module.close()
