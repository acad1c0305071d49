"""The proofs: an attack on the classic expansion with lengths left free, none on the victim's cut, none on separated keys."""

import pytest
import z3
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from keyfence.model import (
    ANY,
    Capability,
    Cut,
    Key,
    KeyMatCut,
    KeyOption,
    Lengths,
    Limits,
    Oracle,
    Slice,
    Stream,
    Unsat,
    Window,
    is_exposed,
    is_payable,
    is_shared,
    key_slices,
    next_call,
    solve,
)
from keyfence.schedule import Side
from keyfence.schedule.separated import ALGORITHMS, SeparatedLabel

from .exhaustive import all_calls, cost, learnt, left, told
from .samples import AES, DES, PUBLIC, SECRET, STREAM, keymats, known, modules, targets


def classic(**changes: object) -> KeyMatCut:
    free = {"mac": ANY, "keys": (KeyOption(AES, Lengths.exactly(16, 32)),), "iv": ANY, "mac_sink": SECRET}
    return KeyMatCut("derive", STREAM, **(free | changes))  # type: ignore[arg-type]


VICTIM = classic(mac=Lengths.exactly(20), keys=(KeyOption(AES, Lengths.exactly(16)),), iv=Lengths.exactly(16))


def overlapping(exposure_victim: tuple[Slice, ...], exposure_attacker: tuple[Slice, ...], offset: int) -> tuple[Slice, Slice]:
    """The two slices at the offset the witness names."""
    (mine,) = (piece for piece in exposure_victim if piece.start <= offset < piece.stop)
    (theirs,) = (piece for piece in exposure_attacker if piece.start <= offset < piece.stop)
    return mine, theirs


def test_the_classic_expansion_is_exposed_whatever_the_lengths() -> None:
    witness = is_exposed([classic()], [classic()])
    assert witness is not None
    mine, theirs = overlapping(witness.victim.slices, witness.attacker.slices, witness.offset)
    assert mine in key_slices(witness.victim)
    assert (mine.start, mine.stop) != (theirs.start, theirs.stop)


def test_it_is_exposed_through_ivs_alone() -> None:
    only_ivs = classic(mac_sink=None, keys=(KeyOption(None, ANY),))
    witness = is_exposed([VICTIM], [only_ivs])
    assert witness is not None
    assert overlapping(witness.victim.slices, witness.attacker.slices, witness.offset)[1].sink == PUBLIC


def test_no_bound_is_hidden_in_the_question() -> None:
    """The only attack has a MAC length beyond anything that could have been listed."""
    far = classic(mac=Lengths.exactly(20_000_000), keys=(KeyOption(AES, Lengths.exactly(16)),), iv=Lengths.exactly(0))
    only = classic(mac=Lengths(minimum=19_999_990, multiple_of=16), keys=(KeyOption(None, ANY),), mac_sink=None)
    assert is_exposed([far], [only]) is not None


def test_the_victims_cut_alone_exposes_nothing() -> None:
    assert is_exposed([VICTIM], [VICTIM]) is None
    assert is_shared([VICTIM], [VICTIM]) is None


def test_another_key_type_on_the_same_bytes_is_shared_and_not_weaker() -> None:
    retyped = classic(mac=Lengths.exactly(20), keys=(KeyOption(SECRET, Lengths.exactly(16)),), iv=Lengths.exactly(16))
    assert is_exposed([VICTIM], [retyped]) is None
    assert is_shared([VICTIM], [retyped]) is not None


def test_parity_makes_the_same_bytes_weaker() -> None:
    key = Window("AES", STREAM, AES, start=Lengths.exactly(0), length=Lengths.exactly(24))
    retyped = Window("DES3", STREAM, DES, start=Lengths.exactly(0), length=Lengths.exactly(24))
    assert is_exposed([key], [retyped]) is not None
    assert is_exposed([retyped], [key]) is None


def test_one_byte_of_freedom_is_enough() -> None:
    assert is_exposed([VICTIM], [classic(mac=Lengths.exactly(20), keys=VICTIM.keys, iv=ANY)]) is None
    assert is_exposed([VICTIM], [classic(mac=Lengths.up_to(20, 19), keys=VICTIM.keys, iv=Lengths.exactly(16))]) is not None


