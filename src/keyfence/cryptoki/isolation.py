"""A `Cryptoki` in a process of its own, so that a module that crashes, hangs or prints is a finding and not the end.

Every call is one frame to the child and one back (see `_wire` for the trust between the two). The child has its own session
and process group: Ctrl-C in the terminal does not reach it, and what the module itself forks dies with it. It dies when this
object is closed or collected, when this process exits, and when this process is killed.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Final, NoReturn, Self

from ._wire import Factory, Garbled, pack, receive_checked
from .dispatch import Dispatched
from .errors import ModuleCrashed, ModuleHung
from .functions import function_name

__all__ = ["Factory", "IsolatedModule", "native"]

_LOADING: Final = "loading"  # stands where a function's name does, before there are functions
_STARTING_SECONDS: Final = 60.0  # for an interpreter to start on a machine that has other things to do
_NOISE_SHOWN: Final = 4096  # bytes


def native(path: str, **options: Any) -> Factory:
    """The factory of a shared object's `NativeModule`; `options` are its keyword arguments."""
    return Factory("keyfence.cryptoki.native:NativeModule", (path,), options)


class IsolatedModule(Dispatched):
    """Whatever `factory` makes, in a child process. Calls from several threads take turns.

    `time_limit` is in seconds, for each call. `environment` adds to the child's environment variables. Raises
    `ModuleCrashed` where the child dies (`reason` is "SIGSEGV" or "exit status 3"), `ModuleHung` after it was stopped for
    taking too long, and otherwise whatever the module itself raises. After either, `restart()` gives an empty module anew:
    every session and session object is gone. A call that Ctrl-C interrupts takes the child with it, since nobody waits
    for its answer any more.
    """

    def __init__(self, factory: Factory, *, time_limit: float = 30.0, environment: Mapping[str, str] | None = None) -> None:
        self.factory = factory
        self.time_limit = time_limit
        self._environment = dict(environment or {})
        self._lock = threading.RLock()
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        weakref.finalize(self, self._noise.close)
        self._start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.process.pid

    @property
    def noise(self) -> str:
        """The last of what the module printed to its standard output and error, which reach nobody else's."""
        size = os.fstat(self._noise.fileno()).st_size
        shown = os.pread(self._noise.fileno(), _NOISE_SHOWN, max(size - _NOISE_SHOWN, 0))
        return shown.decode(errors="replace")

    def restart(self) -> None:
        """A fresh child, whatever became of the last one."""
        with self._lock:
            self.close()
            self._start()

    def close(self) -> None:
        """Ends the child; later calls raise `ModuleCrashed`."""
        self._end("closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _start(self) -> None:
        self._ended: str | None = None
        self._child = _Child.start(self._environment, self._noise)
        self._reap = weakref.finalize(self, self._child.stop)
        try:
            self._exchange(_LOADING, pack(self.factory), max(self.time_limit, _STARTING_SECONDS))
        except BaseException:
            self.close()
            raise

    def _call(self, name: str, *arguments: Any) -> Any:
        frame = pack((name, tuple(_plain(argument) for argument in arguments)))
        with self._lock:
            return self._exchange(function_name(name), frame, self.time_limit)

    def _exchange(self, function: str, frame: bytes, seconds: float) -> Any:
        if self._ended is not None:
            raise ModuleCrashed(function, f"not running: {self._ended}")
        try:
            succeeded, result = self._child.ask(frame, seconds)
        except TimeoutError:
            self._end(f"stopped in {function}")
            raise ModuleHung(function, seconds) from None
        except (EOFError, OSError, Garbled) as error:
            self._died(function, error)
        except BaseException:
            self._end(f"interrupted in {function}")
            raise
        if succeeded:
            return result
        raise result

    def _died(self, function: str, error: Exception) -> NoReturn:
        reason = self._child.epitaph()
        if reason is None:  # it lives, yet does not speak
            reason = f"garbled answer: {error}" if isinstance(error, Garbled) else "closed its connection"
        self._end(f"{reason} in {function}")
        crash = ModuleCrashed(function, reason)
        if self.noise:
            crash.add_note(self.noise)
        raise crash from None

    def _end(self, reason: str) -> None:
        self._ended = self._ended or reason
        self._reap()


@dataclass(frozen=True, slots=True)
class _Child:
    """A child process and our end of the connection to it."""

    process: subprocess.Popen[bytes]
    channel: socket.socket

    @classmethod
    def start(cls, environment: Mapping[str, str], noise: IO[bytes]) -> "_Child":
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "keyfence.cryptoki._child", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=noise,
                stderr=noise,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
                start_new_session=True,
            )
        return cls(process, ours)

    def ask(self, frame: bytes, seconds: float) -> tuple[bool, Any]:
        """The child's answer to `frame`. Raises TimeoutError, EOFError, OSError or Garbled."""
        self.channel.settimeout(seconds)
        self.channel.sendall(frame)
        match receive_checked(self.channel, seconds):
            case (True, result):
                return True, result
            case (False, Exception() as error):
                return False, error
        raise Garbled("neither a result nor an error")

    def epitaph(self) -> str | None:
        """How the process ended: its signal's name or its exit status. None while it lives."""
        try:
            status = self.process.wait(timeout=1.0)  # the connection ends a little before the process does
        except subprocess.TimeoutExpired:
            return None
        return _signal_name(-status) if status < 0 else f"exit status {status}"

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.channel.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # the real-time ones between the first and the last
        return f"signal {number}"


def _plain(value: Any) -> Any:
    """Any mapping as a dict: views of templates do not pickle."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value
