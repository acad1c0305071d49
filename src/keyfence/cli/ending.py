"""How a command ends: its exit codes, and one line on standard error where it could not run, or ran for nothing."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NoReturn

import typer


class ExitCode(IntEnum):
    """The command line's contract. Ctrl-C counts as "could not run": what was found until then is no audit. So does an audit
    that has no answer at all: nobody may read that as "nothing exposed"."""

    NOTHING_EXPOSED = 0
    EXPOSED = 1
    USAGE = 2
    COULD_NOT_RUN = 3


@contextmanager
def one_clear_line() -> Iterator[None]:
    """Turns what can go wrong into a line and the exit code. A defect of keyfence's own keeps its traceback."""
    from keyfence.cryptoki import KeyfenceError

    try:
        yield
    except (typer.Exit, typer.BadParameter):
        raise
    except KeyfenceError as error:
        could_not_run(str(error))
    except KeyboardInterrupt:
        could_not_run("interrupted")
    except BrokenPipeError:
        _leave_the_pipe()
    except OSError as error:
        could_not_run(": ".join(filter(None, (error.filename, error.strerror))) or str(error))
    except Exception:
        traceback.print_exc()
        could_not_run("this is a defect of keyfence")


def could_not_run(reason: str) -> NoReturn:
    """Raises typer.Exit."""
    complain(reason)
    raise typer.Exit(ExitCode.COULD_NOT_RUN)


def complain(reason: str) -> None:
    """The line on standard error."""
    from keyfence.report.words import clean

    print(f"keyfence: {clean(reason)}", file=sys.stderr)


def _leave_the_pipe() -> None:
    """Whoever read our output has seen enough (`| head`); the interpreter must not stumble over it again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(ExitCode.COULD_NOT_RUN)
