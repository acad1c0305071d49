"""What a hostile reviewer got through the guard, once. Each was open before the change that came with it."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from keyfence.cryptoki import CryptokiError, Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM
from keyfence.cryptoki.constants.vendor import CKM_NSS_TLS_MASTER_KEY_DERIVE_DH_SHA256
from keyfence.cryptoki.params import (
    Ccm,
    ExtractParams,
    Gcm,
    IkePrfDerive,
    Iv,
    MacGeneral,
    Parameters,
    PublicValue,
    Raw,
    TlsPrf,
)
from keyfence.cryptoki.session import secret_key
from keyfence.guard import Guard, MemoryLedger, Policy
from keyfence.guard.handles import with_module_handles
from keyfence.schedule import Side, suite

from ..modules import real_module
from .conftest import SLOT
from .stack import Stack

GCM = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")


@contextmanager
def refused_by(rule: str) -> Iterator[None]:
    with pytest.raises(CryptokiError, match=f"guard: {rule}:"):
        yield


# A parameter in another class's clothes


def in_disguise(handle: int) -> tuple[Parameters, ...]:
    """What is a CK_OBJECT_HANDLE in C, and has no handle in it by its class."""
    octets = handle.to_bytes(8, "little")
    return PublicValue(octets), Iv(octets), ExtractParams(handle), MacGeneral(handle)


def sliced_byte(tls: Stack, key: int, index: int) -> int:
    """A byte of a key that is no secret of TLS: sliced out, and told by its HMAC."""
    one = secret_key(CKK.GENERIC_SECRET, 1, sign=True)
    byte = tls.session.derive(Mechanism(CKM.EXTRACT_KEY_FROM_KEY, ExtractParams(8 * index)), key, one).handle
    answer = tls.session.sign(Mechanism(CKM.SHA256_HMAC), byte, b"which")
    return next(value for value in range(256) if hmac.digest(bytes([value]), b"which", "sha256") == answer)


def own_key(tls: Stack) -> int:
    return tls.session.create(secret_key(CKK.GENERIC_SECRET, None, derive=True) | {CKA.VALUE: b"own"})


@pytest.mark.native
def test_a_modules_handle_behind_another_parameters_name() -> None:
    """CKM_CONCATENATE_BASE_AND_KEY takes 8 bytes, and modules count their handles from 1."""
    with real_module("nss") as nss:
        bare = Stack.on(nss.module, nss.slot)
        master = bare.handshake(GCM)[0].master
        for parameters in in_disguise(master):
            concatenate = Mechanism(CKM.CONCATENATE_BASE_AND_KEY, parameters)
            both = bare.session.derive(concatenate, own_key(bare), secret_key(CKK.GENERIC_SECRET, None, derive=True)).handle
            assert bare.session.attribute(both, CKA.VALUE_LEN) == 3 + 48
            sliced_byte(bare, both, 3)

        tls = Stack.on(Guard(nss.module, Policy.default(), MemoryLedger()), nss.slot)
        tls.handshake(GCM)
        own = own_key(tls)
        for parameters in in_disguise(master):
            with refused_by("operands"):
                tls.session.derive(Mechanism(CKM.CONCATENATE_BASE_AND_KEY, parameters), own, secret_key(CKK.GENERIC_SECRET))


def test_a_parameter_is_of_its_mechanisms_class(guard: Guard) -> None:
    """CK_TLS_PRF_PARAMS has its output where master-key derives have pVersion; NSS died of it."""
    tls = Stack.on(guard, SLOT)
    shared, _ = tls.ecdhe()
    for mechanism in (CKM.TLS12_MASTER_KEY_DERIVE_DH, CKM_NSS_TLS_MASTER_KEY_DERIVE_DH_SHA256):
        with refused_by("operands"):
            tls.session.derive(Mechanism(mechanism, TlsPrf(*tls.randoms, 48)), shared, secret_key(CKK.GENERIC_SECRET))
    with refused_by("operands"):
        tls.session.sign(Mechanism(CKM.KIP_MAC, Gcm(bytes(8))), own_key(tls), b"data")


@pytest.mark.parametrize("parameters", [Ccm(0, bytes(12), mac_length=16), Raw(bytes(48)), Iv(bytes(16)), None])
def test_a_gcm_key_takes_gcms_parameter(guard: Guard, parameters: Parameters | None) -> None:
    """CK_CCM_PARAMS are as long as CK_GCM_PARAMS; their 16 bytes of tag are 16 bits there. Raw ones say anything."""
    tls = Stack.on(guard, SLOT)
    key = tls.handshake(GCM)[0].write[Side.CLIENT]
    with refused_by("use-binding"):
        tls.session.encrypt(Mechanism(CKM.AES_GCM, parameters), key, b"data")


def test_a_handle_that_is_not_used_does_not_reach_the_module() -> None:
    unused = IkePrfDerive(int(CKM.SHA256_HMAC), data_as_key=True, rekey=False, ni=b"i", nr=b"r", new_key=9)
    exchanged = with_module_handles(Mechanism(CKM.IKE_PRF_DERIVE, unused), lambda handle: handle).parameters
    assert isinstance(exchanged, IkePrfDerive)
    assert exchanged.new_key == 0
