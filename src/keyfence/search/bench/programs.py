"""hashcat and John the Ripper at DES. Other programs are started here and nowhere else in the bench.

Neither is told anything but a block and its encryption that no key is known to fit.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyfence.search.problem import SearchError

from .measured import Contender, Measured

ELSEWHERE: Final = "/usr/sbin"  # where Debian has john, which not every PATH names
PATIENCE: Final = 600.0  # seconds: hashcat compiles its kernels when it first runs
HASHCAT_SECONDS: Final = 10.0
BLOCKS: Final = "a28bc61d44bb815c:1172383839353938"
CHARSET: Final = bytes(range(0, 256, 2)).hex()  # the 128 bytes that differ in more than parity
HASHCAT: Final = "hashcat -m 14000, all processors"
HASHCAT_GPU: Final = "hashcat -m 14000, GPU"
JOHN_ONE: Final = "john LM, 1 thread"
JOHN_ALL: Final = "john LM, all threads"
_UNIT: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


class NoProgram(SearchError):
    """A program that is not there, or that measures nothing."""


@dataclass(frozen=True, slots=True)
class Program:
    """`package` is Debian's. `described` says version and build, `contenders` what it can be measured at."""

    name: str
    package: str
    described: Callable[[], str]
    contenders: Callable[[float, int, bool], tuple[Contender, ...]]


def program(name: str) -> Program:
    """Raises NoProgram: not one we know, or not installed."""
    if name not in PROGRAMS:
        raise NoProgram(f"no benchmark against {name!r}; there is one against {', '.join(PROGRAMS)}")
    _path(name)
    return PROGRAMS[name]


def hashcat(seconds: float, device_type: int) -> Measured:
    """-m 14000 at work on a mask attack over all 2^56 keys: what got done after its warm-up.

    hashcat's own benchmark times one short call; on a busy machine that says little, and not per processor second.
    `device_type` is hashcat's: 1 processors, 2 GPUs, whose own time nobody counts here.
    """
    return hashcat_attack(
        seconds, f"-m 14000 -D {device_type} --hex-charset -1 {CHARSET} {BLOCKS} {'?1' * 8}", device_type == 1
    )


def hashcat_attack(seconds: float, what: str, processor: bool = True) -> Measured:
    """A mask attack, `what` being its mode, hash and mask; `processor` says whether its processor time is the work's."""
    attack = f"-a 3 -w 3 --runtime={max(1, round(seconds))} --session=keyfence{os.getpid()}"
    quiet = "--quiet --potfile-disable --restore-disable --logfile-disable --self-test-disable"
    command = [_path("hashcat"), *f"{attack} {quiet} --status --status-timer=1 --machine-readable {what}".split()]
    samples, said = [], ""
    process = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        for line in process.stdout or ():
            if found := re.search(r"PROGRESS\t(\d+)", line):
                samples.append((time.monotonic(), int(found[1]), _processor_seconds(process.pid)))
            said = line.strip() or said
    return _progress(samples, said, processor)


def _progress(samples: list[tuple[float, int, float]], said: str, processor: bool) -> Measured:
    """The first quarter of the samples is warm-up."""
    if len(samples) < 2 or samples[-1][1] == (first := samples[len(samples) // 4])[1]:
        raise NoProgram(f"hashcat measured nothing; it says: {_last_line(said)}")
    wall, done, used = (after - before for before, after in zip(first, samples[-1], strict=True))
    return Measured(done / wall, done / used if processor and used > 0 else None)


def _processor_seconds(pid: int) -> float:
    """User and system time of a process and its threads so far; 0 where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def john(seconds: float, threads: int) -> Measured:
    """LM, a DES encryption of a constant under each candidate: john's own benchmark, candidates per second."""
    shown = _output("john", f"--test={max(1, round(seconds))}", "--format=LM", environment={"OMP_NUM_THREADS": str(threads)})
    found = re.search(r"([\d.]+)([KMG]?) c/s real, ([\d.]+)([KMG]?) c/s virtual", shown)
    if found is None:
        raise NoProgram(f"john measured nothing; it says: {_last_line(shown)}")
    wall, processor = (float(found[n]) * _UNIT[found[n + 1]] for n in (1, 3))
    return Measured(wall, processor)


def _hashcat_described() -> str:
    devices = re.findall(r"^ {4}Name\.+: (.+)$", _output("hashcat", "-I"), re.MULTILINE)
    driver = re.findall(r"PoCL [^ ]+|CUDA [\d.]+", _output("hashcat", "-I"))[:1]
    return f"hashcat {_output('hashcat', '--version')}{_package('hashcat')} on {', '.join([*driver, *devices]) or 'no device'}"


def _john_described() -> str:
    version = re.search(r"John the Ripper.*?(?:version )?(\d\S*)", _output("john"))
    build = re.search(r"LM \[(.+?)\]", _output("john", "--test=0", "--format=LM"))
    return f"john {version[1] if version else '?'}{_package('john')}, LM by {build[1] if build else 'an unknown build'}"


def _hashcat_contenders(_seconds: float, _threads: int, gpu: bool) -> tuple[Contender, ...]:
    found = (Contender(HASHCAT, lambda: hashcat(HASHCAT_SECONDS, 1)),)
    return (*found, Contender(HASHCAT_GPU, lambda: hashcat(HASHCAT_SECONDS, 2))) if gpu else found


def _john_contenders(seconds: float, threads: int, _gpu: bool) -> tuple[Contender, ...]:
    one = Contender(JOHN_ONE, lambda: john(seconds, 1))
    return (one, Contender(JOHN_ALL, lambda: john(seconds, threads))) if threads > 1 else (one,)


PROGRAMS: Final[Mapping[str, Program]] = {
    "hashcat": Program("hashcat", "hashcat pocl-opencl-icd", _hashcat_described, _hashcat_contenders),
    "john": Program("john", "john", _john_described, _john_contenders),
}


def _path(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=ELSEWHERE)
    if found is None:
        raise NoProgram(f"{name} is not installed (Debian: apt install {PROGRAMS[name].package})")
    return found


def _output(name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What a program prints, wherever it prints it. Raises NoProgram."""
    try:
        return _run([_path(name), *arguments], {**os.environ, **(environment or {})})
    except (OSError, subprocess.SubprocessError) as error:
        raise NoProgram(f"{name} cannot be run: {getattr(error, 'strerror', None) or 'it does not end'}") from None


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "nothing"


def _package(name: str) -> str:
    """Debian's package and its version, where the program is from one."""
    if shutil.which("dpkg-query") is None:
        return ""
    owner = _run(["dpkg-query", "-S", _path(name)], dict(os.environ))
    if not owner.startswith(f"{name}: "):
        return ""
    return f" (Debian's {_run(['dpkg-query', '-W', '-f', '${Version}', name], dict(os.environ))})"


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    nothing, out = subprocess.DEVNULL, subprocess.PIPE
    done = subprocess.run(  # noqa: S603
        command, stdin=nothing, stdout=out, stderr=subprocess.STDOUT, text=True, env=environment, timeout=PATIENCE, check=False
    )
    return done.stdout.strip()
