"""The separated key expansion: every vector of its specification, and the strictness of its labels."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfence.cryptoki.constants import CKK, CKM
from keyfence.schedule import (
    BadSeparatedLabel,
    PrfHash,
    SeparatedLabel,
    Side,
    Version,
    exporter,
    finished,
    judge_derivation,
    key_block,
    labels_of,
    separated_ivs,
    separated_key,
    suite,
    template_objection,
    tls_prf,
)
from keyfence.schedule.separated import ALGORITHMS

VECTORS = json.loads((Path(__file__).parent / "vectors" / "ske-vectors.json").read_text())["vectors"]
TLS12_VECTORS = [vector for vector in VECTORS if "keys" in vector]


def inputs(vector: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Master secret, client random, server random."""
    names = ("master_secret", "client_random", "server_random")
    master, client_random, server_random = (bytes.fromhex(vector[name]) for name in names)
    return master, client_random, server_random


def test_the_vectors_are_all_there() -> None:
    assert len(VECTORS) == 8
    assert [len(vector["keys"]) for vector in TLS12_VECTORS] == [2 * len(ALGORITHMS)] * 6


@pytest.mark.parametrize("vector", TLS12_VECTORS)
def test_keys(vector: dict[str, Any]) -> None:
    master, client_random, server_random = inputs(vector)
    prf_hash = PrfHash(vector["prf_hash"])
    for line in vector["keys"]:
        label = SeparatedLabel.parse(line["label"].encode())
        assert label == SeparatedLabel(line["algorithm"], Side(line["side"]), line["bits"])
        assert separated_key(prf_hash, master, label, client_random, server_random).hex() == line["key"]
        exported = exporter(Version.TLS12, prf_hash, master, label.build(), client_random, server_random, line["bits"] // 8)
        assert exported.hex() == line["key"]


@pytest.mark.parametrize("vector", TLS12_VECTORS)
def test_ivs(vector: dict[str, Any]) -> None:
    _, client_random, server_random = inputs(vector)
    assert {line["length"] for line in vector["iv"]} == {4, 8, 12}
    for line in vector["iv"]:
        client, server = separated_ivs(PrfHash(vector["prf_hash"]), client_random, server_random, line["length"])
        assert (client.hex(), server.hex()) == (line["client"], line["server"])


@pytest.mark.parametrize("vector", VECTORS)
def test_the_classic_key_block_of_the_same_inputs(vector: dict[str, Any]) -> None:
    version, prf_hash = Version.TLS10, None
    if "keys" in vector:
        version, prf_hash = Version.TLS12, PrfHash(vector["prf_hash"])
    expected = vector["classic_key_block_208"]
    assert key_block(version, prf_hash, *inputs(vector), len(expected) // 2).hex() == expected


@pytest.mark.parametrize("vector", TLS12_VECTORS)
def test_the_classic_finished(vector: dict[str, Any]) -> None:
    master, prf_hash = inputs(vector)[0], PrfHash(vector["prf_hash"])
    made = finished(Version.TLS12, prf_hash, master, Side.CLIENT, b"transcript")
    assert made.hex() == vector["classic_finished_client_12"]


labels = st.builds(SeparatedLabel.of, st.sampled_from(sorted(ALGORITHMS)), st.sampled_from(Side))


@given(labels)
def test_labels_round_trip(label: SeparatedLabel) -> None:
    assert SeparatedLabel.parse(label.build()) == label
    assert label.bits == 8 * label.length


@given(labels, st.data())
def test_a_mutated_label_is_refused_or_another_label(label: SeparatedLabel, data: st.DataObject) -> None:
    """Insert, delete or change a byte: it never parses as the same label, and what parses builds back to itself."""
    built = label.build()
    position = data.draw(st.integers(0, len(built) - 1))
    cut = data.draw(st.integers(0, 1))
    mutated = built[:position] + data.draw(st.binary(max_size=2)) + built[position + cut :]
    if mutated == built:
        return
    try:
        parsed = SeparatedLabel.parse(mutated)
    except BadSeparatedLabel:
        return
    assert parsed.build() == mutated
    assert parsed != label


@pytest.mark.parametrize(
    "text",
    [
        "EXPERIMENTAL separated key AES_128_GCM client 0128",
        "EXPERIMENTAL separated key AES_128_GCM client 128 ",
        "EXPERIMENTAL separated key AES_128_GCM client 128\n",
        "EXPERIMENTAL separated key AES_128_GCM client 128\0",
        "EXPERIMENTAL separated key AES_128_GCM client 1280",
        "EXPERIMENTAL separated key AES_128_GCM client 12",
        "EXPERIMENTAL separated key AES_128_GCM client 256",
        "EXPERIMENTAL separated key AES_128_GCM client +128",
        "EXPERIMENTAL separated key AES_128_GCM client ",
        "EXPERIMENTAL separated key AES_128_GCM  client 128",
        "EXPERIMENTAL separated key AES_128_GCM Client 128",
        "EXPERIMENTAL separated key AES_128_GCM 128",
        "EXPERIMENTAL separated key AES_192_GCM client 192",
        "EXPERIMENTAL separated key aes_128_gcm client 128",
        "EXPERIMENTAL separated key RC4_128 client 128",
        "EXPERIMENTAL separated key HMAC_MD5 client 128",
        "EXPERIMENTAL separated key 3DES_EDE_CBC client 168",
        "experimental separated key AES_128_GCM client 128",
        " EXPERIMENTAL separated key AES_128_GCM client 128",
        "EXPERIMENTAL separated key ",
        "key expansion",
        "",
    ],
)
def test_labels_that_are_none(text: str) -> None:
    with pytest.raises(BadSeparatedLabel):
        SeparatedLabel.parse(text.encode())


@pytest.mark.parametrize("bits", ["1" * 5, "9" * 5000])
def test_a_number_beyond_all_keys(bits: str) -> None:
    """Python itself refuses to read one of more than 4300 digits, and not with a BadSeparatedLabel."""
    label = f"EXPERIMENTAL separated key AES_128_GCM client {bits}".encode()
    with pytest.raises(BadSeparatedLabel):
        SeparatedLabel.parse(label)
    assert not judge_derivation(label, bytes(32), bytes(32)).allowed


def test_the_numerals_are_ascii() -> None:
    with pytest.raises(BadSeparatedLabel):
        SeparatedLabel.parse("EXPERIMENTAL separated key AES_128_GCM client ١٢٨".encode())


def test_only_the_tables_pairs_are_labels() -> None:
    with pytest.raises(BadSeparatedLabel, match="128 bits, not 256"):
        SeparatedLabel("AES_128_GCM", Side.CLIENT, 256)
    with pytest.raises(BadSeparatedLabel, match="for RC4_128"):
        SeparatedLabel.of("RC4_128", Side.CLIENT)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", ["AES_128_GCM client 128"]),
        ("TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", ["CHACHA20_POLY1305 client 256"]),
        ("TLS_RSA_WITH_AES_256_CCM_8", ["AES_256_CCM_8 client 256"]),
        ("TLS_RSA_WITH_AES_256_CBC_SHA256", ["HMAC_SHA256 client 256", "AES_256_CBC client 256"]),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", ["HMAC_SHA1 client 160", "3DES_EDE_CBC client 192"]),
    ],
)
def test_labels_of_a_suite(name: str, labels: list[str]) -> None:
    built = [label.build().decode() for label in labels_of(suite(name), Side.CLIENT)]
    assert built == [f"EXPERIMENTAL separated key {label}" for label in labels]


