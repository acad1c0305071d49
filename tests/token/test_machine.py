"""Any calls in any order against the separated schedule, judged (judge.py) after each."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import product

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, multiple, rule

from keyfence.cryptoki import AttributeValue, CryptokiError, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO
from keyfence.cryptoki.params import (
    CbcEncryptData,
    Ccm,
    ChaCha20Poly1305,
    Ctr,
    DerivationString,
    Ecdh1Derive,
    ExtendedMasterKeyDerive,
    Gcm,
    Hkdf,
    Ike2PrfPlusDerive,
    IkePrfDerive,
    IterationVariable,
    Iv,
    KeyHandle,
    MacGeneral,
    Parameters,
    SegmentKey,
    Sp800108Kdf,
    Tls12MasterKeyDerive,
    TlsKdf,
    TlsMac,
)
from keyfence.cryptoki.session import Session, secret_key
from keyfence.schedule import (
    HkdfLabel,
    PrfHash,
    SeparatedLabel,
    Side,
    hkdf,
)
from keyfence.schedule.separated import ALGORITHMS
from keyfence.schedule.tls13 import Context
from keyfence.token import SoftToken
from keyfence.token.kernels.curves import P256, X25519
from keyfence.token.kernels.rsa_keys import private_attributes, public_attributes
from keyfence.token.schedules.tls13 import STEPS

from .bench import CLIENT_RANDOM, SERVER_RANDOM, VERSION, slice_from, template, with_data
from .judge import HASHES, RSA, Judge

TRANSCRIPTS = {prf_hash: bytes(range(prf_hash.digest_size)) for prf_hash in HASHES}
TYPES = (CKK.GENERIC_SECRET, CKK.AES, CKK.HKDF, CKK.DES, CKK.DES3, CKK.RC4, CKK.CHACHA20, CKK.SHA256_HMAC)
USES = (CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.DERIVE, CKA.SIGN, CKA.ENCRYPT, CKA.DECRYPT, CKA.WRAP, CKA.UNWRAP, CKA.TOKEN)

hashes = st.sampled_from(HASHES)
curves = st.sampled_from([P256, X25519])
secrets = Bundle("secrets")
flags = st.dictionaries(st.sampled_from(USES), st.booleans(), max_size=3)
checks = st.sampled_from([{}, {}, {}, {CKA.CHECK_VALUE: b"\0\0\0"}])
templates = st.builds(
    lambda key_type, length, uses, check: secret_key(key_type, length) | uses | check,
    st.sampled_from(TYPES),
    st.sampled_from([None, 1, 8, 12, 16, 24, 32, 48, 64]),
    st.just({}) | flags,
    checks,
)
Step13 = tuple[bytes, Context]
labels13 = st.sampled_from(
    sorted({(label, step.context) for steps in STEPS.values() for label, step in steps.items()}, key=str)
) | st.just((b"my own", Context.HASH))
lengths = st.sampled_from([12, 16, 20, 32, 48])
RANDOMS = (CLIENT_RANDOM, SERVER_RANDOM)
VICTIMS = tuple(SeparatedLabel.of(algorithm, Side.CLIENT) for algorithm in ("AES_128_GCM", "AES_128_CBC", "HMAC_SHA256"))
separated_labels = st.builds(SeparatedLabel.of, st.sampled_from(sorted(ALGORITHMS)), st.sampled_from(Side)) | st.sampled_from(
    VICTIMS
)
strings12 = separated_labels.map(lambda label: (label.build(), *RANDOMS)) | st.sampled_from(
    [
        (b"EXPORTER-Channel-Binding", *RANDOMS),
        (b"EXPERIMENTAL x", *RANDOMS),
        (b"key expansion", SERVER_RANDOM, CLIENT_RANDOM),
        (b"k", b"ey expansion" + SERVER_RANDOM, CLIENT_RANDOM),
        (b"", b"key expansion" + SERVER_RANDOM[:19], SERVER_RANDOM[19:] + CLIENT_RANDOM),
    ]
)
"""Label, client random, server random: what may be, the classic key block, and that cut elsewhere."""

keys13 = st.sampled_from(
    [
        secret_key(CKK.AES, 16),
        secret_key(CKK.AES, 32),
        secret_key(CKK.AES, 16, allowed_mechanisms=(int(CKM.AES_CCM),)),
        secret_key(CKK.CHACHA20, 32),
        secret_key(CKK.GENERIC_SECRET, 12),
    ]
)
"""What may be asked of a label "key"."""


@cache
def rsa_numbers() -> tuple[dict[int, bytes], dict[int, bytes]]:
    key = rsa.generate_private_key(65537, 1024)
    return public_attributes(key.public_key()), private_attributes(key)


def told(prf_hash: PrfHash, context: Context) -> bytes:
    """A context of this kind."""
    return {Context.HASH_OF_NOTHING: prf_hash.digest(b""), Context.HASH: TRANSCRIPTS[prf_hash]}.get(context, b"")


class Hostile(RuleBasedStateMachine):
    """Two sessions of one token; some rules are an honest endpoint's, so that there is something to steal."""

    @initialize(target=secrets)
    def start(self) -> object:
        self.token = SoftToken("separated")
        self.token.initialize()
        self.sessions = [Session.open(self.token, 1), Session.open(self.token, 1)]
        self.session = self.sessions[0]
        self.judge = Judge(self.token)
        public, private = rsa_numbers()
        half: dict[int, AttributeValue] = {CKA.KEY_TYPE: CKK.RSA, CKA.TOKEN: True}
        self.rsa_public = self.session.create({**half, **public, CKA.CLASS: CKO.PUBLIC_KEY, CKA.WRAP: True})
        self.rsa_private = self.session.create({**half, **private, CKA.CLASS: CKO.PRIVATE_KEY, CKA.UNWRAP: True})
        self.zeros = {
            prf_hash: self.session.create({CKA.CLASS: CKO.DATA, CKA.VALUE: bytes(prf_hash.digest_size)}) for prf_hash in HASHES
        }
        self.pairs = {params: (self.pair(params), self.pair(params)) for params in (P256, X25519)}
        self.kek = self.session.create(
            secret_key(CKK.AES, wrap=True, unwrap=True, token=True) | {CKA.VALUE: b"key-encryption-k"}
        )
        return multiple()

    def pair(self, params: bytes) -> tuple[int, int]:
        mechanism = CKM.EC_KEY_PAIR_GEN if params == P256 else CKM.EC_MONTGOMERY_KEY_PAIR_GEN
        return self.session.generate_pair(Mechanism(mechanism), {CKA.EC_PARAMS: params}, {CKA.DERIVE: True})

    def alive(self, *handles: int) -> bool:
        return all(handle in self.token._state.store._objects for handle in handles)

    # An honest endpoint

    @rule(target=secrets, params=curves, prf_hash=hashes)
    def session_of_tls12(self, params: bytes, prf_hash: PrfHash) -> object:
        """Key agreement to record keys."""
        shared = self.agree(params, {CKA.DERIVE: True})
        parameters = ExtendedMasterKeyDerive(prf_hash.ckm, TRANSCRIPTS[prf_hash])
        master = self.made(Mechanism(CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH, parameters), shared, {})
        return multiple(shared, master, *(self.separated(prf_hash, master, label) for label in VICTIMS))

    @rule(target=secrets, params=curves, prf_hash=hashes)
    def session_of_tls13(self, params: bytes, prf_hash: PrfHash) -> object:
        """Key agreement to a record key, a PSK and an exporter: a secret of each stage."""
        zeros, nothing, transcript = self.zeros[prf_hash], prf_hash.digest(b""), TRANSCRIPTS[prf_hash]
        early = self.extracted(prf_hash, zeros)
        shared = self.agree(params, {CKA.DERIVE: True})
        handshake = self.extracted(prf_hash, shared, self.expanded(prf_hash, early, b"derived", nothing))
        traffic = self.expanded(prf_hash, handshake, b"c hs traffic", transcript)
        salt = self.expanded(prf_hash, handshake, b"derived", nothing)
        main = self.extracted(prf_hash, zeros, salt)
        exporting = self.expanded(prf_hash, main, b"exp master", transcript)
        resuming = self.expanded(prf_hash, main, b"res master", transcript)
        psk = self.expanded(prf_hash, resuming, b"resumption", b"")
        finished = self.expanded(prf_hash, traffic, b"finished", b"")
        info = HkdfLabel(16, b"key", b"").encode()
        expansion = Mechanism(CKM.HKDF_DERIVE, Hkdf(False, True, prf_hash.ckm, info))
        key = self.made(expansion, traffic, secret_key(CKK.AES, 16))
        return multiple(shared, handshake, traffic, salt, main, exporting, resuming, psk, finished, key)

    def agree(self, params: bytes, wanted: Template) -> int:
        (_, own), (peer, _) = self.pairs[params]
        point = self.session.attribute(peer, CKA.EC_POINT)
        assert isinstance(point, bytes)
        return self.made(Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(CKD.NULL, point)), own, wanted)

    def separated(self, prf_hash: PrfHash, master: int, label: SeparatedLabel) -> int:
        parameters = TlsKdf(prf_hash.ckm, label.build(), CLIENT_RANDOM, SERVER_RANDOM)
        return self.made(Mechanism(CKM.TLS_KDF, parameters), master, secret_key(label.facts.key_types[0], label.length))

    def extracted(self, prf_hash: PrfHash, ikm: int, salt: int | None = None) -> int:
        mechanism = Mechanism(CKM.HKDF_DERIVE, Hkdf(True, False, prf_hash.ckm, salt_key=salt))
        return self.made(mechanism, ikm, {CKA.DERIVE: True})

    def expanded(self, prf_hash: PrfHash, base: int, label: bytes, context: bytes) -> int:
        info = HkdfLabel(prf_hash.digest_size, label, context).encode()
        mechanism = Mechanism(CKM.HKDF_DERIVE, Hkdf(False, True, prf_hash.ckm, info))
        return self.made(mechanism, base, secret_key(CKK.GENERIC_SECRET, prf_hash.digest_size, derive=True))

    def made(self, mechanism: Mechanism, base: int, wanted: Template) -> int:
        made = self.session.derive(mechanism, base, wanted)
        self.judge.derived(mechanism, base, made.handle, made.version)
        self.judge.born(*made.handles)
        return made.handle

    # A caller that means harm, with the same calls and with others

    @rule(target=secrets, params=curves, wanted=templates)
    def agree_again(self, params: bytes, wanted: Template) -> object:
        """The victim's own key agreement, repeated with a template of the caller's."""
        try:
            return self.agree(params, wanted)
        except CryptokiError:
            return multiple()

    @rule(target=secrets, extractable=st.booleans())
    def pre_master(self, extractable: bool) -> int:
        wanted = template(sensitive=True, extractable=extractable, derive=True)
        made = self.session.generate(Mechanism(CKM.TLS_PRE_MASTER_KEY_GEN, VERSION), wanted)
        self.judge.born(made)
        return made

    @rule(target=secrets, known=st.booleans(), garble=st.booleans(), wanted=st.just({CKA.DERIVE: True}) | templates)
    def client_key_exchange(self, known: bool, garble: bool, wanted: Template) -> object:
        """From a server's side: the client's secret (which the caller may be), or what does not open."""
        value = b"\3\3" + bytes(46) if known else b"\3\3" + self.session.module.generate_random(self.session.handle, 46)
        if known:
            self.judge.brought.add(value)
        message = bytearray(self.session.encrypt(RSA, self.rsa_public, value))
        message[-1] ^= garble
        try:
            made = self.session.unwrap(RSA, self.rsa_private, bytes(message), wanted)
        except CryptokiError:
            return multiple()
        self.judge.born(made)
        return made

    @rule(target=secrets, prf_hash=hashes, shows=st.booleans(), plain=st.booleans())
    def masters(self, prf_hash: PrfHash, shows: bool, plain: bool) -> object:
        """Master secrets of all there is, in either form."""
        if plain:
            numbers = (CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH)
            parameters: Parameters = Tls12MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, prf_hash.ckm, shows)
        else:
            numbers = (CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH)
            parameters = ExtendedMasterKeyDerive(prf_hash.ckm, TRANSCRIPTS[prf_hash], shows)
        return self.sweep([Mechanism(number, parameters) for number in numbers], {})

    @rule(target=secrets, prf_hash=hashes, pieces=strings12, wanted=templates)
    def export(self, prf_hash: PrfHash, pieces: tuple[bytes, bytes, bytes], wanted: Template) -> object:
        return self.sweep([Mechanism(CKM.TLS12_KDF, TlsKdf(prf_hash.ckm, *pieces))], wanted)

    @rule(target=secrets, salt=secrets | st.none(), prf_hash=hashes, constant=st.booleans())
    def extract(self, salt: int | None, prf_hash: PrfHash, constant: bool) -> object:
        early = hkdf.extract(prf_hash, b"", bytes(prf_hash.digest_size))
        outside = hkdf.derive_secret(prf_hash, early, b"derived", b"") if constant else None
        parameters = Hkdf(True, False, prf_hash.ckm, salt=outside, salt_key=salt)
        return self.sweep([Mechanism(CKM.HKDF_DERIVE, parameters)], {CKA.DERIVE: True})

    @rule(target=secrets, prf_hash=hashes, label=labels13, said=lengths, asked=lengths | st.none(), uses=st.just({}) | flags)
    def expand(self, prf_hash: PrfHash, label: Step13, said: int, asked: int | None, uses: Template) -> object:
        """An expansion of all there is, to a secret and to data, whose length label and template say alike or not."""
        parameters = Hkdf(False, True, prf_hash.ckm, HkdfLabel(said, label[0], told(prf_hash, label[1])).encode())
        length = said if asked is None else asked
        self.sweep([Mechanism(CKM.HKDF_DATA, parameters)], {CKA.VALUE_LEN: length})
        return self.sweep([Mechanism(CKM.HKDF_DERIVE, parameters)], {**secret_key(CKK.GENERIC_SECRET, length), **uses})

    @rule(target=secrets, prf_hash=hashes, said=st.sampled_from([16, 32]), wanted=keys13, uses=st.just({}) | flags)
    def keys_of_traffic(self, prf_hash: PrfHash, said: int, wanted: Template, uses: Template) -> object:
        parameters = Hkdf(False, True, prf_hash.ckm, HkdfLabel(said, b"key", b"").encode())
        return self.sweep([Mechanism(CKM.HKDF_DERIVE, parameters)], {**wanted, **uses})

    def sweep(self, mechanisms: Sequence[Mechanism], wanted: Template) -> object:
        """Every one of these derivations, of every key and of the data objects."""
        bases = (*self.keys(), *self.zeros.values())
        made = [self.derive(mechanism, base, wanted) for base, mechanism in product(bases, mechanisms)]
        return multiple(*(handle for handle in made if handle))

    def derive(self, mechanism: Mechanism, base: int, wanted: Template) -> int:
        """A derivation that may be refused; 0 then, and for a data object, which is no secret to go on with."""
        try:
            made = self.made(mechanism, base, wanted)
        except CryptokiError:
            return 0
        return made if self.judge.stored(made).is_key else 0

    @rule(target=secrets, other=secrets, first=st.integers(0, 13), bit=st.integers(0, 400), wanted=templates)
    def misuse(self, other: int, first: int, bit: int, wanted: Template) -> object:
        """Every derivation that is none of TLS's, from some one on: what works first may bind a key."""
        if not self.alive(other):
            return multiple()
        counter = (IterationVariable(32),)
        mechanisms = [
            slice_from(bit),
            with_data(CKM.XOR_BASE_AND_DATA, bytes(64)),
            with_data(CKM.CONCATENATE_BASE_AND_DATA, b"x"),
            with_data(CKM.CONCATENATE_DATA_AND_BASE, b"x"),
            Mechanism(CKM.CONCATENATE_BASE_AND_KEY, KeyHandle(other)),
            Mechanism(CKM.SHA256_KEY_DERIVATION),
            Mechanism(CKM.SP800_108_COUNTER_KDF, Sp800108Kdf(CKM.SHA256_HMAC, counter)),
            Mechanism(CKM.SP800_108_COUNTER_KDF, Sp800108Kdf(CKM.SHA256_HMAC, (*counter, SegmentKey(other)))),
            Mechanism(CKM.IKE_PRF_DERIVE, IkePrfDerive(CKM.SHA256_HMAC, False, True, b"", b"", other)),
            Mechanism(CKM.IKE2_PRF_PLUS_DERIVE, Ike2PrfPlusDerive(CKM.SHA256_HMAC, b"", other)),
            Mechanism(CKM.AES_ECB_ENCRYPT_DATA, DerivationString(bytes(16))),
            Mechanism(CKM.AES_CBC_ENCRYPT_DATA, CbcEncryptData(bytes(16), bytes(16))),
            Mechanism(CKM.HKDF_DERIVE, Hkdf(True, True, CKM.SHA256, b"", b"salt")),
            Mechanism(CKM.HKDF_DATA, Hkdf(True, False, CKM.SHA256, salt_key=other)),
        ]
        return self.sweep(mechanisms[first:] + mechanisms[:first], wanted)

    @rule(
        target=secrets,
        value=st.binary(min_size=16, max_size=48),
        key_type=st.sampled_from(TYPES),
        uses=flags,
        constant=st.booleans(),
    )
    def bring(self, value: bytes, key_type: CKK, uses: Template, constant: bool) -> object:
        value = bytes(len(value)) if constant else value
        try:
            made = self.session.create({**secret_key(key_type), **uses, CKA.VALUE: value})
        except CryptokiError:
            return multiple()
        self.judge.brought.add(self.judge.stored(made).value.reveal())
        self.judge.born(made)
        return made

    @rule(target=secrets, key=secrets, change=flags, copying=st.booleans())
    def change(self, key: int, change: Template, copying: bool) -> object:
        if not self.alive(key):
            return multiple()
        try:
            if copying:
                made = self.sessions[1].copy(key, change)
                self.judge.born(made)
                return made
            self.token.set_attribute_value(self.session.handle, key, change)
        except CryptokiError:
            return multiple()
        self.judge.look()
        return multiple()

    @rule(first=st.integers(0, 15), data=st.sampled_from([b"", bytes(16), *TRANSCRIPTS.values()]))
    def operate(self, first: int, data: bytes) -> None:
        """Every cipher and MAC, from some one on."""
        nonce = bytes(12)
        mechanisms = [
            Mechanism(CKM.TLS12_MAC, TlsMac(CKM.SHA256, 12, 1)),
            Mechanism(CKM.TLS_MAC, TlsMac(CKM.SHA384, 12, 2)),
            Mechanism(CKM.TLS_MAC, TlsMac(CKM.SHA256, 64, 2)),
            Mechanism(CKM.SHA256_HMAC),
            Mechanism(CKM.SHA384_HMAC),
            Mechanism(CKM.SHA_1_HMAC),
            Mechanism(CKM.SHA256_HMAC_GENERAL, MacGeneral(8)),
            Mechanism(CKM.AES_CMAC),
            Mechanism(CKM.AES_ECB),
            Mechanism(CKM.AES_CBC, Iv(bytes(16))),
            Mechanism(CKM.AES_CTR, Ctr(bytes(16))),
            Mechanism(CKM.AES_GCM, Gcm(nonce)),
            Mechanism(CKM.AES_GCM, Gcm(bytes(16), tag_bits=32)),
            Mechanism(CKM.AES_CCM, Ccm(len(data), nonce)),
            Mechanism(CKM.AES_CCM, Ccm(len(data), nonce, mac_length=8)),
            Mechanism(CKM.CHACHA20_POLY1305, ChaCha20Poly1305(nonce)),
        ]
        runs = (self.session.sign, self.session.encrypt, self.session.decrypt)
        for key, mechanism, run in product(self.keys(), mechanisms[first:] + mechanisms[:first], runs):
            try:
                self.hear(key, run(mechanism, key, data))
            except CryptokiError as error:
                if error.function not in ("C_Decrypt", "C_Sign", "C_Encrypt"):
                    continue
            self.judge.use(key, mechanism.type)

    def keys(self) -> tuple[int, ...]:
        return self.session.find({CKA.CLASS: CKO.SECRET_KEY})[-40:]

    def hear(self, key: int, output: AttributeValue) -> None:
        """What comes of a key that the caller brought may hold anything."""
        if isinstance(output, bytes) and self.judge.stored(key).value.reveal() not in self.judge.brought:
            self.judge.hear(output)

    @rule()
    def read(self) -> None:
        """Attributes, searches and digests."""
        for key, attribute in product(self.keys(), (CKA.VALUE, CKA.CHECK_VALUE, CKA.LABEL)):
            with suppress(CryptokiError):
                self.hear(key, self.session.attribute(key, attribute))
        for key in filter(self.judge.is_secret, self.keys()):
            value = self.judge.stored(key).value.reveal()
            assert not self.session.find({CKA.VALUE: value}), "a search confirms a guess"
            self.token.session_cancel(self.session.handle, (1 << 32) - 1)
            self.token.digest_init(self.session.handle, Mechanism(CKM.SHA256))
            with pytest.raises(CryptokiError, match="INDIGESTIBLE"):
                self.token.digest_key(self.session.handle, key)

    @rule(target=secrets, wanted=templates)
    def wrap(self, wanted: Template) -> object:
        """Everything under every wrapping key, and what leaves comes back as something else."""
        ways = (RSA, Mechanism(CKM.AES_ECB), Mechanism(CKM.AES_KEY_WRAP), Mechanism(CKM.AES_KEY_WRAP_PAD))
        made = []
        for key, way in product(self.keys(), ways):
            wrapping, unwrapping = (self.rsa_public, self.rsa_private) if way is RSA else (self.kek, self.kek)
            with suppress(CryptokiError):
                wrapped = self.session.wrap(way, wrapping, key)
                self.judge.leaves(key, way)
                made.append(self.session.unwrap(way, unwrapping, wrapped, wanted))
        self.judge.born(*made)
        return multiple(*made)

    @rule(key=consumes(secrets))
    def destroy(self, key: int) -> None:
        if self.alive(key):
            self.token.destroy_object(self.session.handle, key)

    @rule()
    def reopen(self) -> None:
        self.sessions[1].close()
        self.sessions[1] = Session.open(self.token, 1)


Hostile.TestCase.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
TestHostile = Hostile.TestCase