def separated(prf: str = "TLS12-PRF-SHA256") -> list[Window]:
    """Every key of the separated expansion, each the only slice of its own stream."""
    return [
        Window(
            label.build().decode(),
            Stream.of("master", prf, label.build(), bytes(64)),
            AES if facts.mechanism else SECRET,
            start=Lengths.exactly(0),
            length=Lengths.exactly(label.length),
        )
        for name, facts in ALGORITHMS.items()
        for side in Side
        for label in [SeparatedLabel.of(name, side)]
    ]


def others() -> list[Window]:
    """What a separated token hands out: IVs under the empty secret, Finished values, exporter output. No length is bounded."""
    inputs = [("", b"IV block"), ("master", b"client finished"), ("master", b"EXPORTER-Channel-Binding")]
    return [
        Window(label.decode(), Stream.of(secret, "TLS12-PRF-SHA256", label, bytes(64)), PUBLIC, start=Lengths.exactly(0))
        for secret, label in inputs
    ]


def test_separated_keys_are_exposed_by_nothing_a_token_hands_out() -> None:
    keys = separated()
    assert is_exposed(keys, [*keys, *others()]) is None
    assert is_shared(keys, [*keys, *others()]) is None


@pytest.mark.parametrize("function", ["HMAC-SHA256", "TLS12-PRF-SHA256"])
def test_another_function_under_the_same_secret_voids_that(function: str) -> None:
    keys = separated()
    assert is_exposed(keys, [*keys, Oracle("generic", "master", function)]) is not None


def test_so_does_a_length_that_is_not_named_by_the_label() -> None:
    keys = separated()
    prefix = Window("truncated", keys[0].stream, AES, start=Lengths.exactly(0), length=Lengths.up_to(32))
    assert is_exposed(keys, [prefix]) is not None


def test_a_proof_counts_an_oracle_that_is_cut_off_as_whole() -> None:
    assert is_exposed([VICTIM], [Oracle("general", "master", "HMAC-SHA256", output=1)]) is not None
    assert is_exposed([VICTIM], [Oracle("sign", "master", "HMAC-SHA384")]) is None


@settings(max_examples=150, deadline=None)
@given(keymats(), modules())
def test_where_nothing_is_exposed_no_chain_exists(victim: KeyMatCut, module: list[Capability]) -> None:
    calls = list(victim.calls({}))
    assume(any(key_slices(call) for call in calls))
    safe = is_exposed([victim], module) is None
    event("safe" if safe else "exposed")
    if safe:
        for piece in {piece for call in calls for piece in key_slices(call)}:
            assert isinstance(solve([piece], module, Limits(6, 128)), Unsat)


@settings(max_examples=150, deadline=None)
@given(keymats(), st.lists(keymats(), min_size=1, max_size=2))
def test_a_witness_is_two_allowed_calls(victim: KeyMatCut, attackers: list[KeyMatCut]) -> None:
    witness = is_exposed([victim], attackers)
    event("exposed" if witness else "safe")
    if witness is not None:
        for call in (witness.victim, witness.attacker):
            assert isinstance(call.capability, KeyMatCut)
            assert isinstance(call.choice, Cut)
            assert call.choice.mac in call.capability.mac
            assert call.choice.key in call.choice.option.lengths
            assert call.choice.iv in call.capability.iv
            assert len(call.capability.sides) * (call.choice.mac + call.choice.key + call.choice.iv) in call.capability.total
        mine, theirs = overlapping(witness.victim.slices, witness.attacker.slices, witness.offset)
        assert mine in key_slices(witness.victim)
        inside = min(mine.stop, theirs.stop) - max(mine.start, theirs.start)
        assert theirs.strength * inside < mine.strength * theirs.length


