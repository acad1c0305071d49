"""Policies from TOML: what they say, and where they go wrong."""

from pathlib import Path

import pytest

from keyfence.cryptoki.constants import CKK, CKM
from keyfence.guard.blocks import payable
from keyfence.guard.policy import BoundKey, Mode, ModuleFacts, ObjectName, Policy
from keyfence.guard.policy.loader import KEYS, default_text, load, parse
from keyfence.guard.policy.reading import PolicyError
from keyfence.guard.rules import RULES
from keyfence.schedule import Shape, Version, suite

DES = "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
CBC_128 = "TLS_RSA_WITH_AES_128_CBC_SHA"
CBC_256 = "TLS_RSA_WITH_AES_256_CBC_SHA"
GCM_13 = "TLS_AES_128_GCM_SHA256"
GCM_12 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
CHACHA = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"


def of(text: str) -> Policy:
    return parse(text, "policy.toml")


def refused(text: str) -> str:
    """The message, without the file's name."""
    with pytest.raises(PolicyError) as error:
        of(text)
    name, separator, rest = str(error.value).partition(", ")
    assert (name, separator) == ("policy.toml", ", ")
    return rest


def test_the_default_file_is_the_default_policy() -> None:
    assert of(default_text()) == Policy.default()


def test_the_default_file_names_every_key_and_every_rule() -> None:
    text = default_text()
    for key in KEYS:
        assert f"\n{key} = " in text or f"\n[{key}]" in text or f"\n# [[{key}]]" in text
    for rule in RULES:
        assert f'\n{rule.id} = "enforce"\n' in text


def test_the_examples_in_the_default_file_are_good_ones() -> None:
    lines = default_text().splitlines()
    examples = [
        line.removeprefix("# ") for line in lines if line.startswith("# [[") or (line.startswith("# ") and " = " in line)
    ]
    policy = of("\n".join(examples))
    assert policy.outside_tls == (ObjectName("code signing", b"\x0a\x0b", CKK.RSA),)
    assert policy.wrapping_keys == (ObjectName("session tickets"),)
    assert policy.tls_keys == (BoundKey(ObjectName("gateway", key_type=CKK.AES), frozenset({int(CKM.AES_GCM)})),)


def test_an_empty_file_is_the_default_policy() -> None:
    assert of("") == Policy.default()


def test_the_default_policys_ivs_lie_on_no_keys() -> None:
    assert payable(Policy.default()) == ()


def test_everything_that_can_be_said() -> None:
    policy = of(f"""
        suites = ["{GCM_12}"]
        versions = ["TLS 1.2"]
        separated = false
        raw_rsa = true
        outside_tls = [{{ id = "00FF" }}]
        [exporter]
        labels = ["EXTRACTOR-dtls_srtp"]
        experimental = false
        [rules]
        one-cut = "monitor"
        operands = "enforce"
        [module]
        honours_allowed_mechanisms = true
        fingerprint = {{ mac = 20, key = 16, iv = 16, key_type = "CKK_CAMELLIA" }}
    """)
    assert policy.suites == (suite(GCM_12),)
    assert policy.versions == {Version.TLS12}
    assert (policy.separated, policy.raw_rsa, policy.experimental) == (False, True, False)
    assert policy.exporter_labels == {b"EXTRACTOR-dtls_srtp"}
    assert policy.outside_tls == (ObjectName(id=b"\x00\xff"),)
    assert (policy.mode("one-cut"), policy.mode("operands")) == (Mode.MONITOR, Mode.ENFORCE)
    assert policy.facts == ModuleFacts(True, Shape(20, 16, 16), int(CKK.CAMELLIA))


