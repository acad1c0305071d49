"""CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE of derived keys: the standard's rules as tables.

Four letters are four flags, a capital for true: Sensitive, Extractable, Always sensitive, Never extractable.
"""

from collections.abc import Callable

import pytest

from keyfence.cryptoki import Mechanism
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKR
from keyfence.cryptoki.params import IkePrfDerive, IterationVariable, KeyHandle, SegmentKey, Sp800108Kdf
from keyfence.cryptoki.session import Session, secret_key

from .bench import (
    ec_pair,
    ecdh_to,
    expand,
    extract,
    imported,
    kdf,
    key_mat10,
    key_mat12,
    master10,
    master12,
    opened,
    pre_master,
    refused,
    security,
    slice_from,
    with_data,
)

HMAC = CKM.SHA256_HMAC
COUNTER = Sp800108Kdf(HMAC, (IterationVariable(32),))


def generated(session: Session, sensitive: bool, extractable: bool) -> int:
    """48 bytes made in the token: always what it is now."""
    flags = {"sensitive": sensitive, "extractable": extractable, "derive": True}
    return session.generate(Mechanism(CKM.GENERIC_SECRET_KEY_GEN), secret_key(CKK.GENERIC_SECRET, 48, **flags))


BASES: dict[str, Callable[[Session], int]] = {
    "SeAN": lambda session: generated(session, True, False),
    "SEAn": lambda session: generated(session, True, True),
    "seaN": lambda session: generated(session, False, False),
    "sEan": lambda session: generated(session, False, True),
    "Sean": lambda session: imported(session, bytes(48), sensitive=True, extractable=False),
}

TEMPLATE_DECIDES: dict[str, Callable[[Session, int, dict[str, object]], int]] = {
    "TLS 1.0 master": lambda s, base, flags: master10(s, base, **flags),
    "TLS 1.2 master": lambda s, base, flags: master12(s, base, **flags),
    "HKDF expand": lambda s, base, flags: derive(s, expand(b"info"), base, 16, flags),
    "HKDF extract": lambda s, base, flags: derive(s, extract(b"salt"), base, None, flags),
    "SHA-256": lambda s, base, flags: derive(s, Mechanism(CKM.SHA256_KEY_DERIVATION), base, 16, flags),
    "SP 800-108": lambda s, base, flags: derive(s, Mechanism(CKM.SP800_108_COUNTER_KDF, COUNTER), base, 16, flags),
    "IKE": lambda s, base, flags: derive(
        s, Mechanism(CKM.IKE_PRF_DERIVE, IkePrfDerive(HMAC, False, False, b"i", b"r")), base, None, flags
    ),
}
STICKY: dict[str, Callable[[Session, int, dict[str, object]], int]] = {
    "TLS_KDF": lambda s, base, flags: derive(s, kdf(b"label"), base, 16, flags),
    "CONCATENATE_BASE_AND_DATA": lambda s, base, flags: derive(
        s, with_data(CKM.CONCATENATE_BASE_AND_DATA, b"x"), base, 16, flags
    ),
    "CONCATENATE_DATA_AND_BASE": lambda s, base, flags: derive(
        s, with_data(CKM.CONCATENATE_DATA_AND_BASE, b"x"), base, 16, flags
    ),
    "XOR_BASE_AND_DATA": lambda s, base, flags: derive(s, with_data(CKM.XOR_BASE_AND_DATA, bytes(48)), base, 16, flags),
    "EXTRACT_KEY_FROM_KEY": lambda s, base, flags: derive(s, slice_from(8), base, 16, flags),
}

SENSITIVE, READABLE, OUT = {"sensitive": True}, {"sensitive": False}, {"extractable": True}


def derive(session: Session, mechanism: Mechanism, base: int, length: int | None, flags: dict[str, object]) -> int:
    template = secret_key(CKK.GENERIC_SECRET, length, **flags)  # type: ignore[arg-type]
    return session.derive(mechanism, base, template).handle


