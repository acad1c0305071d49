"""Where a ledger lies, and key blocks to commit."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from keyfence.guard.ledger import Answer
from keyfence.guard.ledger.sql import SqlLedger


@dataclass(frozen=True)
class Place:
    """Can be handed to other processes."""

    location: str
    key_file: Path

    def ledger(self, *, create: bool = True) -> SqlLedger:
        return SqlLedger(self.location, self.key_file, create=create)


def commit(ledger: SqlLedger, block: int, cut: bytes = b"AES-128-GCM", *, secret: int = 0) -> Answer:
    """Commits the cut of the block with this number."""
    return ledger.commit(*of(ledger, block, secret), cut)


def committed(ledger: SqlLedger, block: int, *, secret: int = 0) -> bytes | None:
    return ledger.committed(*of(ledger, block, secret))


def of(ledger: SqlLedger, block: int, secret: int) -> tuple[bytes, bytes, bytes]:
    """Fingerprint and randoms."""
    return ledger.hash(b"master", b"secret %d" % secret), sha256(b"client %d" % block).digest(), sha256(b"server").digest()
