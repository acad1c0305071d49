"""What is audited, through a guard: the policy, the ledger, and the guard around each module."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from keyfence.audit import Target
from keyfence.guard.journal import LOGGER
from keyfence.guard.ledger import Ledger
from keyfence.guard.ledger.sql import SqlLedger
from keyfence.guard.policy import Policy
from keyfence.guard.policy.loader import load
from keyfence.guard.restartable import RestartableGuard

from .request import AuditOptions


@contextmanager
def guarded(targets: Mapping[str, Target], options: AuditOptions) -> Iterator[Mapping[str, Target]]:
    """The targets as they are, or each through a guard of its own before one ledger."""
    if not options.guarded:
        yield targets
        return
    LOGGER.addHandler(logging.NullHandler())  # the report says what was refused
    policy = load(Path(options.policy)) if options.policy else Policy.default()
    with _ledger(options) as (ledger, name):
        note = f"Through the guard: policy {options.policy or 'default'}, ledger {name}."
        yield {called: _guarded(target, policy, ledger, note) for called, target in targets.items()}


def _guarded(target: Target, policy: Policy, ledger: Ledger, note: str) -> Target:
    start = target.start
    return replace(target, start=lambda: RestartableGuard(start(), policy, ledger), notes=(*target.notes, note))


@contextmanager
def _ledger(options: AuditOptions) -> Iterator[tuple[Ledger, str]]:
    """The one that was named, or one that ends with the audit."""
    if options.db is not None:
        ledger = SqlLedger(options.db, Path(options.ledger_key) if options.ledger_key else None)
        try:
            yield ledger, ledger.database.name
        finally:
            ledger.close()
        return
    with TemporaryDirectory(prefix="keyfence-") as directory:
        ledger = SqlLedger(Path(directory) / "ledger.db")
        try:
            yield ledger, "of this audit alone"
        finally:
            ledger.close()
