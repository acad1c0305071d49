"""Chains against real key blocks, read as the caller of the solver reads them."""

import pytest

from keyfence.model import (
    Capability,
    Chain,
    Cut,
    KeyMatCut,
    KeyOption,
    Lengths,
    Limits,
    Oracle,
    Slice,
    Unsat,
    Window,
    key_slices,
    solve,
)

from .exhaustive import replay
from .samples import AES, DES, PUBLIC, SECRET, STREAM

AES_KEYS = KeyOption(AES, Lengths.exactly(16, 32))
ANY_KEYS = KeyOption(SECRET, Lengths.up_to(32))
UNUSABLE = KeyOption(None, Lengths.up_to(32))


def module(**changes: object) -> KeyMatCut:
    """A module that leaves all lengths to its caller, up to 64-byte MAC keys and 16-byte IVs."""
    usual = {"mac": Lengths.up_to(64), "keys": (AES_KEYS, ANY_KEYS), "iv": Lengths.up_to(16), "mac_sink": SECRET}
    return KeyMatCut("derive", STREAM, **(usual | changes))  # type: ignore[arg-type]


GCM = key_slices(module().call(Cut(mac=0, key=16, iv=4, option=AES_KEYS)))
CBC = key_slices(module().call(Cut(mac=20, key=32, iv=16, option=AES_KEYS)))


def solved(target: tuple[Slice, ...], *capabilities: Capability, limits: Limits | None = None) -> Chain:
    found = solve(target, capabilities, limits or Limits())
    assert isinstance(found, Chain)
    replay(found, list(target), [])
    return found


def trace(chain: Chain) -> list[list[tuple[str, int, int, int]]]:
    """Per step: part, start, stop, bits searched."""
    return [[(u.slice.part, u.slice.start, u.slice.stop, u.bits) for u in step.uncovers] for step in chain.steps]


def test_without_keys_a_gcm_block_comes_back_as_the_ivs_of_one_call() -> None:
    found = solved(GCM, module())
    assert trace(found) == [[("client IV", 0, 16, 0), ("server IV", 16, 32, 0)]]
    assert (found.price.work_bits, found.price.calls, found.optimal) == (0, 1, True)
    assert found.price.total_bits == 0.0


def test_ivs_of_16_bytes_take_a_window_every_32_bytes() -> None:
    found = solved(CBC, module(mac_sink=None, keys=(UNUSABLE,)))
    assert (found.price.work_bits, found.price.calls, found.optimal) == (0, 4, True)
    assert all(u.bits == 0 for step in found.steps for u in step.uncovers)


def test_a_call_asks_for_no_more_than_the_chain_needs() -> None:
    (step,) = solved(GCM, module(iv=Lengths.up_to(144))).steps
    assert step.call
    assert step.call.choice == Cut(mac=0, key=0, iv=16, option=ANY_KEYS)


def test_where_keys_have_one_byte_at_least_two_of_them_are_searched() -> None:
    found = solved(GCM, module(keys=(KeyOption(SECRET, Lengths.up_to(32, 1)),), mac=Lengths.exactly(0)))
    assert trace(found) == [
        [("client IV", 2, 17, 0), ("server IV", 17, 32, 0), ("client key", 0, 1, 8), ("server key", 1, 2, 8)]
    ]
    assert (found.price.work_bits, found.price.calls) == (8, 1)
    assert found.price.total_bits == 9.0


def test_prefixes_grow_byte_by_byte_and_the_last_byte_is_searched_on_a_record() -> None:
    prefix = Window("truncate", STREAM, SECRET, start=Lengths.exactly(0), length=Lengths.up_to(16, 1))
    found = solved((Slice(STREAM, 0, 16, AES),), prefix)
    assert [step.work_bits for step in found.steps] == [8] * 16
    assert found.steps[-1].call is None
    assert (found.price.work_bits, found.price.calls, found.optimal) == (8, 15, True)


