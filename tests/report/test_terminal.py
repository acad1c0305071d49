"""The report as a person reads it: what stands in it, how wide it is, what it hides."""

import io
import itertools
from dataclasses import replace

import pytest
from rich.console import Console

from keyfence.audit.findings import Report, Residue, Verdict
from keyfence.report.terminal import PIPED_WIDTH, console_for, show, show_side_by_side

from .samples import ABSENT, CBC, EXPOSED, FULL, INCONCLUSIVE, MODULE, PRICED, REFUSED, SECRET, report


def shown(content: Report, *, reveal: bool = False, verbose: bool = False, plan: bool = False) -> str:
    stream = io.StringIO()
    show(content, console_for(stream), reveal=reveal, verbose=verbose, plan=plan)
    return stream.getvalue()


def beside(**reports: Report) -> str:
    stream = io.StringIO()
    show_side_by_side(reports, console_for(stream))
    return stream.getvalue()


def test_the_whole_of_a_small_report() -> None:
    assert shown(report(EXPOSED, REFUSED, ABSENT)) == (
        "keyfence audit of A module 1.2\n"
        "  module /usr/lib/module.so, slot 3, token 'a token'\n"
        "  EXPOSED 1   REFUSED 1   ABSENT 1   INCONCLUSIVE 0   no object left behind (4 before, 4 after)\n"
        "\n"
        "Technique        Verdict      Cheapest proof, or why not  What it is\n"
        "iv-window        EXPOSED 1/1  32/32 bytes, 5 calls, 2^8   Key bytes returned as IVs\n"
        "readable-derive  REFUSED      CKR_TEMPLATE_INCONSISTENT   Keys derived again as readable ones\n"
        "hkdf-data        ABSENT       no session                  Keys as HKDF data\n"
        "\n"
        "A letter per byte of the secret:\n"
        "  P public: returned by a call\n"
        "  S searched\n"
        "\n"
        "iv-window  Key bytes returned as IVs\n"
        "  standard PKCS#11 3.0 mechanisms §2.39\n"
        "  remedy   one cut per master secret and randoms\n"
        "  EXPOSED  TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: key block\n"
        "    through CKM_TLS12_KEY_AND_MAC_DERIVE: 32 of 32 bytes, 5 calls, 2^8 trials\n"
        "    client write SSPPPPPPPPPPPPPP  server write PPPPPPPPPPPPPPPP\n"
        "    1. C_DeriveKey(CKM_TLS12_KEY_AND_MAC_DERIVE, ulIVSizeInBits=120) -> client IV = bytes 2..16\n"
        "    proof the client and server record of the victim was opened outside the module\n"
        "\n"
        "readable-derive  Keys derived again as readable ones\n"
        "  standard PKCS#11 3.0 mechanisms §2.39\n"
        "  remedy   what comes from a sensitive key is sensitive\n"
        "  REFUSED  C_DeriveKey: CKR_TEMPLATE_INCONSISTENT\n"
        "    CKM_TLS12_KEY_AND_MAC_DERIVE on 1 victim key: TLS 1.2\n"
        "\n"
        "Absent\n"
        "hkdf-data the token offers no session that this technique concerns\n"
    )


@pytest.mark.parametrize("verbose", [False, True])
def test_nothing_is_wider_than_a_hundred_columns_when_piped(verbose: bool) -> None:
    cbc = {f"{side} {kind}": place for (side, kind), place in _CBC_LAYOUT.items()}
    wide = replace(EXPOSED, total_bytes=104, recovered_bytes=104, layout=cbc, steps=("C_DeriveKey(" + "x, " * 90 + ")",))
    lines = shown(report(wide, PRICED, REFUSED, INCONCLUSIVE), verbose=verbose, reveal=verbose).splitlines()
    assert max(map(len, lines)) <= PIPED_WIDTH
    assert lines == [line.rstrip() for line in lines]


_CBC_LAYOUT = {
    ("client", "MAC key"): (0, 20),
    ("server", "MAC key"): (20, 40),
    ("client", "write key"): (40, 72),
    ("server", "write key"): (72, 104),
}


def test_bytes_are_masked_unless_they_are_to_be_revealed() -> None:
    masked, revealed = shown(FULL, verbose=True), shown(FULL, reveal=True)
    row = " ".join(f"{byte:02x}" for byte in SECRET[:16])
    assert row in revealed
    assert all(f"{byte:02x}{following:02x}" not in masked for byte, following in itertools.pairwise(SECRET))
    assert row not in masked


def test_a_search_that_was_not_run_is_said_to_be_one() -> None:
    text = shown(report(PRICED))
    assert "0 of 32 bytes, 5 calls, 2^40 trials" in text
    assert "?????..........................." in text
    assert "the search itself was not run" in " ".join(text.split())


def test_a_plan_says_that_it_is_one_and_shows_its_steps() -> None:
    planned = replace(EXPOSED, verdict=Verdict.INCONCLUSIVE, why="planned, not executed: 1 calls, 2^8 trials", evidence=None)
    text = shown(report(planned), plan=True)
    assert "nothing was executed on a victim's keys" in text
    assert "1. C_DeriveKey(CKM_TLS12_KEY_AND_MAC_DERIVE" in text


