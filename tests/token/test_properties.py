"""Templates by the thousand: whatever is asked, the invariants of sections 4.1 and 4.10 hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki import CryptokiError, Mechanism, Template
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO
from keyfence.cryptoki.params import Tls12KeyMat
from keyfence.cryptoki.session import Session
from keyfence.schedule import PrfHash, Version, key_block
from keyfence.token import Quirks, Randoms, Rounding, SoftToken, Source

from .bench import CLIENT_RANDOM, SERVER_RANDOM, attributes, expand, imported, kdf, opened, slice_from, with_data

BOOLEANS = (
    CKA.SENSITIVE,
    CKA.EXTRACTABLE,
    CKA.DERIVE,
    CKA.ENCRYPT,
    CKA.SIGN,
    CKA.WRAP,
    CKA.MODIFIABLE,
    CKA.COPYABLE,
    CKA.ALWAYS_SENSITIVE,
    CKA.LOCAL,
)
templates = st.dictionaries(st.sampled_from(BOOLEANS), st.booleans()).flatmap(
    lambda flags: st.fixed_dictionaries(
        {attribute: st.just(value) for attribute, value in flags.items()},
        optional={
            CKA.CLASS: st.sampled_from([CKO.SECRET_KEY, CKO.DATA, CKO.PUBLIC_KEY]),
            CKA.KEY_TYPE: st.sampled_from([CKK.GENERIC_SECRET, CKK.AES, CKK.DES3, CKK.RC4, CKK.SHA256_HMAC, CKK.EC]),
            CKA.VALUE_LEN: st.integers(0, 40),
            CKA.LABEL: st.text(max_size=3),
            CKA.VALUE: st.binary(max_size=32),
        },
    )
)
mechanisms = st.sampled_from(
    [
        expand(b"info"),
        kdf(b"label"),
        slice_from(8),
        Mechanism(CKM.SHA256_KEY_DERIVATION),
        with_data(CKM.XOR_BASE_AND_DATA, bytes(48)),
        with_data(CKM.CONCATENATE_DATA_AND_BASE, b"data"),
    ]
)
STICKY = (CKM.TLS12_KDF, CKM.EXTRACT_KEY_FROM_KEY, CKM.XOR_BASE_AND_DATA, CKM.CONCATENATE_DATA_AND_BASE)
MASTER = bytes(range(48))
FLAGS = (CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.ALWAYS_SENSITIVE, CKA.NEVER_EXTRACTABLE)


def assert_sound(session: Session, handle: int, template: Template) -> None:
    """What holds of any secret key, and that the template was obeyed to the letter."""
    told = attributes(session, handle, *FLAGS, CKA.VALUE_LEN, CKA.LOCAL)
    assert not told[CKA.ALWAYS_SENSITIVE] or told[CKA.SENSITIVE]
    assert not told[CKA.NEVER_EXTRACTABLE] or not told[CKA.EXTRACTABLE]
    for attribute, value in template.items():
        if attribute != CKA.VALUE:
            assert session.attribute(handle, CKA(attribute)) == value
    readable = not told[CKA.SENSITIVE] and told[CKA.EXTRACTABLE]
    try:
        assert len(session.value(handle)) == told[CKA.VALUE_LEN]
        assert readable
    except CryptokiError:
        assert not readable


@settings(max_examples=300, deadline=None)
@given(mechanisms, st.booleans(), st.booleans(), templates)
def test_derived_keys(mechanism: Mechanism, sensitive: bool, extractable: bool, template: Template) -> None:
    session = opened()
    base = imported(session, MASTER, sensitive=sensitive, extractable=extractable)
    before = attributes(session, base, *FLAGS)
    try:
        made = session.derive(mechanism, base, template).handle
    except CryptokiError:
        assert session.find() == (base,), "a refusal leaves nothing behind"
        return
    assert_sound(session, made, template)
    assert attributes(session, base, *FLAGS) == before
    told = attributes(session, made, *FLAGS, CKA.LOCAL)
    assert told[CKA.LOCAL] is False
    assert told[CKA.ALWAYS_SENSITIVE] is False, "its base was imported"
    if mechanism.type in STICKY:
        assert told[CKA.SENSITIVE] or not sensitive
        assert extractable or not told[CKA.EXTRACTABLE]


@settings(max_examples=200, deadline=None)
@given(templates)
def test_created_keys(template: Template) -> None:
    session = opened()
    try:
        made = session.create(template)
    except CryptokiError:
        assert session.find() == ()
        return
    if session.attribute(made, CKA.CLASS) == CKO.SECRET_KEY:
        assert_sound(session, made, template)
        assert not session.attribute(made, CKA.ALWAYS_SENSITIVE)
        assert not session.attribute(made, CKA.NEVER_EXTRACTABLE)


@settings(max_examples=200, deadline=None)
@given(
    templates,
    st.lists(st.tuples(st.booleans(), st.dictionaries(st.sampled_from(BOOLEANS), st.booleans(), max_size=3)), max_size=6),
)
def test_no_chain_of_copies_and_changes_loosens(start: Template, steps: list[tuple[bool, dict[CKA, bool]]]) -> None:
    """Sensitive once, sensitive for ever; not extractable once, never again: along copies too."""
    session = opened()
    wanted = {a: v for a, v in start.items() if a in FLAGS[:2]}
    handle = imported(session, MASTER, **{CKA(a).name.lower(): v for a, v in wanted.items()})
    for copying, change in steps:
        sensitive, extractable = (session.attribute(handle, flag) for flag in FLAGS[:2])
        try:
            if copying:
                handle = session.copy(handle, change)
            else:
                session.module.set_attribute_value(session.handle, handle, change)
        except CryptokiError:
            continue
        assert session.attribute(handle, CKA.SENSITIVE) or not sensitive
        assert extractable or not session.attribute(handle, CKA.EXTRACTABLE)


quirks = st.builds(
    Quirks,
    max_iv=st.none() | st.integers(0, 40),
    mac_lengths=st.none() | st.frozensets(st.integers(0, 32)),
    key_lengths=st.none() | st.frozensets(st.integers(0, 32)),
    max_block=st.none() | st.integers(0, 200),
    rounding=st.sampled_from(Rounding),
    write_key_cut=st.sampled_from(Source),
    amount=st.sampled_from(Source),
    ignore_value_len=st.booleans(),
    silent_without_value_len=st.booleans(),
    empty_mac_keys=st.booleans(),
    randoms=st.sampled_from(Randoms),
)


@settings(max_examples=400, deadline=None)
@given(quirks, st.integers(0, 300), st.integers(0, 300), st.integers(0, 400), st.none() | st.integers(0, 40))
def test_cuts_come_from_the_one_stream(bent: Quirks, mac: int, key: int, iv: int, value_len: int | None) -> None:
    """Whatever a module's quirks, its parts are the key block in order; what lies beyond the amount generated is zeros."""
    session = opened_with(bent)
    mechanism = Mechanism(CKM.TLS12_KEY_AND_MAC_DERIVE, Tls12KeyMat(mac, key, iv, CLIENT_RANDOM, SERVER_RANDOM, CKM.SHA256))
    template: dict[int, object] = {CKA.KEY_TYPE: CKK.GENERIC_SECRET}
    if value_len is not None:
        template[CKA.VALUE_LEN] = value_len
    base = imported(session, MASTER)
    try:
        material = session.derive(mechanism, base, template).key_material  # type: ignore[arg-type]
    except CryptokiError:
        assert session.find() == (base,)
        return
    assert material is not None
    values = [session.value(handle) for handle in material.handles]
    given_ivs = [each for each in (material.client_iv, material.server_iv) if each is not None]
    stream = key_block(Version.TLS12, PrfHash.SHA256, MASTER, CLIENT_RANDOM, SERVER_RANDOM, 512)
    whole = b"".join(values + given_ivs)
    assert stream.startswith(whole[: len(whole.rstrip(b"\0"))])
    assert all(len(each) <= (bent.max_iv if bent.max_iv is not None else 512) for each in given_ivs)
    assert len(whole) <= (bent.max_block if bent.max_block is not None else 512)


def opened_with(bent: Quirks) -> Session:
    token = SoftToken("classic", bent)
    token.initialize()
    return Session.open(token, 1)


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=40), st.integers(0, 400), st.integers(1, 50))
def test_slices_are_bits_of_the_base(value: bytes, offset: int, length: int) -> None:
    session = opened()
    base = imported(session, value)
    bits = "".join(f"{byte:08b}" for byte in value)
    if offset >= len(bits) or length > len(value):
        try:
            session.derive(slice_from(offset), base, {CKA.VALUE_LEN: length})
        except CryptokiError:
            return
        raise AssertionError("more bits than there are")
    made = session.value(session.derive(slice_from(offset), base, {CKA.VALUE_LEN: length}).handle)
    turned = bits[offset:] + bits[:offset]
    assert made == int(turned[: 8 * length], 2).to_bytes(length, "big")
