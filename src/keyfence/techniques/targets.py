"""Where a victim's keys lie: the stream they are cut from, and what its bytes are good for once known.

One victim, one target: the classic key block's secret part, the separated expansion's client write key, or TLS 1.3's client
write key. Attacks that rebuild a pseudo-random function need nothing else to know.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keyfence.cryptoki.constants import CKK
from keyfence.model import Key, Slice, Stream
from keyfence.schedule import HkdfLabel, PrfHash, Side, labels_of

from .recovery import Recovery, Source, StreamBytes, WriteKey
from .victim import Kind, Victim

VICTIM = "victim"
"""The name of the attacked secret in the model."""


@dataclass(frozen=True, slots=True)
class Target:
    """`length` bytes from the start of the stream that `secret` (a handle) yields for `label + seed`.

    `function` names the stream's function in the model: "TLS12-PRF-SHA256", "TLS10-PRF", "SSL3", "HKDF-EXPAND-SHA256".
    `recovery` makes of those bytes what the audit proves. The first `mac_length` bytes are MAC keys, the rest write keys of
    `key_type`: of a DES key no parity bit is wanted, of a MAC key every bit is.
    """

    secret: int
    function: str
    prf_hash: PrfHash
    label: bytes
    seed: bytes
    length: int
    key_type: int
    recovery: Callable[[bytes, Source], Recovery]
    mac_length: int = 0

    @property
    def input(self) -> bytes:
        return self.label + self.seed

    @property
    def stream(self) -> Stream:
        return Stream.of(VICTIM, self.function, self.label, self.seed)

    @property
    def slices(self) -> tuple[Slice, ...]:
        stop = min(self.mac_length, self.length)
        parts = (
            Slice(self.stream, 0, stop, Key.of(CKK.GENERIC_SECRET), "MAC keys"),
            Slice(self.stream, stop, self.length, Key.of(self.key_type), "write keys"),
        )
        return tuple(part for part in parts if part.length)


def target_of(victim: Victim) -> Target:
    """The victim's target. ValueError for a bare key, which no stream yields."""
    if victim.kind is Kind.TLS13:
        return _traffic(victim)
    if victim.kind is Kind.SEPARATED:
        return _separated(victim)
    if victim.kind is Kind.WTLS:
        return _wtls(victim)
    if victim.kind is Kind.BARE:
        raise ValueError("a bare key comes from no stream")
    return _classic(victim)


def _classic(victim: Victim) -> Target:
    function = {Kind.SSL3: "SSL3", Kind.TLS10: "TLS10-PRF", Kind.TLS12: f"TLS12-PRF-{victim.prf_hash.name}"}
    return Target(
        victim.handles.master,
        function[victim.kind],
        victim.prf_hash,
        b"" if victim.kind is Kind.SSL3 else b"key expansion",
        victim.server_random + victim.client_random,
        victim.secret_bytes,
        int(victim.suite.ckk or 0),
        lambda data, source: StreamBytes.run(data, source),
        victim.secret_bytes - len(victim.directions) * victim.suite.cipher.material,
    )


def _wtls(victim: Victim) -> Target:
    """The client's direction at sequence number 0 (WAP-261-WTLS §11.3.2). WTLS's PRF is P_hash, as TLS 1.2's is."""
    return Target(
        victim.handles.master,
        "TLS12-PRF-SHA1",
        PrfHash.SHA1,
        b"client expansion",
        bytes(2) + victim.server_random + victim.client_random,
        victim.secret_bytes,
        int(victim.suite.ckk or 0),
        lambda data, source: StreamBytes.run(data, source),
        victim.secret_bytes - len(victim.directions) * victim.suite.cipher.material,
    )


def _separated(victim: Victim) -> Target:
    label = labels_of(victim.suite, Side.CLIENT)[-1]
    return Target(
        victim.handles.master,
        f"TLS12-PRF-{victim.prf_hash.name}",
        victim.prf_hash,
        label.build(),
        victim.client_random + victim.server_random,
        label.length,
        int(victim.suite.ckk or 0),
        lambda data, source: WriteKey(Side.CLIENT, data, source),
    )


def _traffic(victim: Victim) -> Target:
    length = victim.suite.cipher.key
    return Target(
        victim.handles.traffic[Side.CLIENT],
        f"HKDF-EXPAND-{victim.prf_hash.name}",
        victim.prf_hash,
        HkdfLabel(length, b"key", b"").encode(),
        b"",
        length,
        int(victim.suite.ckk or 0),
        lambda data, source: WriteKey(Side.CLIENT, data, source),
    )


Hmac = Callable[[bytes], bytes]
"""HMAC under the victim's secret, as some oracle evaluates it."""


def rebuild(target: Target, hmac: Hmac) -> bytes:
    """The target's bytes from an HMAC oracle: P_hash (RFC 5246 §5) or HKDF-Expand (RFC 5869 §2.3)."""
    if target.function.startswith("HKDF-EXPAND"):
        return _hkdf_expand(hmac, target.input, target.length)
    return _p_hash(hmac, target.input, target.length)


def _p_hash(hmac: Hmac, seed: bytes, length: int) -> bytes:
    a, stream = hmac(seed), b""
    while True:
        stream += hmac(a + seed)
        if len(stream) >= length:
            return stream[:length]
        a = hmac(a)


def _hkdf_expand(hmac: Hmac, info: bytes, length: int) -> bytes:
    block, stream, counter = b"", b"", 1
    while len(stream) < length:
        block = hmac(block + info + bytes([counter]))
        stream += block
        counter += 1
    return stream[:length]


def rests_on_hmac(victim: Victim) -> bool:
    """Whether HMAC under the whole secret rebuilds the victim's keys. TLS 1.0 keys by its halves, and SSL 3.0 has no HMAC."""
    return victim.kind in (Kind.TLS12, Kind.TLS13, Kind.WTLS, Kind.SEPARATED)
