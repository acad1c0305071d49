"""Isolation: what a module does to its process reaches the caller as an error, and nothing of it reaches anyone else."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest

from keyfence.cryptoki import (
    Derived,
    HandleInvalid,
    Info,
    KeyMaterial,
    Mechanism,
    ModuleCrashed,
    ModuleHung,
    Pin,
    refusal,
)
from keyfence.cryptoki.constants import CKA, CKM, CKR, MechanismFlag
from keyfence.cryptoki.isolation import Factory, IsolatedModule

MISBEHAVING = Factory("tests.cryptoki.misbehaving:Misbehaving")


@pytest.fixture
def module() -> Iterator[IsolatedModule]:
    with IsolatedModule(MISBEHAVING) as isolated:
        yield isolated


def gone(pid: int, seconds: float = 20.0) -> bool:
    """Whether the process ends (or is a zombie nobody waits for) within a generous while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


# What goes through


def test_values_come_back_as_they_were(module: IsolatedModule) -> None:
    assert module.get_info() == Info((2, 40), "maker", "description", (1, 2), 0)
    assert module.get_slot_info(5).flags == 5
    assert module.get_mechanism_info(0, 0).flags == MechanismFlag.DERIVE | MechanismFlag.SIGN | 1 << 30
    derived = module.derive_key(1, Mechanism(CKM.HKDF_DERIVE), 2, {})
    assert derived == Derived(7, KeyMaterial(1, 2, 3, 4, b"iv", None), (3, 3), b"", (8,))


def test_a_refusal_keeps_its_class_number_function_and_detail(module: IsolatedModule) -> None:
    with pytest.raises(HandleInvalid) as caught:
        module.destroy_object(1, 2)
    assert caught.value.args == (CKR.OBJECT_HANDLE_INVALID, "C_DestroyObject", "no such object")
    assert str(caught.value) == "C_DestroyObject: CKR_OBJECT_HANDLE_INVALID (no such object)"


def test_big_arguments_and_results(module: IsolatedModule) -> None:
    assert module.generate_random(1, 48 << 20) == b"\x5a" * (48 << 20)
    data = bytes(range(256)) * (16 << 12)
    assert module.digest(1, data) == data[::-1]


def test_a_view_of_a_template_arrives_as_a_dict(module: IsolatedModule) -> None:
    inner = MappingProxyType({CKA.TOKEN: False})
    assert module.create_object(1, MappingProxyType({CKA.CLASS: 4, CKA.DERIVE_TEMPLATE: inner})) == 2


def test_calls_from_many_threads_take_turns(module: IsolatedModule) -> None:
    answers: dict[int, bytes] = {}

    def ask(number: int) -> None:
        for _ in range(20):
            answers[number] = module.generate_random(1, number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: b"\x5a" * number for number in range(1, 9)}


def test_a_child_outlives_the_thread_that_started_it() -> None:
    made: list[IsolatedModule] = []
    thread = threading.Thread(target=lambda: made.append(IsolatedModule(MISBEHAVING)))
    thread.start()
    thread.join()
    with made[0] as isolated:
        assert isolated.generate_random(1, 2) == b"\x5a\x5a"


def test_noise_reaches_neither_our_output_nor_our_errors(module: IsolatedModule, capfd: pytest.CaptureFixture[str]) -> None:
    module.get_info()
    assert capfd.readouterr() == ("", "")
    assert "written to standard output" in module.noise
    assert "written by a child of the module" in module.noise


# How a module can end


def test_a_killed_process_is_a_crash_and_restart_begins_anew(module: IsolatedModule) -> None:
    with pytest.raises(ModuleCrashed) as caught:
        module.login(1, 1, Pin.of("1234"))
    assert (caught.value.function, caught.value.reason) == ("C_Login", "SIGKILL")
    with pytest.raises(ModuleCrashed, match=r"C_Logout: .*not running: SIGKILL in C_Login"):
        module.logout(1)
    module.restart()
    assert module.generate_random(1, 1) == b"\x5a"


def test_killed_between_two_calls(module: IsolatedModule) -> None:
    os.kill(module.pid, signal.SIGKILL)
    with pytest.raises(ModuleCrashed) as caught:
        module.get_info()
    assert (caught.value.function, caught.value.reason) == ("C_GetInfo", "SIGKILL")


def test_an_exit_names_its_status(module: IsolatedModule) -> None:
    with pytest.raises(ModuleCrashed) as caught:
        module.seed_random(1, b"")
    assert (caught.value.function, caught.value.reason) == ("C_SeedRandom", "exit status 3")


def test_a_call_that_does_not_return_is_stopped() -> None:
    with IsolatedModule(MISBEHAVING, time_limit=0.3) as module:
        pid = module.pid
        with pytest.raises(ModuleHung) as caught:
            module.logout(1)
        assert (caught.value.function, caught.value.seconds) == ("C_Logout", 0.3)
        assert gone(pid)
        with pytest.raises(ModuleCrashed, match="not running: stopped in C_Logout"):
            module.get_info()
        module.restart()
        module.get_info()


