"""The real PKCS#11 modules that tests run against, each in a process of its own.

scripts/install-test-modules brings them up. A module that is missing fails the test that wants it: a suite that quietly leaves
out the real modules proves nothing about them.
"""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from keyfence.cryptoki import KeyfenceError, Pin, TokenInfo
from keyfence.cryptoki.constants import SessionFlag
from keyfence.cryptoki.isolation import Factory, IsolatedModule
from keyfence.presets import Preset, find_slot, log_in, pin_from_source, preset

ROOT = Path(__file__).parent.parent
LOCAL = ROOT / ".local"
SCRIPT = ROOT / "scripts" / "install-test-modules"


@dataclass(frozen=True)
class RealModule:
    """An initialised module, the slot its preset chooses, and the PIN its keys need (None for none)."""

    preset: Preset
    factory: Factory
    environment: dict[str, str]
    module: IsolatedModule
    slot: int
    token: TokenInfo
    pin: Pin | None

    @contextmanager
    def session(self, flags: int = SessionFlag.RW_SESSION) -> Iterator[int]:
        """A session, logged in where the module wants that. Closing it destroys its objects."""
        session = self.module.open_session(self.slot, SessionFlag.SERIAL_SESSION | flags)
        if self.pin is not None:
            log_in(self.module, session, self.token, self.pin)
        yield session
        self.module.close_session(session)


@dataclass(frozen=True)
class Known:
    """What the script made of a preset's module: the PIN's name, the database, the environment."""

    pin: str | None = None
    database: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)


KNOWN = {
    "nss": Known(),
    "nss-fips": Known(),
    "nss-db": Known("nss", LOCAL / "nss"),
    "nss-db-fips": Known("nss", LOCAL / "nss"),
    "opencryptoki": Known("opencryptoki"),
    "softhsm2": Known("softhsm2", environment={"SOFTHSM2_CONF": str(LOCAL / "softhsm2.conf")}),
}


@contextmanager
def real_module(name: str) -> Iterator[RealModule]:
    """The module of a preset, initialised in a fresh process; fails the test where it does not come up."""
    bring_up()
    known, facts = KNOWN[name], preset(name)
    try:
        factory = facts.factory(database=str(known.database))
        module = IsolatedModule(factory, environment=known.environment)
        with _one_at_a_time():
            module.initialize()
        slot, token = find_slot(module, facts.slot)
    except KeyfenceError as error:
        pytest.fail(f"{name} does not come up: {error}. Run {SCRIPT} as root.", pytrace=False)
    with module:
        yield RealModule(facts, factory, known.environment, module, slot, token, _pin(facts, known))
        module.finalize()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """SoftHSM2's C_Initialize races with that of other processes, and pytest-xdist runs several."""
    with open(LOCAL / "initialize.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pin(facts: Preset, known: Known) -> Pin | None:
    if facts.login == "pin":
        return pin_from_source(str(LOCAL / f"{known.pin}.pin"))
    return Pin(b"") if facts.login == "empty-pin" else None


@cache
def bring_up() -> None:
    """Once per process: daemons do not survive a restart of the machine. Installs nothing; only root can start anything."""
    if os.geteuid() != 0:
        return
    ran = subprocess.run([SCRIPT, "--no-install"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        pytest.fail(f"{ran.stdout}{ran.stderr}\nRun {SCRIPT} as root.", pytrace=False)
