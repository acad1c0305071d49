"""Several threads of one guard, and several guards of one ledger."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO
from keyfence.cryptoki.params import Ecdh1Derive
from keyfence.cryptoki.session import Session, secret_key
from keyfence.guard import Guard, MemoryLedger, Policy
from keyfence.guard.registry import Registry, Secret
from keyfence.guard.roles import OTHER
from keyfence.schedule import suite
from keyfence.techniques.ecdh import P256_OID
from keyfence.token import SoftToken

from .conftest import SLOT
from .stack import PROTECTED, Stack

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
CBC = suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")
THREADS = 8


def together(count: int, act: Callable[[int], object]) -> list[object]:
    """`act` in `count` threads that begin at once; exceptions are results."""
    gate = threading.Barrier(count)

    def run(number: int) -> object:
        gate.wait()
        try:
            return act(number)
        except CryptokiError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_handshakes_side_by_side(guard: Guard) -> None:
    def session(number: int) -> bool:
        negotiated = (GCM, CBC)[number % 2]
        tls = Stack.on(guard, SLOT)
        for _ in range(3):
            tls.randoms = os.urandom(32), os.urandom(32)
            tls.exchange(negotiated, *tls.handshake(negotiated))
        tls.session.close()
        return True

    assert together(THREADS, session) == [True] * THREADS


def test_of_two_cuts_at_once_one_wins(guard: Guard) -> None:
    owner = Stack.on(guard, SLOT)
    pre_master, _ = owner.ecdhe()
    master = owner.master(GCM, pre_master)
    cuts = together(THREADS, lambda n: Stack(Session.open(guard, SLOT), randoms=owner.randoms).keys((GCM, CBC)[n % 2], master))
    refused = [cut for cut in cuts if isinstance(cut, CryptokiError)]
    assert len(refused) == THREADS // 2
    assert all("one-cut" in str(error) for error in refused)


def test_a_secret_is_bound_once(guard: Guard) -> None:
    """HMAC and a key block race for the same generic secret; what comes second is refused, whichever it is."""
    for _ in range(20):
        tls = Stack.on(guard, SLOT)
        template = secret_key(CKK.GENERIC_SECRET, 48, derive=True, sign=True, **PROTECTED)
        secret = tls.session.generate(Mechanism(CKM.GENERIC_SECRET_KEY_GEN), template)
        uses: list[Callable[[Stack], object]] = [
            lambda own, secret=secret: own.session.sign(Mechanism(CKM.SHA256_HMAC), secret, b"data"),  # type: ignore[misc]
            lambda own, secret=secret: own.keys(GCM, secret),  # type: ignore[misc]
        ]
        done = together(2, lambda n, uses=uses: uses[n](Stack.on(guard, SLOT)))  # type: ignore[misc]
        assert sum(isinstance(result, CryptokiError) for result in done) == 1


def test_two_guards_share_the_ledger() -> None:
    """Each has a session of its own with the same server key and the recorded point; the attack is split between them."""
    token = SoftToken()
    token.initialize()
    ledger = MemoryLedger()
    point = _server_key(token)
    randoms = os.urandom(32), os.urandom(32)

    def master(guard: Guard) -> tuple[Stack, int]:
        tls = Stack.on(guard, SLOT)
        tls.randoms = randoms
        private = tls.session.find({CKA.CLASS: int(CKO.PRIVATE_KEY)})[0]
        mechanism = Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(int(CKD.NULL), point))
        shared = tls.session.derive(mechanism, private, secret_key(CKK.GENERIC_SECRET, None, derive=True, **PROTECTED)).handle
        return tls, tls.master(GCM, shared)

    first, second = (master(Guard(token, Policy.default(), ledger)) for _ in range(2))
    first[0].keys(GCM, first[1])
    with pytest.raises(CryptokiError, match="guard: one-cut:"):
        second[0].keys(CBC, second[1])
    second[0].exchange(GCM, second[0].keys(GCM, second[1]), second[0].keys(GCM, second[1]))


def _server_key(token: SoftToken) -> bytes:
    """Puts a server's private key into the token; gives a peer's point."""
    session = Session.open(token, SLOT)
    session.generate_pair(
        Mechanism(CKM.EC_KEY_PAIR_GEN),
        {CKA.EC_PARAMS: P256_OID, CKA.VERIFY: True},
        {CKA.DERIVE: True, CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.TOKEN: True},
    )
    public, _ = session.generate_pair(
        Mechanism(CKM.EC_KEY_PAIR_GEN), {CKA.EC_PARAMS: P256_OID, CKA.VERIFY: True}, {CKA.DERIVE: True}
    )
    point = session.attribute(public, CKA.EC_POINT)
    assert isinstance(point, bytes)
    return point[-65:]


def test_an_object_in_use_is_not_destroyed_under_the_user() -> None:
    """Else the module could give its handle to another object, and a call judged for the one would reach the other."""
    registry = Registry()
    entry = registry.add(77, SLOT, 1, Secret(OTHER), int(CKO.SECRET_KEY), None)
    order: list[str] = []

    def destroy() -> None:
        with registry.retiring([entry]):
            order.append("destroyed")

    with registry.using(SLOT, [entry.handle]) as (used,):
        assert used is entry
        destroyer = threading.Thread(target=destroy)
        destroyer.start()
        while not entry.gone:
            pass
        with registry.using(SLOT, [entry.handle]) as (late,):
            assert late is None
        order.append("used")
    destroyer.join()
    assert order == ["used", "destroyed"]
    assert registry.find(entry.handle) is None


def test_a_closed_session_takes_its_objects_along(guard: Guard) -> None:
    tls = Stack.on(guard, SLOT)
    client, _ = tls.handshake(GCM)
    tls.session.close()
    with pytest.raises(CryptokiError, match="CKR_SESSION_HANDLE_INVALID"):
        tls.session.find()
    other = Stack.on(guard, SLOT)
    with pytest.raises(CryptokiError, match="CKR_KEY_HANDLE_INVALID"):
        other.keys(GCM, client.master)
    assert other.session.find() == ()
