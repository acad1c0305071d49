"""kill -9 at every step of a guarded key block, a thousand times over NSS softoken: no second cut, and the first again.

    python -m bench.guard_kill [--kills 1000] [--db FILE|URL --key FILE]

Each round has a session of its own. A process derives its key block through a guard and is killed: before the commit, between
commit and derivation, between derivation and return, or at any moment. Then two more processes, each with a guard and a module
of its own, share what is left: the ledger. One asks for another suite's cut, one for the same again.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from keyfence.cryptoki import Cryptoki, CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.native import NativeModule
from keyfence.cryptoki.params import Tls12KeyMat, Tls12MasterKeyDerive
from keyfence.cryptoki.session import Session, secret_key
from keyfence.guard import Guard, Policy
from keyfence.guard.fingerprint import is_reserved
from keyfence.guard.ledger import Answer, Ledger
from keyfence.guard.ledger.sql import SqlLedger
from keyfence.presets import preset
from keyfence.schedule import Shape

STEPS: Final = ("before the commit", "before the derivation", "before the return", "at any moment")
LONGEST: Final = 0.06
"""Seconds: how long a kill "at any moment" waits at most: about twice what a first key block takes, the ledger opened."""

HONEST: Final = Shape(0, 16, 4)  # AES_128_GCM
OTHER: Final = Shape(20, 32, 0)  # AES_256_CBC_SHA: its MAC keys lie under the other's write keys and IVs

PASSED, REFUSED, FAILED = 0, 1, 2

NSS: Final = preset("nss").factory()
POLICY: Final = Policy.default()


@dataclass(frozen=True)
class Round:
    """One session: its agreed secret, which each process imports, and its randoms."""

    secret: bytes = field(default_factory=lambda: os.urandom(32))
    randoms: tuple[bytes, bytes] = field(default_factory=lambda: (os.urandom(32), os.urandom(32)))


@dataclass(frozen=True)
class Death:
    """Comes at a step; `report` is told when the module is about to be called."""

    step: str
    report: int

    def at(self, step: str) -> None:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)

    def say(self, word: bytes) -> None:
        os.write(self.report, word)


@dataclass(frozen=True)
class DyingLedger:
    """Dies before it commits."""

    ledger: Ledger
    death: Death

    def hash(self, purpose: bytes, data: bytes) -> bytes:
        return self.ledger.hash(purpose, data)

    def commit(self, fingerprint: bytes, client_random: bytes, server_random: bytes, cut: bytes) -> Answer:
        self.death.at("before the commit")
        return self.ledger.commit(fingerprint, client_random, server_random, cut)

    def committed(self, fingerprint: bytes, client_random: bytes, server_random: bytes) -> bytes | None:
        return self.ledger.committed(fingerprint, client_random, server_random)


class DyingModule(Dispatched):
    """Dies before it derives a key block, or before it says so."""

    def __init__(self, module: Cryptoki, death: Death) -> None:
        self.module = module
        self.death = death

    def _call(self, name: str, *arguments: Any) -> Any:
        mine = name == "derive_key" and _is_callers(arguments[1])
        if mine:
            self.death.at("before the derivation")
            self.death.say(b"d")
        result = getattr(self.module, name)(*arguments)
        if mine:
            self.death.at("before the return")
        return result


def _is_callers(mechanism: Mechanism) -> bool:
    parameters = mechanism.parameters
    return isinstance(parameters, Tls12KeyMat) and not is_reserved(parameters.client_random)


def derive(module: Cryptoki, of: Round, shape: Shape, death: Death) -> None:
    """The key block of the session, cut in this shape."""
    module.initialize()
    session = Session.open(module, int(module.get_slot_list(True)[0]))
    secret = session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: of.secret})
    to_master = Mechanism(CKM.TLS12_MASTER_KEY_DERIVE_DH, Tls12MasterKeyDerive(*of.randoms, int(CKM.SHA256)))
    template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=True, extractable=False)
    master = session.derive(to_master, secret, template).handle
    bits = (8 * shape.mac, 8 * shape.key, 8 * shape.iv)
    cut = Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, Tls12KeyMat(*bits, *of.randoms, int(CKM.SHA256)))
    death.say(b"r")
    session.derive(cut, master, secret_key(CKK.AES, shape.key, encrypt=True, sensitive=True, extractable=False))
    death.say(b"k")


@dataclass(frozen=True)
class Process:
    """A child that derives; what it reports comes out of `pipe`."""

    pid: int
    pipe: int

    @classmethod
    def start(cls, db: str, key: Path | None, of: Round, shape: Shape, step: str = "") -> "Process":
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return cls(pid, reading)
        try:
            os._exit(_child(db, key, of, shape, Death(step, writing)))
        finally:
            os._exit(FAILED)

    def kill_at_any_moment(self) -> None:
        """Some time after the key block was asked for."""
        if os.read(self.pipe, 1):
            time.sleep(random.uniform(0, LONGEST))  # noqa: S311 - no secret
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> tuple[int, bytes]:
        """Its exit status (negative: the signal), and all that it reported."""
        reported = b""
        while more := os.read(self.pipe, 64):
            reported += more
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status), reported


def _child(db: str, key: Path | None, of: Round, shape: Shape, death: Death) -> int:
    module = NativeModule(*NSS.arguments, **NSS.options)
    guard = Guard(DyingModule(module, death), POLICY, DyingLedger(SqlLedger(db, key), death))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the guard's log of refusals
    try:
        derive(guard, of, shape, death)
    except CryptokiError as error:
        return REFUSED if error.rule == "one-cut" else FAILED
    return PASSED


@dataclass(frozen=True)
class Outcome:
    """What a round showed. `called`: the module was asked for keys before the kill; None for what the others were told."""

    step: str
    killed: bool
    called: bool
    other: int
    same: int

    @property
    def wrong(self) -> str:
        """What must never be; "" where all is well."""
        if FAILED in (self.other, self.same) or min(self.other, self.same) < 0:
            return "a guard after the kill failed otherwise than by one-cut"
        if self.called and self.other == PASSED:
            return "a second cut"
        if self.other == self.same:
            return "neither cut passes" if self.same == REFUSED else "both cuts pass"
        if self.step in ("before the derivation", "before the return") and self.same != PASSED:
            return "the commit was lost, or the honest repeat refused"
        return ""


def one_round(step: str, db: str, key: Path | None) -> Outcome:
    """A kill, and who gets what afterwards. Who asks first for a block that nobody committed is left to chance."""
    of = Round()
    first = Process.start(db, key, of, HONEST, step)
    if step == "at any moment":
        first.kill_at_any_moment()
    status, reported = first.end()
    shapes = [OTHER, HONEST]
    if b"d" not in reported and step == "before the commit":
        random.shuffle(shapes)
    told = {shape: Process.start(db, key, of, shape).end()[0] for shape in shapes}
    return Outcome(step, status == -signal.SIGKILL, b"d" in reported, told[OTHER], told[HONEST])


def rounds(kills: int, db: str, key: Path | None = None) -> Iterator[Outcome]:
    """That many kills, the steps by turns; a process that was done before it was killed is no kill, and goes again."""
    ledger = SqlLedger(db, key)
    ledger.hash(b"", b"")  # makes it, and loads what children then need not
    ledger.close()
    made = 0
    while made < kills:
        outcome = one_round(STEPS[made % len(STEPS)], db, key)
        yield outcome
        made += outcome.killed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--db", help="an SQLite file or postgresql://…; without it, a file that is thrown away")
    parser.add_argument("--key", type=Path, help="the ledger's hash key, where --db is a URL")
    arguments = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keyfence-") as directory:
        found = list(rounds(arguments.kills, arguments.db or f"{directory}/ledger.db", arguments.key))
    for step in STEPS:
        mine = [outcome for outcome in found if outcome.step == step]
        called = sum(outcome.called for outcome in mine)
        print(f"{step:22} {sum(o.killed for o in mine):5} kills, the module had been asked in {called}")
    wrong = Counter(outcome.wrong for outcome in found if outcome.wrong)
    for what, number in wrong.items():
        print(f"WRONG: {what}: {number}")
    print(f"{sum(o.killed for o in found)} kills, {sum(wrong.values())} wrong, {time.monotonic() - begun:.0f} s")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
