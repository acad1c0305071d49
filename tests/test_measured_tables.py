"""The measured tables of docs/techniques: findings to rows, rows into pages. The audits are scripts/measure-techniques' own."""

from dataclasses import replace

from keyfence.audit.findings import Refusal, Verdict, VictimRef
from scripts.measured_tables import differing, index, page, rows, same

from .report.samples import ABSENT, CBC, EXPOSED, FULL, INCONCLUSIVE, REFUSED, report

PAGE = """\
# Key bytes returned as IVs

| module | verdict |
| --- | --- |
| a table of another kind | stays |

## Measured

Audit runs on Debian 12.

| module | verdict | findings | through | sessions | cheapest proof, or why not |
| --- | --- | --- | --- | --- | --- |
| A token 1.0 | REFUSED | 9 of 9 | `CKM_OLD` | SSL 3.0 | `CKR_OLD` |
| A token 0.9 | ABSENT | 1 of 1 |  |  | no such session |

What is said below the table.

## Remedy

| module | remedy |
| --- | --- |
| A token | none |
"""

INDEX = """\
| technique | what | A token | B token |
| --- | --- | --- | --- |
| [`iv-window`](iv-window.md) | Key bytes returned as IVs | REFUSED | ABSENT |
| [`hkdf-data`](hkdf-data.md) | Keys as HKDF data | EXPOSED 1/1 | REFUSED |
| [`unheard-of`](unheard-of.md) | Not measured | EXPOSED 3/3 | REFUSED |

Made of findings.

Versions: A token 1.0 and what
is on a second line.

## More
"""

IV_ROW = "| A token 2.0 | EXPOSED | 1 of 1 | `CKM_TLS12_KEY_AND_MAC_DERIVE` | TLS 1.2 | 32 of 32 bytes, 5 calls, 2^8 trials |"


def test_a_row_per_token_and_verdict_in_the_order_of_the_verdicts() -> None:
    refused = replace(REFUSED, technique=EXPOSED.technique, title=EXPOSED.title)
    inconclusive = replace(INCONCLUSIVE, technique=EXPOSED.technique, title=EXPOSED.title, why="one | two")
    measured = {"A": report(inconclusive, refused, EXPOSED), "B": report(replace(ABSENT, technique="iv-window"))}

    assert rows("iv-window", measured) == [
        "| A | EXPOSED | 1 of 3 | `CKM_TLS12_KEY_AND_MAC_DERIVE` | TLS 1.2 | 32 of 32 bytes, 5 calls, 2^8 trials |",
        "| A | REFUSED | 1 of 3 | `CKM_TLS12_KEY_AND_MAC_DERIVE` | TLS 1.2 | `CKR_TEMPLATE_INCONSISTENT` |",
        "| A | INCONCLUSIVE | 1 of 3 | `CKM_TLS12_KEY_AND_MAC_DERIVE` | TLS 1.2 | one \\| two |",
        "| B | ABSENT | 1 of 1 |  |  | no such session |",
    ]


def test_the_proof_shown_is_the_cheapest_that_a_report_shows() -> None:
    dated = replace(EXPOSED, victim=VictimRef(CBC, "SSL 3.0", "key block"), calls=4, recovered_bytes=104, total_bytes=104)
    searched = replace(EXPOSED, calls=1, work_bits=16.0)

    (row,) = rows("iv-window", {"A": report(dated, searched, EXPOSED)})

    assert row.endswith("| SSL 3.0; TLS 1.2 | 32 of 32 bytes, 5 calls, 2^8 trials |")


def test_mechanisms_are_named_once_and_four_at_most() -> None:
    names = ("CKM_A", "CKM_B", "CKM_A", "CKM_C", "CKM_D", "CKM_E", "CKM_F")

    (row,) = rows(EXPOSED.technique, {"A": report(*(replace(EXPOSED, mechanism=name) for name in names))})

    assert "| 7 of 7 | `CKM_A`, `CKM_B`, `CKM_C`, `CKM_D` and 2 more |" in row


