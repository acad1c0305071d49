"""Where the parts of a derivation lie, which calls a module allows, and which of them are worth listing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.model import ANY, Call, Cut, KeyMatCut, KeyOption, Lengths, Span, Window, key_slices

from .exhaustive import all_calls
from .samples import AES, DES, PUBLIC, SECRET, STREAM, keymats, windows

AES_KEYS = KeyOption(AES, Lengths.exactly(16, 32))


def module(**changes: object) -> KeyMatCut:
    usual = {"mac": Lengths.up_to(20), "keys": (AES_KEYS,), "iv": Lengths.up_to(16), "mac_sink": SECRET}
    return KeyMatCut("derive", STREAM, **(usual | changes))  # type: ignore[arg-type]


def places(call: Call) -> list[tuple[str, int, int]]:
    return [(piece.part, piece.start, piece.stop) for piece in call.slices]


def test_the_key_block_of_aes_128_cbc_sha_in_tls_1_0() -> None:
    call = module().call(Cut(mac=20, key=16, iv=16, option=AES_KEYS))
    assert places(call) == [
        ("client MAC", 0, 20),
        ("server MAC", 20, 40),
        ("client key", 40, 56),
        ("server key", 56, 72),
        ("client IV", 72, 88),
        ("server IV", 88, 104),
    ]
    assert [piece.part for piece in key_slices(call)] == ["client MAC", "server MAC", "client key", "server key"]


def test_empty_parts_are_no_slices() -> None:
    call = module().call(Cut(mac=0, key=16, iv=4, option=AES_KEYS))
    assert places(call) == [("client key", 0, 16), ("server key", 16, 32), ("client IV", 32, 36), ("server IV", 36, 40)]


def test_parts_never_seen_still_take_their_place() -> None:
    call = module(mac_sink=None).call(Cut(mac=20, key=16, iv=1, option=KeyOption(None, Lengths.exactly(16))))
    assert places(call) == [("client IV", 72, 73), ("server IV", 73, 74)]


def test_of_free_ivs_only_the_longest_is_listed() -> None:
    capability = module(mac=Lengths.exactly(20), iv=Lengths.up_to(16))
    assert [call.choice for call in capability.calls({})] == [Cut(20, 16, 16, AES_KEYS), Cut(20, 32, 16, AES_KEYS)]


def test_the_total_shortens_the_ivs_and_rules_calls_out() -> None:
    capability = module(mac=Lengths.exactly(20), total=Lengths.up_to(80))
    assert [call.choice for call in capability.calls({})] == [Cut(20, 16, 4, AES_KEYS)]


def test_ivs_that_must_be_searched_are_all_listed() -> None:
    capability = module(
        mac=Lengths.exactly(0), keys=(KeyOption(AES, Lengths.exactly(16)),), iv=Lengths.up_to(2), iv_sink=SECRET
    )
    assert {places(call)[-1] for call in capability.calls({})} == {
        ("server key", 16, 32),
        ("server IV", 33, 34),
        ("server IV", 34, 36),
    }


def test_the_least_call_reaches_the_byte_and_no_further_than_it_must() -> None:
    capability = module(iv=Lengths(0, 16, 4))
    (large,) = (call for call in capability.calls({}) if call.choice == Cut(20, 16, 16, AES_KEYS))
    assert capability.least(large, 0).choice == Cut(20, 16, 0, AES_KEYS)
    assert capability.least(large, 73).choice == Cut(20, 16, 4, AES_KEYS)
    assert capability.least(large, 81).choice == Cut(20, 16, 8, AES_KEYS)
    searched = module(iv_sink=SECRET)
    assert searched.least(searched.call(Cut(20, 16, 16, AES_KEYS)), 0).choice == Cut(20, 16, 16, AES_KEYS)


def test_a_prefix_a_suffix_and_a_slice() -> None:
    prefix = Window("prefix", STREAM, SECRET, start=Lengths.exactly(0), length=Lengths.up_to(3, 1))
    suffix = Window("suffix", STREAM, SECRET, length=Lengths.up_to(2, 1), stop=Lengths.exactly(48))
    anywhere = Window("slice", STREAM, PUBLIC, length=Lengths.up_to(4), stop=Lengths.up_to(6))
    assert [(p.start, p.stop) for call in prefix.calls({}) for p in call.slices] == [(0, 1), (0, 2), (0, 3)]
    assert [(p.start, p.stop) for call in suffix.calls({}) for p in call.slices] == [(46, 48), (47, 48)]
    assert [(p.start, p.stop) for call in anywhere.calls({}) for p in call.slices] == [
        (0, 4),
        (1, 5),
        (2, 6),
        (3, 6),
        (4, 6),
        (5, 6),
    ]


def test_the_least_window() -> None:
    anywhere = Window("slice", STREAM, PUBLIC, length=Lengths.up_to(8), stop=Lengths.up_to(32))
    assert anywhere.least(anywhere.call(Span(4, 8)), 7).choice == Span(4, 3)
    keys = Window("slice", STREAM, DES, length=Lengths.exactly(8), stop=Lengths.up_to(32))
    assert keys.least(keys.call(Span(4, 8)), 7).choice == Span(4, 8)


@pytest.mark.parametrize("capability", [module(mac=ANY), Window("any", STREAM, PUBLIC)])
def test_unbounded_lengths_cannot_be_listed(capability: KeyMatCut | Window) -> None:
    with pytest.raises(ValueError, match="unbounded"):
        list(capability.calls({}))


def test_no_stop_fits() -> None:
    assert not list(Window("none", STREAM, PUBLIC, stop=Lengths(minimum=5, maximum=4)).calls({}))


@settings(max_examples=200, deadline=None)
@given(st.one_of(keymats(), windows()))
def test_every_listed_call_is_allowed_and_every_allowed_call_is_outdone_by_a_listed_one(capability: KeyMatCut | Window) -> None:
    allowed = all_calls([capability])
    listed = [
        frozenset((s.start, s.stop, getattr(s.sink, "hidden_bits", None)) for s in c.slices) for c in capability.calls({})
    ]
    assert set(listed) - {frozenset()} <= allowed
    for call in allowed:
        assert any(_outdoes(larger, call) for larger in listed), call


def _outdoes(larger: frozenset[tuple[int, int, int | None]], call: frozenset[tuple[int, int, int | None]]) -> bool:
    free = {at for start, stop, hidden in larger if hidden is None for at in range(start, stop)}
    return all(piece in larger or (piece[2] is None and free >= set(range(piece[0], piece[1]))) for piece in call)
