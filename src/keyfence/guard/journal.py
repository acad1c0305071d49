"""What a guard says when it objects: one structured record each, and counters. No value of any kind, no handle, no PIN."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Final

from .policy import Mode

LOGGER: Final = logging.getLogger("keyfence.guard")


@dataclass(frozen=True, slots=True)
class Record:
    """One objection: the C function, the mechanism's name ("" for none), the key's role, the rule, and what came of it."""

    function: str
    mechanism: str
    role: str
    rule: str
    mode: Mode
    why: str


class Journal:
    """Logs records, counts them by rule, and tells a listener."""

    def __init__(self, listener: Callable[[Record], None] | None = None) -> None:
        self._listener = listener
        self._lock = Lock()
        self._counts: Counter[tuple[str, Mode]] = Counter()

    def note(self, record: Record) -> None:
        """A record of the log has it whole as its attribute `guard`, for formatters that write structure."""
        with self._lock:
            self._counts[(record.rule, record.mode)] += 1
        verb = "refused" if record.mode is Mode.ENFORCE else "would refuse"
        LOGGER.warning(
            "%s %s(%s) with %s: %s (%s)",
            verb,
            record.function,
            record.mechanism,
            record.role,
            record.why,
            record.rule,
            extra={"guard": asdict(record)},
        )
        if self._listener is not None:
            self._listener(record)

    @property
    def counts(self) -> Mapping[tuple[str, Mode], int]:
        """(rule id, mode) to the number of objections so far."""
        with self._lock:
            return dict(self._counts)
