"""keyfence search as a shell runs it: what is found, what is saved, and every bad input in one line."""

import hmac
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from keyfence.search.des import odd_parity
from keyfence.search.files import read
from keyfence.search.job import Job

from ..search.des.blocks import des, inverted
from .program import COMMAND, Ended, environment, keyfence

KEY = odd_parity(bytes.fromhex("133457799bbcdff1"))
AES_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
BLOCK = b"\x01\x23\x45\x67\x89\xab\xcd\xef"
INVERTED = bytes(byte ^ 0xFF for byte in BLOCK).hex()
PAIR = f"{BLOCK.hex()}:{des(KEY, BLOCK).hex()}"
SECOND = f"{bytes(8).hex()}:{des(KEY, bytes(8)).hex()}"
KNOWN = KEY.hex()[:10] + "??????"


BARE = " ".join(map(shlex.quote, COMMAND))


def search(*arguments: str | Path) -> Ended:
    return keyfence("search", *arguments)


def aes(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


# ---- what is found


def test_a_des_key_masked_and_revealed() -> None:
    ended = search("des", "--pair", PAIR, "--known", KNOWN)
    assert ended.code == 0, ended
    assert "found: key ••••" in ended.output
    assert KEY.hex() not in ended.output + ended.errors
    assert re.fullmatch(r"found: key •{16} \(--reveal shows it\)\nsearched for [\d.]+ m?s\n", ended.output)  # and no number
    assert KEY.hex() in search("des", "--pair", PAIR, "--pair", SECOND, "--known", KNOWN, "--reveal").output


@pytest.mark.parametrize("path", ["avx2", "generic"])
def test_paths_by_name(path: str) -> None:
    assert KEY.hex() in search("des", "--pair", PAIR, "--known", KNOWN, "--reveal", "--path", path).output


def test_single_known_bits() -> None:
    mask = 0xFFFFFFFFFF0F33F0
    known = f"{int.from_bytes(KEY) & mask:016x}/{mask:016x}"
    assert KEY.hex() in search("des", "--pair", PAIR, "--known", known, "--reveal").output


def test_a_chosen_pair_in_a_range_of_an_unknown_key() -> None:
    from keyfence.search.des import DesProblem

    chosen = (inverted(BLOCK), des(KEY, inverted(BLOCK)))
    at = DesProblem(((BLOCK, des(KEY, BLOCK)),), complement=chosen).candidate(KEY)
    option = ":".join([PAIR, *(it.hex() for it in chosen)])
    bounds = f"{max(0, at - 10**6)}:{at + 1}"
    assert KEY.hex() in search("des", "--complement-pair", option, "--range", bounds, "--reveal").output
    ended = search("des", "--complement-pair", option, "--range", f"{max(0, at - 10**6)}:{at}")
    assert (ended.code, ended.output.splitlines()[0]) == (1, "not found: no key of the range fits")


def test_two_des_halves_are_an_aes_key() -> None:
    block = bytes(range(16))
    halves = [odd_parity(AES_KEY[:8]).hex(), AES_KEY[8:].hex()]
    ended = search("aes", "--half-keys", *halves, "--pair", f"{block.hex()}:{aes(AES_KEY, block).hex()}", "--reveal")
    assert ended.code == 0, ended
    assert AES_KEY.hex() in ended.output


def test_an_aes_key_of_which_two_bytes_are_unknown() -> None:
    known = AES_KEY.hex()[:10] + "??" + AES_KEY.hex()[12:30] + "??"
    pair = f"{bytes(16).hex()}:{aes(AES_KEY, bytes(16)).hex()}"
    assert AES_KEY.hex() in search("aes", "--known", known, "--pair", pair, "--reveal").output


def test_a_short_rc4_key() -> None:
    """RFC 6229: key 0x0102030405."""
    stream = "b2396305f03dc027ccc3524a0a1118a8"
    ended = search("rc4", "--known", "0102??????", "--pair", f"{'00' * 16}:{stream}", "--reveal")
    assert "found: key 0102030405" in ended.output
    assert search("rc4", "--known", "0102??????", "--skip", "8", "--pair", f"{'00' * 8}:{stream[16:]}").code == 0


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_hmac_keys(name: str) -> None:
    mac = hmac.digest(b"k\x07\x09", b"what is known", name)
    pair = f"{b'what is known'.hex()}:{mac.hex()}"
    ended = search(f"hmac-{name}", "--length", "3", "--pair", pair, "--reveal")
    assert b"k\x07\x09".hex() in ended.output, ended


def test_a_hit_that_may_be_another_key_is_said_to_be() -> None:
    mac = hmac.digest(b"abc", b"m", "sha256")[:4]
    ended = search("hmac-sha256", "--length", "3", "--pair", f"{b'm'.hex()}:{mac.hex()}")
    assert ended.code == 0
    assert "wrong keys are expected to fit" in ended.errors


def test_with_one_pair_for_a_whole_des_key_that_is_said_as_well() -> None:
    from keyfence.search.des import DesProblem

    at = DesProblem(((BLOCK, des(KEY, BLOCK)),)).candidate(KEY)
    assert "0.00391 wrong keys are expected" in search("des", "--pair", PAIR, "--range", f"{at}:{at + 1}").errors
    at = DesProblem(((BLOCK, des(KEY, BLOCK)), (bytes(8), des(KEY, bytes(8))))).candidate(KEY)
    assert search("des", "--pair", PAIR, "--pair", SECOND, "--range", f"{at}:{at + 1}").errors == ""


def test_known_bits_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "known").write_text(KNOWN + "\n")
    assert search("des", "--pair", PAIR, "--known", f"@{tmp_path / 'known'}").code == 0
    command = [*COMMAND, "search", "des", "--pair", PAIR, "--known", "-"]
    assert subprocess.run(command, input=KNOWN, text=True, capture_output=True, check=False).returncode == 0


