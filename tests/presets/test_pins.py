"""PINs: where they may come from, and that none is tried where it could lock a token."""

import os
import pty
import threading
from pathlib import Path
from typing import Any

import pytest

from keyfence.cryptoki import Pin, PinIncorrect, PinLocked, TokenInfo, refusal
from keyfence.cryptoki.constants import CKR, CKU, TokenFlag
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.presets import PIN_FILE_VARIABLE, PinMissing, Unreadable, find_pin, log_in, pin_from_source

SECRET = "hunter2"


@pytest.fixture
def pin_file(tmp_path: Path) -> Path:
    path = tmp_path / "the pin%file"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


# Files


def test_a_path_or_a_file_uri(pin_file: Path) -> None:
    escaped = str(pin_file).replace("%", "%25").replace(" ", "%20")
    for source in (str(pin_file), f"file:{escaped}", f"file://{escaped}", f"file://localhost{escaped}"):
        assert pin_from_source(source) == Pin.of(SECRET)


@pytest.mark.parametrize(
    ("content", "pin"),
    [(b"1234", b"1234"), (b"1234\n", b"1234"), (b"1234\r\n", b"1234"), (b" 1 2 \n", b" 1 2 "), (b"\xff\n", b"\xff")],
)
def test_one_line_end_is_not_part_of_a_pin(pin_file: Path, content: bytes, pin: bytes) -> None:
    pin_file.write_bytes(content)
    assert pin_from_source(str(pin_file)) == Pin(pin)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"hunter2\n\n", "more than one line"),
        (b"hunter2\nb", "more than one line"),
        (b"hunter2" * 200, "more than one line"),
    ],
)
def test_what_is_no_pin_file_is_refused_without_showing_it(pin_file: Path, content: bytes, complaint: str) -> None:
    pin_file.write_bytes(content)
    with pytest.raises(Unreadable, match=complaint) as caught:
        pin_from_source(str(pin_file))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("|/usr/bin/pinentry", "names a command"),
        ("pin.txt", "neither an absolute path"),
        ("file:pin.txt", "must be absolute"),
        ("file://elsewhere/etc/pin", "of this machine"),
        ("file:/etc/pin?x", "neither"),
        ("https://localhost/pin", "neither"),
        ("", "neither"),
        ("/no/such/file", "/no/such/file: No such file"),
        ("/", "/: Is a directory"),
        ("/a\0b", "must be absolute"),
    ],
)
def test_other_sources_are_refused(source: str, complaint: str) -> None:
    with pytest.raises(Unreadable, match=complaint):
        pin_from_source(source)


def test_a_file_that_everybody_can_read_is_refused(pin_file: Path) -> None:
    pin_file.chmod(0o644)
    with pytest.raises(Unreadable, match="every user can read it"):
        pin_from_source(str(pin_file))


def test_a_file_that_we_may_not_read_says_so(pin_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pin_file.chmod(0)
    else:  # root may read anything: the kernel's answer has to be made up

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(Unreadable, match="Permission denied"):
        pin_from_source(str(pin_file))


def test_a_pipe_will_do(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o644)
    writer = threading.Thread(target=fifo.write_text, args=(f"{SECRET}\n",))
    writer.start()
    assert pin_from_source(str(fifo)) == Pin.of(SECRET)
    writer.join()


# Which source


def test_a_uris_source_then_the_variable_then_the_prompt(pin_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    other.chmod(0o600)
    environment = {PIN_FILE_VARIABLE: str(other)}
    assert find_pin(str(pin_file), environment=environment, ask=lambda _: "asked") == Pin.of(SECRET)
    assert find_pin(environment=environment, ask=lambda _: "asked") == Pin.of("other")
    assert find_pin(environment={}, ask=lambda _: "asked") == Pin.of("asked")


def test_the_prompt_names_the_token() -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return SECRET

    find_pin(token="my token", environment={}, ask=ask)
    assert prompts == ["User PIN of token 'my token': "]


def test_without_a_terminal_there_is_nobody_to_ask() -> None:
    with pytest.raises(PinMissing, match="KEYFENCE_PIN_FILE"):
        find_pin(environment={})


def test_a_terminal_is_asked_and_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    leader, follower = pty.openpty()
    with os.fdopen(leader, "wb", buffering=0), os.fdopen(follower) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        monkeypatch.setattr("getpass.getpass", lambda prompt: SECRET)
        assert find_pin(environment={}) == Pin.of(SECRET)


def test_an_end_of_input_is_no_pin() -> None:
    def ask(prompt: str) -> str:
        raise EOFError

    with pytest.raises(PinMissing, match="no PIN was given"):
        find_pin(environment={}, ask=ask)


# Logging in


class Token(Dispatched):
    def __init__(self, answer: int = CKR.OK) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answer = answer

    def _call(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        if self.answer != CKR.OK:
            raise refusal(self.answer, "C_Login")


def info(flags: int) -> TokenInfo:
    return TokenInfo("label", "maker", "model", "serial", TokenFlag(flags))


@pytest.mark.parametrize("flags", [TokenFlag.USER_PIN_LOCKED, TokenFlag.USER_PIN_FINAL_TRY])
def test_a_token_that_a_wrong_pin_would_lock_is_left_alone(flags: int) -> None:
    token = Token()
    with pytest.raises(PinLocked, match="not called") as caught:
        log_in(token, 1, info(flags | TokenFlag.USER_PIN_INITIALIZED), Pin.of(SECRET))
    assert token.calls == []
    assert SECRET not in str(caught.value)


def test_a_wrong_pin_is_tried_once() -> None:
    token = Token(CKR.PIN_INCORRECT)
    with pytest.raises(PinIncorrect):
        log_in(token, 1, info(TokenFlag.USER_PIN_COUNT_LOW), Pin.of(SECRET))
    assert token.calls == [("login", 1, CKU.USER, Pin.of(SECRET))]


def test_a_pin_pad_gets_no_pin_from_us() -> None:
    token = Token()
    log_in(token, 1, info(TokenFlag.PROTECTED_AUTHENTICATION_PATH), None)
    assert token.calls == [("login", 1, CKU.USER, None)]


def test_who_is_logged_in_already_is_logged_in() -> None:
    log_in(Token(CKR.USER_ALREADY_LOGGED_IN), 1, info(0), Pin.of(SECRET))
