"""Templates to C and attribute values back, by the kinds that the attribute table declares."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfence.cryptoki import AttributeSensitive, AttributeValue, Template, TemplateRefused
from keyfence.cryptoki.attributes import Kind, kind
from keyfence.cryptoki.constants import CKA, CKK, CKM
from keyfence.cryptoki.native import NativeModule
from keyfence.cryptoki.native.memory import Memory
from keyfence.cryptoki.native.structures import ffi
from keyfence.cryptoki.native.templates import Query, encode

from .conftest import told

VENDOR = 0x80000042

# One value of every kind, and a vendor's attribute by each Python type
ENCODED = [
    (CKA.TOKEN, True, "1=01/1"),
    (CKA.TOKEN, False, "1=00/1"),
    (CKA.KEY_TYPE, CKK.AES, "100=1f00000000000000/8"),
    (CKA.VALUE, b"\x01\x02", "11=0102/2"),
    (CKA.VALUE, b"", "11=/0"),
    (CKA.LABEL, "schön", "3=736368c3b66e/6"),
    (CKA.LABEL, b"raw", "3=726177/3"),
    (CKA.START_DATE, "20260102", "110=3230323630313032/8"),
    (CKA.END_DATE, "", "111=/0"),
    (CKA.ALLOWED_MECHANISMS, (CKM.AES_CBC, 1), "40000600=82100000000000000100000000000000/16"),
    (CKA.ALLOWED_MECHANISMS, (), "40000600=/0"),
    (CKA.WRAP_TEMPLATE, {CKA.TOKEN: True, CKA.LABEL: "x"}, "40000211={ 1=01/1 3=78/1 }"),
    (VENDOR, True, "80000042=01/1"),
    (VENDOR, 2, "80000042=0200000000000000/8"),
    (VENDOR, b"v", "80000042=76/1"),
    (VENDOR, "v", "80000042=76/1"),
    (VENDOR, (3,), "80000042=0300000000000000/8"),
]


@pytest.mark.parametrize(("attribute", "value", "expected"), ENCODED)
def test_a_value_reaches_c_in_its_attributes_kind(
    stub: NativeModule, attribute: int, value: AttributeValue, expected: str
) -> None:
    assert stub.create_object(1, {attribute: value}) == 77
    assert told(stub) == expected


def test_a_template_keeps_its_order(stub: NativeModule) -> None:
    stub.create_object(1, {CKA.VALUE: b"b", CKA.TOKEN: True, CKA.LABEL: "a"})
    assert told(stub) == "11=62/1 1=01/1 3=61/1"


UNFIT = [
    (CKA.TOKEN, b"\x01", TypeError, "CKA_TOKEN: a bool needed, not bytes"),
    (CKA.TOKEN, 2, TypeError, "CKA_TOKEN: a bool needed, not int"),
    (CKA.VALUE, True, TypeError, "CKA_VALUE: bytes needed, not bool"),
    (CKA.VALUE, "text", TypeError, "CKA_VALUE: bytes needed, not str"),
    (CKA.VALUE_LEN, -1, ValueError, "CKA_VALUE_LEN: -1 does not fit"),
    (CKA.VALUE_LEN, b"16", TypeError, "CKA_VALUE_LEN"),
    (CKA.LABEL, 5, TypeError, "CKA_LABEL: text needed, not int"),
    (CKA.ALLOWED_MECHANISMS, 5, TypeError, "CKA_ALLOWED_MECHANISMS: a tuple of numbers needed, not int"),
    (CKA.ALLOWED_MECHANISMS, (1 << 64,), ValueError, "CKA_ALLOWED_MECHANISMS: 18446744073709551616 does not fit"),
    (CKA.WRAP_TEMPLATE, b"", TypeError, "CKA_WRAP_TEMPLATE: a template needed, not bytes"),
    (1 << 64, b"", ValueError, "attribute type: 18446744073709551616 does not fit"),
]


@pytest.mark.parametrize(("attribute", "value", "error", "message"), UNFIT)
def test_a_value_that_its_attribute_cannot_hold(
    stub: NativeModule, attribute: int, value: AttributeValue, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        stub.create_object(1, {attribute: value})


# Reading

READ = {
    CKA.CLASS: 4,
    CKA.TOKEN: True,
    CKA.LABEL: "schön",
    CKA.START_DATE: "20260102",
    CKA.END_DATE: "",
    CKA.KEY_TYPE: b"odd",  # three bytes are no CK_ULONG: they come back as they are
    CKA.ALLOWED_MECHANISMS: (0x1082, 0x1087),
    CKA.WRAP_TEMPLATE: {CKA.TOKEN: True, CKA.LABEL: "schön"},
    VENDOR: b"vendor",
}


def test_values_come_back_in_their_kinds(stub: NativeModule) -> None:
    assert stub.get_attribute_value(1, 1, list(READ)) == READ


def test_nothing_asked_is_nothing_read(stub: NativeModule) -> None:
    assert stub.get_attribute_value(1, 1, []) == {}


def test_a_sensitive_attribute_is_named(stub: NativeModule) -> None:
    with pytest.raises(AttributeSensitive, match=r"CKR_ATTRIBUTE_SENSITIVE \(CKA_VALUE\)"):
        stub.get_attribute_value(1, 1, [CKA.CLASS, CKA.VALUE])


def test_an_unknown_attribute_is_named(stub: NativeModule) -> None:
    with pytest.raises(TemplateRefused, match=r"CKR_ATTRIBUTE_TYPE_INVALID \(CKA_SEED\)"):
        stub.get_attribute_value(1, 1, [CKA.SEED])


def test_unavailable_is_a_refusal_even_when_the_module_says_ok(stub: NativeModule) -> None:
    with pytest.raises(TemplateRefused, match="CKA_ID: unavailable, though the answer was OK"):
        stub.get_attribute_value(1, 1, [CKA.ID])


# Any template, to C and back

ULONG = st.integers(0, (1 << 64) - 1)
BY_KIND = {
    Kind.BOOL: st.booleans(),
    Kind.ULONG: ULONG,
    Kind.BYTES: st.binary(max_size=64),
    Kind.TEXT: st.text(max_size=16),
    Kind.DATE: st.dates().map(lambda day: day.strftime("%Y%m%d")),
    Kind.ULONGS: st.lists(ULONG, max_size=4).map(tuple),
}
TYPES = sorted({int(attribute) for attribute in CKA if kind(attribute) is not Kind.TEMPLATE})
FLAT = st.lists(st.sampled_from(TYPES), unique=True, max_size=8).flatmap(
    lambda types: st.fixed_dictionaries({t: BY_KIND[kind(t)] for t in types})
)
NESTED = st.builds(lambda outer, inner: {**outer, CKA.DERIVE_TEMPLATE: inner}, FLAT, FLAT)


@given(FLAT | NESTED)
@settings(max_examples=300)
def test_every_template_survives_the_way_to_c_and_back(template: Template) -> None:
    with Memory() as memory:
        query = Query(memory, ())
        query.array, query.count = encode(memory, template)
        assert query.values() == template


def test_every_kind_is_in_the_table() -> None:
    assert {kind(attribute) for attribute in CKA} == set(Kind)
    assert kind(VENDOR) is Kind.BYTES


def test_a_template_in_c_is_an_array_of_attributes() -> None:
    with Memory() as memory:
        array, count = encode(memory, {CKA.TOKEN: True, CKA.VALUE: b"xyz"})
        assert count == 2
        assert ffi.sizeof("CK_ATTRIBUTE") == 24
        assert (array[1].type, array[1].ulValueLen, bytes(ffi.buffer(array[1].pValue, 3))) == (0x11, 3, b"xyz")
