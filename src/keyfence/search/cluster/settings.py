"""What Dask is told of certificates and addresses, and that it is to be quiet: a user reads lines, not its log."""

import asyncio
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from keyfence.search.problem import MissingExtra, NoCluster

CONNECT_SECONDS: Final = 10.0
SCHEMES: Final = ("tcp", "tls")
VARIABLES: Final = ("KEYFENCE_TLS_CA", "KEYFENCE_TLS_CERT", "KEYFENCE_TLS_KEY")
LOGGERS: Final = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application", "asyncio")


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: the authority that all parties' certificates come from, this party's certificate and its key."""

    ca: str
    cert: str
    key: str

    @classmethod
    def from_environment(cls) -> Self | None:
        """What KEYFENCE_TLS_CA, KEYFENCE_TLS_CERT and KEYFENCE_TLS_KEY name. Raises NoCluster if only some are set."""
        found = [os.environ.get(name) for name in VARIABLES]
        if not any(found):
            return None
        for name, file in zip(VARIABLES, found, strict=True):
            if not file:
                raise NoCluster(f"{name} is not set: TLS needs {', '.join(VARIABLES)}")
            if not Path(file).is_file():
                raise NoCluster(f"{name}: no file {file}")
        return cls(*map(str, found))


def say(line: str) -> None:
    """To whoever sits before the terminal; parts of it may be a worker's words."""
    shown = "".join(letter if letter.isprintable() else " " for letter in line)
    print(f"keyfence: {shown}", file=sys.stderr, flush=True)


def security(scheduler: str, tls: Tls | None) -> Any:
    """Dask's Security for that address. Raises NoCluster for an address that is none, or contradicts `tls`.

    For tls:// without `tls`, what Dask's own configuration says (distributed.comm.tls).
    """
    scheme, _, place = scheduler.partition("://")
    host, _, port = place.rpartition(":")
    if scheme not in SCHEMES or not host or not _is_port(port):
        raise NoCluster(f"{scheduler!r} is no scheduler's address; expected is tcp://HOST:PORT or tls://HOST:PORT")
    if (scheme == "tcp") and tls is not None:
        raise NoCluster(f"certificates are given, but {scheduler} would not use them; expected is tls://{place}")
    from distributed import Security

    if tls is None:
        return _configured() if scheme == "tls" else Security(require_encryption=False)
    names = {f"tls_{role}_{part}": getattr(tls, part) for role in ("client", "worker") for part in ("cert", "key")}
    return Security(require_encryption=True, tls_ca_file=tls.ca, **names)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) < 1 << 16


def _configured() -> Any:
    from distributed import Security

    found = Security(require_encryption=True)
    if not found.tls_ca_file:
        raise NoCluster(f"a tls:// scheduler needs certificates: set {', '.join(VARIABLES)}")
    return found


async def reach(scheduler: str, security: Any, role: str) -> str:
    """Connects once, since Dask itself tries again and again where that is of no use. Raises NoCluster.

    Returns this machine's own address on the way there.
    """
    from distributed.comm import connect, get_address_host

    try:
        options = security.get_connection_args(role)
    except (OSError, ValueError):  # what OpenSSL says of files is an OSError
        raise NoCluster(f"the files that {', '.join(VARIABLES)} name are no certificate with its key and authority") from None
    with answering(scheduler):
        async with asyncio.timeout(CONNECT_SECONDS):
            comm = await connect(scheduler, timeout=CONNECT_SECONDS, **options)
        own = str(get_address_host(comm.local_address))
        await comm.close()
    return own


@contextmanager
def answering(scheduler: str) -> Iterator[None]:
    """What can go wrong with a connection, as NoCluster."""
    from distributed.comm import CommClosedError

    try:
        yield
    except CommClosedError:
        hint = "tcp:// and tls:// do not mix, and certificates come from one authority"
        raise NoCluster(f"{scheduler} closes the connection: {hint}") from None
    except (OSError, TimeoutError):
        raise NoCluster(f"no Dask scheduler answers at {scheduler} within {CONNECT_SECONDS:g} seconds") from None
    except Exception:  # whatever Dask makes of a stranger's words
        raise NoCluster(f"what answers at {scheduler} is no Dask scheduler of a version that this one works with") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Dask imported, configured for us, and silent. Raises MissingExtra.

    It logs tracebacks for everything that can go wrong on a network, and tasks with their arguments: neither is for a
    terminal. What matters of it ends in a line of ours. Versions of Dask that differ are no reason to warn: what has to
    be the same is keyfence, which is checked.
    """
    try:
        import dask
        import distributed
    except ImportError:
        raise MissingExtra("clusters need dask.distributed; pip install 'keyfence[cluster]'") from None
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    settings = {
        "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
        "distributed.worker.http.routes": [],
        "distributed.worker.profile.enabled": False,  # a hundred looks a second at what a worker does
        "distributed.admin.tick.interval": "500ms",  # 20 ms otherwise
    }
    with warnings.catch_warnings(), dask.config.set(settings):
        warnings.filterwarnings("ignore", category=distributed.versions.VersionMismatchWarning)
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
