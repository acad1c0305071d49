"""From a pre-master secret to record keys, inside the module, the way an honest stack asks for it: one function per kind."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import CryptokiError, Derived, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM
from keyfence.cryptoki.params import (
    Hkdf,
    KeyMat,
    Raw,
    Tls12KeyMat,
    TlsKdf,
    WtlsKeyMat,
)
from keyfence.cryptoki.session import Session, secret_key
from keyfence.cryptoki.values import Template
from keyfence.schedule import HkdfLabel, PrfHash, Side, hkdf, labels_of, separated_ivs
from keyfence.techniques.master import master_mechanism, master_parameters
from keyfence.techniques.victim import VERSIONS, Handles, Kind, Profile

from .agreement import Agreed

_PROTECTED: Final = {"sensitive": True, "extractable": False}
_BASE: Final = _PROTECTED | {"derive": True}
_RECORD: Final = _PROTECTED | {"encrypt": True, "decrypt": True}

# Key types that need no CKA_VALUE_LEN: their length is their type's.
FIXED_LENGTH: Final = frozenset({CKK.DES, CKK.DES2, CKK.DES3, CKK.CHACHA20, CKK.SEED, CKK.IDEA})


@dataclass(frozen=True, slots=True)
class Keys:
    """What a schedule made."""

    handles: Handles
    ivs: Mapping[Side, bytes]


KEY_AND_MAC: Final[Mapping[Kind, CKM]] = {
    Kind.SSL3: CKM.SSL3_KEY_AND_MAC_DERIVE,
    Kind.TLS10: CKM.TLS_KEY_AND_MAC_DERIVE,
    Kind.TLS12: CKM.TLS12_KEY_AND_MAC_DERIVE,
}


def needed(profile: Profile) -> frozenset[int]:
    """The mechanisms this kind of session calls, agreement and record protection aside."""
    if profile.kind is Kind.BARE:
        return frozenset({CKM.AES_KEY_GEN})
    if profile.kind is Kind.TLS13:
        return frozenset({CKM.HKDF_DERIVE, CKM.HKDF_DATA})
    if profile.kind is Kind.SEPARATED:
        return frozenset({master_mechanism(profile), CKM.TLS12_KDF})
    if profile.kind is Kind.WTLS:
        return frozenset({master_mechanism(profile), CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE, CKM.WTLS_SERVER_KEY_AND_MAC_DERIVE})
    return frozenset({master_mechanism(profile), KEY_AND_MAC[profile.kind]})


def derive(session: Session, profile: Profile, agreed: Agreed, client_random: bytes, server_random: bytes) -> Keys:
    """The whole schedule of `profile` from `agreed` on."""
    schedule = _Schedule(session, profile, client_random, server_random)
    if profile.kind is Kind.TLS13:
        return schedule.tls13(agreed)
    master = schedule.master(agreed)
    if profile.kind is Kind.SEPARATED:
        return schedule.separated(agreed, master)
    if profile.kind is Kind.WTLS:
        return schedule.wtls(agreed, master)
    return schedule.classic(agreed, master)


def derived_secret(session: Session, profile: Profile, base: int, client_random: bytes, server_random: bytes) -> int:
    """The secret that keys come from, derived as `derive` does: from a pre-master secret the master secret, from TLS 1.3's
    handshake secret the client's traffic secret."""
    schedule = _Schedule(session, profile, client_random, server_random)
    if profile.kind is Kind.TLS13:
        return schedule.traffic(base, Side.CLIENT)
    return schedule.master(Agreed(base))


def bare(session: Session, profile: Profile, fixed_iv: Callable[[int], bytes]) -> Keys:
    """A record key by C_GenerateKey, for modules that make none from TLS secrets; IVs by `fixed_iv(length)`."""
    template = secret_key(CKK.AES, profile.suite.cipher.key, **_RECORD)
    key = session.generate(Mechanism(CKM.AES_KEY_GEN), template)
    length = profile.suite.fixed_iv(VERSIONS[profile.kind])
    return Keys(Handles(write_keys={Side.CLIENT: key}), {Side.CLIENT: fixed_iv(length)})


def record_template(profile: Profile, **flags: bool) -> Template:
    """What a stack asks of write keys: the suite's type and length, protected, to encrypt and decrypt."""
    suite = profile.suite
    assert suite.ckk is not None, "profiles are made for suites whose cipher PKCS#11 has"
    length = None if suite.ckk in FIXED_LENGTH else suite.cipher.material
    return secret_key(suite.ckk, length, **flags or _RECORD)


