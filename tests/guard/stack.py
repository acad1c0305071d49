"""TLS endpoints whose secrets live in a module, asking for them in the very shapes that JSSE and NSS ask in.

Both ends of a connection are played in one module, each with handles of its own; what tells that they agree is that one opens
what the other sealed, and that their Finished values are equal.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from keyfence.cryptoki import Cryptoki, Mechanism
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO
from keyfence.cryptoki.constants.vendor import (
    CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE,
    CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE_DH,
)
from keyfence.cryptoki.params import (
    ChaCha20Poly1305,
    Ecdh1Derive,
    ExtendedMasterKeyDerive,
    Gcm,
    Hkdf,
    Iv,
    MacGeneral,
    Parameters,
    Raw,
    Tls12KeyMat,
    Tls12MasterKeyDerive,
    TlsMac,
)
from keyfence.cryptoki.session import Session, secret_key
from keyfence.schedule import CipherSuite, HkdfLabel, Mode, PrfHash, Side, Version
from keyfence.techniques.ecdh import P256_OID

PROTECTED = {"sensitive": True, "extractable": False}
PRIVATE: dict[int, bool] = {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False}
"""What a careful stack asks for, so that a bare module is attacked as it should be used."""


class Style(Enum):
    """Whose call shapes."""

    JSSE = "JSSE"
    NSS = "NSS"


@dataclass
class End:
    """One end's handles after a handshake."""

    master: int
    write: Mapping[Side, int]
    mac: Mapping[Side, int]
    iv: Mapping[Side, bytes | None]


