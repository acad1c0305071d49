"""Key pairs: made, imported, read; and keys wrapped and unwrapped by them and by others."""

from types import MappingProxyType

import pytest

from keyfence.cryptoki import Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, CKR, CKU
from keyfence.cryptoki.params import Iv, RsaOaep
from keyfence.cryptoki.session import Session, secret_key
from keyfence.token import SO_PIN
from keyfence.token.kernels.curves import P256, X25519

from .bench import READABLE, ec_pair, imported, opened, refused, rsa_pair, security

OPEN_PAIR = {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
SECRETS = (CKA.PRIVATE_EXPONENT, CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT)
RSA = Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN)


@pytest.fixture
def session() -> Session:
    return opened()


def test_rsa_pairs_hide_their_secrets(session: Session) -> None:
    public, private = rsa_pair(session)
    assert security(session, private) == "SeAN"
    assert session.attribute(public, CKA.MODULUS) == session.attribute(private, CKA.MODULUS)
    assert session.attribute(public, CKA.LOCAL) is True
    for secret in SECRETS:
        with refused(CKR.ATTRIBUTE_SENSITIVE):
            session.attribute(private, secret)
    _, readable = session.generate_pair(RSA, {CKA.MODULUS_BITS: 1024}, OPEN_PAIR)
    assert all(isinstance(session.attribute(readable, secret), bytes) for secret in SECRETS)


def test_a_readable_private_key_imports_again(session: Session) -> None:
    public, private = session.generate_pair(RSA, {CKA.MODULUS_BITS: 1024}, OPEN_PAIR)
    numbers = {a: session.attribute(private, a) for a in (CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT)}
    twin = session.create({CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: CKK.RSA, **numbers})
    assert security(session, twin) == "Sean"
    signing = Mechanism(CKM.SHA256_RSA_PKCS)
    session.verify(signing, public, b"m", session.sign(signing, twin, b"m"))
    peer = session.create(
        {CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.RSA} | {a: numbers[a] for a in (CKA.MODULUS, CKA.PUBLIC_EXPONENT)}
    )
    session.verify(signing, peer, b"m", session.sign(signing, private, b"m"))
    with refused(CKR.ATTRIBUTE_VALUE_INVALID):
        session.create({CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: CKK.RSA, **numbers, CKA.PRIVATE_EXPONENT: b"\3"})


def test_ec_keys_import(session: Session) -> None:
    public, private = session.generate_pair(Mechanism(CKM.EC_KEY_PAIR_GEN), {CKA.EC_PARAMS: P256}, OPEN_PAIR)
    twin = session.create(
        {CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: CKK.EC, CKA.EC_PARAMS: P256, CKA.VALUE: session.value(private)}
    )
    signing = Mechanism(CKM.ECDSA_SHA256)
    session.verify(signing, public, b"m", session.sign(signing, twin, b"m"))
    point = session.attribute(public, CKA.EC_POINT)
    session.create({CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.EC, CKA.EC_PARAMS: P256, CKA.EC_POINT: point})
    with refused(CKR.ATTRIBUTE_VALUE_INVALID):
        session.create({CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.EC, CKA.EC_PARAMS: P256, CKA.EC_POINT: b"\4" * 65})