def test_versions_alone_keep_the_suites_that_they_have() -> None:
    policy = of('versions = ["TLS 1.3"]')
    assert policy.suites == tuple(each for each in Policy.default().suites if each.supports(Version.TLS13))


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        ('\n suits = ["x"]', "line 2, column 2", "unknown key 'suits': expected 'suites'"),
        ("rules.one-cot = 'enforce'", "line 1, column 1", "expected 'one-cut'"),
        ("[exporter]\nlabel = []", "line 2, column 1", "expected 'labels'"),
        ("[module]\nfingerprint = { mac = 1, sky = 2 }", "line 2, column 26", "unknown key 'sky'"),
        ("[[tls_keys]]\nmechanism = []", "line 2, column 1", "expected 'mechanisms'"),
        ("raw_rsa = 1", "line 1, column 11", "expected true or false, not 1"),
        ("separated = 'yes'", "line 1, column 13", "expected true or false, not 'yes'"),
        ("suites = 'all'", "line 1, column 10", "expected an array, not 'all'"),
        ("suites = [true]", "line 1, column 11", "expected a string, not true"),
        ("rules = []", "line 1, column 9", "expected a table, not an array"),
        ("[rules]\none-cut = 'monitr'", "line 2, column 11", "expected 'monitor', not 'monitr'"),
        ("suites = [\n  'TLS_AES_128_GCM_SHA25',\n]", "line 2, column 3", f"expected '{GCM_13}' or "),
        (f"suites = ['{GCM_13}',\n'{GCM_13}']", "line 2, column 1", "is there twice"),
        ("suites = []", "line 1, column 10", "expected at least one cipher suite"),
        ("versions = []", "line 1, column 12", "expected at least one version"),
        ("versions = ['TLS1.2']", "line 1, column 13", "expected 'TLS 1.2'"),
        (f"versions = ['TLS 1.2']\nsuites = ['{GCM_13}']", "line 2, column 11", "no version of this policy (TLS 1.2)"),
        (f"versions = ['TLS 1.2', 'TLS 1.3']\nsuites = ['{GCM_13}']", "line 1, column 13", "TLS 1.2 negotiates none of them"),
        ("suites = ['TLS_RSA_EXPORT_WITH_RC4_40_MD5']", "line 1, column 11", "no export suite"),
        ("suites = ['TLS_RSA_WITH_NULL_SHA']", "line 1, column 11", "PKCS#11 has a key type"),
        ("[exporter]\nlabels = ['key expansion']", "line 2, column 11", "TLS's own"),
        ("[exporter]\nlabels = ['EXPERIMENTAL x']", "line 2, column 11", "IANA's registry"),
        ("[exporter]\nlabels = ['EXTRACTOR-dtls-srtp']", "line 2, column 11", "'EXTRACTOR-dtls_srtp'"),
        ("[[outside_tls]]\n[[outside_tls]]\nlabel = 'a'", "line 1, column 3", "every object is meant"),
        ("outside_tls = [{ id = 'xy' }]", "line 1, column 23", "expected bytes as hexadecimal digits"),
        ("outside_tls = [{ key_type = 'CKK_RSAA' }]", "line 1, column 29", "expected 'RSA', not 'CKK_RSAA'"),
        ("outside_tls = [{ label = 'a' },\n{ label = 'a' }]", "line 2, column 1", "in outside_tls already"),
        ("tls_keys = [{ label = 'a' }]", "line 1, column 13", "expected mechanisms"),
        ("tls_keys = [{ label = 'a', mechanisms = [] }]", "line 1, column 41", "at least one mechanism"),
        ("tls_keys = [{ label = 'a', mechanisms = ['AES_GCMM'] }]", "line 1, column 42", "expected 'AES_GCM'"),
        ("[module.fingerprint]\nmac = 0", "line 1, column 2", "key, iv, key_type missing"),
        ("module.fingerprint = {mac=0, key=16, iv=0, key_type='AES'}", "line 1, column 41", "expected IVs"),
        ("module.fingerprint = {mac=-1, key=16, iv=4, key_type='AES'}", "line 1, column 27", "0 to 255, not -1"),
        ("module.fingerprint = {mac=true, key=16, iv=4, key_type='AES'}", "line 1, column 27", "0 to 255, not true"),
        ("a = 1\nb == 2", "line 2, column 4", "not TOML: Invalid value"),
        ("a = 1\na = 2", "line 2, column 6", "not TOML: Cannot overwrite a value"),
        ("suites = [\n", "line 2, column 1", "not TOML"),
    ],
)
def test_errors_say_where_and_what_was_expected(text: str, where: str, expected: str) -> None:
    message = refused(text)
    assert message.startswith(f"{where}: ")
    assert expected in message


