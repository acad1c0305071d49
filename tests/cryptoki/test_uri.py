"""RFC 7512: its own examples (section 3), its grammar (section 2.3), its matching rules (section 2.5)."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.cryptoki import Info, SlotInfo, TokenInfo
from keyfence.cryptoki.constants import CKA, CKO, SlotFlag, TokenFlag
from keyfence.cryptoki.uri import Uri, UriError

EXAMPLES = {
    "pkcs11:": Uri(),
    "pkcs11:object=my-pubkey;type=public": Uri(object="my-pubkey", type="public"),
    "pkcs11:object=my-key;type=private?pin-source=file:/etc/token": Uri(
        object="my-key", type="private", pin_source="file:/etc/token"
    ),
    "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;"
    "type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin": Uri(
        token="The Software PKCS#11 Softtoken",
        manufacturer="Snake Oil, Inc.",
        model="1.0",
        object="my-certificate",
        type="cert",
        id=bytes.fromhex("69953e5cf4bdec91"),
        serial="",
        pin_source="file:/etc/token_pin",
    ),
    "pkcs11:object=my-sign-key;type=private?module-name=mypkcs11": Uri(
        object="my-sign-key", type="private", module_name="mypkcs11"
    ),
    "pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1": Uri(
        object="my-sign-key", type="private", module_path="/mnt/libmypkcs11.so.1"
    ),
    "pkcs11:slot-description=Sun%20Metaslot": Uri(slot_description="Sun Metaslot"),
    "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23": Uri(
        library_manufacturer="Snake Oil, Inc.", library_description="Soft Token Library", library_version=(1, 23)
    ),
    "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;id=%01%02%03%Ba%dd%Ca%fe%04%05%06": Uri(
        token="My token% created by Joe", library_version=(3, 0), id=bytes.fromhex("010203baddcafe040506")
    ),
    "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert": Uri(
        token="A name with a substring %;", object="my-certificate", type="cert"
    ),
    "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert": Uri(
        token="Name with a small A with acute: \u00e1", object="my-certificate", type="cert"
    ),
    "pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a"
    "?pin-source=file:/etc/token_pin&vendor-bbb=value-b": Uri(
        token="my-token",
        object="my-certificate",
        type="cert",
        vendor_path=(("vendor-aaa", "value-a"),),
        pin_source="file:/etc/token_pin",
        vendor_query=(("vendor-bbb", "value-b"),),
    ),
}


@pytest.mark.parametrize(("text", "uri"), EXAMPLES.items())
def test_the_examples_of_the_rfc(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri
    assert Uri.parse(str(uri)) == uri


def test_the_example_with_a_pin_in_it_is_refused_without_repeating_it() -> None:
    with pytest.raises(UriError, match=r"attribute 'pin-value' is refused.*KEYFENCE_PIN_FILE") as caught:
        Uri.parse("pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-value=the-pin")
    assert "the-pin" not in str(caught.value)


def test_the_scheme_is_any_case_and_attributes_are_not() -> None:
    assert Uri.parse("PKCS11:token=a") == Uri(token="a")
    assert Uri.parse("pkcs11:Token=a") == Uri(vendor_path=(("Token", "a"),))


def test_characters_the_grammar_lets_stand() -> None:
    text = "pkcs11:token=:[]@!$'()*+,=&-._~?module-path=:[]@!$'()*+,=/?|-._~"
    uri = Uri(token=":[]@!$'()*+,=&-._~", module_path=":[]@!$'()*+,=/?|-._~")
    assert Uri.parse(text) == uri
    assert str(uri) == text


def test_vendor_attributes_may_repeat_in_the_query_only() -> None:
    assert Uri.parse("pkcs11:?x-a=1&x-a=2").vendor_query == (("x-a", "1"), ("x-a", "2"))
    with pytest.raises(UriError, match="'x-a' stands twice"):
        Uri.parse("pkcs11:x-a=1;x-a=2")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with 'pkcs11:'"),
        ("http://example.com", "begins with 'pkcs11:'"),
        ("pkcs11", "begins with 'pkcs11:'"),
        ("pkcs11:token", "'token' has no value"),
        ("pkcs11:;token=a", "without a name"),
        ("pkcs11:token=a;", "without a name"),
        ("pkcs11:=a", "without a name"),
        ("pkcs11:?&", "without a name"),
        ("pkcs11:tok%65n=a", "letters, digits"),
        ("pkcs11:token=a;token=a", "'token' stands twice"),
        ("pkcs11:?module-path=/a&module-path=/b", "'module-path' stands twice"),
        ("pkcs11:token=%", "'token' has a '%'"),
        ("pkcs11:token=%2", "'token' has a '%'"),
        ("pkcs11:token=%zz", "'token' has a '%'"),
        ("pkcs11:token=%%41", "'token' has a '%'"),
        ("pkcs11:token=a b", "'token' has a ' '"),
        ("pkcs11:token=a/b", "'token' has a '/'"),
        ("pkcs11:token=a|b", r"'token' has a '\|'"),
        ("pkcs11:token=a#b", "'token' has a '#'"),
        ("pkcs11:token=\u00e1", "'token' has a '\u00e1'"),
        ("pkcs11:token=\u0661", "'token' has a '\u0661'"),
        ("pkcs11:token=\udcff", r"'token' has a '\\udcff'"),
        ("pkcs11:token=a\n", r"'token' has a '\\n'"),
        ("pkcs11:object=%FF", "'object' is not UTF-8"),
        ("pkcs11:x-a=%FF", "'x-a' is not UTF-8"),
        ("pkcs11:?module-path=%FF", "'module-path' is not UTF-8"),
        ("pkcs11:type=key", "'type' is none of public, private, cert, secret-key, data"),
        ("pkcs11:type=", "'type' is none of"),
        ("pkcs11:slot-id=", "'slot-id' is not a decimal"),
        ("pkcs11:slot-id=-1", "'slot-id' is not a decimal"),
        ("pkcs11:slot-id=0x3", "'slot-id' is not a decimal"),
        ("pkcs11:slot-id=18446744073709551616", "'slot-id' is not a decimal"),
        ("pkcs11:library-version=1.", "'library-version' is not MAJOR.MINOR"),
        ("pkcs11:library-version=.1", "'library-version' is not MAJOR.MINOR"),
        ("pkcs11:library-version=256.0", "'library-version' is not MAJOR.MINOR"),
        ("pkcs11:library-version=1.256", "'library-version' is not MAJOR.MINOR"),
        ("pkcs11:library-version=1.2.3", "'library-version' is not MAJOR.MINOR"),
        ("pkcs11:pin-value=1234", "'pin-value' belongs after"),
        ("pkcs11:module-path=a", "'module-path' belongs after"),
        ("pkcs11:?token=a", "'token' belongs before"),
    ],
)
def test_what_is_no_uri_is_refused_by_name(text: str, complaint: str) -> None:
    with pytest.raises(UriError, match=complaint):
        Uri.parse(text)


def test_an_underscore_makes_another_attribute() -> None:
    assert Uri.parse("pkcs11:slot_id=1?module_path=a") == Uri(
        vendor_path=(("slot_id", "1"),), vendor_query=(("module_path", "a"),)
    )


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
STANDARD = {field.name.replace("_", "-") for field in fields(Uri)} | {"pin-value"}
NAME = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True).filter(lambda name: name not in STANDARD)
PAIRS = st.lists(st.tuples(NAME, TEXT), max_size=3)
BYTE = st.integers(0, 255)
URIS = st.builds(
    Uri,
    **{field.name: st.none() | TEXT for field in fields(Uri) if field.type == str | None and field.name != "type"},
    library_version=st.none() | st.tuples(BYTE, BYTE),
    slot_id=st.none() | st.integers(0, (1 << 64) - 1),
    type=st.none() | st.sampled_from(["public", "private", "cert", "secret-key", "data"]),
    id=st.none() | st.binary(max_size=8),
    vendor_path=PAIRS.map(lambda pairs: tuple(dict(pairs).items())),
    vendor_query=PAIRS.map(tuple),
)


@given(URIS)
def test_a_written_uri_reads_back_as_itself(uri: Uri) -> None:
    text = str(uri)
    assert text.isascii()
    assert Uri.parse(text) == uri
    assert str(Uri.parse(text)) == text


@given(st.text())
def test_whatever_is_read_is_a_uri_or_an_error_of_ours(text: str) -> None:
    try:
        uri = Uri.parse("pkcs11:" + text)
    except UriError:
        return
    assert Uri.parse(str(uri)) == uri


# Matching

INFO = Info((2, 40), "maker", "library", (1, 2))
SLOT = SlotInfo("slot", "maker", SlotFlag.TOKEN_PRESENT)
TOKEN = TokenInfo("label", "maker", "model", "serial", TokenFlag(0))


@pytest.mark.parametrize(
    ("attributes", "library", "slot", "token"),
    [
        ("", True, True, True),
        ("library-manufacturer=maker;library-description=library;library-version=1.2", True, True, True),
        ("library-version=1", False, True, True),
        ("library-description=Library", False, True, True),
        ("slot-id=7;slot-manufacturer=maker;slot-description=slot", True, True, True),
        ("slot-id=8", True, False, True),
        ("slot-description=", True, False, True),
        ("token=label;manufacturer=maker;model=model;serial=serial", True, True, True),
        ("serial=", True, True, False),
        ("token=labe", True, True, False),
        ("object=anything;id=%01;x-vendor=1", True, True, True),
    ],
)
def test_an_attribute_that_is_there_must_be_equal(attributes: str, library: bool, slot: bool, token: bool) -> None:
    uri = Uri.parse("pkcs11:" + attributes)
    assert uri.matches_library(INFO) is library
    assert uri.matches_slot(7, SLOT) is slot
    assert uri.matches_token(TOKEN) is token


def test_what_a_uri_says_of_an_object_is_a_template() -> None:
    assert Uri.parse("pkcs11:object=k;type=secret-key;id=%01").object_template == {
        CKA.CLASS: CKO.SECRET_KEY,
        CKA.LABEL: "k",
        CKA.ID: b"\x01",
    }
    assert Uri().object_template == {}
