"""What is shown while an audit runs: a bar on a terminal, a line per technique elsewhere, on standard error always."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from keyfence.audit.findings import CallRecord, Finding
from keyfence.search.words import duration

LARGE_SEARCH: Final = 1 << 25
"""Candidates that take longer than anybody waits without a word."""
_FIRST_SECONDS, _MOST_SECONDS = 10.0, 600.0


class Display(Protocol):
    """Is told each finding and each call as it happens, and how far a search is: candidates done, of how many."""

    def finding(self, finding: Finding) -> None: ...

    def call(self, record: CallRecord) -> None: ...

    def searching(self, done: int, candidates: int) -> None: ...


class Searched:
    """What is said of a large search: that it begins, after ten seconds how far it is, and then ever more rarely."""

    def __init__(self) -> None:
        self._began = self._next = 0.0

    def line(self, done: int, candidates: int) -> str | None:
        """None where nothing is due to be said."""
        now, what = time.monotonic(), f"a search of 2^{candidates.bit_length() - 1} candidates"
        if candidates < LARGE_SEARCH or (done and now < self._next):
            return None
        if not done:
            self._began, self._next = now, now + _FIRST_SECONDS
            return f"{what} begins"
        took = now - self._began
        self._next = now + min(max(took, _FIRST_SECONDS), _MOST_SECONDS)
        left = duration(took * (candidates - done) / done)
        return f"{what}: {100 * done / candidates:.3g} % after {duration(took)}, at most {left} more"


class Tally:
    """Findings so far, in the order of techniques; what the line at an early end is made of."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.verdicts: dict[str, Counter[str]] = {}

    def add(self, finding: Finding) -> bool:
        """Whether this finding is its technique's first."""
        first = finding.technique not in self.verdicts
        self.verdicts.setdefault(finding.technique, Counter())[finding.verdict] += 1
        return first

    def __str__(self) -> str:
        exposed = [technique for technique, verdicts in self.verdicts.items() if verdicts["EXPOSED"]]
        found = f"; EXPOSED until then: {', '.join(exposed)}" if exposed else ""
        return f"in technique {max(len(self.verdicts), 1)} of {self.total}{found}"


class _Bar:
    def __init__(self, progress: Progress, name: str, tally: Tally) -> None:
        self._progress, self._tally = progress, tally
        self._task = progress.add_task(name, total=tally.total, now="opening the token")
        self._searched = Searched()

    def finding(self, finding: Finding) -> None:
        self._tally.add(finding)
        self._progress.update(
            self._task, completed=len(self._tally.verdicts) - 1, now=f"{finding.technique}: {finding.verdict}"
        )

    def call(self, record: CallRecord) -> None:
        self._progress.console.print(f"  {record}", style="dim")

    def searching(self, done: int, candidates: int) -> None:
        if line := self._searched.line(done, candidates):
            self._progress.update(self._task, now=line)


class _Silent:
    """Silent about findings. A search that may take hours is told of all the same."""

    def __init__(self, name: str, tally: Tally) -> None:
        self._name, self._tally = name, tally
        self._searched = Searched()

    def finding(self, finding: Finding) -> None:
        self._tally.add(finding)

    def call(self, record: CallRecord) -> None:
        print(f"  {record}", file=sys.stderr)

    def searching(self, done: int, candidates: int) -> None:
        if line := self._searched.line(done, candidates):
            print(f"{self._name}: {line}", file=sys.stderr, flush=True)


class _Lines(_Silent):
    """A technique's line appears when the next one begins: only then are its findings complete."""

    _open: str | None = None

    def finding(self, finding: Finding) -> None:
        if self._tally.add(finding):
            self.flush()
            self._open = finding.technique

    def flush(self) -> None:
        if self._open is not None:
            verdicts = ", ".join(f"{verdict} {number}" for verdict, number in self._tally.verdicts[self._open].items())
            position = list(self._tally.verdicts).index(self._open) + 1
            print(f"{self._name} {position}/{self._tally.total} {self._open}: {verdicts}", file=sys.stderr)
            self._open = None


def display(name: str, tally: Tally, *, silent: bool) -> AbstractContextManager[Display]:
    """`name` says which audit is running."""
    if silent:
        return nullcontext(_Silent(name, tally))
    return _bar(name, tally) if sys.stderr.isatty() else _lines(name, tally)


@contextmanager
def _bar(name: str, tally: Tally) -> Iterator[Display]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", style="dim"),
    )
    console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, name, tally)


@contextmanager
def _lines(name: str, tally: Tally) -> Iterator[Display]:
    lines = _Lines(name, tally)
    yield lines
    lines.flush()
