"""What a secret is for. Every secret that a guard lets live has a role from birth, and its role decides what it may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Where in TLS a secret stands; or that it stands outside."""

    PUBLIC = "public"
    """No secret: public keys, certificates, data objects."""
    UNBOUND = "unbound"
    """A secret that has done nothing yet; what it does first decides."""
    OTHER = "other"
    """Outside TLS, for good."""
    EXPORTED = "exporter"
    """Keying material for an application: outside TLS, for good."""
    PRIVATE = "private key"
    OUTSIDE_PRIVATE = "private key outside TLS"
    WRAPPING = "wrapping key"

    PREMASTER = "premaster"
    """Of an RSA key exchange: 48 bytes that begin with a version."""
    SHARED = "shared secret"
    """What a key agreement gave: pre-master secret or TLS 1.3's shared secret."""
    MASTER = "master"
    RECORD = "record-key"
    MAC = "mac-key"

    PSK = "pre-shared key"
    EARLY = "hkdf early secret"
    HANDSHAKE_SALT = "hkdf salt of the handshake secret"
    HANDSHAKE = "hkdf handshake secret"
    MAIN_SALT = "hkdf salt of the main secret"
    MAIN = "hkdf main secret"
    TRAFFIC = "hkdf traffic secret"
    BINDER = "hkdf binder key"
    EXPORTER = "hkdf exporter secret"
    LABEL_EXPORTER = "hkdf exporter secret of one label"
    RESUMPTION = "hkdf resumption secret"
    FINISHED = "finished"


_OUTSIDE: Final = frozenset({Kind.PUBLIC, Kind.UNBOUND, Kind.OTHER, Kind.EXPORTED, Kind.OUTSIDE_PRIVATE})


@dataclass(frozen=True, slots=True)
class Role:
    """A kind, and what narrows it.

    function     the one function that a master secret or a secret of TLS 1.3 keys: "SSL3", "TLS10", "SHA256" … (a hash names
                 TLS 1.2's PRF for master secrets, HKDF for TLS 1.3's)
    mechanisms   what a record, MAC or Finished key is used with; the first use picks one where there are several
    lengths      of tags and MACs, in bytes; none for ciphers without
    """

    kind: Kind
    function: str = ""
    mechanisms: frozenset[int] = frozenset()
    lengths: frozenset[int] = frozenset()

    @property
    def is_tls(self) -> bool:
        """Whether it is a secret of TLS, to be protected."""
        return self.kind not in _OUTSIDE

    @property
    def is_unbound(self) -> bool:
        return self.kind is Kind.UNBOUND

    def __str__(self) -> str:
        return f"{self.kind} ({self.function})" if self.function else str(self.kind)

    def encode(self) -> bytes:
        """One line of ASCII that `decode` reads."""
        return ";".join((self.kind.name, self.function, _numbers(self.mechanisms), _numbers(self.lengths))).encode("ascii")

    @classmethod
    def decode(cls, line: bytes) -> "Role":
        """The role that `encode` wrote; ValueError for anything else."""
        name, function, mechanisms, lengths = line.decode("ascii").split(";")
        if name not in Kind.__members__:
            raise ValueError("no role of this guard")
        return cls(Kind[name], function, _set(mechanisms), _set(lengths))


def _numbers(values: Iterable[int]) -> str:
    return ",".join(str(value) for value in sorted(values))


def _set(text: str) -> frozenset[int]:
    return frozenset(int(value) for value in text.split(",") if value)


PUBLIC: Final = Role(Kind.PUBLIC)
UNBOUND: Final = Role(Kind.UNBOUND)
OTHER: Final = Role(Kind.OTHER)
EXPORTED: Final = Role(Kind.EXPORTED)
PRIVATE: Final = Role(Kind.PRIVATE)
OUTSIDE_PRIVATE: Final = Role(Kind.OUTSIDE_PRIVATE)
WRAPPING: Final = Role(Kind.WRAPPING)
PREMASTER: Final = Role(Kind.PREMASTER)
SHARED: Final = Role(Kind.SHARED)
