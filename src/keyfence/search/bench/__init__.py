"""`keyfence search bench`: keys per second of every way to compute, beside other programs, all in one run.

    run(Options(against=("hashcat", "john")), emit=print)

Rounds take turns, so that what else the machine does meets all alike; what is told are medians. Rates are told twice: per
second of the clock, and per second of processor time, which other work on the machine changes little.

measured     what a measurement is, and turns taken
ours         the ways to compute that this machine has
programs     hashcat and john: the only place here that starts other programs
bound        the most a processor could do with these circuits, from the kernel's own code
report       lines
runner       one run of it all
"""

from .measured import Contender, Measured
from .programs import PROGRAMS, NoProgram
from .runner import Options, run

__all__ = ["PROGRAMS", "Contender", "Measured", "NoProgram", "Options", "run"]
