"""keyfence techniques and keyfence overlap."""

import pytest

from keyfence.techniques import TECHNIQUES

from .program import keyfence


def test_every_technique_is_listed() -> None:
    ended = keyfence("techniques")
    assert ended.code == 0
    rows = [line for line in ended.output.splitlines()[1:] if not line.startswith(" ")]
    assert [row.split()[0] for row in rows] == [technique.id for technique in TECHNIQUES]


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.id)
def test_a_technique_can_be_explained(technique: object) -> None:
    for said in ("id", "title", "summary", "section", "remedy"):
        assert getattr(technique, said)
    assert getattr(technique, "references")  # noqa: B009 - as above


def test_an_explanation_has_everything() -> None:
    technique = TECHNIQUES[0]
    ended = keyfence("techniques", technique.id.upper())
    said = " ".join(ended.output.split())
    for text in (technique.title, technique.summary, technique.section, technique.remedy, *technique.references):
        assert " ".join(text.split()) in said


def test_the_ivs_of_one_suite_are_the_key_of_another() -> None:
    ended = keyfence(*("overlap", "--suite", "TLS_RSA_WITH_AES_128_CBC_SHA", "--suite", "TLS_RSA_WITH_AES_256_CBC_SHA"))
    assert ended.output == (
        "TLS_RSA_WITH_AES_128_CBC_SHA (A) and TLS_RSA_WITH_AES_256_CBC_SHA (B)\n"
        "  SSL 3.0, TLS 1.0\n"
        "    Bytes    are A's           and B's           so that\n"
        "    40..55   client write key  client write key  B's bytes cost no more than 2^128 trials\n"
        "    56..71   server write key  client write key  B's bytes cost no more than 2^128 trials\n"
        "    72..87   client IV         server write key  B's bytes are returned to the caller\n"
        "    88..103  server IV         server write key  B's bytes are returned to the caller\n"
        "  TLS 1.1, TLS 1.2\n"
        "    Bytes   are A's           and B's           so that\n"
        "    40..55  client write key  client write key  B's bytes cost no more than 2^128 trials\n"
        "    56..71  server write key  client write key  B's bytes cost no more than 2^128 trials\n"
    )


def test_suites_of_different_prf_hashes_never_meet() -> None:
    ended = keyfence(
        *("overlap", "--suite", "TLS_RSA_WITH_AES_128_GCM_SHA256", "--suite", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
        *("--suite", "TLS_AES_128_GCM_SHA256"),
    )
    assert "  TLS 1.2\n    no byte in common\n" in ended.output
    assert ended.output.count("no version negotiates both and cuts a key block") == 2


def test_all_suites_at_once() -> None:
    ended = keyfence("overlap")
    rows = [" ".join(line.split()) for line in ended.output.splitlines()]
    assert "TLS_RSA_WITH_AES_256_CBC_SHA (+17) 56 of 104 TLS_RSA_WITH_AES_128_CBC_SHA (+17): 32" in rows
    assert [row for row in rows if row in ("SSL 3.0", "TLS 1.0", "TLS 1.2")] == ["SSL 3.0", "TLS 1.0", "TLS 1.2"]