def test_a_connection_closed_by_the_module_is_a_crash(module: IsolatedModule) -> None:
    pid = module.pid
    with pytest.raises(ModuleCrashed, match=r"C_InitPIN: .*closed its connection"):
        module.init_pin(1, Pin.of("1234"))
    assert gone(pid)


def test_an_absurd_frame_is_a_crash(module: IsolatedModule) -> None:
    pid = module.pid
    with pytest.raises(ModuleCrashed, match="garbled answer: a frame of 18446744073709551615 bytes"):
        module.digest_init(1, Mechanism(CKM.SHA256))
    assert gone(pid)


def test_an_answer_may_not_name_code(module: IsolatedModule) -> None:
    with pytest.raises(ModuleCrashed, match=r"garbled answer: posix.system is no value"):
        module.sign(1, b"")


def test_a_result_that_does_not_pickle_is_an_error_of_ours(module: IsolatedModule) -> None:
    with pytest.raises((TypeError, RuntimeError)):
        module.wrap_key(1, Mechanism(CKM.AES_KEY_WRAP), 1, 2)
    assert module.generate_random(1, 1) == b"\x5a"


def test_an_argument_that_does_not_pickle_leaves_the_child_alone(module: IsolatedModule) -> None:
    with pytest.raises((TypeError, AttributeError)):
        module.digest(1, lambda: b"")  # type: ignore[arg-type]
    assert module.generate_random(1, 1) == b"\x5a"


def test_a_mistake_in_the_child_keeps_its_class_and_traceback(module: IsolatedModule) -> None:
    with pytest.raises(IndexError) as caught:
        module.get_object_size(1, 3)
    assert "_get_object_size" in caught.value.__notes__[0]


def test_what_loading_raises_is_raised() -> None:
    with pytest.raises(type(refusal(CKR.CANT_LOCK, ""))) as caught:
        IsolatedModule(Factory("tests.cryptoki.misbehaving:Misbehaving", options={"refuse": True}))
    assert caught.value.args == (CKR.CANT_LOCK, "C_Initialize", "as asked")


def test_a_process_that_dies_while_loading() -> None:
    with pytest.raises(ModuleCrashed) as caught:
        IsolatedModule(Factory("os:_exit", (4,)))
    assert (caught.value.function, caught.value.reason) == ("loading", "exit status 4")


def test_what_a_dying_process_said_is_a_note_on_the_error() -> None:
    with pytest.raises(ModuleCrashed) as caught:
        IsolatedModule(Factory("os:system", ("echo last words >&2; kill -9 $PPID",)))
    assert caught.value.__notes__ == ["last words\n"]


# What is left behind: nothing


def test_closing_ends_the_child_and_what_the_module_started(module: IsolatedModule) -> None:
    module.get_session_info(os.getpid())
    pids = [int(pid) for pid in subprocess.check_output(["pgrep", "-g", str(module.pid)]).split()]
    assert len(pids) == 2
    module.close()
    assert all(gone(pid) for pid in pids)


def test_a_dropped_module_takes_its_child_along() -> None:
    module = IsolatedModule(MISBEHAVING)
    pid = module.pid
    del module
    assert gone(pid)


def test_core_files_are_off(module: IsolatedModule) -> None:
    assert resource.prlimit(module.pid, resource.RLIMIT_CORE) == (1, 1)


def test_the_environment_is_the_parents_and_what_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYFENCE_TEST_A", "a")
    with IsolatedModule(MISBEHAVING, environment={"KEYFENCE_TEST_B": "b"}) as module:
        variables = Path(f"/proc/{module.pid}/environ").read_bytes().split(b"\0")
    assert {b"KEYFENCE_TEST_A=a", b"KEYFENCE_TEST_B=b"} <= set(variables)


PARENT = """
    import sys
    from keyfence.cryptoki.isolation import Factory, IsolatedModule
    module = IsolatedModule(Factory("tests.cryptoki.misbehaving:Misbehaving"))
    print(module.pid, flush=True)
    try:
        module.logout(1)  # hangs
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        try:
            module.get_info()
        except Exception as error:
            print(error, flush=True)
"""


@pytest.fixture
def parent() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process with a module that hangs in a call, and the pid of its child."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", textwrap.dedent(PARENT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert not gone(child, seconds=0.5)
        yield process, child
        process.kill()


def test_a_killed_parent_leaves_no_orphan(parent: tuple[subprocess.Popen[str], int]) -> None:
    process, child = parent
    process.kill()
    assert gone(child)


def test_ctrl_c_interrupts_the_parent_and_ends_the_child(parent: tuple[subprocess.Popen[str], int]) -> None:
    process, child = parent
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output.splitlines()[0] == "interrupted"
    assert "not running: interrupted in C_Logout" in output
    assert process.returncode == 0
    assert gone(child)
