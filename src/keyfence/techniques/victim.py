"""What an attack is aimed at: a TLS session whose secrets live in the module, seen as the adversary sees it.

The adversary holds the handles (it is the application, or has the PIN) and what went over the wire. It holds no secret's
value: nobody outside the module does, the lab that set the session up included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keyfence.schedule import CipherSuite, PrfHash, Side, Version


class Kind(StrEnum):
    """Which schedule made the session's keys."""

    SSL3 = "SSL 3.0"
    TLS10 = "TLS 1.0"
    TLS12 = "TLS 1.2"
    TLS13 = "TLS 1.3"
    WTLS = "WTLS"
    SEPARATED = "TLS 1.2, separated keys"
    BARE = "bare record key"  # a key that protects records and came from no TLS derivation: what a module without TLS holds


class Agreement(StrEnum):
    """Where the pre-master secret (or TLS 1.3's shared secret) came from, inside the module."""

    GENERATED = "generated"
    ECDHE = "ECDH"
    RSA = "RSA"


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of session to set up; equal profiles are the same victim."""

    kind: Kind
    suite: CipherSuite
    agreement: Agreement = Agreement.GENERATED

    def __str__(self) -> str:
        return f"{self.kind}, {self.suite.name}"


@dataclass(frozen=True, slots=True)
class Record:
    """A protected record that the victim's own keys made inside the module, as an eavesdropper has it.

    `fragment` is everything after the record header: explicit nonce or IV, ciphertext, tag.
    """

    side: Side
    content_type: int
    version: Version
    sequence: int
    fragment: bytes


@dataclass(frozen=True, slots=True)
class Handles:
    """The victim's objects; 0 where the session has none."""

    private_key: int = 0
    pre_master: int = 0
    master: int = 0
    write_keys: Mapping[Side, int] = field(default_factory=dict)
    mac_keys: Mapping[Side, int] = field(default_factory=dict)
    traffic: Mapping[Side, int] = field(default_factory=dict)  # TLS 1.3 handshake traffic secrets

    @property
    def all(self) -> tuple[int, ...]:
        singles = (self.private_key, self.pre_master, self.master)
        groups = (*self.write_keys.values(), *self.mac_keys.values(), *self.traffic.values())
        return tuple(handle for handle in (*singles, *groups) if handle)


@dataclass(frozen=True, slots=True)
class Victim:
    """One session. `ivs` are the fixed IVs, which the standard hands to every caller; lengths in bytes.

    client_random, server_random   32 bytes each; empty for a bare key
    peer_public                    the peer's ECDH point, where the agreement was ECDH
    key_exchange_message           the recorded ClientKeyExchange (an RSA ciphertext), where it was RSA
    records                        one per side at least
    """

    profile: Profile
    handles: Handles
    records: tuple[Record, ...]
    client_random: bytes = b""
    server_random: bytes = b""
    ivs: Mapping[Side, bytes] = field(default_factory=dict)
    peer_public: bytes = b""
    key_exchange_message: bytes = b""

    @property
    def kind(self) -> Kind:
        return self.profile.kind

    @property
    def suite(self) -> CipherSuite:
        return self.profile.suite

    @property
    def version(self) -> Version:
        return VERSIONS[self.kind]

    @property
    def prf_hash(self) -> PrfHash:
        """The hash of the session's PRF or HKDF; SHA-256 where the suite names none."""
        return self.suite.prf_hash or PrfHash.SHA256

    @property
    def key_expansion(self) -> bytes:
        """The whole PRF input of the key block, label and seed as one string (RFC 5246 §6.3)."""
        return b"key expansion" + self.server_random + self.client_random

    @property
    def secret_length(self) -> int:
        """Bytes of the secret that the keys come from: the master secret, or a TLS 1.3 traffic secret."""
        if self.kind is Kind.TLS13:
            return self.prf_hash.digest_size
        return 20 if self.kind is Kind.WTLS else 48

    @property
    def directions(self) -> tuple[Side, ...]:
        """The sides that one key block serves."""
        return (Side.CLIENT,) if self.kind is Kind.WTLS else (Side.CLIENT, Side.SERVER)

    @property
    def secret_bytes(self) -> int:
        """Length of the key block's secret part: MAC keys and write keys, without IVs. WTLS has one block per direction."""
        return len(self.directions) * (self.suite.mac_key + self.suite.cipher.material)


VERSIONS = {
    Kind.SSL3: Version.SSL3,
    Kind.TLS10: Version.TLS10,
    Kind.TLS12: Version.TLS12,
    Kind.TLS13: Version.TLS13,
    Kind.WTLS: Version.TLS10,
    Kind.SEPARATED: Version.TLS12,
    Kind.BARE: Version.TLS12,
}
