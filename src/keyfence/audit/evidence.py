"""The proof: outside the module, without a handle, what an attack brought back opens a victim's record, or does not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from keyfence.schedule import Part, Side
from keyfence.techniques.base import Inconclusive
from keyfence.techniques.ghash import open_with_subkeys
from keyfence.techniques.opening import SideKeys, open_record, record_of, secret_layout, side_keys
from keyfence.techniques.recovery import (
    Fragment,
    GcmSubkeys,
    Master,
    PreMaster,
    Priced,
    Recovery,
    Source,
    StreamBytes,
    TrafficSecret,
    WriteKey,
)
from keyfence.techniques.victim import Record, Victim

from .findings import Evidence, Proof

Plaintexts = Callable[[Record], bytes]


@dataclass(frozen=True, slots=True)
class Proven:
    """The evidence, and how much of the secret is known: bytes of `total`, and log2 of the trials still to be done."""

    evidence: Evidence
    recovered: int
    total: int
    work_bits: float = 0.0
    layout: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def prove(victim: Victim, recovery: Recovery, plaintext: Plaintexts, *, imported: bool = False) -> Proven:
    """Proves `recovery` on the victim's records. Inconclusive where the bytes open nothing: then nothing was found.

    `imported`: the victim's secret was the lab's own, in a demonstration, and what is proven says so.
    """
    proven = _prove(victim, recovery, plaintext)
    if not imported:
        return proven
    return replace(proven, evidence=replace(proven.evidence, statement=proven.evidence.statement + _demonstrated(recovery)))


def _prove(victim: Victim, recovery: Recovery, plaintext: Plaintexts) -> Proven:
    if isinstance(recovery, Priced):
        return _priced(recovery)
    if isinstance(recovery, Fragment):
        return _fragment(recovery)
    if isinstance(recovery, GcmSubkeys):
        return _subkeys(victim, recovery, plaintext)
    sides = side_keys(victim, recovery)
    opened = [side for side, keys in sides.items() if _opens(victim, side, keys, plaintext)]
    if not opened:
        raise Inconclusive("the bytes recovered do not open the victim's record")
    if len(opened) < len(sides):
        raise Inconclusive(f"the bytes recovered open the {opened[0]}'s record only")
    names = " and ".join(str(side) for side in opened)
    return _measured(victim, recovery, opened, f"the {names} record of the victim was opened outside the module")


def _demonstrated(recovery: Recovery) -> str:
    """What a demonstration has to say of itself: its secret was no secret of the module's alone."""
    given = recovery.given if isinstance(recovery, StreamBytes) else 0
    told = f", and the search was given {given} bits of what it looked for" if given else ""
    return f"; its secret was the lab's own{told}"


def _measured(victim: Victim, recovery: Recovery, opened: Sequence[Side], statement: str) -> Proven:
    if isinstance(recovery, StreamBytes):
        known = _shown(victim, recovery, opened)
        evidence = Evidence(Proof.RECORD, statement, {place: recovery.sources[place] for place in known}, known)
        return Proven(evidence, len(known), victim.secret_bytes, layout=_layout(victim))
    assert isinstance(recovery, PreMaster | Master | TrafficSecret | WriteKey)
    value, source = recovery.value, recovery.source
    known = dict(enumerate(value))
    evidence = Evidence(Proof.RECORD, statement, dict.fromkeys(known, source), known)
    return Proven(evidence, len(value), len(value), layout={_name(recovery): (0, len(value))})


def _shown(victim: Victim, recovery: StreamBytes, opened: Sequence[Side]) -> Mapping[int, int]:
    """The bytes that opened the records: of whole keys. Of others that came back no record tells whether they are right."""
    layout = secret_layout(victim)
    parts = [layout[Part(f"{side} {key}")] for side in opened for key in ("MAC key", "write key")]
    whole = {place for part in parts if recovery.part(*part) is not None for place in range(*part)}
    return {place: byte for place, byte in recovery.known.items() if place in whole}


def _name(recovery: Recovery) -> str:
    match recovery:
        case PreMaster():
            return "pre-master secret"
        case Master():
            return "master secret"
        case TrafficSecret(side=side):
            return f"{side} traffic secret"
        case WriteKey(side=side):
            return f"{side} write key"
    return "secret"


def _layout(victim: Victim) -> Mapping[str, tuple[int, int]]:
    return {str(part): place for part, place in secret_layout(victim).items() if place[0] < place[1]}


def _priced(recovery: Priced) -> Proven:
    if not recovery.rehearsed:
        raise Inconclusive("a search is needed that was not run, and the overlap could not be rehearsed on a known secret")
    places = range(recovery.start, recovery.stop)
    evidence = Evidence(
        Proof.REHEARSAL,
        f"a weaker key lies over bytes {recovery.start} to {recovery.stop - 1}; {_trials(recovery)}, not run",
        dict.fromkeys(places, Source.PRICED),
    )
    return Proven(evidence, 0, recovery.total, recovery.work_bits)


def _trials(recovery: Priced) -> str:
    """A search of the whole key; where a trial can test two keys, how many trials that are."""
    if not recovery.halved:
        return f"2^{recovery.work_bits:g} trials"
    return f"2^{recovery.work_bits:g} keys, 2^{recovery.work_bits - 1:g} trials with a chosen block and its complement"


def _fragment(recovery: Fragment) -> Proven:
    if not recovery.rehearsed:
        raise Inconclusive(f"bytes of the {recovery.secret} came back, but no known secret shows that they are its own")
    places = range(recovery.offset, recovery.offset + len(recovery.value))
    missing = 8 * (recovery.total - len(recovery.value))
    evidence = Evidence(
        Proof.REHEARSAL,
        f"{len(recovery.value)} of {recovery.total} bytes of the {recovery.secret}",
        dict.fromkeys(places, recovery.source),
        dict(zip(places, recovery.value, strict=True)),
    )
    return Proven(evidence, len(recovery.value), recovery.total, missing, {recovery.secret: (0, recovery.total)})


def _subkeys(victim: Victim, recovery: GcmSubkeys, plaintext: Plaintexts) -> Proven:
    """The GHASH key verifies the tag, the keystream opens the text: a record opened, and any other forged, without the key."""
    record = record_of(victim, recovery.side)
    if record is None or open_with_subkeys(victim, record, recovery) != plaintext(record):
        raise Inconclusive("the subkeys recovered do not open the victim's record")
    statement = f"the {recovery.side} record was opened and its tag verified outside the module, from E(0) and keystream"
    if recovery.forged:
        statement += "; a record forged from them was accepted by the victim's own key"
    proof = Proof.FORGERY if recovery.forged else Proof.RECORD
    evidence = Evidence(proof, statement, dict.fromkeys(range(16), Source.PUBLIC), dict(enumerate(recovery.hash_key)))
    return Proven(evidence, 16, 16, layout={"GHASH key": (0, 16)})


def _opens(victim: Victim, side: Side, keys: SideKeys, plaintext: Plaintexts) -> bool:
    """The text is compared, not the tag alone: random bytes that nobody outside the module was given back."""
    record = record_of(victim, side)
    content = open_record(victim, side, keys)
    return record is not None and content is not None and content.startswith(plaintext(record))
