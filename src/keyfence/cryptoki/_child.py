"""The process that holds a module for `IsolatedModule`: `python -m keyfence.cryptoki._child FD`, never run by hand.

Its imports are few, since a fresh one starts whenever a module has crashed.
"""

import os
import pickle
import resource
import select
import signal
import socket
import sys
import threading
import traceback
from typing import Any, NoReturn

from ._wire import load_checked, pack, receive
from .errors import KeyfenceError


def main() -> NoReturn:
    _no_core_dumps()
    channel = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_die_with_parent, args=(channel.fileno(),), daemon=True).start()
    try:
        _serve(channel)
    except EOFError:
        os._exit(0)


def _serve(channel: socket.socket) -> NoReturn:
    """The first frame says what to make; each one after it is a call. An answer is (True, result) or (False, exception)."""
    held: list[Any] = []
    factory = receive(channel)
    _answer(channel, lambda: held.append(factory.make()))
    while True:
        name, arguments = receive(channel)
        _answer(channel, getattr(held[0], name), *arguments)


def _answer(channel: socket.socket, function: Any, *arguments: Any) -> None:
    try:
        frame = pack((True, function(*arguments)))
    except Exception as error:
        frame = pack((False, _portable(error)))
    channel.sendall(frame)


def _portable(error: Exception) -> Exception:
    """An error the parent can build. What is not an answer of the module is a mistake somewhere, and keeps its traceback."""
    if not isinstance(error, KeyfenceError):
        error.add_note(traceback.format_exc())
    try:
        load_checked(pickle.dumps(error))
    except Exception:
        return RuntimeError("\n".join(traceback.format_exception(error)))
    return error


def _no_core_dumps() -> None:
    """A core file would hold keys. 1 and not 0: Linux asks this limit for dumps piped to a program too, but only at 1."""
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def _die_with_parent(channel: int) -> None:
    """Ends this process, and what the module started, once the parent is gone, even while a call into the module hangs.

    Unlike PR_SET_PDEATHSIG this does not take the end of the parent's starting THREAD for the parent's own.
    """
    poll = select.poll()
    poll.register(channel, 0)  # POLLHUP is always reported
    poll.poll()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
