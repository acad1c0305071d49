"""A `Cryptoki` in Python that does in a child process what modules should not."""

import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

from keyfence.cryptoki import Info, refusal
from keyfence.cryptoki.constants import CKR, MechanismFlag, SlotFlag
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.values import Derived, KeyMaterial, MechanismInfo, SlotInfo


class Misbehaving(Dispatched):
    def __init__(self, refuse: bool = False) -> None:
        if refuse:
            raise refusal(CKR.CANT_LOCK, "C_Initialize", "as asked")

    def _call(self, name: str, *arguments: Any) -> Any:
        return getattr(self, f"_{name}")(*arguments)

    def _get_info(self) -> Info:
        print("written to standard output")
        os.system("echo written by a child of the module >&2")
        sys.stdout.flush()
        return Info((2, 40), "maker", "description", (1, 2), 0)

    def _get_slot_info(self, slot: int) -> SlotInfo:
        return SlotInfo("a slot", "maker", SlotFlag(slot))

    def _get_mechanism_info(self, slot: int, mechanism_type: int) -> MechanismInfo:
        return MechanismInfo(1, 2, MechanismFlag.DERIVE | MechanismFlag.SIGN | MechanismFlag(1 << 30))

    def _derive_key(self, *arguments: Any) -> Derived:
        return Derived(7, KeyMaterial(1, 2, 3, 4, b"iv", None), (3, 3), b"", (8,))

    def _destroy_object(self, session: int, handle: int) -> None:
        raise refusal(CKR.OBJECT_HANDLE_INVALID, "C_DestroyObject", "no such object")

    def _generate_random(self, session: int, length: int) -> bytes:
        return b"\x5a" * length

    def _digest(self, session: int, data: bytes) -> bytes:
        return data[::-1]

    def _get_object_size(self, session: int, handle: int) -> int:
        return [][handle]  # an IndexError, as a mistake of ours would be

    def _wrap_key(self, *arguments: Any) -> Any:
        return subprocess.Popen(["/bin/true"]).wait  # neither pickles nor is any PKCS#11 value

    def _sign(self, session: int, data: bytes) -> Any:
        return os.system  # pickles, as what an attacker of the parent would send

    def _login(self, *arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _logout(self, session: int) -> None:
        time.sleep(3600)

    def _seed_random(self, session: int, seed: bytes) -> None:
        os._exit(3)

    def _create_object(self, session: int, template: Any) -> int:
        assert type(template) is dict
        return len(template)

    def _init_pin(self, *arguments: Any) -> None:
        socket.socket(fileno=os.dup(int(sys.argv[1]))).shutdown(socket.SHUT_WR)
        time.sleep(3600)

    def _digest_init(self, *arguments: Any) -> None:
        os.write(int(sys.argv[1]), b"\xff" * 8)

    def _get_session_info(self, session: int) -> Any:
        subprocess.Popen(["sleep", "3600"], cwd=f"/proc/{session}/cwd")
        return None
