"""What a bench found, as lines of plain text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .bound import Operations
from .measured import Measured
from .ours import des_names
from .programs import HASHCAT, HASHCAT_GPU, JOHN_ALL, JOHN_ONE


@dataclass(frozen=True, slots=True)
class Ratio:
    """One of ours over something else; `aim` is what the project asks of itself, where it asks something."""

    ours: str
    theirs: str
    aim: float | None = None


def ratios(names: Mapping[str, Measured]) -> Iterator[Ratio]:
    """Those whose both sides were measured."""
    one, every, pair_one, pair_every = des_names()
    wanted = [
        Ratio(every, HASHCAT, 16),
        Ratio(pair_every, HASHCAT, 33),
        Ratio(one, JOHN_ONE, 6),
        Ratio(every, JOHN_ALL, 6),
        Ratio(pair_one, JOHN_ONE, 12),
        Ratio(pair_every, JOHN_ALL, 12),
        Ratio(every, one, 1.9),
        Ratio(pair_every, every),
    ]
    wanted += [Ratio(name, HASHCAT_GPU, 1) for name in names if name.startswith("DES, OpenCL on ")]
    wanted += [Ratio(name, every) for name in names if name.startswith("DES, OpenCL on ")]
    return (it for it in wanted if it.ours in names and it.theirs in names and it.ours != it.theirs)


def rate_lines(found: Mapping[str, Measured]) -> Iterator[str]:
    yield "M keys/s, of the clock's time and of processor time:"
    for name, it in found.items():
        yield f"{_number(it.wall / 1e6)} {_number(it.processor and it.processor / 1e6)}  {name}"


def ratio_lines(found: Mapping[str, Measured]) -> Iterator[str]:
    yield "Ratios, of the clock's time and of processor time (all threads to one have 1 there at best):"
    for it in ratios(found):
        ours, theirs = found[it.ours], found[it.theirs]
        both = ours.processor and theirs.processor and ours.processor / theirs.processor
        aim = f"; aim {it.aim:g}" if it.aim is not None else ""
        yield f"{_number(ours.wall / theirs.wall)} {_number(both)}  × {it.theirs} ({it.ours}{aim})"
    every = des_names()[1]
    if every in found:
        yield f"2^32 DES keys in {2**32 / found[every].wall:.2f} s ({every}; aim: under 10)"


@dataclass(frozen=True, slots=True)
class Limit:
    """`name` was measured; its kernel does `operations`. `ports` begin one each a cycle, `clock` of them a second."""

    name: str
    operations: Operations
    ports: int | None
    clock: float | None

    @property
    def rate(self) -> float | None:
        """Keys per second of one core at most; None where ports or clock are not known."""
        return self.ports * self.clock / self.operations.per_key if self.ports and self.clock else None


def limit_lines(limits: Iterator[Limit], found: Mapping[str, Measured]) -> Iterator[str]:
    """The bound and the share of it that was reached."""
    for limit in limits:
        keys = f"{limit.operations.per_key:.2f} vector operations a key"
        if limit.rate is None:
            unknown = "instructions a cycle" if not limit.ports else "clock"
            yield f"{limit.name}: {keys}; this processor's {unknown} not known, so no bound"
            continue
        reached = found[limit.name].processor or found[limit.name].wall
        yield (
            f"{limit.name}: {keys}, {limit.ports} a cycle, {(limit.clock or 0) / 1e9:.2f} GHz measured: "
            f"{limit.rate / 1e6:,.0f} M keys/s at most, {100 * reached / limit.rate:.0f} % of it reached"
        )


_WIDTH: Final = 9


def _number(value: float | None) -> str:
    """In a column; blank where there is none."""
    if not value:
        return " " * _WIDTH
    return f"{value:{_WIDTH},.1f}" if value >= 100 else f"{value:{_WIDTH}.3g}"