def test_the_cheapest_proof_decides_what_the_table_says() -> None:
    dear = replace(EXPOSED, work_bits=16.0, calls=1, mechanism="CKM_DEAR")
    dated = replace(EXPOSED, victim=replace(EXPOSED.victim, protocol="SSL 3.0", suite=CBC), calls=2)
    table = shown(report(dear, dated, EXPOSED, replace(REFUSED, technique="iv-window", title=EXPOSED.title)))
    assert "EXPOSED 3/4  32/32 bytes, 5 calls, 2^8" in table
    assert table.index("TLS 1.2 TLS_ECDHE") < table.index("SSL 3.0 TLS_RSA")


def test_only_the_cheapest_proof_is_told_call_by_call_unless_asked() -> None:
    several = report(EXPOSED, replace(EXPOSED, victim=replace(EXPOSED.victim, suite=CBC)))
    assert shown(several).count("1. C_DeriveKey(") == 1
    assert shown(several).count("client write SSPPPPPPPPPPPPPP") == 2
    assert shown(several, verbose=True).count("1. C_DeriveKey(") == 2


def test_other_ways_to_the_same_key_are_named() -> None:
    other = replace(EXPOSED, mechanism="CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256", calls=9)
    text = shown(report(EXPOSED, other))
    assert text.count("client write SSPPPPPPPPPPPPPP") == 1
    assert "also through CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256\n" in text


def test_a_long_chain_shows_its_beginning_and_its_end() -> None:
    long = report(replace(EXPOSED, steps=tuple(f"call number {number}" for number in range(1, 31))))
    short, whole = shown(long), shown(long, verbose=True)
    assert "3. call number 3\n" in short
    assert "... 26 steps more of the kind (-v shows them)" in short
    assert "30. call number 30" in short
    assert "call number 4\n" not in short
    assert all(f"{number}. call number {number}\n" in whole for number in range(1, 31))


def test_verbose_adds_traces_and_references() -> None:
    text = shown(FULL, verbose=True)
    assert "C_DeriveKey(1, CKM_TLS12_KEY_AND_MAC_DERIVE, 7) = CKR_OK, client IV 15 bytes (x2)" in text
    assert "RFC 5246 §6.3; RFC 2246 §6.3" in text


def test_refusals_that_say_the_same_stand_together() -> None:
    other = replace(REFUSED, mechanism="CKM_TLS_KEY_AND_MAC_DERIVE", victim=replace(REFUSED.victim, protocol="TLS 1.0"))
    text = shown(report(REFUSED, other))
    assert text.count("C_DeriveKey: CKR_TEMPLATE_INCONSISTENT") == 1
    assert "CKM_TLS12_KEY_AND_MAC_DERIVE, CKM_TLS_KEY_AND_MAC_DERIVE on 2 victim keys: TLS 1.2, TLS 1.0" in text


def test_what_is_left_behind_is_loud() -> None:
    assert "objects LEFT BEHIND: 4 before, 5 after" in shown(report(EXPOSED, residue=Residue(4, 5)))


def test_notes_are_shown() -> None:
    assert "note: the daemon must run" in shown(report(EXPOSED, notes=("the daemon must run",)))


def test_what_a_module_says_cannot_command_the_terminal() -> None:
    evil = replace(MODULE, description="\x1b]0;owned\x07 [bold]x[/bold]\n", token="\x1b[2Jgone")
    hostile = replace(report(replace(REFUSED, why="\x1b[31mred\r\n")), module=evil)
    text = shown(hostile)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]x[/bold]" in text


def test_a_terminal_gets_colours_and_the_same_letters() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system="256", width=100, highlight=False, markup=False)
    show(report(EXPOSED), console)
    assert "\x1b[" in stream.getvalue()
    plain = io.StringIO()
    show(report(EXPOSED), Console(file=plain, force_terminal=True, no_color=True, color_system=None, width=100))
    assert "client write SSPPPPPPPPPPPPPP  server write PPPPPPPPPPPPPPPP" in plain.getvalue()


def test_two_audits_stand_side_by_side() -> None:
    text = beside(classic=report(EXPOSED, ABSENT), separated=report(replace(REFUSED, technique="iv-window"), ABSENT))
    assert "iv-window  EXPOSED 1/1 32/32 bytes, 5 calls, 2^8  REFUSED CKR_TEMPLATE_INCONSISTENT\n" in text
    assert "keyfence audit of A module 1.2, classic\n" in text
    assert "iv-window  Key bytes returned as IVs (classic)\n" in text
    assert "(separated)" not in text


def test_several_codes_of_refusal_are_counted() -> None:
    other = replace(REFUSED, refusal=replace(REFUSED.refusal, ckr="CKR_MECHANISM_INVALID"))  # type: ignore[type-var]
    assert "CKR_TEMPLATE_INCONSISTENT +1" in shown(report(REFUSED, REFUSED, other))


def test_an_audit_of_nothing() -> None:
    assert "EXPOSED 0   REFUSED 0   ABSENT 0   INCONCLUSIVE 0" in shown(report())