@settings(max_examples=200, deadline=None)
@given(targets(), modules(), known(), st.sampled_from([0, 8, 14, 16]))
def test_the_next_call_tells_something_and_none_means_none(
    target: list[Slice], module: list[Capability], before: list[Slice], work: int
) -> None:
    unknown = learnt(before)

    def tells(call: frozenset[tuple[int, int, int | None]]) -> bool:
        affordable = [piece for piece in call if cost(unknown, piece) <= work]
        return any(left(told(unknown, piece), target) < left(unknown, target) for piece in affordable)

    found = next_call(target, module, before, work)
    event("found" if found else "none")
    if found is None:
        assert not any(tells(call) for call in all_calls(module))
    else:
        assert tells(frozenset((s.start, s.stop, getattr(s.sink, "hidden_bits", None)) for s in found.slices))


def test_next_calls_of_an_oracle_come_helper_first() -> None:
    target = [Slice(STREAM, 0, 40, AES)]
    oracle = Oracle("sign", "master", "HMAC-SHA256")
    so_far: list[Slice] = []
    order = []
    while call := next_call(target, [oracle], so_far):
        so_far += call.slices
        order.append((call.choice.helper, call.choice.index))  # type: ignore[attr-defined]
    assert sorted(order) == [(False, 0), (False, 1), (True, 0), (True, 1)]
    assert order.index((True, 0)) < order.index((False, 0))
    assert order.index((True, 0)) < order.index((True, 1)) < order.index((False, 1))


def test_a_free_call_comes_before_one_to_be_searched() -> None:
    search = Window("key", STREAM, SECRET, length=Lengths.exactly(1))
    show = Window("IV", STREAM, PUBLIC, length=Lengths.exactly(1))
    found = next_call([Slice(STREAM, 4, 20, AES)], [search, show], max_search_bits=8)
    assert found is not None
    assert found.capability is show


def test_another_session_shares_nothing() -> None:
    other = Stream.of("master", "TLS12-PRF-SHA256", b"key expansion", b"\x01" + bytes(63))
    free = KeyMatCut("derive", other, mac=ANY, keys=(KeyOption(AES, ANY),), iv=ANY, mac_sink=SECRET)
    assert is_exposed([VICTIM], [free]) is None
    assert next_call([Slice(STREAM, 0, 16, AES)], [free], max_search_bits=64) is None


def test_no_proof_is_claimed_when_z3_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(z3.Solver, "check", lambda _: z3.unknown)
    with pytest.raises(RuntimeError, match="could not decide"):
        is_exposed([VICTIM], [VICTIM])


def test_an_oracle_has_no_keys_to_lose() -> None:
    assert is_exposed([Oracle("sign", "master", "HMAC-SHA256")], [classic()]) is None


def cut(mac: int, key: int, iv: int, type_: Key = AES) -> KeyMatCut:
    return classic(mac=Lengths.exactly(mac), keys=(KeyOption(type_, Lengths.exactly(key)),), iv=Lengths.exactly(iv))


def test_what_one_call_leaves_of_a_key_has_a_price() -> None:
    """The other cut's IVs are bytes 64 to 87. Of the server's write key, 56 to 71, they leave 8 bytes; of longer write keys,
    72 to 103, they leave 16, and less is left of the server's MAC key, 20 to 39: 12 bytes in one of the other's keys, 8 in
    the next."""
    chacha20, aes128, aes256 = cut(0, 32, 12), cut(20, 16, 0), cut(20, 32, 0)
    assert is_exposed([aes128], [chacha20]) is not None
    assert is_payable([aes128], [chacha20], 64) is None
    assert is_payable([aes128], [chacha20], 65) is not None
    assert is_payable([aes256], [chacha20], 96) is None
    assert is_payable([aes256], [chacha20], 97) is not None


def test_keys_of_one_call_count_together_with_its_ivs() -> None:
    """Bytes 0 to 15 are two keys of 8 bytes each: 2^64 twice, and no 2^128."""
    assert is_payable([cut(0, 16, 0)], [cut(8, 16, 0)], 64) is None
    assert is_payable([cut(0, 16, 0)], [cut(8, 16, 0)], 65) is not None


def test_a_key_that_was_weak_from_the_start_is_not_weakened() -> None:
    assert is_payable([cut(0, 8, 0)], [cut(0, 8, 0)], 80) is None
    assert is_payable([cut(0, 16, 0)], [cut(0, 16, 0)], 80) is None
