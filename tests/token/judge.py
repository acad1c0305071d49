"""A judge of the separated schedule who sees into the token's memory.

He knows every secret that came into being inside. He reads all that the token gives out, and wants: no piece of a secret in
it, no value that a forbidden function of a secret would have, nothing made of a secret but what the schedule makes of it by
`keyfence.schedule`, one algorithm for each value, and two version bytes that are always the same.
"""

from collections import defaultdict
from collections.abc import Iterator

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKA, CKM, CKO
from keyfence.cryptoki.params import (
    ExtendedMasterKeyDerive,
    Hkdf,
    Tls12MasterKeyDerive,
    TlsKdf,
)
from keyfence.schedule import (
    HkdfLabel,
    PrfHash,
    Version,
    exporter,
    extended_master_secret,
    hkdf,
    key_block,
    master_secret,
)
from keyfence.token import SoftToken
from keyfence.token.keytypes import with_parity
from keyfence.token.objects import StoredObject
from keyfence.token.schedules.roles import Stage
from keyfence.token.schedules.tls13 import is_constant

from .bench import CLIENT_RANDOM, SERVER_RANDOM

PIECE = 8
"""Bytes in a row that count as a leak: by chance, once in some 2^20 runs."""

HASHES = (PrfHash.SHA256, PrfHash.SHA384)
RSA = Mechanism(CKM.RSA_PKCS)


def windows(value: bytes) -> set[bytes]:
    """Every piece of it; a shorter value is one piece."""
    return {value[start : start + PIECE] for start in range(max(1, len(value) - PIECE + 1))}


def forbidden(value: bytes, stage: Stage) -> Iterator[bytes]:
    """What nobody may make of a secret, not even as a key: its digests, the streams and MACs of the classic functions."""
    yield from (prf_hash.digest(value) for prf_hash in PrfHash)
    for prf_hash in HASHES:
        yield key_block(Version.TLS12, prf_hash, value, CLIENT_RANDOM, SERVER_RANDOM, 104)
        yield hkdf.expand(prf_hash, value, b"", 64)
        if stage not in (Stage.RECORD, Stage.FINISHED):  # MAC keys, whose MACs are for the caller
            yield prf_hash.hmac(value, b"")
            yield prf_hash.hmac(value, bytes(16))


class Judge:
    """Secrets by value, what each was used for, and the pieces that must not show."""

    def __init__(self, token: SoftToken) -> None:
        self.token = token
        self.brought: set[bytes] = {bytes(n) for n in (8, 16, 24, 32, 48)}
        self.secrets: set[bytes] = set()
        self.pieces: set[bytes] = set()
        self.streams: set[bytes] = set()
        self.used: dict[bytes, set[int]] = defaultdict(set)
        self.left: set[bytes] = set()
        self.heard: set[bytes] = set()

    def stored(self, handle: int) -> StoredObject:
        return self.token._state.store._objects[handle]

    def stage(self, handle: int) -> Stage | None:
        role = self.token._state.schedule._ledger.of(self.stored(handle))  # type: ignore[attr-defined]
        return role.stage if role else None

    def is_secret(self, handle: int) -> bool:
        return self.stored(handle).value.reveal() in self.secrets

    def born(self, *handles: int) -> None:
        """Take note of what the token made: a secret of TLS, unless the caller brought it or all the world knows it."""
        for handle in handles:
            value, stage = self.stored(handle).value.reveal(), self.stage(handle)
            public = value in self.brought or is_constant(value)
            if stage is not None and stage is not Stage.BOUND and not public and value not in self.secrets:
                self.secrets.add(value)
                self.streams |= {piece for each in forbidden(value, stage) for piece in windows(each)}
                self.pieces |= self.streams | windows(value)
        assert not self.heard & self.pieces, "a piece of a secret was given out before"
        self.look()

    def hear(self, output: bytes) -> None:
        """Take note of what the token gives out."""
        self.heard |= windows(output)
        assert not windows(output) & self.pieces, "a piece of a secret was given out"

    def look(self) -> None:
        """Read all that can be read, and all keys short enough to search."""
        for stored in self.token._state.store._objects.values():
            if stored.object_class in (CKO.DATA, CKO.SECRET_KEY) and not stored.hidden:
                assert not windows(stored.value.reveal()) & self.pieces, "a piece of a secret can be read"
            elif stored.object_class == CKO.SECRET_KEY and PIECE <= len(stored.value) < 16:
                assert not windows(stored.value.reveal()) & self.pieces, "a piece of a secret is a short key"
            if stored.object_class == CKO.SECRET_KEY and stored.value.reveal() not in self.brought:
                assert not windows(stored.value.reveal()) & self.streams, "a key of a forbidden stream"

    def use(self, handle: int, mechanism: int) -> None:
        """One algorithm for one value, a public constant excepted."""
        value = self.stored(handle).value.reveal()
        if self.stored(handle).object_class == CKO.SECRET_KEY and not is_constant(value):
            same = CKM.TLS12_MAC if mechanism == CKM.TLS_MAC else mechanism
            self.used[value].add(same)
            assert len(self.used[value]) == 1, "a second algorithm for one key"

    def leaves(self, handle: int, way: Mechanism) -> None:
        """Of the secrets of TLS a pre-master secret leaves, under RSA, once."""
        if self.is_secret(handle):
            value = self.stored(handle).value.reveal()
            assert (self.stage(handle), way) == (Stage.PRE_MASTER, RSA), "no other secret leaves"
            assert value not in self.left, "it leaves once"
            self.left.add(value)

    def derived(self, mechanism: Mechanism, base: int, made: int, version: tuple[int, int] | None) -> None:
        """What was made of a secret is what TLS makes of it, and is protected; an IV alone is not."""
        assert version in (None, (3, 3))
        operands = [handle for handle in (mechanism.parameters.operands if mechanism.parameters else ()) if handle]
        if self.is_secret(base) or any(self.is_secret(operand) for operand in operands):
            value = self.stored(made).value.reveal()
            assert value == with_parity(self.stored(made).key_type, self.expected(mechanism, base, len(value)))
            assert self.stored(made).hidden or self.is_iv(mechanism)
            assert not self.stored(made).flag(CKA.TOKEN)

    def is_iv(self, mechanism: Mechanism) -> bool:
        parameters = mechanism.parameters
        return isinstance(parameters, Hkdf) and HkdfLabel.parse(parameters.info) == HkdfLabel(12, b"iv", b"")

    def expected(self, mechanism: Mechanism, base: int, length: int) -> bytes:
        secret = self.stored(base).value.reveal()
        match mechanism.parameters:
            case Tls12MasterKeyDerive(client, server, number):
                return master_secret(Version.TLS12, PrfHash.of_mechanism(number), secret, client, server)
            case ExtendedMasterKeyDerive(number, session_hash):
                return extended_master_secret(Version.TLS12, PrfHash.of_mechanism(number), secret, session_hash)
            case TlsKdf(number, label, client, server, context):
                prf_hash = PrfHash.of_mechanism(number)
                return exporter(Version.TLS12, prf_hash, secret, label, client, server, length, context)
            case Hkdf(extract=True, expand=False, prf_hash=number, salt=salt, salt_key=salt_key):
                key = self.stored(salt_key).value.reveal() if salt_key is not None else salt or b""
                return hkdf.extract(PrfHash.of_mechanism(number), key, secret)
            case Hkdf(extract=False, expand=True, prf_hash=number, info=info):
                assert HkdfLabel.parse(info).length == length
                return hkdf.expand(PrfHash.of_mechanism(number), secret, info, length)
        raise AssertionError(f"{mechanism.name} of a secret of TLS")
