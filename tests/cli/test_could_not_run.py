"""Everything that keeps an audit from running: one clear line on standard error, exit code 3, no traceback, no PIN."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .program import COMMAND, Ended, environment, keyfence

LIBM = "libm.so.6"


def refused(ended: Ended, *words: str) -> None:
    """One line that says these words."""
    assert ended.code == 3, ended
    assert ended.output == ""
    assert ended.errors.count("\n") == 1, ended.errors
    assert ended.errors.startswith("keyfence: ")
    assert all(word in ended.errors for word in words), ended.errors


def test_a_wrong_path() -> None:
    refused(keyfence("audit", "--module", "/no/such/module.so"), "/no/such/module.so: no such file")


@pytest.mark.parametrize("how", ["--isolate", "--no-isolate"])
def test_a_shared_object_that_is_no_module(how: str) -> None:
    refused(keyfence("audit", "--module", LIBM, how), f"{LIBM}: not a PKCS#11 module: it exports no C_GetFunctionList")


def test_a_file_that_is_no_shared_object() -> None:
    refused(keyfence("audit", "--module", __file__), "not a loadable shared object")


def test_a_module_that_crashes_at_the_start(stub: Path) -> None:
    refused(keyfence("audit", "--module", stub, STUB="crash"), "C_Initialize: the module's process died (SIGABRT)")


def test_a_module_that_hangs_at_the_start(stub: Path) -> None:
    ended = keyfence("audit", "--module", stub, "--time-limit", "0.5", STUB="hang")
    refused(ended, "C_Initialize: no answer within 0.5 s")


def test_a_slot_without_a_token(stub: Path) -> None:
    refused(keyfence("audit", "--module", stub, STUB="no-token"), "no slot holds a token")
    refused(keyfence("audit", "--module", stub, "--slot", "0", STUB="no-token"), "slot 0 holds no token")


def test_a_slot_that_is_not_there(stub: Path) -> None:
    refused(keyfence("audit", "--module", stub, "--slot", "7"), "there is no slot 7; the module has slots 0")


def test_a_token_that_no_uri_describes(stub: Path) -> None:
    ended = keyfence("audit", "--uri", f"pkcs11:token=other?module-path={stub}")
    refused(ended, "no token fits", "there is token 'stub' in slot 0")


def test_a_wrong_pin_is_tried_once(stub: Path, pin_file: Path, tmp_path: Path) -> None:
    logins = tmp_path / "logins"
    ended = keyfence("audit", "--module", stub, "--pin-file", pin_file, STUB="wrong-pin", STUB_LOGINS=str(logins))
    refused(ended, "login failed: C_Login: CKR_PIN_INCORRECT")
    assert logins.read_text() == "L"
    assert "98765432" not in ended.errors


@pytest.mark.parametrize(("fault", "words"), [("locked", "the user PIN is locked"), ("final-try", "one wrong PIN would lock")])
def test_a_pin_that_is_locked_or_nearly_so_is_not_tried(
    fault: str, words: str, stub: Path, pin_file: Path, tmp_path: Path
) -> None:
    logins = tmp_path / "logins"
    ended = keyfence("audit", "--module", stub, "--pin-file", pin_file, STUB=fault, STUB_LOGINS=str(logins))
    refused(ended, words)
    assert not logins.exists()


def test_a_login_without_a_pin_or_a_terminal(stub: Path) -> None:
    refused(keyfence("audit", "--module", stub), "the token needs a PIN", "KEYFENCE_PIN_FILE")


def test_a_pin_file_that_everybody_can_read(stub: Path, pin_file: Path) -> None:
    pin_file.chmod(0o644)
    refused(keyfence("audit", "--module", stub, "--pin-file", pin_file), "every user can read it")


def test_the_environment_names_a_pin_file(stub: Path, pin_file: Path, tmp_path: Path) -> None:
    logins = tmp_path / "logins"
    ended = keyfence("audit", "--module", stub, STUB="wrong-pin", STUB_LOGINS=str(logins), KEYFENCE_PIN_FILE=str(pin_file))
    refused(ended, "CKR_PIN_INCORRECT")


def test_a_module_name_that_nothing_has() -> None:
    refused(keyfence("audit", "--uri", "pkcs11:?module-name=unheard-of"), "no module of this machine is called 'unheard-of'")


def test_a_budget_too_small_to_open_the_token() -> None:
    ended = keyfence("audit", "token", "--schedule", "classic", "--max-calls", "2")
    refused(ended, "the budget of 2 calls is spent")


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    target = tmp_path / "no" / "such" / "directory" / "report.json"
    ended = keyfence("audit", "token", "--schedule", "classic", "--technique", "hkdf-data", "--json", target)
    assert ended.code == 3
    assert ended.last_word.startswith("keyfence: ")
    assert "No such file or directory" in ended.last_word
    assert "Traceback" not in ended.errors


def _interrupted(process: "subprocess.Popen[str]") -> Ended:
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    return Ended(process.returncode, output, errors)


def test_ctrl_c_in_the_middle_says_what_was_found_until_then() -> None:
    with subprocess.Popen(
        [*COMMAND, "audit", "token"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        ended = _interrupted(process)
    assert first.startswith("classic 1/")
    assert ended.code == 3
    assert ended.output == ""
    assert ended.last_word.startswith("keyfence: interrupted in technique")
    assert "EXPOSED until then: iv-window" in ended.last_word
    assert "Traceback" not in ended.errors


def test_ctrl_c_while_a_module_hangs_takes_the_module_along(stub: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "audit", "--module", str(stub)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({"STUB": "hang"}),
    ) as process:
        children = _children(process.pid)
        ended = _interrupted(process)
    refused(ended, "keyfence: interrupted")
    assert children
    assert not any(os.path.exists(f"/proc/{child}") for child in children)


def _children(parent: int) -> list[str]:
    """Its child processes, once the module hangs in one."""
    for _ in range(200):
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children and str(parent) and any("stub.so" in Path(f"/proc/{child}/maps").read_text() for child in children):
            return children
        time.sleep(0.05)
    return []
