"""Outside the module: from recovered secrets to record keys, and from record keys to the text of a recorded record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyfence.schedule import (
    Mode,
    Part,
    PrfHash,
    Shape,
    Side,
    hkdf,
    key_block,
    labels_of,
    master_secret,
    primitives,
    separated_key,
)
from keyfence.schedule import record as records
from keyfence.schedule.pieces import BadRecordMac
from keyfence.schedule.wtls import wtls_key_block, wtls_master_secret

from .base import Inconclusive
from .recovery import Fragment, GcmSubkeys, Master, PreMaster, Priced, Recovery, Source, StreamBytes, TrafficSecret, WriteKey
from .victim import Agreement, Kind, Record, Victim


@dataclass(frozen=True, slots=True)
class SideKeys:
    """One direction's keys as far as they are known; `mac` None where there is one and it did not come back."""

    key: bytes = field(repr=False)
    mac: bytes | None = field(default=b"", repr=False)


def record_of(victim: Victim, side: Side) -> Record | None:
    """The record that `side` sent, where there is one."""
    return next((record for record in victim.records if record.side is side), None)


def open_record(victim: Victim, side: Side, keys: SideKeys) -> bytes | None:
    """The content of `side`'s record, its MAC or tag verified; None where these keys did not make it.

    Without the MAC key nothing can be verified: what CBC decrypts to is given, padding and MAC still on it, for the caller
    to compare with the text.
    """
    record = record_of(victim, side)
    if record is None or not _whole(victim, keys):
        return None
    try:
        if keys.mac is None or (victim.kind is Kind.BARE and not victim.suite.is_aead):
            return _decrypt(victim, record, keys.key)
        opener = records.RecordKeys(victim.suite, victim.version, keys.mac, keys.key, victim.ivs.get(side, b""))
        return records.open(opener, record.content_type, record.fragment).data
    except BadRecordMac:
        return None


def _whole(victim: Victim, keys: SideKeys) -> bool:
    """Whether the keys have the suite's lengths: what a module calls a key may be anything."""
    return len(keys.key) == victim.suite.cipher.key and (not keys.mac or len(keys.mac) == victim.suite.mac_key)


def _decrypt(victim: Victim, record: Record, key: bytes) -> bytes | None:
    if victim.suite.mode is not Mode.CBC:
        return None
    cut = victim.suite.record_iv(victim.version)
    iv, body = record.fragment[:cut] or victim.ivs[record.side], record.fragment[cut:]
    return primitives.cbc_decrypt(victim.suite.cipher, key, iv, body)


def side_keys(victim: Victim, recovery: Recovery) -> Mapping[Side, SideKeys]:
    """The record keys that `recovery` leads to, of one side or both. Inconclusive where it leads to none.

    Lengths are looked at first: HMAC fills its key with zeros, so that a secret with a zero too many opens records as well.
    """
    if isinstance(recovery, PreMaster | Master | TrafficSecret) and len(recovery.value) != _length(victim, recovery):
        raise Inconclusive(f"{len(recovery.value)} bytes came back, which is no length of such a secret")
    match recovery:
        case StreamBytes():
            return _from_stream(victim, recovery)
        case PreMaster(value=value):
            return _from_pre_master(victim, value)
        case Master(value=value):
            return _from_master(victim, value)
        case TrafficSecret(side=side, value=value):
            return {side: SideKeys(hkdf.traffic_key(victim.prf_hash, value, victim.suite.cipher.key))}
        case WriteKey(side=side, value=value):
            return {side: SideKeys(value, None if victim.suite.mac_key else b"")}
        case GcmSubkeys() | Fragment() | Priced():
            raise Inconclusive(f"no whole key comes from {type(recovery).__name__}")


def _length(victim: Victim, recovery: PreMaster | Master | TrafficSecret) -> int:
    if not isinstance(recovery, PreMaster):
        return victim.secret_length
    if victim.profile.agreement is Agreement.ECDHE or victim.kind is Kind.TLS13:
        return 32  # the x of a point of P-256, and what the lab generates for TLS 1.3
    return len(recovery.value) if victim.kind is Kind.WTLS else 48  # WTLS knows several lengths


def secret_layout(victim: Victim) -> Mapping[Part, tuple[int, int]]:
    """Where the secret parts of the victim's key block lie: (start, stop) in bytes. WTLS: the client's block."""
    mac, key = victim.suite.mac_key, victim.suite.cipher.material
    if victim.kind is Kind.WTLS:
        return {Part.CLIENT_MAC: (0, mac), Part.CLIENT_KEY: (mac, mac + key)}
    return Shape(victim.suite.mac_key, victim.suite.cipher.material, 0).layout()


def _from_stream(victim: Victim, recovery: StreamBytes) -> Mapping[Side, SideKeys]:
    """The sides whose write key is known whole, each with its MAC key or without."""
    layout = secret_layout(victim)
    sides = {}
    for side in Side:
        place = layout.get(Part(f"{side} write key"))
        key = recovery.part(*place) if place else None
        if key is not None:
            sides[side] = SideKeys(key, recovery.part(*layout[Part(f"{side} MAC key")]))
    if not sides:
        raise Inconclusive("no write key was recovered whole")
    return sides


def _from_pre_master(victim: Victim, value: bytes) -> Mapping[Side, SideKeys]:
    randoms = (victim.client_random, victim.server_random)
    if victim.kind is Kind.TLS13:
        return _from_shared_secret(victim, value)
    if victim.kind is Kind.WTLS:
        return _from_master(victim, wtls_master_secret(PrfHash.SHA1, value, *randoms))
    return _from_master(victim, master_secret(victim.version, victim.prf_hash, value, *randoms))


def _from_shared_secret(victim: Victim, value: bytes) -> Mapping[Side, SideKeys]:
    """TLS 1.3 from its (EC)DHE secret to the handshake traffic keys (RFC 8446 §7.1), the transcript being the randoms."""
    prf_hash = victim.prf_hash
    early = hkdf.extract(prf_hash, b"", bytes(prf_hash.digest_size))
    handshake = hkdf.extract(prf_hash, hkdf.derive_secret(prf_hash, early, b"derived", b""), value)
    messages = victim.client_random + victim.server_random
    secrets = {
        side: hkdf.derive_secret(prf_hash, handshake, label, messages)
        for side, label in ((Side.CLIENT, b"c hs traffic"), (Side.SERVER, b"s hs traffic"))
    }
    return {side: SideKeys(hkdf.traffic_key(prf_hash, s, victim.suite.cipher.key)) for side, s in secrets.items()}


def _from_master(victim: Victim, master: bytes) -> Mapping[Side, SideKeys]:
    randoms = (victim.client_random, victim.server_random)
    if victim.kind is Kind.SEPARATED:
        labels = {side: labels_of(victim.suite, side)[-1] for side in Side}
        return {side: SideKeys(separated_key(victim.prf_hash, master, labels[side], *randoms)) for side in Side}
    if victim.kind is Kind.WTLS:
        return _wtls(victim, master)
    block = key_block(victim.version, victim.prf_hash, master, *randoms, victim.secret_bytes)
    return _from_stream(victim, StreamBytes.run(block, Source.READABLE))


def _wtls(victim: Victim, master: bytes) -> Mapping[Side, SideKeys]:
    mac, key = victim.suite.mac_key, victim.suite.cipher.material
    randoms = (victim.client_random, victim.server_random)
    blocks = {side: wtls_key_block(PrfHash.SHA1, master, side, 0, *randoms, mac + key) for side in Side}
    return {side: SideKeys(block[mac:], block[:mac]) for side, block in blocks.items()}
