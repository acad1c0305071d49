"""The program as a shell runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-c", "from keyfence.cli import main; main()")


@dataclass(frozen=True)
class Ended:
    """A program's exit status and what it wrote."""

    code: int
    output: str
    errors: str

    @property
    def last_word(self) -> str:
        """The last line of standard error."""
        return self.errors.splitlines()[-1] if self.errors else ""


def environment(changes: Mapping[str, str] = {}) -> dict[str, str]:
    """This process's, without what would steer keyfence or rich."""
    steering = ("KEYFENCE_PIN_FILE", "SOFTHSM2_CONF", "FORCE_COLOR", "COLUMNS", "NO_COLOR")
    return {name: value for name, value in os.environ.items() if name not in steering} | dict(changes)


def keyfence(*arguments: str | Path, **variables: str) -> Ended:
    """Runs it to its end, without a terminal."""
    ran = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(variables),
        timeout=120,
        check=False,
    )
    return Ended(ran.returncode, ran.stdout, ran.stderr)