# ---- what is saved


LONG = ("--path", "generic", "--threads", "1")  # slow enough to be interrupted


def long_job(path: Path) -> tuple[str, ...]:
    """2^31 and some candidates, the key the last of them: none but the last second finds it."""
    from keyfence.search.des import DesProblem

    mask = 0xFFFFFF0000000000
    problem = DesProblem(((BLOCK, des(KEY, BLOCK)),), mask, int.from_bytes(KEY) & mask)
    at = problem.candidate(KEY)
    known = KEY.hex()[:6] + "?" * 10
    return ("des", "--pair", PAIR, "--known", known, "--range", f"{max(0, at - 2**31)}:{at + 1}", "--job", str(path))


def begun(arguments: tuple[str, ...]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "search", *arguments, *LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )


def wait_for_file(path: Path, process: "subprocess.Popen[str]") -> None:
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.05)


def wait_for_work(path: Path, process: "subprocess.Popen[str]") -> Job:
    for _ in range(600):
        if path.exists() and (job := read(path)).done:
            return job
        assert process.poll() is None
        time.sleep(0.1)
    raise AssertionError("nothing was saved in a minute")


def test_what_was_killed_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "x.job"
    process = begun(long_job(path))
    wait_for_work(path, process)
    process.kill()
    process.communicate()
    done = read(path).done
    ended = search("--resume", path, "--reveal")
    assert ended.code == 0, ended
    assert KEY.hex() in ended.output
    assert read(path).done.total > done.total > 0
    assert KEY.hex() not in path.read_text()
    again = search("--resume", path)
    assert (again.code, again.output.splitlines()[0]) == (0, f"found: key {'•' * 16} (--reveal shows it)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_interrupted_is_saved(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "x.job"
    process = begun(long_job(path))
    before = wait_for_work(path, process)
    time.sleep(1)
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    assert errors.splitlines()[-1] == f"keyfence: interrupted; keyfence search --resume {path} goes on"
    assert output == ""
    assert read(path).done.total > before.done.total
    status = search("--status", path)
    assert "% done" in status.output
    assert status.code == 0


def test_a_job_that_another_process_works_on(tmp_path: Path) -> None:
    path = tmp_path / "x.job"
    process = begun(long_job(path))
    try:
        wait_for_file(path, process)
        ended = search("--resume", path)
        assert (ended.code, "another process is working on this job" in ended.last_word) == (3, True)
        assert search("--status", path).code == 0
    finally:
        process.kill()
        process.communicate()


def test_a_short_search_leaves_no_file(tmp_path: Path) -> None:
    subprocess.run(
        [*COMMAND, "search", "des", "--pair", PAIR, "--known", KNOWN], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL
    )
    assert os.listdir(tmp_path) == []


def with_a_full_disk(*arguments: str | Path) -> Ended:
    """Where a job is begun but nothing is ever saved."""
    program = """
import os
def full(*_): raise OSError(28, "No space left on device")
os.replace = full
from keyfence.cli import main
main()
"""
    command = [sys.executable, "-c", program, "search", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    return Ended(ran.returncode, ran.stdout, ran.stderr)


def test_what_is_found_counts_though_it_could_not_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "x.job"
    ended = with_a_full_disk("des", "--pair", PAIR, "--known", KNOWN, "--job", path)
    assert (ended.code, "found: key" in ended.output) == (0, True)
    assert f"keyfence: the job cannot be saved: {path}: No space left on device" in ended.errors.splitlines()
    assert read(path).hits == ()


def test_a_job_that_cannot_be_saved_does_not_claim_to_be(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "x.job"
    path.parent.mkdir()
    process = begun(long_job(path))
    wait_for_file(path, process)
    path.unlink()
    path.parent.rmdir()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "--resume" not in errors
    assert "could not be saved" in errors.splitlines()[-1]


def test_closed_streams_are_no_obstacle(tmp_path: Path) -> None:
    """Nor does the job's file get a number that something else writes to."""
    question = f"search des --pair {PAIR} --known '{KNOWN}' --job {tmp_path}"
    for number, closed in enumerate(("2>&-", ">&-", "<&- >&- 2>&-")):
        assert subprocess.run(f"{BARE} {question}/{number} {closed}", shell=True, check=False).returncode == 0
        assert read(tmp_path / str(number)).hits
    command = f"{BARE} search des --pair {PAIR} --known - <&-"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (ran.returncode, "got 0 bytes" in ran.stderr.splitlines()[-1]) == (2, True)


# ---- what it takes


def test_estimates() -> None:
    assert "trials of two keys each" in search("--estimate", "--machines", "40", "--price", "0.5").output
    assert "published, not measured by us" in search("--estimate", "--gpu", "RTX 4090").output
    assert "measured here" in search("rc4", "--length", "5", "--pair", f"{'00' * 8}:{'00' * 8}", "--estimate").output


def test_what_is_left_of_a_job_is_estimated(tmp_path: Path) -> None:
    from keyfence.search.des import DesProblem
    from keyfence.search.files import JobFile

    problem = DesProblem(((bytes(8), bytes(8)),), 0xFFFF << 48, 0)
    job = Job.of(problem).with_done(0, problem.candidates // 2)
    JobFile.create(tmp_path / "half", job).close()
    assert search("--resume", tmp_path / "half", "--estimate").output.startswith("2^41")


# ---- bad input

BAD = [
    ([], "name a search"),
    (["des"], "at least one pair"),
    (["des", "--pair", "00"], "--pair: expected P:C"),
    (["des", "--pair", "00:11"], "P: expected 8 bytes (16 hex digits), got 1 bytes"),
    (["des", "--pair", f"{'0' * 15}g:{'0' * 16}"], "P: expected hex digits, two a byte"),
    (["des", "--pair", PAIR, "--known", "0?"], "mask: expected 8 bytes"),
    (["des", "--pair", PAIR, "--known", "zz" * 8], "expected hex digits with ? for the unknown ones"),
    (["des", "--pair", PAIR, "--known", f"{'10' * 8}/{'02' * 8}"], "bits set that the mask calls unknown"),
    (["des", "--pair", PAIR, "--known", f"{'10' * 7}/{'ff' * 8}"], "value: expected 8 bytes (16 hex digits), got 7 bytes"),
    (["rc4", "--pair", "00:00", "--known", f"{'10' * 7}/{'ff' * 8}"], "the value has 7 bytes and the mask 8"),
    (["des", "--pair", PAIR, "--known", "@/nonexistent"], "the file cannot be read: No such file"),
    (["des", "--pair", PAIR, "--range", "5:5"], "the range 5:5 is empty"),
    (["des", "--pair", PAIR, "--range", "5"], "--range: expected LO:HI"),
    (["des", "--pair", PAIR, "--range", "x:5"], "--range: expected numbers in decimal, as 0x… or as 2^N"),
    (["des", "--pair", PAIR, "--range", "0:2^57"], "goes beyond"),
    (["des", "--pair", PAIR, "--range", "0:٣"], "--range: expected numbers in decimal"),
    (["des", "--pair", PAIR, "--known", "@/dev/zero"], "expected hex digits"),
    (["des", "--pair", PAIR, "--threads", "1000000"], "--threads"),
    (["--estimate", "--machines", "1" + "0" * 400], "--machines"),
    (["des", "--pair", PAIR, "--pair", SECOND[:16] + PAIR[16:], "--pair", SECOND], "contradict each other"),
    (["des", "--complement-pair", PAIR], "--complement-pair: expected P:C:~P:C'"),
    (["des", "--complement-pair", f"{PAIR}:{PAIR}"], "not the complement of the first pair's"),
    (["des", "--complement-pair", f"{PAIR}:{INVERTED}:{'00' * 8}", "--known", KNOWN], "only where no key bit is known"),
    (["des", "--pair", PAIR, "--gpu", "x"], "--gpu: it belongs to --estimate"),
    (["des", "--pair", PAIR, "--path", "avx2", "--device", "0"], "--device: it contradicts --path"),
    (["des", "--pair", PAIR, "--threads", "0"], "--threads"),
    (["aes", "--pair", "00:00"], "say what is known of the key"),
    (["aes", "--half-keys", "00", "00", "--pair", "00:00"], "--half-keys: expected 8 bytes"),
    (["aes", "--known", "?" * 32, "--pair", f"{'00' * 16}:{'00' * 16}"], "128 bits of the key are unknown"),
    (["rc4", "--pair", "00:00"], "say how long the key is"),
    (["rc4", "--length", "5"], "at least one sample"),
    (["hmac-sha256", "--length", "3", "--pair", "00:00"], "MACs of 4 to 32 bytes, not 1"),
    (["des", "--pair", PAIR, "--estimate", "--cluster", "tcp://x:1"], "--estimate asks this machine"),
    (["des", "--pair", PAIR, "--threads", "2", "--cluster", "tcp://x:1"], "--threads: workers have their own"),
    (["--resume", "x", "des"], "options belong behind the command"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_bad_input_is_one_clear_line(arguments: list[str], words: str) -> None:
    ended = search(*arguments)
    assert ended.code == 2, ended
    assert words in ended.last_word
    assert "Traceback" not in ended.errors
    assert ended.output == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["des", "--pair", PAIR, "--path", "mmx"], "no path 'mmx'"),
        (["--estimate", "--gpu", "Voodoo"], "Voodoo"),
        (["--resume", "/nonexistent"], "/nonexistent: No such file"),
        (["--status", "/etc/hostname"], "not a whole job file"),
        (["des", "--pair", PAIR, "--known", KNOWN, "--job", "/nonexistent/x"], "No such file"),
    ],
)
def test_what_cannot_run_is_one_clear_line(arguments: list[str], words: str) -> None:
    ended = search(*arguments)
    assert ended.code == 3, ended
    assert words in ended.last_word
    assert len(ended.errors.splitlines()) == 1


def test_errors_do_not_repeat_what_was_given() -> None:
    secret = "deadbeefdeadbeef"
    for arguments in (
        ["des", "--pair", PAIR, "--known", f"{secret}/{'00' * 8}"],
        ["des", "--pair", PAIR, "--known", secret[:-1]],
    ):
        ended = search(*arguments)
        assert ended.code == 2
        assert "dead" not in ended.errors


def test_a_truncated_job_file(tmp_path: Path) -> None:
    from keyfence.search.des import DesProblem
    from keyfence.search.job import to_text

    path = tmp_path / "x.job"
    text = to_text(Job.of(DesProblem(((bytes(8), bytes(8)),))))
    path.write_bytes(text[: Random(1).randrange(len(text))])
    ended = search("--resume", path)
    assert (ended.code, "not a whole job file" in ended.last_word) == (3, True)
    assert path.read_bytes() == text[: len(path.read_bytes())]


def test_without_llvmlite_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['llvmlite'] = None; from keyfence.cli import main; main()"
    command = [sys.executable, "-c", program, "search", "des", "--pair", PAIR, "--known", KNOWN]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert (ran.returncode, ran.stderr.count("\n")) == (3, 1)
    assert "pip install 'keyfence[search]'" in ran.stderr
