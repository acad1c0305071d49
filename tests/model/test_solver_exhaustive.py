"""The solver against exhaustive search, on random modules over small lengths: same verdict, same price."""

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from keyfence.model import Capability, Chain, Effort, Limits, Slice, Unsat, solve

from .exhaustive import all_calls, cheapest, replay
from .samples import known, modules, targets

MOST_SEQUENCES = 10_000


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(targets(), modules(), st.sampled_from([4, 4, 3, 2]), st.sampled_from([40, 24, 16, 8, 0]), known())
def test_verdict_and_price_equal_exhaustive_search(
    target: list[Slice], module: list[Capability], most_calls: int, most_work: int, learnt: list[Slice]
) -> None:
    assume(len(all_calls(module)) ** most_calls <= MOST_SEQUENCES)

    answer = solve(target, module, Limits(most_calls, most_work, Effort.unlimited()), learnt)
    expected = cheapest(target, module, most_calls, most_work, learnt)

    event("no chain" if expected is None else f"{expected[1]} calls, {'search' if expected[0] else 'no search'}")
    if isinstance(answer, Unsat):
        assert answer.proven
        assert expected is None
    else:
        assert answer.optimal
        assert (answer.price.work_bits, answer.price.calls) == expected
        replay(answer, target, learnt)


@settings(max_examples=60, deadline=None)
@given(targets(), modules())
def test_little_effort_is_said_and_never_wrong(target: list[Slice], module: list[Capability]) -> None:
    assume(len(all_calls(module)) ** 3 <= MOST_SEQUENCES)

    answer = solve(target, module, Limits(3, 24, Effort(literals=0, z3_steps=1)))
    expected = cheapest(target, module, 3, 24, [])

    if isinstance(answer, Chain):
        assert expected is not None
        price = answer.price.work_bits, answer.price.calls
        assert price == expected if answer.optimal else price >= expected
        replay(answer, target, [])
    else:
        assert expected is None or not answer.proven