@pytest.mark.parametrize(
    "record",
    [
        "{ label = 'w', mechanisms = ['AES_GCM'] }",
        "{ key_type = 'AES', mechanisms = ['AES_GCM'] }",
        "{ label = 'w', id = '01', mechanisms = ['AES_GCM'] }",
    ],
)
def test_no_key_is_a_wrapping_key_and_a_record_key(record: str) -> None:
    message = refused(f"wrapping_keys = [{{ label = 'w' }}]\ntls_keys = [{record}]")
    assert message.startswith("line 2, column 13: expected a key that no entry of wrapping_keys may mean")


def test_a_wrapping_key_and_a_record_key_that_differ() -> None:
    policy = of("wrapping_keys = [{ label = 'w' }]\ntls_keys = [{ label = 'r', mechanisms = ['AES_GCM'] }]")
    assert len(policy.wrapping_keys) == len(policy.tls_keys) == 1


# ---- IVs on keys


@pytest.mark.parametrize(
    ("suites", "bits"),
    [
        ((CBC_128, CHACHA), 64),  # 12 bytes of IV each: bytes 64 to 88, on a server write key at 56 to 72
        ((DES, CHACHA), 64),  # the same, on a client write key at 40 to 64 and a server write key at 64 to 88
    ],
)
def test_ivs_on_keys_at_a_payable_price_are_an_error(suites: tuple[str, ...], bits: int) -> None:
    listed = "".join(f"'{name}',\n" for name in suites)
    message = refused(f"versions = ['TLS 1.2']\n\nsuites = [{listed}]")
    assert message.startswith("line 3, column 1: expected suites whose IVs lie on no other's keys: in TLS 1.2 the IVs of ")
    assert suites[0] in message
    assert CHACHA in message


@pytest.mark.parametrize("suites", [(CBC_128, GCM_12), (CBC_256, CHACHA), (CBC_128,), (CBC_128, CBC_256)])
def test_suites_that_fit_together(suites: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{name}'" for name in suites)
    assert len(of(f"versions = ['TLS 1.2']\nsuites = [{listed}]").suites) == len(suites)


def test_in_tls_1_0_the_ivs_of_cbc_lie_on_keys() -> None:
    """Issue and paper's example: bytes 72 to 103 are AES_128's IVs and AES_256's server write key."""
    message = refused(f"suites = ['{CBC_128}', '{CBC_256}']\nversions = ['TLS 1.0']")
    assert f"the IVs of {CBC_128} leave 0 bits of {CBC_256}'s server write key" in message


def test_an_overlap_that_the_default_suites_bring_is_shown_at_the_versions() -> None:
    message = refused(
        "\nversions = ['TLS 1.2', 'SSL 3.0']\nsuites = ['TLS_RSA_WITH_AES_128_CBC_SHA', 'TLS_RSA_WITH_AES_256_CBC_SHA']"
    )
    assert message.startswith("line 3, column 1")


# ---- files


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("raw_rsa = true\n")
    assert load(file).raw_rsa is True
    file.write_text("raw_rsa = 2\n")
    with pytest.raises(PolicyError, match=rf"^{file}, line 1, column 11: "):
        load(file)
    file.write_bytes(b"# \xff\n")
    with pytest.raises(PolicyError, match="not UTF-8 at byte 2"):
        load(file)