def test_known_bytes_are_subtracted() -> None:
    prefix = Window("truncate", STREAM, SECRET, start=Lengths.exactly(0), length=Lengths.exactly(2, 4))
    found = solved((Slice(STREAM, 0, 4, AES),), prefix, limits=Limits(max_search_bits=16))
    assert [step.work_bits for step in found.steps] == [16, 16]
    again = solve([Slice(STREAM, 0, 4, AES)], [prefix], known=[Slice(STREAM, 0, 3, PUBLIC)])
    assert isinstance(again, Unsat), "one byte left: no call makes that cheaper"


def test_an_earlier_key_is_searched_when_later_calls_have_made_it_cheap() -> None:
    """Of the call with 3-byte MAC keys the client's is needed early, the server's only once others showed 2 of its bytes."""
    macs = module(mac=Lengths.exactly(1, 2, 3, 5), keys=(KeyOption(None, Lengths.exactly(0)),), iv=Lengths.exactly(0))
    found = solved((Slice(STREAM, 0, 7, SECRET),), macs, limits=Limits(max_search_bits=8))
    assert [(*row[0][1:3], step.again) for row, step in zip(trace(found), found.steps, strict=True)] == [
        (0, 1, False),
        (0, 3, False),
        (2, 4, False),
        (0, 5, False),
        (3, 6, True),
        (0, 7, False),
    ]
    assert (found.price.work_bits, found.price.calls, found.optimal) == (8, 4, True)


def test_des_keys_leave_the_parity_bits_to_the_last_step() -> None:
    only_des = module(
        mac=Lengths.exactly(0, 8), mac_sink=None, keys=(KeyOption(DES, Lengths.exactly(8)),), iv=Lengths.exactly(0)
    )
    found = solved(GCM, only_des)
    assert [step.searches for step in found.steps] == [(56, 56), (56, 56), (32,)]
    assert (found.price.work_bits, found.price.calls, found.optimal) == (56, 2, True)
    assert found.price.total_bits == pytest.approx(58.0)


def test_a_search_beyond_the_limit_is_no_chain() -> None:
    only_des = module(
        mac=Lengths.exactly(0, 8), mac_sink=None, keys=(KeyOption(DES, Lengths.exactly(8)),), iv=Lengths.exactly(0)
    )
    answer = solve(GCM, [only_des], Limits(max_search_bits=40))
    assert isinstance(answer, Unsat)
    assert answer.proven
    assert "40 bits" in answer.reason


def test_fewer_calls_may_cost_more_work() -> None:
    prefix = Window("truncate", STREAM, SECRET, start=Lengths.exactly(0), length=Lengths.up_to(8, 1))
    target = (Slice(STREAM, 0, 8, AES),)
    prices = [solved(target, prefix, limits=Limits(max_calls=most)).price for most in (7, 6, 3, 1)]
    assert [(price.work_bits, price.calls) for price in prices] == [(8, 7), (16, 3), (16, 3), (32, 1)]


def test_too_few_calls_is_said() -> None:
    windows = Window("data", STREAM, PUBLIC, length=Lengths.up_to(4), stop=Lengths.up_to(32))
    answer = solve(GCM, [windows], Limits(max_calls=2, max_search_bits=8))
    assert isinstance(answer, Unsat)
    assert answer.proven
    assert "2 calls" in answer.reason


def test_a_target_nothing_cuts() -> None:
    assert isinstance(solve(GCM, []), Unsat)
    assert isinstance(
        solve(GCM, [Window("elsewhere", STREAM, PUBLIC, start=Lengths.exactly(40), length=Lengths.up_to(8))]), Unsat
    )


def test_searching_the_whole_key_is_no_leak() -> None:
    short = (Slice(STREAM, 0, 5, SECRET),)
    same_again = Window("same", STREAM, SECRET, start=Lengths.exactly(0), length=Lengths.exactly(5))
    assert isinstance(solve(short, [same_again]), Unsat)


def test_what_is_known_already_needs_nothing() -> None:
    found = solve(GCM, [module()], known=[Slice(STREAM, 0, 32, PUBLIC)])
    assert found == Chain((), calls_at_least=0)
    assert found.price.calls == 0
    assert found.optimal


