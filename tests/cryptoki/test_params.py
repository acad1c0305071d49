"""Parameters and values are plain facts: frozen, comparable, and honest about the handles and secrets they carry."""

import dataclasses
import pickle
from typing import get_origin

import pytest

from keyfence.cryptoki import Derived, KeyMaterial, Mechanism, Pin
from keyfence.cryptoki import params as p
from keyfence.cryptoki.constants import CKA, CKM

CLASSES = [cls for cls in map(vars(p).get, p.__all__) if isinstance(cls, type) and issubclass(cls, p.Parameters)]


def _example(cls: type[p.Parameters]) -> p.Parameters:
    """Any instance: each required field gets a value of its type's kind."""
    of_type = {bytes: b"\1", int: 7, bool: True, tuple: ()}
    required = {f.name: get_origin(f.type) or f.type for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING}
    return cls(**{name: of_type[kind] for name, kind in required.items()})


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_parameters_are_frozen_comparable_and_portable(cls: type[p.Parameters]) -> None:
    one, other = _example(cls), _example(cls)
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one
    assert not hasattr(one, "__dict__")
    for field in dataclasses.fields(one):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, field.name, None)


# Handles inside parameters are operands of the call

OPERANDS = [
    (p.Hkdf(True, True, CKM.SHA256), ()),
    (p.Hkdf(True, True, CKM.SHA256, salt_key=5), (5,)),
    (p.KeyHandle(6), (6,)),
    (p.Sp800108Kdf(CKM.SHA256_HMAC, (p.SegmentKey(7), p.ByteArray(b""), p.SegmentKey(8))), (7, 8)),
    (p.IkePrfDerive(CKM.SHA256_HMAC, False, True, b"", b"", 9), (9,)),
    (p.IkePrfDerive(CKM.SHA256_HMAC, False, False, b"", b"", 9), ()),
    (p.Ike2PrfPlusDerive(CKM.SHA256_HMAC, b""), ()),
    (p.Ike2PrfPlusDerive(CKM.SHA256_HMAC, b"", 10), (10,)),
    (p.Ike1PrfDerive(CKM.SHA256_HMAC, 11, b"", b"", 0), (11,)),
    (p.Ike1PrfDerive(CKM.SHA256_HMAC, 11, b"", b"", 0, 12), (11, 12)),
    (p.Ike1ExtendedDerive(CKM.SHA256_HMAC), ()),
    (p.Ike1ExtendedDerive(CKM.SHA256_HMAC, keygxy=13), (13,)),
    (p.Tls12KeyMat(0, 128, 32, b"", b"", CKM.SHA256), ()),
]


@pytest.mark.parametrize(("parameters", "operands"), OPERANDS)
def test_operands(parameters: p.Parameters, operands: tuple[int, ...]) -> None:
    assert parameters.operands == operands


def test_no_class_with_a_handle_forgets_its_operands() -> None:
    named = {"salt_key", "handle", "new_key", "seed_key", "keygxy", "previous_key", "segments"}
    with_handles = {cls for cls in CLASSES if named & {field.name for field in dataclasses.fields(cls)}}
    assert with_handles == {type(parameters) for parameters, operands in OPERANDS if operands}


# Values


def test_a_mechanism_knows_its_name() -> None:
    assert Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE).name == "CKM_TLS12_KEY_AND_MAC_DERIVE"
    assert Mechanism(0x80000373).name == "CKM_NSS_TLS_PRF_GENERAL"


def test_a_pin_is_in_no_repr() -> None:
    pin = Pin.of("geheim€")
    assert pin.value == "geheim€".encode()
    assert repr(pin) == "Pin()"


def test_every_handle_of_a_derivation_is_named_once() -> None:
    material = KeyMaterial(client_mac=1, server_mac=0, client_key=3, server_key=4)
    assert material.handles == (1, 3, 4)
    assert Derived(9, material, additional=(10, 11)).handles == (9, 1, 3, 4, 10, 11)
    assert Derived(0).handles == ()
    assert Derived(output=b"PRF output").handles == ()


def test_a_template_names_a_type_once() -> None:
    assert len({CKA.EC_PARAMS: b"", CKA.ECDSA_PARAMS: b""}) == 1
