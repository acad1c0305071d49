"""What the guard costs: guarded ÷ unguarded on NSS softoken, with ledgers in SQLite and in PostgreSQL, in one run.

    python -m bench.guard [--rounds 200] [--postgresql URL --key FILE]

Three sessions of one module in one process, bare and through two guards, take turns call by call, so that whatever else the
machine does hits all of them. Printed are medians and their ratios. Without --postgresql the tests' server is used.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from keyfence.cryptoki import Cryptoki, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM
from keyfence.cryptoki.native import NativeModule
from keyfence.cryptoki.params import Gcm, Tls12KeyMat, Tls12MasterKeyDerive
from keyfence.cryptoki.session import Session, secret_key
from keyfence.guard import Guard, Policy
from keyfence.guard.ledger.sql import SqlLedger
from keyfence.presets import preset
from keyfence.schedule import Shape

RECORD = bytes(16384)
GCM, CBC = Shape(0, 16, 4), Shape(20, 32, 0)
AAD = bytes(13)


@dataclass(frozen=True)
class Bench:
    """A session with a master secret, a GCM write key and a MAC key of HMAC-SHA-1."""

    session: Session
    master: int
    write_key: int
    mac_key: int

    @classmethod
    def on(cls, module: Cryptoki, slot: int) -> "Bench":
        session = Session.open(module, slot)
        secret = session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: os.urandom(32)})
        parameters = Tls12MasterKeyDerive(os.urandom(32), os.urandom(32), int(CKM.SHA256))
        template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=True, extractable=False)
        master = session.derive(Mechanism(CKM.TLS12_MASTER_KEY_DERIVE_DH, parameters), secret, template).handle
        write_key = _cut(session, master, GCM)[2]
        return cls(session, master, write_key, _cut(session, master, CBC)[0])

    def derive(self) -> None:
        """A key block of a new connection, as a resumption makes it; its four keys are destroyed."""
        for handle in _cut(self.session, self.master, GCM):
            self.session.destroy(handle)

    def record(self) -> None:
        """A record of 16 KiB, sealed."""
        self.session.encrypt(Mechanism(CKM.AES_GCM, Gcm(os.urandom(12), AAD)), self.write_key, RECORD)

    def mac(self) -> None:
        """The MAC of a record of 16 KiB."""
        self.session.sign(Mechanism(CKM.SHA_1_HMAC), self.mac_key, RECORD)


def _cut(session: Session, master: int, shape: Shape) -> tuple[int, ...]:
    bits = (8 * shape.mac, 8 * shape.key, 8 * shape.iv)
    parameters = Tls12KeyMat(*bits, os.urandom(32), os.urandom(32), int(CKM.SHA256))
    template = secret_key(CKK.AES, shape.key, encrypt=True, sensitive=True, extractable=False)
    made = session.derive(Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, parameters), master, template).key_material
    assert made is not None
    return made.client_mac, made.server_mac, made.client_key, made.server_key


WORK: Mapping[str, Callable[[Bench], None]] = {
    "TLS 1.2 key block": Bench.derive,
    "16 KiB record, AES-128-GCM": Bench.record,
    "16 KiB HMAC-SHA-1": Bench.mac,
}


def measured(benches: Mapping[str, Bench], work: Callable[[Bench], None], rounds: int) -> Mapping[str, list[float]]:
    """Seconds of each call, by bench, one after the other in every round."""
    times: dict[str, list[float]] = {name: [] for name in benches}
    for _ in range(rounds):
        for name, bench in benches.items():
            begun = time.perf_counter()
            work(bench)
            times[name].append(time.perf_counter() - begun)
    return times


@contextmanager
def benches(postgresql: str, key: Path | None) -> Iterator[Mapping[str, Bench]]:
    """The module bare, and through two guards."""
    facts = preset("nss").factory()
    module = NativeModule(*facts.arguments, **facts.options)
    module.initialize()
    slot = int(module.get_slot_list(True)[0])
    with tempfile.TemporaryDirectory(prefix="keyfence-") as directory:
        ledgers = {
            "SQLite": SqlLedger(f"{directory}/ledger.db"),
            "PostgreSQL": SqlLedger(postgresql, key or Path(directory) / "postgresql.key"),
        }
        guards = {name: Guard(module, Policy.default(), ledger) for name, ledger in ledgers.items()}
        yield {name: Bench.on(before, slot) for name, before in {"bare": module, **guards}.items()}
        for ledger in ledgers.values():
            ledger.close()
    module.finalize()


def report(work: str, times: Mapping[str, list[float]]) -> Iterator[str]:
    """A line per bench: median, the middle half, and what it is of the bare module's."""
    bare = median(times["bare"])
    for name, seconds in times.items():
        low, _, high = quantiles(seconds, n=4)
        middle = median(seconds)
        spread = f"{1e6 * low:9.0f} to {1e6 * high:6.0f}"
        yield f"{work:28} {name:11} {1e6 * middle:9.0f} µs  {spread}  {middle / bare:7.2f}"


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    from tests.postgresql import empty_schema

    with empty_schema() as found:
        yield found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--postgresql", help="the URL of a ledger of its own")
    parser.add_argument("--key", type=Path, help="that ledger's hash key")
    arguments = parser.parse_args()
    print(f"{'call':28} {'ledger':11} {'median':>12}  {'the middle half':>19}  {'÷ bare':>7}")
    with _server(arguments.postgresql) as url, benches(url, arguments.key) as found:
        for name, work in WORK.items():
            measured(found, work, 10)
            for line in report(name, measured(found, work, arguments.rounds)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
