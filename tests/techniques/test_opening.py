"""Outside the module: recovered secrets open the victim's records, and nothing else does."""

from collections.abc import Iterator

import pytest

from keyfence.audit import Opened, Target
from keyfence.audit.evidence import prove
from keyfence.audit.findings import Proof
from keyfence.schedule import Side, suite
from keyfence.techniques.base import Inconclusive
from keyfence.techniques.opening import SideKeys, open_record, side_keys
from keyfence.techniques.recovery import (
    Master,
    PreMaster,
    Priced,
    Recovery,
    Source,
    StreamBytes,
    TrafficSecret,
    WriteKey,
)
from keyfence.techniques.victim import Agreement, Kind, Profile, Victim
from keyfence.token import SoftToken
from keyfence.token.store import Store

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC = suite("TLS_RSA_WITH_AES_256_CBC_SHA")
TLS13 = suite("TLS_AES_128_GCM_SHA256")
WTLS = suite("TLS_RSA_WITH_3DES_EDE_CBC_SHA")


class Laboratory:
    """A lab, and what no lab sees: the values in the token."""

    def __init__(self, profile: Profile) -> None:
        token = SoftToken("separated" if profile.kind is Kind.SEPARATED else "classic")
        self.opened = Opened(Target("test", lambda: token))
        self.victim: Victim = self.opened.lab.victim(profile)
        self.store: Store = token._state.store

    def value(self, handle: int) -> bytes:
        return self.store.get(handle).value.reveal()

    def proof(self, recovery: Recovery) -> Proof:
        return prove(self.victim, recovery, self.opened.lab.plaintext).evidence.proof


PROFILES = [
    Profile(Kind.SSL3, CBC),
    Profile(Kind.TLS10, CBC),
    Profile(Kind.TLS12, GCM),
    Profile(Kind.TLS12, CBC, Agreement.RSA),
    Profile(Kind.TLS12, GCM, Agreement.ECDHE),
    Profile(Kind.TLS13, TLS13, Agreement.ECDHE),
    Profile(Kind.WTLS, WTLS),
    Profile(Kind.SEPARATED, GCM),
]


def recoveries(laboratory: Laboratory) -> Iterator[Recovery]:
    """Everything that leads to the victim's keys, whole."""
    handles = laboratory.victim.handles
    for side, handle in handles.write_keys.items():
        yield WriteKey(side, laboratory.value(handle))
    if handles.master:
        yield Master(laboratory.value(handles.master))
    for side, handle in handles.traffic.items():
        yield TrafficSecret(side, laboratory.value(handle))
    yield PreMaster(laboratory.value(handles.pre_master))


@pytest.fixture(params=PROFILES, ids=str)
def laboratory(request: pytest.FixtureRequest) -> Laboratory:
    return Laboratory(request.param)


def test_the_victims_own_secrets_open_its_records(laboratory: Laboratory) -> None:
    for recovery in recoveries(laboratory):
        assert laboratory.proof(recovery) is Proof.RECORD


def test_other_secrets_of_the_same_length_open_nothing(laboratory: Laboratory) -> None:
    for recovery in recoveries(laboratory):
        assert isinstance(recovery, WriteKey | Master | PreMaster | TrafficSecret)
        for wrong in (bytes(len(recovery.value)), recovery.value[:-1] + bytes([recovery.value[-1] ^ 0x10])):
            with pytest.raises(Inconclusive, match="do not open"):
                laboratory.proof(_with(recovery, wrong))


@pytest.mark.parametrize("length", [0, 1, 5, 15, 17, 400])
def test_what_has_another_length_opens_nothing(laboratory: Laboratory, length: int) -> None:
    for recovery in recoveries(laboratory):
        with pytest.raises(Inconclusive):
            laboratory.proof(_with(recovery, bytes(length)))
    for side in Side:
        assert open_record(laboratory.victim, side, SideKeys(bytes(length), bytes(length))) is None


def test_a_secret_with_zeros_behind_it_is_not_the_secret(laboratory: Laboratory) -> None:
    """To HMAC it is: what opens the record is not always what was asked for. (WTLS knows pre-master secrets of any length.)"""
    for recovery in recoveries(laboratory):
        assert isinstance(recovery, WriteKey | Master | PreMaster | TrafficSecret)
        if isinstance(recovery, PreMaster) and laboratory.victim.kind is Kind.WTLS:
            continue
        with pytest.raises(Inconclusive):
            laboratory.proof(_with(recovery, recovery.value + b"\0"))


def _with(recovery: Recovery, value: bytes) -> Recovery:
    if isinstance(recovery, WriteKey | TrafficSecret):
        return type(recovery)(recovery.side, value)
    assert isinstance(recovery, Master | PreMaster)
    return type(recovery)(value)


def test_one_side_of_two_is_not_the_session() -> None:
    """The client's half right and the server's wrong: no key block was recovered."""
    laboratory = Laboratory(Profile(Kind.TLS12, GCM))
    client = laboratory.value(laboratory.victim.handles.write_keys[Side.CLIENT])
    with pytest.raises(Inconclusive, match="open the client's record only"):
        laboratory.proof(StreamBytes.run(client + bytes(16), Source.PUBLIC))
    assert laboratory.proof(StreamBytes.run(client, Source.PUBLIC)) is Proof.RECORD, "half of it is half of it"


def test_no_whole_key_opens_nothing() -> None:
    victim = Laboratory(Profile(Kind.TLS12, GCM)).victim
    with pytest.raises(Inconclusive, match="no write key was recovered whole"):
        side_keys(victim, StreamBytes.run(bytes(15), Source.PUBLIC))
    with pytest.raises(Inconclusive, match="no whole key comes from Priced"):
        side_keys(victim, Priced(0, 5, 32, 40.0, rehearsed=True))


def test_a_side_that_sent_nothing_has_no_record() -> None:
    victim = Laboratory(Profile(Kind.BARE, GCM)).victim
    assert open_record(victim, Side.SERVER, SideKeys(bytes(16))) is None