def test_means_are_mixed() -> None:
    """A window that misses the first bytes, and prefixes for those."""
    window = Window("data", STREAM, PUBLIC, start=Lengths(minimum=3), length=Lengths.up_to(64), stop=Lengths.up_to(64))
    prefix = Window("truncate", STREAM, SECRET, start=Lengths.exactly(0), length=Lengths.exactly(2))
    found = solved(GCM, window, prefix)
    assert [step.call.capability.name if step.call else "record" for step in found.steps] == ["data", "truncate", "record"]
    assert (found.price.work_bits, found.price.calls) == (16, 2)


def test_an_oracle_and_windows_share_the_work() -> None:
    window = Window("data", STREAM, PUBLIC, start=Lengths.exactly(32), length=Lengths.up_to(200), stop=Lengths.up_to(232))
    found = solve(CBC, [window, Oracle("sign", "master", "HMAC-SHA256")])
    assert isinstance(found, Chain)
    assert (found.price.work_bits, found.price.calls, found.optimal) == (0, 3, True)


@pytest.mark.parametrize("iv", [0, 1, 4, 16, 144])
def test_a_long_key_block_is_planned_whatever_the_iv(iv: int) -> None:
    block = (Slice(STREAM, 0, 144, AES),)
    keys = (AES_KEYS, KeyOption(SECRET, Lengths.up_to(32, 1)))
    found = solved(block, module(iv=Lengths.up_to(iv), keys=keys))
    assert found.price.work_bits == 8
    assert found.calls_at_least <= found.price.calls <= 72


def test_the_same_question_has_the_same_answer() -> None:
    capability = module(iv=Lengths.up_to(4), keys=(KeyOption(SECRET, Lengths.up_to(32, 1)),))
    assert solve(CBC, [capability]) == solve(CBC, [capability])


def test_a_module_that_only_makes_the_victims_cut_gives_nothing() -> None:
    only = module(mac=Lengths.exactly(20), keys=(KeyOption(AES, Lengths.exactly(32)),), iv=Lengths.exactly(16))
    assert isinstance(solve(CBC, [only], Limits(max_search_bits=255)), Unsat)


def test_a_des_key_is_wanted_without_its_parity() -> None:
    key = (Slice(STREAM, 0, 8, DES),)
    halves = Window("truncate", STREAM, DES, start=Lengths.exactly(0, 4), length=Lengths.exactly(4))
    found = solved(key, halves)
    assert [step.searches for step in found.steps] == [(28,), (28,)]
    assert found.steps[-1].call is None, "the second half costs as much on a record as on a key"
    assert solve(key, [halves], known=[Slice(STREAM, 0, 8, DES)]) == Chain((), calls_at_least=0)


def test_the_same_des_key_again_is_no_leak() -> None:
    same = Window("same", STREAM, DES, start=Lengths.exactly(0), length=Lengths.exactly(8))
    assert isinstance(solve([Slice(STREAM, 0, 8, DES)], [same]), Unsat)
    found = solved((Slice(STREAM, 0, 8, AES),), same)
    assert [step.searches for step in found.steps] == [(56,), (8,)]


def test_parity_bits_alone_are_left_of_an_aes_key() -> None:
    bytes_ = Window("slice", STREAM, SECRET, length=Lengths.exactly(1), stop=Lengths.up_to(16))
    known = Slice(STREAM, 0, 16, DES)
    found = solve([Slice(STREAM, 0, 16, AES)], [bytes_], Limits(max_search_bits=4), known=[known])
    assert isinstance(found, Chain)
    assert (found.price.work_bits, found.price.calls, found.optimal) == (1, 15, True)


def test_a_direction_with_a_stream_of_its_own() -> None:
    """WTLS cuts one direction per call: MAC key, write key, IV."""
    one_way = module(sides=("client",), mac=Lengths.exactly(0))
    found = solved((Slice(STREAM, 0, 16, AES),), one_way)
    assert trace(found) == [[("client IV", 0, 16, 0)]]