@dataclass
class Stack:
    """One process's TLS over one session of a module."""

    session: Session
    style: Style = Style.JSSE
    randoms: tuple[bytes, bytes] = field(default_factory=lambda: (os.urandom(32), os.urandom(32)))

    @classmethod
    def on(cls, module: Cryptoki, slot: int, style: Style = Style.JSSE) -> "Stack":
        return cls(Session.open(module, slot), style)

    # Pre-master secrets

    def ecdhe(self) -> tuple[int, int]:
        """Both ends' pre-master secrets by ECDH on P-256."""
        pairs = [self.ec_pair() for _ in range(2)]
        points = [self.point(public) for public, _ in pairs]
        return self.agree(pairs[0][1], points[1]), self.agree(pairs[1][1], points[0])

    def ec_pair(self) -> tuple[int, int]:
        return self.session.generate_pair(
            Mechanism(CKM.EC_KEY_PAIR_GEN), {CKA.EC_PARAMS: P256_OID, CKA.VERIFY: True}, PRIVATE | {CKA.DERIVE: True}
        )

    def point(self, public: int) -> bytes:
        point = self.session.attribute(public, CKA.EC_POINT)
        assert isinstance(point, bytes)
        return point[-65:]

    def agree(self, private: int, point: bytes) -> int:
        """JSSE says no length; NSS says the target's key type and the whole length."""
        length = 32 if self.style is Style.NSS else None
        template = secret_key(CKK.GENERIC_SECRET, length, derive=True, **PROTECTED)
        return self.session.derive(Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(int(CKD.NULL), point)), private, template).handle

    def rsa_pair(self) -> tuple[int, int]:
        return self.session.generate_pair(
            Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN),
            {CKA.MODULUS_BITS: 2048, CKA.PUBLIC_EXPONENT: b"\x01\x00\x01", CKA.WRAP: True, CKA.ENCRYPT: True},
            PRIVATE | {CKA.UNWRAP: True, CKA.DECRYPT: True, CKA.SIGN: True},
        )

    def rsa(self) -> tuple[int, int]:
        """The client's generated pre-master secret, and what the server unwraps."""
        public, private = self.rsa_pair()
        template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sensitive=True, extractable=True)
        generate = Mechanism(CKM.SSL3_PRE_MASTER_KEY_GEN, Raw(Version.TLS12.wire))
        client = self.session.generate(generate, template)
        message = self.session.wrap(Mechanism(CKM.RSA_PKCS), public, client)
        return client, self.open_key_exchange(private, message)

    def open_key_exchange(self, private: int, message: bytes) -> int:
        template = secret_key(CKK.GENERIC_SECRET, 48, derive=True, **PROTECTED)
        return self.session.unwrap(Mechanism(CKM.RSA_PKCS), private, message, template)

    # TLS 1.2

    def handshake(self, suite: CipherSuite, *, extended: str = "") -> tuple[End, End]:
        """Both ends of a full handshake; `extended`: "" for none, "standard" or "NSS" numbers."""
        exchanged = self.rsa() if suite.key_exchange == "RSA" else self.ecdhe()
        session_hash = os.urandom(prf(suite).digest_size)
        client, server = (
            self.master(suite, pre_master, session_hash if extended else None, extended) for pre_master in exchanged
        )
        return self.keys(suite, client), self.keys(suite, server)

    def master(self, suite: CipherSuite, pre_master: int, session_hash: bytes | None = None, numbers: str = "standard") -> int:
        agreed = suite.key_exchange != "RSA"
        wants_version = not agreed
        parameters: Parameters
        if session_hash is None:
            mechanism: int = CKM.TLS12_MASTER_KEY_DERIVE_DH if agreed else CKM.TLS12_MASTER_KEY_DERIVE
            parameters = Tls12MasterKeyDerive(*self.randoms, int(prf(suite).ckm), wants_version)
        elif numbers == "NSS":
            mechanism = CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE_DH if agreed else CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE
            parameters = ExtendedMasterKeyDerive(int(prf(suite).ckm), session_hash, wants_version)
        else:
            mechanism = CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH if agreed else CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE
            parameters = ExtendedMasterKeyDerive(int(prf(suite).ckm), session_hash, wants_version)
        template = secret_key(CKK.GENERIC_SECRET, None, derive=True, sign=True, verify=True, **PROTECTED)
        derived = self.session.derive(Mechanism(mechanism, parameters), pre_master, template)
        if wants_version:
            assert derived.version == (3, 3)
        return derived.handle

    def keys(self, suite: CipherSuite, master: int) -> End:
        """The key block. JSSE asks for IVs of a whole block in CBC suites too; NSS asks for none. JSSE destroys an AEAD's MAC
        keys unseen, which have to be there for it."""
        shape = suite.shape(Version.TLS12)
        block = suite.cipher.block if suite.mode is Mode.CBC and self.style is Style.JSSE else 0
        bits = (8 * shape.mac, 8 * shape.key, 8 * (shape.iv or block))
        parameters = Tls12KeyMat(*bits, *self.randoms, int(prf(suite).ckm))
        made = self.session.derive(
            Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, parameters), master, write_template(suite)
        ).key_material
        assert made is not None
        if suite.is_aead:
            for handle in (made.client_mac, made.server_mac):
                self.session.destroy(handle)
        if block:
            assert len(made.client_iv or b"") == len(made.server_iv or b"") == block
        return End(
            master,
            {Side.CLIENT: made.client_key, Side.SERVER: made.server_key},
            {Side.CLIENT: made.client_mac, Side.SERVER: made.server_mac},
            {Side.CLIENT: made.client_iv, Side.SERVER: made.server_iv},
        )

    def finished(self, suite: CipherSuite, end: End, side: Side, transcript: bytes) -> bytes:
        parameters = TlsMac(int(prf(suite).ckm), 12, 2 if side is Side.CLIENT else 1)
        return self.session.sign(Mechanism(CKM.TLS_MAC, parameters), end.master, transcript)

    def exchange(self, suite: CipherSuite, client: End, server: End) -> None:
        """Records both ways, each opened by the other end."""
        for side, sender, receiver in ((Side.CLIENT, client, server), (Side.SERVER, server, client)):
            for data in (b"", b"honest traffic " * 40):
                if suite.is_aead:
                    cipher = aead(suite, sender.iv[side], os.urandom(8))
                else:
                    self._mac(suite, sender.mac[side], receiver.mac[side], data)
                    cipher, data = (
                        Mechanism(suite.ckm or 0, Iv(os.urandom(16))),
                        data.ljust(16 * (len(data) // 16 + 1), b"\x0f"),
                    )
                sealed = self.session.encrypt(cipher, sender.write[side], data)
                assert self.session.decrypt(cipher, receiver.write[side], sealed) == data
                assert len(sealed) == len(data) + suite.cipher.tag

    def _mac(self, suite: CipherSuite, signer: int, verifier: int, data: bytes) -> None:
        """HMAC as such, and with its full length as a parameter, as NSS gives it."""
        assert suite.mac is not None
        for parameters in (None, MacGeneral(suite.mac_key)):
            mechanism = Mechanism(suite.mac.ckm_hmac, parameters)
            self.session.verify(mechanism, verifier, data, self.session.sign(mechanism, signer, data))

    # TLS 1.3

    def imported(self, value: bytes, object_class: int = CKO.SECRET_KEY) -> int:
        """A value as NSS imports it: a key, or (the zeros) a data object."""
        if object_class == CKO.DATA:
            return self.session.create({CKA.CLASS: int(CKO.DATA), CKA.VALUE: value})
        return self.session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: value})

    def extract(self, prf_hash: PrfHash, base: int, salt_key: int | None = None, salt: bytes | None = None) -> int:
        parameters = Hkdf(True, False, int(prf_hash.ckm), salt=salt, salt_key=salt_key)
        template = secret_key(CKK.GENERIC_SECRET, None, derive=True, **PROTECTED)
        return self.session.derive(Mechanism(CKM.HKDF_DERIVE, parameters), base, template).handle

    def expand(self, prf_hash: PrfHash, base: int, label: bytes, context: bytes = b"", **attributes: bool) -> int:
        template = secret_key(CKK.GENERIC_SECRET, prf_hash.digest_size, **(attributes or {"derive": True}), **PROTECTED)
        return self.label(prf_hash, base, HkdfLabel(prf_hash.digest_size, label, context), template)

    def label(self, prf_hash: PrfHash, base: int, label: HkdfLabel, template: Mapping[int, object], data: bool = False) -> int:
        parameters = Hkdf(False, True, int(prf_hash.ckm), info=label.encode())
        mechanism = Mechanism(CKM.HKDF_DATA if data else CKM.HKDF_DERIVE, parameters)
        return self.session.derive(mechanism, base, template).handle  # type: ignore[arg-type]

    def traffic(self, suite: CipherSuite, secret: int) -> tuple[int, bytes]:
        """(write key, IV) of a traffic secret."""
        length = suite.cipher.key
        key = self.label(prf(suite), secret, HkdfLabel(length, b"key", b""), write_template(suite, length))
        template = {CKA.CLASS: int(CKO.DATA), CKA.VALUE_LEN: 12}
        iv = self.session.value(self.label(prf(suite), secret, HkdfLabel(12, b"iv", b""), template, data=True))
        return key, iv


def prf(suite: CipherSuite) -> PrfHash:
    assert suite.prf_hash is not None
    return suite.prf_hash


def write_template(suite: CipherSuite, length: int | None = None) -> dict[int, object]:
    assert suite.ckk is not None
    return secret_key(suite.ckk, length or suite.cipher.material, encrypt=True, decrypt=True, **PROTECTED)  # type: ignore[return-value]


def aead(suite: CipherSuite, fixed: bytes | None, explicit: bytes) -> Mechanism:
    """The suite's cipher under the fixed IV and, in TLS 1.2's GCM, an explicit nonce."""
    assert fixed is not None
    nonce = fixed if len(fixed) == 12 else fixed + explicit
    parameters = Gcm(nonce, b"aad") if suite.mode is Mode.GCM else ChaCha20Poly1305(nonce, b"aad")
    return Mechanism(suite.ckm or 0, parameters)
