"""The cheapest chain of calls that uncovers a target, or the answer that there is none.

    stream = Stream.of("master", "TLS12-PRF-SHA256", b"key expansion", server_random + client_random)
    module = KeyMatCut(                                   # what probing found the module to allow
        "CKM_TLS12_KEY_AND_MAC_DERIVE", stream,
        mac=Lengths.up_to(64), mac_sink=Key.of(CKK.GENERIC_SECRET),
        keys=(KeyOption(Key.of(CKK.AES), Lengths.exactly(16, 32)), KeyOption(Key.of(CKK.GENERIC_SECRET), Lengths.up_to(32, 1))),
        iv=Lengths.up_to(16),
    )
    victim = module.call(Cut(mac=0, key=16, iv=4, option=module.keys[0]))
    answer = solve(key_slices(victim), [module], Limits(max_calls=64, max_search_bits=24))
    if isinstance(answer, Chain):
        for step in answer.steps: ...                     # step.call.choice, step.again, step.uncovers, step.work_bits

A chain's price is compared as (work_bits, calls): work_bits is the LARGEST SINGLE SEARCH in bits (0: nothing is searched),
because work doubles with each bit and the largest search is all of it; calls is how many calls are made. Handles are
kept: going back to a key made earlier is no new call. What is left of the target may be searched in a last step,
against a record of the victim's. A chain counts only when it is cheaper than searching the whole target outright.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .calls import Capability
from .chains import Effort, Fewest, fewest_calls
from .knowledge import Problem, problem
from .steps import Chain, chain_of
from .streams import Slice


@dataclass(frozen=True, slots=True)
class Limits:
    """What a chain may take: calls in all, bits per search; `effort` is spent on proving it the shortest."""

    max_calls: int = 256
    max_search_bits: int = 64
    effort: Effort = Effort()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Unsat:
    """No chain. `proven` False: none was found, but the effort did not suffice to rule one out."""

    reason: str
    proven: bool = True


def solve(
    target: Sequence[Slice],
    capabilities: Collection[Capability],
    limits: Limits = Limits(),
    known: Collection[Slice] = (),
) -> Chain | Unsat:
    """The cheapest chain that uncovers every byte of `target` (of DES keys: all but the parity, which they do not need).

    `known` are slices uncovered before. Raises ValueError when a capability's lengths are unbounded.
    """
    task = problem(target, capabilities, known)
    outright = task.missing(task.start, task.target)
    if not outright:
        return Chain((), calls_at_least=0)
    most_work = min(limits.max_search_bits, outright - 1)
    least = task.cheapest_work(most_work)
    if least is None:
        return Unsat(f"no chain with searches of at most {most_work} bits")
    return _within_calls(task, target, least, most_work, limits)


def _within_calls(task: Problem, target: Sequence[Slice], least: int, most_work: int, limits: Limits) -> Chain | Unsat:
    """Bisect for the least work at which `max_calls` suffice: more work per search never needs more calls."""
    found: tuple[int, Fewest] | None = None
    proven, low, high = True, least, most_work
    while low <= high:
        work = least if found is None and low == least else (low + high) // 2
        answer = fewest_calls(task, work, limits.max_calls, limits.effort)
        if len(answer.moves) <= limits.max_calls:
            found, high = (work, answer), work - 1
        else:
            proven = proven and answer.at_least > limits.max_calls
            low = work + 1
    if found is None:
        return Unsat(f"no chain of at most {limits.max_calls} calls with searches of at most {most_work} bits", proven)
    work, answer = found
    return chain_of(task, target, answer.moves, work, answer.at_least, work_is_least=proven)
