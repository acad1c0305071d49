"""One run of the bench."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from keyfence.search.des.native import usable_paths
from keyfence.search.problem import BadProblem
from keyfence.search.threads import processors

from . import ours, processor
from .bound import operations
from .measured import Contender, in_turns
from .programs import Program, program
from .report import Limit, limit_lines, rate_lines, ratio_lines


@dataclass(frozen=True, slots=True)
class Options:
    """`against` names other programs (PROGRAMS); every way works `seconds` in each of `rounds`. Raises BadProblem."""

    against: tuple[str, ...] = ()
    rounds: int = 3
    seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.rounds < 1 or not 0 < self.seconds < float("inf"):
            raise BadProblem("a bench needs at least one round, and some time for each of its measurements")


def run(options: Options, emit: Callable[[str], None], told: Callable[[str], None] = lambda _: None) -> None:
    """Measures and emits lines; `told` hears how far it is. Raises NoProgram before anything is measured, MissingExtra."""
    others = [program(name) for name in dict.fromkeys(options.against)]
    emit(f"{processor.name()}, {processors()} processors; DES by {usable_paths()[0].name}")
    for other in others:
        emit(f"against {other.described()}")
    found = in_turns([*ours.contenders(options.seconds), *_theirs(others, options)], options.rounds, told)
    for lines in (rate_lines(found), ratio_lines(found), limit_lines(_limits(), found)):
        for line in lines:
            emit(line)


def _theirs(others: list[Program], options: Options) -> Iterator[Contender]:
    gpu = any(is_gpu for _, is_gpu in ours.opencl_devices())
    for other in others:
        yield from other.contenders(options.seconds, processors(), gpu)


def _limits() -> Iterator[Limit]:
    """Of the widest path alone: what narrower instructions a core begins in a cycle is not in PORTS."""
    best, clock = usable_paths()[0], processor.clock()
    one, _, pair_one, _ = ours.des_names()
    for name, problem in ((one, ours.des_problem()), (pair_one, ours.chosen_pair())):
        yield Limit(name, operations(best, problem), processor.ports() if best.lanes == 512 else None, clock)
