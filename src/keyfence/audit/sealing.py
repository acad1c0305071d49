"""Records made INSIDE the module with a victim's keys: what an eavesdropper has, and what proves a recovered key.

The module encrypts and computes MACs; only framing, nonces and padding are made here. WTLS records take TLS 1.0's form: the
two differ in framing, and no reader of them lives here.
"""

import os
from collections.abc import Iterator
from typing import Final

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.params import Ccm, ChaCha20Poly1305, Gcm, GcmLayout, Iv, MacGeneral, Parameters
from keyfence.cryptoki.session import Session
from keyfence.schedule import CipherSuite, ContentType, Mode, Version
from keyfence.schedule.pieces import aad, mac_input, nonce, pad
from keyfence.techniques.base import Inconclusive
from keyfence.techniques.victim import VERSIONS, Kind, Profile, Record

from .schedules import Keys

PLAINTEXT_BYTES: Final = 40  # more than two cipher blocks, and not a multiple of one


class Sealer:
    """Seals records of one profile in one session."""

    def __init__(self, session: Session, profile: Profile, gcm_layout: GcmLayout) -> None:
        self.session = session
        self.suite: CipherSuite = profile.suite
        self.version: Version = VERSIONS[profile.kind]
        self.has_mac = profile.kind is not Kind.BARE
        self.gcm_layout = gcm_layout

    def records(self, keys: Keys) -> Iterator[tuple[Record, bytes]]:
        """(record, its plaintext) for each side that has a write key; plaintexts are random."""
        for side, write_key in keys.handles.write_keys.items():
            plaintext = os.urandom(PLAINTEXT_BYTES)
            mac_key = keys.handles.mac_keys.get(side, 0)
            fragment = self.seal(write_key, mac_key, keys.ivs[side], plaintext)
            yield Record(side, ContentType.APPLICATION_DATA, self.version, 0, fragment), plaintext

    def seal(self, write_key: int, mac_key: int, fixed_iv: bytes, plaintext: bytes) -> bytes:
        """The fragment of the first record (sequence number 0)."""
        if self.suite.is_aead:
            return self._aead(write_key, fixed_iv, plaintext)
        protected = plaintext + self._mac(mac_key, plaintext)
        if self.suite.mode is Mode.CBC:
            return self._cbc(write_key, fixed_iv, protected)
        return self._encrypt(None, write_key, protected, len(protected))

    def _mac(self, mac_key: int, plaintext: bytes) -> bytes:
        mechanism = self.suite.ckm_mac(self.version)
        if mechanism is None or not mac_key:
            return b""
        data = mac_input(self.version, 0, ContentType.APPLICATION_DATA, plaintext)
        return self.session.sign(Mechanism(mechanism, _mac_parameters(mechanism, self.suite)), mac_key, data)

    def _cbc(self, write_key: int, fixed_iv: bytes, protected: bytes) -> bytes:
        block = self.suite.cipher.block
        explicit = os.urandom(self.suite.record_iv(self.version))
        padded = pad(block, protected)
        return explicit + self._encrypt(Iv(explicit or fixed_iv), write_key, padded, len(padded))

    def _aead(self, write_key: int, fixed_iv: bytes, plaintext: bytes) -> bytes:
        explicit = os.urandom(self.suite.record_iv(self.version))
        number = nonce(self.suite, self.version, fixed_iv, 0, explicit)
        tls13 = self.version is Version.TLS13
        content = plaintext + bytes([ContentType.APPLICATION_DATA]) if tls13 else plaintext
        length = len(content) + (self.suite.cipher.tag if tls13 else 0)
        additional = aad(self.version, 0, ContentType.APPLICATION_DATA, length)
        parameters = self._aead_parameters(number, additional, len(content))
        return explicit + self._encrypt(parameters, write_key, content, len(content) + self.suite.cipher.tag)

    def _encrypt(self, parameters: Parameters | None, write_key: int, data: bytes, length: int) -> bytes:
        """Of any other length than `length` it is no record, whatever the module answered."""
        assert self.suite.ckm is not None, "the suite of a victim has a mechanism"
        sealed = self.session.encrypt(Mechanism(self.suite.ckm, parameters), write_key, data)
        if len(sealed) != length:
            raise Inconclusive(f"a record of {len(sealed)} bytes where the suite makes {length}")
        return sealed

    def _aead_parameters(self, number: bytes, additional: bytes, length: int) -> Parameters:
        tag = self.suite.cipher.tag
        if self.suite.mode is Mode.GCM:
            return Gcm(number, additional, 8 * tag, self.gcm_layout)
        if self.suite.mode is Mode.CCM:
            return Ccm(length, number, additional, tag)
        return ChaCha20Poly1305(number, additional)


def _mac_parameters(mechanism: int, suite: CipherSuite) -> Parameters | None:
    """CKM_SSL3_*_MAC take the MAC's length; HMAC takes nothing."""
    if mechanism not in (CKM.SSL3_MD5_MAC, CKM.SSL3_SHA1_MAC):
        return None
    assert suite.mac is not None
    return MacGeneral(suite.mac.digest_size)
