"""wrap: a key that must not leave, wrapped under a key of the caller's own and unwrapped outside."""

import os
from abc import abstractmethod
from collections.abc import Iterable

from keyfence.cryptoki.constants import CKK
from keyfence.model import Chain, Key, Lengths, Public, Slice, Stream, Window
from keyfence.schedule import Side

from .base import Attack, Bench, Inconclusive, Known, Offer, Technique
from .recovery import Master, Recovery, TrafficSecret, WriteKey
from .targets import VICTIM
from .victim import Kind, Victim
from .wrapping import WRAPPINGS, Wrapping, take_out


class Wrap(Technique):
    id = "wrap"
    title = "Keys that must not leave, wrapped"
    summary = (
        "C_WrapKey under a key whose value the caller knows gives the wrapped key away. A key with CKA_EXTRACTABLE false must "
        "be refused (CKR_KEY_UNEXTRACTABLE); old tokens did not look. Tried on the secret that all keys come from and on a "
        "write key, under an AES and an RSA key of the caller's own."
    )
    section = "PKCS#11 3.2 §5.18 (C_WrapKey: CKR_KEY_UNEXTRACTABLE)"
    references = (
        "Clulow, On the Security of PKCS #11, CHES 2003",
        "Bortolozzo, Centenaro, Focardi, Steel, CCS 2010 (Tookan)",
    )
    remedy = "A module that honours CKA_EXTRACTABLE; CKA_WRAP_WITH_TRUSTED true on keys that have to be extractable."
    standard = False
    kinds = frozenset({Kind.SSL3, Kind.TLS12, Kind.TLS13, Kind.SEPARATED, Kind.BARE})
    one_suite = True

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        for wrapping in WRAPPINGS:
            if victim.kind is not Kind.BARE:
                yield WrapSecret(victim, wrapping)
            yield WrapWriteKey(victim, wrapping)


class _WrapAttack(Attack):
    """One mechanism on one of the victim's keys; rehearsed on a key of our own that is protected as the victim's is."""

    key_type: int
    length: int

    def __init__(self, victim: Victim, wrapping: Wrapping) -> None:
        self.victim = victim
        self.wrapping = wrapping
        self.mechanism = wrapping.mechanism

    @property
    @abstractmethod
    def handle(self) -> int:
        """The victim's key."""

    @abstractmethod
    def own(self, bench: Bench) -> Known:
        """A key of ours like it."""

    @abstractmethod
    def recovery(self, value: bytes) -> Recovery:
        """What its value is worth."""

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    def probe(self, bench: Bench) -> Offer:
        if not bench.on_the_victim:
            self._rehearse(bench)
        stream = Stream(VICTIM, "VALUE", b"")
        wanted = Slice(stream, 0, self.length, Key.of(self.key_type), self.key)
        window = Window(self.name, stream, Public(), Lengths.exactly(0), Lengths.exactly(self.length))
        return Offer((wanted,), (window,))

    def _rehearse(self, bench: Bench) -> None:
        own = self.own(bench)
        value = take_out(bench, self.wrapping, own.handle)
        if own.value is not None and value[: self.length] != own.value:
            raise Inconclusive("what C_WrapKey returned does not hold the key's value")

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        return self.recovery(take_out(bench, self.wrapping, self.handle)[: self.length])

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return (f"C_WrapKey({self.name}, a key of our own, the {self.key}), unwrapped outside the module",)


class WrapSecret(_WrapAttack):
    """The master secret, or TLS 1.3's client traffic secret."""

    key_type = CKK.GENERIC_SECRET

    def __init__(self, victim: Victim, wrapping: Wrapping) -> None:
        super().__init__(victim, wrapping)
        self.length = victim.secret_length
        self.key = "client traffic secret" if victim.kind is Kind.TLS13 else "master secret"

    @property
    def handle(self) -> int:
        handles = self.victim.handles
        return handles.traffic[Side.CLIENT] if self.victim.kind is Kind.TLS13 else handles.master

    def own(self, bench: Bench) -> Known:
        return bench.rehearsal(self.victim)

    def recovery(self, value: bytes) -> Recovery:
        return TrafficSecret(Side.CLIENT, value) if self.victim.kind is Kind.TLS13 else Master(value)


class WrapWriteKey(_WrapAttack):
    """The client's write key."""

    key = "client write key"

    def __init__(self, victim: Victim, wrapping: Wrapping) -> None:
        super().__init__(victim, wrapping)
        self.key_type = int(victim.suite.ckk or CKK.GENERIC_SECRET)
        self.length = victim.suite.cipher.key

    @property
    def handle(self) -> int:
        return self.victim.handles.write_keys[Side.CLIENT]

    def own(self, bench: Bench) -> Known:
        value = os.urandom(self.length)
        flags = {"sensitive": True, "extractable": False, "encrypt": True, "decrypt": True}
        return Known(bench.import_key(self.key_type, value, **flags), value)

    def recovery(self, value: bytes) -> Recovery:
        return WriteKey(Side.CLIENT, value)
