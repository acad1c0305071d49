"""What the techniques that rebuild a pseudo-random function share.

Such a technique knows ways to have a module evaluate one function under a secret: HMAC, from which P_hash and HKDF-Expand are
rebuilt block by block, or the stream's own function, which gives all of it at once. Each way is tried on a secret of the lab's
own, with the very input that the attack begins with, and the answer compared with what is computed outside. The first way
that is right goes to the victim.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKO, CKR
from keyfence.cryptoki.session import secret_key
from keyfence.cryptoki.values import Template
from keyfence.model import Chain, Evaluation, Oracle, Public, Readable, Step
from keyfence.schedule import hkdf, p_hash, prf_tls10, ssl3

from .base import Attack, Bench, Inconclusive, Offer, telling
from .recovery import Recovery, Source
from .targets import VICTIM, Target, rebuild, target_of
from .victim import Victim
from .wrapping import read

Ask = Callable[[int, bytes], bytes]
"""(a secret's handle, input) to the function's value, which may be longer than needed. Leaves no object behind."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask; `text` is the call in PKCS#11's terms."""

    text: str
    ask: Ask


class OracleAttack(Attack):
    """Subclasses write `ways`. `whole`: the function is the stream's own; otherwise it is HMAC with the victim's hash."""

    whole: ClassVar[bool] = False
    sink: ClassVar[Public | Readable] = Public()
    """Public where a call returns the value, Readable where it is read from a key."""

    def __init__(self, victim: Victim, mechanism: int) -> None:
        self.victim = victim
        self.mechanism = mechanism
        self.target: Target = target_of(victim)
        self._chosen = 0
        self._text = ""

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    def ways(self, bench: Bench) -> Sequence[Way]:
        """The ways to try, the plainest first."""
        raise NotImplementedError

    @property
    def foreign(self) -> bool:
        """Whether the function is not the one that makes this victim's keys: it is asked for all the same, to be refused."""
        return False

    # Probing

    def probe(self, bench: Bench) -> Offer:
        known, refusals = bench.rehearsal(self.victim), []
        for number, way in enumerate(self.ways(bench)):
            try:
                with bench.session.scope():
                    answer = self.trial(way, known.handle)
            except CryptokiError as refusal:
                if refusal.ckr == CKR.MECHANISM_INVALID and not bench.has(self.mechanism):
                    return Offer(self.target.slices, (), (refusal,))  # of all refusals the one that says most
                refusals.append(refusal)
                continue
            if known.value is None or self.is_right(answer, known.value):
                self._chosen, self._text = number, way.text
                return Offer(self.target.slices, self.oracles(), tuple(refusals))
        return Offer(self.target.slices, (), tuple(refusals))

    def trial(self, way: Way, secret: int) -> bytes:
        """The first evaluation that the attack makes."""
        return way.ask(secret, first_input(self.target, self.whole))

    def is_right(self, answer: bytes, secret: bytes) -> bool:
        """Whether `secret` gives this answer."""
        if self.foreign:
            return True
        length = self.target.length if self.whole else self.target.prf_hash.digest_size
        return answer[:length] == self.computed(secret)[:length]

    def computed(self, secret: bytes) -> bytes:
        """What the trial has to answer, computed outside the module."""
        if self.whole:
            return stream_of(self.target, secret)
        return self.target.prf_hash.hmac(secret, first_input(self.target))

    def oracles(self) -> tuple[Oracle, ...]:
        """What the model is told: the function that may be evaluated."""
        function = self.target.function if self.whole or self.foreign else f"HMAC-{self.target.prf_hash.name}"
        return (Oracle(self.name, VICTIM, function, self.sink),)

    # Executing

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        """By the way that was right; where the victim's secret is more protected than the lab's, by the ones after it."""
        refusals: list[CryptokiError] = []
        for way in list(self.ways(bench))[self._chosen :]:
            try:
                return self._rebuild(bench, way)
            except CryptokiError as refusal:
                refusals.append(refusal)
        raise telling(refusals)  # probing chose a way, so there is one at least

    def _rebuild(self, bench: Bench, way: Way) -> Recovery:
        with bench.session.scope():
            value = self.evaluate(way)
        if self.foreign:
            raise Inconclusive(f"{way.text} is allowed under this master secret; no key of the session lies in what it gives")
        if len(value) < self.target.length:
            raise Inconclusive(f"{len(value)} bytes came back of {self.target.length} asked for")
        self._text = way.text
        return self.target.recovery(value[: self.target.length], Source.PUBLIC if self.sink == Public() else Source.READABLE)

    def evaluate(self, way: Way) -> bytes:
        """The start of the victim's stream, through this way."""
        if self.whole or self.foreign:
            return way.ask(self.target.secret, self.target.input)
        return rebuild(self.target, lambda data: self._block(way, data))

    def _block(self, way: Way, data: bytes) -> bytes:
        """One HMAC, or as much of it as the way tells; of nothing at all no stream would ever be filled."""
        block = way.ask(self.target.secret, data)[: self.target.prf_hash.digest_size]
        if not block:
            raise Inconclusive(f"{way.text} gave nothing")
        return block

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return tuple(f"{self._text} -> {self._meaning(step)}" for step in chain.steps)

    def _meaning(self, step: Step) -> str:
        evaluation = step.call.choice if step.call else None
        assert isinstance(evaluation, Evaluation), "a step of an oracle's plan"
        if evaluation.helper:
            return f"A({evaluation.index + 1}) = HMAC({f'A({evaluation.index})' if evaluation.index else 'label + seed'})"
        slices = [piece.slice for piece in step.uncovers]
        places = f"bytes {slices[0].start}..{slices[-1].stop - 1}"
        return places if self.whole else f"{places} = HMAC({self._block_input(evaluation.index)})"

    def _block_input(self, index: int) -> str:
        if self.target.function.startswith("HKDF"):
            return f"T({index}) + info + {index + 1}" if index else "info + 1"
        return f"A({index + 1}) + label + seed"


def first_input(target: Target, whole: bool = False) -> bytes:
    """The input of the first evaluation: what the stream's function takes, or the first HMAC of P_hash or HKDF-Expand."""
    return target.input + b"\x01" if target.function.startswith("HKDF") and not whole else target.input


def stream_of(target: Target, secret: bytes) -> bytes:
    """The target's bytes if `secret` were the victim's: computed outside the module, for comparison."""
    if target.function == "TLS10-PRF":
        return prf_tls10(secret, target.label, target.seed, target.length)
    if target.function == "SSL3":
        return ssl3.expand(secret, target.seed, target.length)
    if target.function.startswith("HKDF"):
        return hkdf.expand(target.prf_hash, secret, target.input, target.length)
    return p_hash(target.prf_hash, secret, target.input, target.length)


# Reading what a derivation made


def readable_templates(length: int) -> Iterator[tuple[str, Template]]:
    """Templates for a derived value of `length` bytes that its maker can read, with what is special about each."""
    yield "CKA_SENSITIVE=FALSE", secret_key(CKK.GENERIC_SECRET, length, sensitive=False, extractable=True)
    yield "CKA_SENSITIVE=FALSE, no CKA_VALUE_LEN", secret_key(CKK.GENERIC_SECRET, sensitive=False, extractable=True)
    yield "CKA_EXTRACTABLE=TRUE", secret_key(CKK.GENERIC_SECRET, length, extractable=True)
    yield "no CKA_SENSITIVE", secret_key(CKK.GENERIC_SECRET, length)


def data_templates(length: int) -> Iterator[tuple[str, Template]]:
    """The same as data objects; modules differ in what they want said of them."""
    yield "CKO_DATA", {CKA.CLASS: int(CKO.DATA), CKA.VALUE_LEN: length, CKA.PRIVATE: False}
    yield "CKO_DATA, no CKA_PRIVATE", {CKA.CLASS: int(CKO.DATA), CKA.VALUE_LEN: length}


def read_derived(bench: Bench, mechanism: Mechanism, base: int, template: Template) -> bytes:
    """C_DeriveKey, CKA_VALUE (or C_WrapKey), and the end of what was made: that it cannot be destroyed is no refusal."""
    with bench.session.scope():
        return read(bench, bench.session.derive(mechanism, base, template).handle)