@pytest.mark.parametrize(
    ("mechanism", "public", "private", "ckr"),
    [
        (RSA, {}, {}, CKR.TEMPLATE_INCOMPLETE),
        (RSA, {CKA.MODULUS_BITS: 512}, {}, CKR.KEY_SIZE_RANGE),
        (RSA, {CKA.MODULUS_BITS: 1024, CKA.KEY_TYPE: CKK.EC}, {}, CKR.TEMPLATE_INCONSISTENT),
        (RSA, {CKA.MODULUS_BITS: 1024}, {CKA.CLASS: CKO.PUBLIC_KEY}, CKR.TEMPLATE_INCONSISTENT),
        (RSA, {CKA.MODULUS_BITS: 1024}, {CKA.PRIME_1: b"\3"}, CKR.ATTRIBUTE_READ_ONLY),
        (Mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN, Iv(b"")), {CKA.MODULUS_BITS: 1024}, {}, CKR.MECHANISM_PARAM_INVALID),
        (Mechanism(CKM.EC_KEY_PAIR_GEN), {CKA.EC_PARAMS: b"\6\1\0"}, {}, CKR.CURVE_NOT_SUPPORTED),
        (Mechanism(CKM.EC_KEY_PAIR_GEN), {}, {}, CKR.TEMPLATE_INCOMPLETE),
        (Mechanism(CKM.AES_KEY_GEN), {}, {}, CKR.MECHANISM_INVALID),
    ],
)
def test_pairs_that_are_not_made(session: Session, mechanism: Mechanism, public: Template, private: Template, ckr: CKR) -> None:
    with refused(ckr):
        session.generate_pair(mechanism, public, private)
    assert session.find() == ()


