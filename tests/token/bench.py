"""What the token's tests share: an open session in one line, refusals as expectations, TLS as one call each."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from keyfence.cryptoki import CryptokiError, KeyMaterial, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKD, CKK, CKM, CKO, CKR
from keyfence.cryptoki.params import (
    DerivationString,
    Ecdh1Derive,
    ExtendedMasterKeyDerive,
    ExtractParams,
    Hkdf,
    KeyMat,
    MasterKeyDerive,
    Raw,
    Tls12KeyMat,
    Tls12MasterKeyDerive,
    TlsKdf,
)
from keyfence.cryptoki.session import Session, secret_key
from keyfence.token import Quirks, SoftToken
from keyfence.token.kernels.curves import P256

CLIENT_RANDOM = bytes(range(32))
SERVER_RANDOM = bytes(range(100, 132))
PROTECTED = {"sensitive": True, "extractable": False}
READABLE = {"sensitive": False, "extractable": True}
VERSION = Raw(b"\x03\x03")


def opened(schedule: str = "classic", **quirks: object) -> Session:
    """A read-write session with a fresh token."""
    token = SoftToken(schedule, Quirks(**quirks))  # type: ignore[arg-type]
    token.initialize()
    return Session.open(token, 1)


@contextmanager
def refused(ckr: CKR) -> Iterator[None]:
    """The calls inside end in this CKR."""
    with pytest.raises(CryptokiError) as caught:
        yield
    assert caught.value.ckr == ckr, f"{caught.value}, not {ckr}"
    assert caught.value.function.startswith("C_")


def imported(session: Session, value: bytes, key_type: int = CKK.GENERIC_SECRET, **attributes: object) -> int:
    """A key whose value the test knows; usable for everything its type is good for."""
    template = secret_key(key_type, None, **{"derive": True} | attributes)  # type: ignore[arg-type]
    return session.create(template | {CKA.VALUE: value})


def attributes(session: Session, handle: int, *wanted: CKA) -> dict[int, object]:
    return dict(session.module.get_attribute_value(session.handle, handle, wanted))


def security(session: Session, handle: int) -> str:
    """A key's four flags as letters, capital for true: Sensitive, Extractable, Always sensitive, Never extractable."""
    order = (CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.ALWAYS_SENSITIVE, CKA.NEVER_EXTRACTABLE)
    return "".join(
        letter.upper() if value else letter
        for letter, value in zip("sean", attributes(session, handle, *order).values(), strict=True)
    )


# TLS, step by step


def pre_master(session: Session, **attributes: object) -> int:
    return session.generate(
        Mechanism(CKM.SSL3_PRE_MASTER_KEY_GEN, VERSION), template(**PROTECTED | {"derive": True} | attributes)
    )


def master12(session: Session, base: int, prf_hash: CKM = CKM.SHA256, **attributes: object) -> int:
    parameters = Tls12MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM, prf_hash)
    return session.derive(Mechanism(CKM.TLS12_MASTER_KEY_DERIVE, parameters), base, template(**attributes)).handle


def master10(session: Session, base: int, **attributes: object) -> int:
    parameters = MasterKeyDerive(CLIENT_RANDOM, SERVER_RANDOM)
    return session.derive(Mechanism(CKM.TLS_MASTER_KEY_DERIVE, parameters), base, template(**attributes)).handle


def extended(session: Session, base: int, mechanism: CKM = CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, **attributes: object) -> int:
    parameters = ExtendedMasterKeyDerive(CKM.SHA256, bytes(range(32)))
    return session.derive(Mechanism(mechanism, parameters), base, template(**attributes)).handle


def template(**attributes: object) -> Template:
    return {CKA[name.upper()]: value for name, value in attributes.items()}  # type: ignore[misc]


def key_mat12(mac: int, key: int, iv: int, prf_hash: CKM = CKM.SHA256) -> Mechanism:
    """Sizes in BITS."""
    return Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, Tls12KeyMat(mac, key, iv, CLIENT_RANDOM, SERVER_RANDOM, prf_hash))


def key_mat10(mac: int, key: int, iv: int, mechanism: CKM = CKM.TLS_KEY_AND_MAC_DERIVE) -> Mechanism:
    return Mechanism(mechanism, KeyMat(mac, key, iv, CLIENT_RANDOM, SERVER_RANDOM))


def cut(session: Session, mechanism: Mechanism, base: int, wanted: Template) -> KeyMaterial:
    material = session.derive(mechanism, base, wanted).key_material
    assert material is not None
    return material


def kdf(label: bytes, prf: int = CKM.SHA256, context: bytes | None = None, mechanism: CKM = CKM.TLS12_KDF) -> Mechanism:
    return Mechanism(mechanism, TlsKdf(prf, label, CLIENT_RANDOM, SERVER_RANDOM, context))


def expand(info: bytes, mechanism: CKM = CKM.HKDF_DERIVE, prf_hash: CKM = CKM.SHA256) -> Mechanism:
    return Mechanism(mechanism, Hkdf(extract=False, expand=True, prf_hash=prf_hash, info=info))


def extract(salt: bytes | None = None, salt_key: int | None = None, prf_hash: CKM = CKM.SHA256) -> Mechanism:
    return Mechanism(CKM.HKDF_DERIVE, Hkdf(extract=True, expand=False, prf_hash=prf_hash, salt=salt, salt_key=salt_key))


def slice_from(bit: int) -> Mechanism:
    return Mechanism(CKM.EXTRACT_KEY_FROM_KEY, ExtractParams(bit))


def with_data(mechanism: CKM, data: bytes) -> Mechanism:
    return Mechanism(mechanism, DerivationString(data))


def ec_pair(session: Session, params: bytes = P256, mechanism: CKM = CKM.EC_KEY_PAIR_GEN) -> tuple[int, int]:
    return session.generate_pair(Mechanism(mechanism), {CKA.EC_PARAMS: params}, {CKA.DERIVE: True})


def ecdh_to(session: Session, public: int) -> Mechanism:
    point = session.attribute(public, CKA.EC_POINT)
    assert isinstance(point, bytes)
    return Mechanism(CKM.ECDH1_DERIVE, Ecdh1Derive(CKD.NULL, point))


def rsa_pair(session: Session, bits: int = 1024) -> tuple[int, int]:
    return session.generate_pair(
        Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN),
        {CKA.MODULUS_BITS: bits, CKA.PUBLIC_EXPONENT: b"\x01\x00\x01", CKA.WRAP: True, CKA.ENCRYPT: True, CKA.VERIFY: True},
        {CKA.DECRYPT: True, CKA.SIGN: True, CKA.UNWRAP: True},
    )


GENERIC = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.GENERIC_SECRET}