def first_accepted(session: Session, mechanism: Mechanism, base: int, templates: Iterable[Template]) -> Derived:
    """The derivation under the first template the module accepts; its first refusal where it accepts none."""
    refusal: CryptokiError | None = None
    for template in templates:
        try:
            return session.derive(mechanism, base, template)
        except CryptokiError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


class _Schedule:
    def __init__(self, session: Session, profile: Profile, client_random: bytes, server_random: bytes) -> None:
        self.session = session
        self.profile = profile
        self.client_random = client_random
        self.server_random = server_random
        self.prf_hash = profile.suite.prf_hash or PrfHash.SHA256

    def master(self, agreed: Agreed) -> int:
        """48 bytes; SIGN and VERIFY because Finished is a MAC under it (PKCS#11 3.0 §2.39, CKM_TLS12_MAC)."""
        flags = _BASE | {"sign": True, "verify": True}
        templates = [secret_key(CKK.GENERIC_SECRET, n, **f) for f in (flags, _BASE) for n in (None, 48)]
        parameters = master_parameters(self.profile, self.client_random, self.server_random)
        mechanism = Mechanism(master_mechanism(self.profile), parameters)
        return first_accepted(self.session, mechanism, agreed.pre_master, templates).handle

    def classic(self, agreed: Agreed, master: int) -> Keys:
        """CKM_*_KEY_AND_MAC_DERIVE with the suite's own shape."""
        shape = self.profile.suite.shape(VERSIONS[self.profile.kind])
        bits = (8 * shape.mac, 8 * shape.key, 8 * shape.iv)
        randoms = (self.client_random, self.server_random)
        parameters = (
            Tls12KeyMat(*bits, *randoms, int(self.prf_hash.ckm)) if self.profile.kind is Kind.TLS12 else KeyMat(*bits, *randoms)
        )
        derived = first_accepted(
            self.session,
            Mechanism(KEY_AND_MAC[self.profile.kind], parameters),
            master,
            [record_template(self.profile), record_template(self.profile, **_PROTECTED)],
        )
        made = derived.key_material
        assert made is not None, "a key-and-MAC derivation gives key material"
        handles = Handles(
            agreed.private_key,
            agreed.pre_master,
            master,
            {Side.CLIENT: made.client_key, Side.SERVER: made.server_key},
            {Side.CLIENT: made.client_mac, Side.SERVER: made.server_mac},
        )
        return Keys(handles, {Side.CLIENT: made.client_iv or b"", Side.SERVER: made.server_iv or b""})

    def separated(self, agreed: Agreed, master: int) -> Keys:
        """One TLS12_KDF per key under its own label; IVs outside the module, from the randoms."""
        suite, keys = self.profile.suite, {}
        for side in Side:
            label = labels_of(suite, side)[-1].build()
            parameters = TlsKdf(int(self.prf_hash.ckm), label, self.client_random, self.server_random)
            template = record_template(self.profile)
            keys[side] = self.session.derive(Mechanism(CKM.TLS12_KDF, parameters), master, template).handle
        length = suite.fixed_iv(VERSIONS[self.profile.kind])
        ivs = separated_ivs(self.prf_hash, self.client_random, self.server_random, length)
        return Keys(
            Handles(agreed.private_key, agreed.pre_master, master, keys),
            dict(zip((Side.CLIENT, Side.SERVER), ivs, strict=True)),
        )

    def tls13(self, agreed: Agreed) -> Keys:
        """RFC 8446 §7.1 without a PSK, up to the handshake traffic secrets; they protect records too (§7.3)."""
        hash_length = self.prf_hash.digest_size
        early = hkdf.extract(self.prf_hash, b"", bytes(hash_length))
        salt = hkdf.derive_secret(self.prf_hash, early, b"derived", b"")
        extract = Hkdf(extract=True, expand=False, prf_hash=int(self.prf_hash.ckm), salt=salt)
        handshake = self._hkdf(CKM.HKDF_DERIVE, extract, agreed.pre_master, hash_length)
        traffic = {side: self.traffic(handshake, side) for side in Side}
        with suppress(CryptokiError):  # it ends with the set-up in any case
            self.session.destroy(handshake)
        keys = {side: self._traffic_key(secret) for side, secret in traffic.items()}
        ivs = {side: self._traffic_iv(secret) for side, secret in traffic.items()}
        return Keys(Handles(agreed.private_key, agreed.pre_master, 0, keys, {}, traffic), ivs)

    def traffic(self, handshake: int, side: Side) -> int:
        """The transcript of this handshake being the randoms."""
        label = traffic_label(self.prf_hash, side, self.client_random + self.server_random)
        parameters = Hkdf(extract=False, expand=True, prf_hash=int(self.prf_hash.ckm), info=label.encode())
        return self._hkdf(CKM.HKDF_DERIVE, parameters, handshake, label.length, sign=True)

    def _hkdf(self, mechanism: CKM, parameters: Hkdf, base: int, length: int, **flags: bool) -> int:
        """Key types and flags differ between modules: CKK_HKDF by 3.0's text, CKK_GENERIC_SECRET in the field."""
        types = (CKK.HKDF, CKK.GENERIC_SECRET)
        templates = [secret_key(kind, length, **_BASE | extra) for kind in types for extra in (flags, {})]
        return first_accepted(self.session, Mechanism(mechanism, parameters), base, templates).handle

    def _traffic_key(self, secret: int) -> int:
        length = self.profile.suite.cipher.key
        info = HkdfLabel(length, b"key", b"").encode()
        parameters = Hkdf(extract=False, expand=True, prf_hash=int(self.prf_hash.ckm), info=info)
        template = record_template(self.profile)
        return self.session.derive(Mechanism(CKM.HKDF_DERIVE, parameters), secret, template).handle

    def _traffic_iv(self, secret: int) -> bytes:
        length = self.profile.suite.fixed_iv(VERSIONS[self.profile.kind])
        return hkdf_data(self.session, self.prf_hash, secret, HkdfLabel(length, b"iv", b"").encode(), length)

    def wtls(self, agreed: Agreed, master: int) -> Keys:
        """One derivation per direction, each with its own stream (WAP-261-WTLS §11.3.2); sequence number 0."""
        shape = self.profile.suite.shape(VERSIONS[Kind.WTLS])
        keys, macs, ivs = {}, {}, {}
        for side, ckm in (
            (Side.CLIENT, CKM.WTLS_CLIENT_KEY_AND_MAC_DERIVE),
            (Side.SERVER, CKM.WTLS_SERVER_KEY_AND_MAC_DERIVE),
        ):
            bits = (8 * shape.mac, 8 * shape.key, 8 * shape.iv)
            parameters = WtlsKeyMat(int(CKM.SHA_1), *bits, 0, self.client_random, self.server_random)
            made = self.session.derive(Mechanism(ckm, parameters), master, record_template(self.profile)).key_material
            assert made is not None, "a key-and-MAC derivation gives key material"
            keys[side], macs[side], ivs[side] = made.client_key, made.client_mac, made.client_iv or b""
        return Keys(Handles(agreed.private_key, agreed.pre_master, master, keys, macs), ivs)


