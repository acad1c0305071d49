"""The key block as a strip."""

import itertools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.audit.findings import Evidence, Proof
from keyfence.report.strip import legend, strip
from keyfence.report.words import source_runs
from keyfence.techniques.recovery import Source

from .samples import EXPOSED, SECRET

sources = st.dictionaries(st.integers(0, 59), st.sampled_from(Source))


def lines(*, width: int = 96, reveal: bool = False, **changes: object) -> list[str]:
    return [line.plain for line in strip(replace(EXPOSED, **changes), width, reveal=reveal)]  # type: ignore[arg-type]


def evidence(known: dict[int, Source]) -> Evidence:
    return Evidence(Proof.RECORD, "", known)


def test_a_letter_per_byte_and_a_label_per_part() -> None:
    known = {0: Source.PUBLIC, 1: Source.READABLE, 2: Source.SEARCHED, 3: Source.PRICED}
    assert lines(evidence=evidence(known), total_bytes=6, layout={"client MAC key": (0, 4), "master secret": (4, 6)}) == [
        "client MAC    PRS?  master secret ..",
    ]


def test_parts_that_do_not_fit_beside_each_other_stand_below() -> None:
    parts = {"client write key": (0, 16), "server write key": (16, 32)}
    assert lines(layout=parts, width=50) == ["client write SSPPPPPPPPPPPPPP", "server write PPPPPPPPPPPPPPPP"]


def test_without_a_layout_there_is_one_part() -> None:
    assert lines(layout={}, evidence=None) == ["key block " + "." * 32]


def test_a_long_part_is_folded() -> None:
    assert [len(line) for line in lines(layout={}, total_bytes=130, evidence=None)] == [74, 74, 12]


def test_revealed_bytes_stand_in_rows_of_sixteen_with_their_offset() -> None:
    revealed = lines(reveal=True)
    assert revealed[0] == "client write"
    assert revealed[1].split() == ["0", *(f"{byte:02x}" for byte in SECRET[:16])]
    assert revealed[3].split() == ["16", *(f"{byte:02x}" for byte in SECRET[16:])]


def test_a_byte_that_is_not_known_is_not_revealed() -> None:
    known = Evidence(Proof.REHEARSAL, "", {0: Source.PUBLIC, 1: Source.PRICED}, {0: 0xAB})
    assert lines(evidence=known, total_bytes=3, layout={}, reveal=True)[1].split() == ["0", "ab", "??", ".."]


def test_the_legend_explains_the_letters_that_occur() -> None:
    assert [line.plain.split()[0] for line in legend([EXPOSED])] == ["P", "S"]
    assert [line.plain.split()[0] for line in legend([replace(EXPOSED, evidence=evidence({0: Source.PRICED}))])] == ["?", "."]


@settings(max_examples=100)
@given(sources)
def test_every_byte_has_exactly_one_letter(known: dict[int, Source]) -> None:
    letters = {Source.PUBLIC: "P", Source.READABLE: "R", Source.SEARCHED: "S", Source.PRICED: "?"}
    (line,) = lines(evidence=evidence(known), total_bytes=60, layout={"x": (0, 60)})
    assert line == "x " + "".join(letters[known[place]] if place in known else "." for place in range(60))


@settings(max_examples=100)
@given(sources)
def test_runs_say_the_same_as_single_bytes(known: dict[int, Source]) -> None:
    runs = list(source_runs(known))
    assert {place: source for start, stop, source in runs for place in range(start, stop)} == known
    pairs = itertools.pairwise(runs)
    assert all(one[1] < other[0] or (one[1] == other[0] and one[2] is not other[2]) for one, other in pairs)