def test_the_refusal_met_most_often_comes_first() -> None:
    met = (Refusal(ckr, 0, "C_Sign") for ckr in ("CKR_RARE", "CKR_OFTEN", "CKR_OFTEN"))

    (row,) = rows(REFUSED.technique, {"A": report(*(replace(REFUSED, refusal=refusal) for refusal in met))})

    assert row.endswith("| `CKR_OFTEN`, `CKR_RARE` |")


def test_a_mechanism_that_is_missing_is_told_from_a_session_that_is() -> None:
    missing = replace(ABSENT, mechanism="CKM_HKDF_DATA", victim=VictimRef(CBC, "TLS 1.3", "key"))

    (row,) = rows("hkdf-data", {"A": report(missing)})

    assert row == "| A | ABSENT | 1 of 1 | `CKM_HKDF_DATA` | TLS 1.3 | not offered |"


def test_a_page_has_its_table_replaced_and_every_other_line_kept() -> None:
    new = page(PAGE, "iv-window", {"A token 2.0": FULL})

    before, _, after = PAGE.partition("| A token 1.0 | REFUSED | 9 of 9 | `CKM_OLD` | SSL 3.0 | `CKR_OLD` |\n")
    assert new == before + IV_ROW + "\n" + after.removeprefix("| A token 0.9 | ABSENT | 1 of 1 |  |  | no such session |\n")
    assert page(new, "iv-window", {"A token 2.0": FULL}) == new


def test_a_table_without_rows_is_filled() -> None:
    empty = "".join(line for line in PAGE.splitlines(keepends=True) if not line.startswith(("| A token 1", "| A token 0")))

    assert page(empty, "iv-window", {"A token 2.0": FULL}) == page(PAGE, "iv-window", {"A token 2.0": FULL})


def test_pages_of_what_was_not_measured_and_pages_without_the_table_stay() -> None:
    unmeasured = PAGE.replace("## Measured", "## Imagined")

    assert page(PAGE, "unheard-of", {"A token 2.0": FULL}) == PAGE
    assert page(unmeasured, "iv-window", {"A token 2.0": FULL}) == unmeasured


def test_the_index_has_verdicts_and_versions_replaced() -> None:
    other = report(replace(REFUSED, technique="iv-window"), replace(EXPOSED, technique="hkdf-data"))

    new = index(INDEX, {"A": FULL, "B": other}, "Versions: 2.0, " + "and so on " * 12)

    assert "| [`iv-window`](iv-window.md) | Key bytes returned as IVs | EXPOSED 1/1 | REFUSED |\n" in new
    assert "| [`hkdf-data`](hkdf-data.md) | Keys as HKDF data | ABSENT | EXPOSED 1/1 |\n" in new
    assert "| [`unheard-of`](unheard-of.md) | Not measured | EXPOSED 3/3 | REFUSED |\n" in new
    assert "\n\nMade of findings.\n\nVersions: 2.0, and so on" in new
    assert "on a second line" not in new
    assert new.endswith("and so on\n\n## More\n")
    assert max(map(len, new.splitlines())) <= 118


def test_reports_agree_by_their_verdicts_and_not_by_their_prices() -> None:
    dearer = report(*(replace(finding, calls=finding.calls + 1) for finding in reversed(FULL.findings)))
    other = report(EXPOSED, *(replace(f, verdict=Verdict.INCONCLUSIVE) if f == REFUSED else f for f in FULL.findings))

    assert differing(FULL, dearer) == []
    assert sorted(differing(FULL, other)) == ["iv-window", "readable-derive"]
    assert differing(FULL, report(*FULL.findings[1:])) == ["iv-window"]


def test_only_calls_by_the_thousand_may_differ() -> None:
    assert same("16 of 32 bytes, 3664 calls, no search", "16 of 32 bytes, 10388 calls, no search")
    assert not same("16 of 32 bytes, 3664 calls, no search", "15 of 32 bytes, 3664 calls, no search")
    assert not same("16 of 32 bytes, 664 calls, no search", "16 of 32 bytes, 665 calls, no search")