@pytest.mark.parametrize(
    ("template", "ckr"),
    [
        ({CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: CKK.DSA}, CKR.TEMPLATE_INCONSISTENT),
        ({CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.DSA}, CKR.TEMPLATE_INCONSISTENT),
        ({CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: CKK.DH, CKA.PRIME: b"\7"}, CKR.TEMPLATE_INCOMPLETE),
        ({CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.RSA, CKA.MODULUS: b"\7"}, CKR.TEMPLATE_INCOMPLETE),
        ({CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: CKK.RSA, CKA.MODULUS: 7}, CKR.ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_pairs_that_are_not_imported(session: Session, template: Template, ckr: CKR) -> None:
    with refused(ckr):
        session.create(template)


def test_montgomery_keys_agree_and_sign_nothing(session: Session) -> None:
    _, private = ec_pair(session, X25519, CKM.EC_MONTGOMERY_KEY_PAIR_GEN)
    with refused(CKR.KEY_TYPE_INCONSISTENT):
        session.sign(Mechanism(CKM.ECDSA_SHA256), private, b"")


# Generation of secret keys


@pytest.mark.parametrize(
    ("mechanism", "template", "ckr"),
    [
        (Mechanism(CKM.AES_KEY_GEN), {}, CKR.TEMPLATE_INCOMPLETE),
        (Mechanism(CKM.AES_KEY_GEN), {CKA.VALUE_LEN: 17}, CKR.ATTRIBUTE_VALUE_INVALID),
        (Mechanism(CKM.AES_KEY_GEN), {CKA.VALUE_LEN: 16, CKA.KEY_TYPE: CKK.DES}, CKR.TEMPLATE_INCONSISTENT),
        (Mechanism(CKM.AES_KEY_GEN), {CKA.VALUE_LEN: 16, CKA.VALUE: bytes(16)}, CKR.ATTRIBUTE_READ_ONLY),
        (Mechanism(CKM.AES_KEY_GEN), {CKA.VALUE_LEN: "16"}, CKR.ATTRIBUTE_VALUE_INVALID),
        (Mechanism(CKM.DES3_KEY_GEN), {CKA.VALUE_LEN: 16}, CKR.TEMPLATE_INCONSISTENT),
        (Mechanism(CKM.SSL3_PRE_MASTER_KEY_GEN), {}, CKR.MECHANISM_PARAM_INVALID),
        (Mechanism(CKM.AES_KEY_GEN, Iv(b"")), {CKA.VALUE_LEN: 16}, CKR.MECHANISM_PARAM_INVALID),
    ],
)
def test_keys_that_are_not_made(session: Session, mechanism: Mechanism, template: Template, ckr: CKR) -> None:
    with refused(ckr):
        session.generate(mechanism, template)
    assert session.find() == ()


def test_des_keys_have_odd_parity(session: Session) -> None:
    key = session.generate(Mechanism(CKM.DES3_KEY_GEN), {})
    assert all(byte.bit_count() % 2 for byte in session.value(key))


# Wrapping


WRAPPINGS = [
    Mechanism(CKM.AES_KEY_WRAP),
    Mechanism(CKM.AES_KEY_WRAP_PAD),
    Mechanism(CKM.AES_KEY_WRAP_KWP),
    Mechanism(CKM.AES_CBC_PAD, Iv(bytes(16))),
    Mechanism(CKM.AES_ECB),
]


@pytest.mark.parametrize("mechanism", WRAPPINGS, ids=lambda mechanism: mechanism.name)
def test_wrapped_and_unwrapped(session: Session, mechanism: Mechanism) -> None:
    kek = imported(session, bytes(16), CKK.AES, wrap=True, unwrap=True)
    key = session.generate(Mechanism(CKM.AES_KEY_GEN), secret_key(CKK.AES, 32, sensitive=True, extractable=True))
    wrapped = session.wrap(mechanism, kek, key)
    twin = session.unwrap(mechanism, kek, wrapped, secret_key(CKK.AES, 32))
    assert security(session, twin) == "sEan"
    assert session.attribute(twin, CKA.LOCAL) is False
    assert session.attribute(twin, CKA.CHECK_VALUE) == session.attribute(key, CKA.CHECK_VALUE)
    short = secret_key(CKK.AES, 16)
    if mechanism.type == CKM.AES_ECB:
        session.unwrap(mechanism, kek, wrapped, short)
        with refused(CKR.TEMPLATE_INCOMPLETE):
            session.unwrap(mechanism, kek, wrapped, secret_key(CKK.GENERIC_SECRET))
    else:
        with refused(CKR.WRAPPED_KEY_LEN_RANGE):
            session.unwrap(mechanism, kek, wrapped, short)


def test_who_may_not_be_wrapped(session: Session) -> None:
    kek, wrap = imported(session, bytes(16), CKK.AES, wrap=True), Mechanism(CKM.AES_KEY_WRAP)
    with refused(CKR.KEY_UNEXTRACTABLE):
        session.wrap(wrap, kek, imported(session, bytes(16), extractable=False))
    with refused(CKR.KEY_NOT_WRAPPABLE):
        session.wrap(wrap, kek, imported(session, bytes(16), wrap_with_trusted=True))
    with refused(CKR.KEY_FUNCTION_NOT_PERMITTED):
        session.wrap(wrap, imported(session, bytes(16), CKK.AES), imported(session, bytes(16)))
    with refused(CKR.KEY_SIZE_RANGE):
        session.wrap(wrap, kek, imported(session, bytes(17)))
    with refused(CKR.WRAPPING_KEY_HANDLE_INVALID):
        session.wrap(wrap, 99, kek)
    with refused(CKR.KEY_HANDLE_INVALID):
        session.wrap(wrap, kek, 99)
    with refused(CKR.WRAPPING_KEY_TYPE_INCONSISTENT):
        session.wrap(wrap, imported(session, bytes(16), wrap=True), kek)
    with refused(CKR.KEY_NOT_WRAPPABLE):
        session.wrap(wrap, kek, session.generate_pair(RSA, {CKA.MODULUS_BITS: 1024}, OPEN_PAIR)[1])


def test_wrap_templates_and_trusted_keys(session: Session) -> None:
    wrap = Mechanism(CKM.AES_KEY_WRAP)
    picky = session.create(
        secret_key(CKK.AES, None, wrap=True) | {CKA.VALUE: bytes(16), CKA.WRAP_TEMPLATE: {CKA.KEY_TYPE: CKK.AES}}
    )
    session.wrap(wrap, picky, imported(session, bytes(16), CKK.AES))
    with refused(CKR.KEY_HANDLE_INVALID):
        session.wrap(wrap, picky, imported(session, bytes(16)))
    trusted = imported(session, bytes(16), CKK.AES, wrap=True)
    session.module.login(session.handle, CKU.SO, SO_PIN)
    session.module.set_attribute_value(session.handle, trusted, {CKA.TRUSTED: True})
    session.wrap(wrap, trusted, imported(session, bytes(16), wrap_with_trusted=True))


def test_unwrap_templates(session: Session) -> None:
    kek = session.create(
        secret_key(CKK.AES, None, wrap=True, unwrap=True)
        | {CKA.VALUE: bytes(16), CKA.UNWRAP_TEMPLATE: {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False}}
    )
    wrap = Mechanism(CKM.AES_KEY_WRAP)
    wrapped = session.wrap(wrap, kek, imported(session, bytes(16), CKK.AES))
    assert security(session, session.unwrap(wrap, kek, wrapped, secret_key(CKK.AES))) == "Sean"
    with refused(CKR.TEMPLATE_INCONSISTENT):
        session.unwrap(wrap, kek, wrapped, secret_key(CKK.AES, **READABLE))


@pytest.mark.parametrize(
    "mechanism", [Mechanism(CKM.RSA_PKCS), Mechanism(CKM.RSA_PKCS_OAEP, RsaOaep(CKM.SHA_1, 1)), Mechanism(CKM.RSA_X_509)]
)
def test_rsa_wraps_pre_master_secrets(session: Session, mechanism: Mechanism) -> None:
    public, private = rsa_pair(session)
    value = b"\3\3" + bytes(range(46))
    wrapped = session.wrap(mechanism, public, imported(session, value))
    template = secret_key(CKK.GENERIC_SECRET, 48)
    assert session.value(session.unwrap(mechanism, private, wrapped, template)) == value
    with refused(CKR.WRAPPED_KEY_LEN_RANGE):
        session.unwrap(mechanism, private, wrapped, secret_key(CKK.GENERIC_SECRET, 200))
    with refused(CKR.TEMPLATE_INCOMPLETE):
        session.unwrap(mechanism, private, wrapped, {})
    with refused(CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT):
        session.unwrap(mechanism, public, wrapped, template)
    with refused(CKR.UNWRAPPING_KEY_HANDLE_INVALID):
        session.unwrap(mechanism, 99, wrapped, template)


def test_a_broken_wrap_is_refused(session: Session) -> None:
    kek = imported(session, bytes(16), CKK.AES, unwrap=True)
    with refused(CKR.WRAPPED_KEY_INVALID):
        session.unwrap(Mechanism(CKM.AES_KEY_WRAP), kek, bytes(24), secret_key(CKK.AES))
    with refused(CKR.WRAPPED_KEY_LEN_RANGE):
        session.unwrap(Mechanism(CKM.AES_KEY_WRAP), kek, bytes(23), secret_key(CKK.AES))


def test_no_private_key_wants_a_pin_for_each_use(session: Session) -> None:
    """The token does not ask for one, so it makes no key that promises it (section 4.9)."""
    with refused(CKR.ATTRIBUTE_VALUE_INVALID):
        session.generate_pair(Mechanism(CKM.EC_KEY_PAIR_GEN), {CKA.EC_PARAMS: P256}, {CKA.ALWAYS_AUTHENTICATE: True})


def test_templates_inside_a_key_are_its_own(session: Session) -> None:
    """Neither the mapping that was given nor the one that is shown is the one that is enforced; of whatever class it is."""
    given = {CKA.KEY_TYPE: int(CKK.AES)}
    kek = imported(session, bytes(16), CKK.AES, wrap=True, wrap_template=given)
    frozen = imported(session, bytes(16), CKK.AES, wrap=True, wrap_template=MappingProxyType(given))
    shown = session.attribute(kek, CKA.WRAP_TEMPLATE)
    assert isinstance(shown, dict)
    for mapping in (given, shown):
        mapping[CKA.KEY_TYPE] = int(CKK.GENERIC_SECRET)
    for key in (kek, frozen):
        with refused(CKR.KEY_HANDLE_INVALID):
            session.wrap(Mechanism(CKM.AES_KEY_WRAP), key, imported(session, bytes(16)))