def traffic_label(prf_hash: PrfHash, side: Side, messages: bytes) -> HkdfLabel:
    """Of the handshake traffic secret (RFC 8446 §7.1)."""
    label = b"c hs traffic" if side is Side.CLIENT else b"s hs traffic"
    return HkdfLabel(prf_hash.digest_size, label, prf_hash.digest(messages))


def hkdf_data(session: Session, prf_hash: PrfHash, secret: int, info: bytes, length: int) -> bytes:
    """CKM_HKDF_DATA: any expansion, as a data object that its maker can read (PKCS#11 3.0 §2.62.5)."""
    parameters = Hkdf(extract=False, expand=True, prf_hash=int(prf_hash.ckm), info=info)
    templates: list[Template] = [
        {CKA.CLASS: 0, CKA.VALUE_LEN: length, CKA.PRIVATE: False},
        {CKA.CLASS: 0, CKA.VALUE_LEN: length},
        secret_key(CKK.GENERIC_SECRET, length, sensitive=False, extractable=True),
    ]
    with session.scope():
        return session.value(first_accepted(session, Mechanism(CKM.HKDF_DATA, parameters), secret, templates).handle)


__all__ = ["KEY_AND_MAC", "Keys", "Raw", "bare", "derive", "hkdf_data", "needed"]
