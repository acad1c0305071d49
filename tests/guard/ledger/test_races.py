"""Many processes at once: nothing is lost, and no block is cut twice."""

import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

from keyfence.guard.ledger import Answer
from keyfence.guard.ledger.sql import SqlLedger
from keyfence.guard.ledger.statistics import statistics

from .places import Place, commit, committed

PROCESSES, THREADS = 4, 32
BLOCKS = 60
TRIES = 3
"""Per thread: 384 commits in all, over 60 blocks."""

Outcome = tuple[int, bytes, Answer]


def _guard(place: Place, number: int) -> list[Outcome]:
    """One process. All threads of all processes choose blocks and cuts at random."""
    ledger = place.ledger()
    _start[0].wait()
    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = threads.map(lambda thread: _thread(ledger, random.Random(f"{number}.{thread}")), range(THREADS))
        found = [outcome for thread in outcomes for outcome in thread]
    ledger.close()
    return found


def _thread(ledger: SqlLedger, choice: random.Random) -> list[Outcome]:
    chosen = [(choice.randrange(BLOCKS), choice.choice([b"one", b"two", b"three"])) for _ in range(TRIES)]
    return [(block, cut, commit(ledger, block, cut)) for block, cut in chosen]


def _together(processes: int, work: Callable[[Place, int], list[Outcome]], place: Place) -> list[Outcome]:
    """`work` in so many fresh processes, which begin it at the same time."""
    context = get_context("spawn")
    with context.Pool(processes, initializer=_remember, initargs=(context.Barrier(processes),)) as pool:
        guards = [pool.apply_async(work, (place, number)) for number in range(processes)]
        return [outcome for guard in guards for outcome in guard.get(timeout=60)]


_start: list[Any] = []
"""In a process that `_together` began: the barrier."""


def _remember(barrier: Any) -> None:
    _start.append(barrier)


def test_of_many_cuts_of_one_block_exactly_one_stands(place: Place, ledger: SqlLedger) -> None:
    """The processes also race to make the ledger: `ledger` opens at its first use, which is after them."""
    outcomes = _together(PROCESSES, _guard, place)
    assert len(outcomes) == PROCESSES * THREADS * TRIES
    for block, answers in _by_block(outcomes).items():
        (winner,) = {cut for cut, answer in answers if answer is Answer.ACCEPTED}
        assert [answer for _, answer in answers].count(Answer.ACCEPTED) == 1
        assert committed(ledger, block) == winner
        for cut, answer in answers:
            assert answer in ((Answer.ACCEPTED, Answer.SAME) if cut == winner else (Answer.CONFLICT,))
    assert statistics(ledger, examine=True).damage == ()


def _by_block(outcomes: Iterable[Outcome]) -> dict[int, list[tuple[bytes, Answer]]]:
    blocks: dict[int, list[tuple[bytes, Answer]]] = defaultdict(list)
    for block, cut, answer in outcomes:
        blocks[block].append((cut, answer))
    return blocks


PRUNED = 15


def _prune_and_commit(place: Place, number: int) -> list[Outcome]:
    """Cuts that were pruned are committed again, otherwise, while the pruning goes on."""
    ledger = place.ledger()
    _start[0].wait()
    outcomes = []
    for secret in range(PRUNED):
        if number == 0:
            ledger.forget(ledger.hash(b"master", b"secret %d" % secret))
        outcomes.append((secret, b"second", commit(ledger, 0, b"second", secret=secret)))
    ledger.close()
    return outcomes


def test_no_cut_is_reopened_while_it_is_pruned(place: Place, ledger: SqlLedger) -> None:
    for secret in range(PRUNED):
        commit(ledger, 0, b"first", secret=secret)
    answers = {answer for _, _, answer in _together(3, _prune_and_commit, place)}
    assert answers == {Answer.CONFLICT}
    assert statistics(ledger).blocks == 0


ROUNDS = 5
WRITER = """
import sys
from tests.guard.ledger.places import Place, commit
from pathlib import Path
ledger = Place(sys.argv[1], Path(sys.argv[2])).ledger()
for block in range(int(sys.argv[3]), 10**9):
    print(block, commit(ledger, block, b"cut %d" % block), flush=True)
"""


def test_what_was_answered_survives_a_kill(place: Place, ledger: SqlLedger) -> None:
    """Killed at a random moment, again and again: the ledger opens, and every answer that was given still holds."""
    answered: dict[int, str] = {}
    for round_ in range(ROUNDS):
        for line in _killed_writer(place, first=1000 * round_, lines=5 + 3 * round_):
            block, answer = line.split()
            answered[int(block)] = answer
    assert set(answered.values()) == {"accepted"}
    assert len(answered) >= ROUNDS * 5
    for block in answered:
        assert committed(ledger, block) == b"cut %d" % block
        assert commit(ledger, block, b"another") is Answer.CONFLICT
    assert statistics(ledger, examine=True).damage == ()


def _killed_writer(place: Place, first: int, lines: int) -> list[str]:
    """The whole lines that a writer printed until it was killed, in the middle of what came after `lines`."""
    command = [sys.executable, "-c", WRITER, place.location, str(place.key_file), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        seen = [writer.stdout.readline() for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        seen += writer.stdout.readlines()
    assert writer.returncode == -signal.SIGKILL
    return [line for line in seen if line.endswith("\n")]


def test_a_forked_child_has_connections_of_its_own(ledger: SqlLedger) -> None:
    """As servers do that load a module and then fork their workers."""
    commit(ledger, 1, b"parent")
    with get_context("fork").Pool(2, initializer=_inherit, initargs=(ledger,)) as pool:
        assert pool.map(_child, range(2, 6)) == [(Answer.CONFLICT, Answer.ACCEPTED)] * 4
    assert [commit(ledger, block, b"cut") for block in range(2, 6)] == [Answer.SAME] * 4
    assert commit(ledger, 1, b"parent") is Answer.SAME


_inherited: list[SqlLedger] = []


def _inherit(ledger: SqlLedger) -> None:
    _inherited.append(ledger)


def _child(block: int) -> tuple[Answer, Answer]:
    (ledger,) = _inherited
    return commit(ledger, 1, b"child"), commit(ledger, block, b"cut")