@pytest.mark.parametrize(
    "name", ["TLS_RSA_WITH_RC4_128_MD5", "TLS_RSA_WITH_NULL_SHA", "TLS_NULL_WITH_NULL_NULL", "TLS_RSA_WITH_DES_CBC_SHA"]
)
def test_suites_that_have_none(name: str) -> None:
    with pytest.raises(BadSeparatedLabel):
        labels_of(suite(name), Side.SERVER)


def test_randoms_are_32_bytes() -> None:
    label = SeparatedLabel.of("AES_128_GCM", Side.CLIENT)
    with pytest.raises(ValueError, match="not 31 and 33"):
        separated_key(PrfHash.SHA256, bytes(48), label, bytes(31), bytes(33))
    with pytest.raises(ValueError, match="not 32 and 0"):
        separated_ivs(PrfHash.SHA256, bytes(32), b"", 4)


def test_ivs_need_no_secret() -> None:
    client, server = separated_ivs(PrfHash.SHA384, bytes(32), bytes(32), 12)
    assert client + server == tls_prf(Version.TLS12, PrfHash.SHA384, b"", b"IV block", bytes(64), 24)
    assert separated_ivs(PrfHash.SHA384, bytes(32), bytes(32), 0) == (b"", b"")


def test_each_algorithm_has_its_own_mechanism() -> None:
    mechanisms = {name: facts.mechanism for name, facts in ALGORITHMS.items()}
    assert mechanisms["AES_128_GCM"] is mechanisms["AES_256_GCM"] is CKM.AES_GCM
    assert mechanisms["AES_128_CCM_8"] is CKM.AES_CCM
    assert mechanisms["HMAC_SHA384"] is CKM.SHA384_HMAC
    assert mechanisms["3DES_EDE_CBC"] is CKM.DES3_CBC
    assert {name for name, mechanism in mechanisms.items() if mechanism is None} == {
        "ARIA_128_GCM",
        "ARIA_256_GCM",
        "CAMELLIA_128_GCM",
        "CAMELLIA_256_GCM",
    }


