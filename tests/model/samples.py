"""Streams, sinks and random small modules for the tests of the model."""

from hypothesis import strategies as st

from keyfence.cryptoki.constants import CKK
from keyfence.model import ANY, Capability, Key, KeyMatCut, KeyOption, Lengths, Public, Readable, Slice, Stream, Window

STREAM = Stream.of("master", "TLS12-PRF-SHA256", b"key expansion", bytes(64))
SECRET = Key.of(CKK.GENERIC_SECRET)
AES = Key.of(CKK.AES)
DES = Key.of(CKK.DES)
PUBLIC = Public()


def lengths(most: int) -> st.SearchStrategy[Lengths]:
    few = st.frozensets(st.integers(0, most), min_size=1, max_size=3).map(lambda allowed: Lengths(allowed=allowed))
    runs = st.builds(
        lambda low, more, step: Lengths(low, low + more, step), st.integers(0, 1), st.integers(0, most), st.integers(1, 2)
    )
    return few | runs


def sinks() -> st.SearchStrategy[Key | Public | Readable]:
    return st.sampled_from([SECRET, SECRET, AES, DES, PUBLIC, Readable()])


def keymats() -> st.SearchStrategy[KeyMatCut]:
    options = st.builds(KeyOption, st.sampled_from([SECRET, AES, DES, None]), lengths(4))
    return st.builds(
        KeyMatCut,
        name=st.just("key-and-MAC derive"),
        stream=st.just(STREAM),
        mac=lengths(3),
        mac_sink=st.sampled_from([SECRET, SECRET, None, Readable()]),
        keys=st.lists(options, min_size=1, max_size=2).map(tuple),
        iv=lengths(4),
        iv_sink=st.sampled_from([PUBLIC, PUBLIC, None, SECRET]),
        total=st.just(ANY) | st.integers(4, 20).map(Lengths.up_to),
        sides=st.sampled_from([("client", "server"), ("client", "server"), ("client",)]),
    )


def windows() -> st.SearchStrategy[Window]:
    prefixes = st.builds(Window, st.just("prefix"), st.just(STREAM), sinks(), st.just(Lengths.exactly(0)), lengths(10))
    suffixes = st.builds(
        lambda sink, length, total: Window("suffix", STREAM, sink, length=length, stop=Lengths.exactly(total)),
        sinks(),
        lengths(8),
        st.integers(1, 12),
    )
    anywhere = st.builds(
        lambda sink, length, start: Window("slice", STREAM, sink, start=start, length=length, stop=Lengths.up_to(12)),
        sinks(),
        lengths(3),
        lengths(10),
    )
    return prefixes | suffixes | anywhere


def modules() -> st.SearchStrategy[list[Capability]]:
    return st.lists(keymats() | windows(), min_size=1, max_size=2)


def targets() -> st.SearchStrategy[list[Slice]]:
    sinks = st.sampled_from([AES, AES, DES])
    one = st.builds(
        lambda start, length, sink: Slice(STREAM, start, start + length, sink), st.integers(0, 4), st.integers(1, 9), sinks
    )
    return st.lists(one, min_size=1, max_size=2)


def known() -> st.SearchStrategy[list[Slice]]:
    """Slices learnt before."""
    sinks = st.sampled_from([SECRET, DES])
    one = st.builds(
        lambda start, length, sink: Slice(STREAM, start, start + length, sink), st.integers(0, 12), st.integers(0, 6), sinks
    )
    return st.just([]) | st.lists(one, max_size=3)
