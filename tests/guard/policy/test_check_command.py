"""keyfence guard check, as it is typed."""

from pathlib import Path

from typer.testing import CliRunner, Result

from keyfence.cli.app import app
from keyfence.guard.policy.loader import default_text


def check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["guard", "check", *arguments])


def test_without_a_file_the_default_is_explained() -> None:
    ran = check()
    assert ran.exit_code == 0
    assert ran.stdout.startswith("What it refuses, and whom that touches\n")
    assert "one-cut (enforce)" in ran.stdout
    assert "What it does not protect" not in ran.stdout


def test_a_policy_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("rules = { one-cut = 'monitor' }\n[[outside_tls]]\nlabel = \"a\\u001b[31m\"\n")
    ran = check(str(file))
    assert ran.exit_code == 0
    assert "one-cut  in monitor mode" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_an_error_is_one_line_that_says_where(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("raw_rsa = false\nsuites = ['TLS_AES_128_GCM']\n")
    ran = check(str(file))
    assert ran.exit_code == 3
    assert ran.stdout == ""
    (line,) = ran.stderr.splitlines()
    assert line.startswith(f"keyfence: {file}, line 2, column 11: expected ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    ran = check(str(tmp_path / "absent.toml"))
    assert ran.exit_code == 3
    assert "absent.toml: No such file or directory" in ran.stderr


def test_the_default_can_be_copied(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(check("--print-default").stdout)
    assert file.read_text() == default_text()
    assert check(str(file)).stdout == check().stdout