@pytest.mark.parametrize(
    ("algorithm", "key_type", "value_len", "objection"),
    [
        ("AES_128_GCM", CKK.AES, 16, None),
        ("AES_128_GCM", CKK.AES, 32, "CKA_VALUE_LEN is 32; the label says 16"),
        ("AES_128_GCM", CKK.AES, None, "CKA_VALUE_LEN is absent; the label says 16"),
        ("AES_128_GCM", CKK.GENERIC_SECRET, 16, "CKA_KEY_TYPE is not CKK_AES, as AES_128_GCM has it"),
        ("AES_128_GCM", None, 16, "CKA_KEY_TYPE is not CKK_AES, as AES_128_GCM has it"),
        ("3DES_EDE_CBC", CKK.DES3, None, None),
        ("3DES_EDE_CBC", CKK.DES3, 24, None),
        ("3DES_EDE_CBC", CKK.DES3, 16, "CKA_VALUE_LEN is 16; the label says 24"),
        ("3DES_EDE_CBC", CKK.DES2, None, "CKA_KEY_TYPE is not CKK_DES3, as 3DES_EDE_CBC has it"),
        ("CHACHA20_POLY1305", CKK.CHACHA20, None, None),
        ("CHACHA20_POLY1305", CKK.CHACHA20, 32, None),
        ("HMAC_SHA256", CKK.GENERIC_SECRET, 32, None),
        ("HMAC_SHA256", CKK.SHA256_HMAC, 32, None),
        ("HMAC_SHA256", CKK.SHA256_HMAC, None, "CKA_VALUE_LEN is absent; the label says 32"),
        (
            "HMAC_SHA256",
            CKK.SHA384_HMAC,
            32,
            "CKA_KEY_TYPE is not CKK_SHA256_HMAC or CKK_GENERIC_SECRET, as HMAC_SHA256 has it",
        ),
    ],
)
def test_templates_agree_with_the_label(
    algorithm: str, key_type: CKK | None, value_len: int | None, objection: str | None
) -> None:
    assert template_objection(SeparatedLabel.of(algorithm, Side.CLIENT), key_type, value_len) == objection