@pytest.mark.parametrize("mechanism", TEMPLATE_DECIDES)
@pytest.mark.parametrize(
    ("base", "flags", "derived"),
    [
        ("SeAN", {}, "SeAN"),
        ("SeAN", {"sensitive": False, "extractable": True}, "sEan"),  # the standard lets it
        ("SeAN", {"sensitive": False}, "seaN"),
        ("SeAN", {"extractable": True}, "SEAn"),
        ("SEAn", {}, "SEAn"),
        ("SEAn", {"extractable": False}, "SeAn"),
        ("seaN", {"sensitive": True}, "SeaN"),
        ("sEan", {}, "sEan"),
        ("sEan", {"sensitive": True, "extractable": False}, "Sean"),
        ("Sean", {}, "Sean"),
    ],
)
def test_where_the_template_decides(mechanism: str, base: str, flags: dict[str, object], derived: str) -> None:
    session = opened()
    assert security(session, TEMPLATE_DECIDES[mechanism](session, BASES[base](session), flags)) == derived


@pytest.mark.parametrize("mechanism", STICKY)
@pytest.mark.parametrize(
    ("base", "flags", "derived"),
    [
        ("SeAN", {}, "SeAN"),
        ("SEAn", {}, "SEAn"),
        ("SEAn", {"extractable": False}, "SeAn"),
        ("seaN", {}, "seaN"),
        ("sEan", {}, "sEan"),
        ("sEan", {"sensitive": True, "extractable": False}, "Sean"),
        ("Sean", {}, "Sean"),
    ],
)
def test_where_what_is_sensitive_stays_so(mechanism: str, base: str, flags: dict[str, object], derived: str) -> None:
    session = opened()
    assert security(session, STICKY[mechanism](session, BASES[base](session), flags)) == derived


@pytest.mark.parametrize("mechanism", STICKY)
@pytest.mark.parametrize(("base", "flags"), [("SeAN", READABLE), ("SeAN", OUT), ("SEAn", READABLE), ("seaN", OUT)])
def test_a_sticky_derivation_refuses_a_looser_template(mechanism: str, base: str, flags: dict[str, object]) -> None:
    session = opened()
    with refused(CKR.TEMPLATE_INCONSISTENT):
        STICKY[mechanism](session, BASES[base](session), flags)


@pytest.mark.parametrize(
    ("first", "second", "derived"), [("SeAN", "sEan", "Sean"), ("sEan", "Sean", "Sean"), ("SEAn", "SeAN", "SeAn")]
)
def test_concatenating_two_keys_takes_the_stricter_of_both(first: str, second: str, derived: str) -> None:
    session = opened()
    mechanism = Mechanism(CKM.CONCATENATE_BASE_AND_KEY, KeyHandle(BASES[second](session)))
    assert security(session, session.derive(mechanism, BASES[first](session), {}).handle) == derived


def test_sp800_108_counts_any_operand_that_was_always_sensitive() -> None:
    session = opened()
    segments = (IterationVariable(32), SegmentKey(BASES["SeAN"](session)))
    mechanism = Mechanism(CKM.SP800_108_COUNTER_KDF, Sp800108Kdf(HMAC, segments))
    derived = session.derive(mechanism, BASES["Sean"](session), secret_key(CKK.GENERIC_SECRET, 16)).handle
    assert security(session, derived) == "SeAN"


@pytest.mark.parametrize("base", ["SeAN", "SEAn", "seaN", "sEan", "Sean"])
def test_a_key_block_is_as_its_master_secret(base: str) -> None:
    session = opened()
    material = session.derive(key_mat12(160, 128, 0), BASES[base](session), secret_key(CKK.AES, 16)).key_material
    assert material is not None
    assert [security(session, handle) for handle in material.handles] == [base] * 4


