"""Usage errors: exit code 2, a line that says what would be right; help and the version."""

import pytest

from keyfence import __version__

from .program import keyfence


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit"], "say what to audit: token, a preset (nss,"),
        (["audit", "nsss"], "no preset is called 'nsss'; there are nss,"),
        (["audit", "token", "--technique", "iv-windw"], "no technique is called 'iv-windw'; near it: iv-window"),
        (["audit", "token", "--suite", "TLS_RSA_WITH_AES_128_GCM_SHA"], "near it: TLS_RSA_WITH_AES_128_GCM_SHA256"),
        (["audit", "token", "--schedule", "modern"], "classic"),
        (["audit", "token", "--uri", "pkcs11:"], "--uri: the embedded token needs none"),
        (["audit", "token", "--pin-file", "/tmp/pin"], "--pin-file: the embedded token needs none"),
        (["audit", "nss", "--schedule", "classic"], "only the embedded token has schedules"),
        (["audit", "--uri", "pkcs11:foo"], "--uri: attribute 'foo' has no value"),
        (["audit", "nss", "--max-calls", "0"], "--max-calls"),
        (["audit", "nss", "--max-search-bits", "64"], "--max-search-bits"),
        (["techniques", "iv-windw"], "near it: iv-window"),
        (["overlap", "--suite", "TLS_RSA_WITH_AES_128_GCM_SHA256"], "name two suites or more"),
        (["overlap", "--suite", "x"], "no cipher suite is called 'x'"),
        (["adit"], "No such command"),
    ],
)
def test_a_usage_error_says_what_would_be_right(arguments: list[str], words: str) -> None:
    ended = keyfence(*arguments)
    assert ended.code == 2, ended
    assert words in ended.last_word
    assert ended.output == ""


def test_a_pin_in_a_uri_is_refused_and_not_repeated() -> None:
    ended = keyfence("audit", "--uri", "pkcs11:token=x?module-path=/x&pin-value=98765432")
    assert ended.code == 2
    assert "pin-value" in ended.last_word
    assert "98765432" not in ended.errors


def test_the_version() -> None:
    assert keyfence("--version").output == f"keyfence {__version__}\n"


@pytest.mark.parametrize("command", ["audit", "modules", "techniques", "overlap"])
def test_help_names_every_command(command: str) -> None:
    assert command in keyfence("--help").output
    assert keyfence(command, "--help").code == 0


def test_the_exit_codes_are_in_the_help() -> None:
    text = " ".join(keyfence("audit", "--help").output.split())
    assert "0 nothing exposed, 1 exposures, 2 usage, 3 could not run" in text


def test_help_does_not_wait_for_the_solver() -> None:
    ended = keyfence("audit", "--help", PYTHONPROFILEIMPORTTIME="1")
    assert ended.code == 0
    assert "typer" in ended.errors
    assert "z3" not in ended.errors
    assert "cryptography" not in ended.errors