@pytest.mark.parametrize("base", ["SeAN", "sEan"])
@pytest.mark.parametrize("mechanism", [key_mat12(0, 128, 0), key_mat10(160, 128, 128)])
def test_a_key_block_refuses_a_template_that_differs(base: str, mechanism: Mechanism) -> None:
    session = opened()
    handle = BASES[base](session)
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(mechanism, handle, secret_key(CKK.AES, 16, sensitive=base != "SeAN"))
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(mechanism, handle, secret_key(CKK.AES, 16, extractable=base == "SeAN"))
    assert session.find({CKA.KEY_TYPE: CKK.AES}) == (), "none of the four keys"


def test_a_template_may_repeat_what_is_computed() -> None:
    session = opened()
    base = BASES["SeAN"](session)
    session.derive(key_mat12(0, 128, 0), base, secret_key(CKK.AES, 16, always_sensitive=True, local=False))
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(key_mat12(0, 128, 0), base, secret_key(CKK.AES, 16, always_sensitive=False))
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(expand(b""), base, secret_key(CKK.AES, 16, local=True))
    with refused(CKR.ATTRIBUTE_READ_ONLY):
        session.derive(expand(b""), base, secret_key(CKK.AES, 16) | {CKA.VALUE: bytes(16)})


def test_agreed_secrets_inherit_from_the_private_key() -> None:
    session = opened()
    public, private = ec_pair(session)
    assert security(session, private) == "SeAN"
    assert security(session, session.derive(ecdh_to(session, public), private, {}).handle) == "SeAN"
    open_template = secret_key(CKK.GENERIC_SECRET, None, sensitive=False, extractable=True)
    assert security(session, session.derive(ecdh_to(session, public), private, open_template).handle) == "sEan"


@pytest.mark.parametrize(("flags", "key"), [({}, "sEan"), ({"sensitive": True, "extractable": False}, "SeAN")])
def test_generated_keys_were_always_what_they_are(flags: dict[str, bool], key: str) -> None:
    session = opened()
    made = session.generate(Mechanism(CKM.AES_KEY_GEN), secret_key(CKK.AES, 16, **flags))
    assert security(session, made) == key
    assert session.attribute(made, CKA.LOCAL) is True
    assert session.attribute(made, CKA.KEY_GEN_MECHANISM) == CKM.AES_KEY_GEN


def test_derive_templates_are_added_and_may_not_be_contradicted() -> None:
    session = opened()
    base = session.create(
        secret_key(CKK.GENERIC_SECRET, None, derive=True)
        | {CKA.VALUE: bytes(32), CKA.DERIVE_TEMPLATE: {CKA.EXTRACTABLE: False, CKA.LABEL: "child"}}
    )
    child = session.derive(expand(b""), base, secret_key(CKK.AES, 16)).handle
    assert session.attribute(child, CKA.LABEL) == "child"
    assert security(session, child) == "sean"
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.derive(expand(b""), base, secret_key(CKK.AES, 16, extractable=True))


def test_master_secrets_have_the_mechanisms_the_standard_lists() -> None:
    session = opened()
    master = master12(session, pre_master(session))
    allowed = session.attribute(master, CKA.ALLOWED_MECHANISMS)
    assert isinstance(allowed, tuple)
    assert {CKM.TLS12_KEY_AND_MAC_DERIVE, CKM.TLS12_KEY_SAFE_DERIVE, CKM.TLS_KDF, CKM.TLS_MAC} < set(allowed)
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        session.derive(slice_from(0), master, secret_key(CKK.GENERIC_SECRET, 1))
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        session.sign(Mechanism(CKM.SHA256_HMAC), master, b"")
    safe = master12(session, pre_master(session), allowed_mechanisms=(CKM.TLS12_KEY_SAFE_DERIVE,))
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        session.derive(key_mat12(0, 128, 64), safe, secret_key(CKK.AES, 16))
    with refused(CKR.TEMPLATE_INCONSISTENT):
        master12(session, pre_master(session), allowed_mechanisms=(CKM.SHA256_HMAC,))
