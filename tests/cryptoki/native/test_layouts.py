"""Our structures and function list against a header that is not ours: NSS's, as the C compiler lays it out."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from keyfence.cryptoki.native.prototypes import POSITIONS, length_of_list
from keyfence.cryptoki.native.structures import ffi

pytestmark = pytest.mark.native

INCLUDES = (Path("/usr/include/nss"), Path("/usr/include/nspr"))  # Debian: libnss3-dev

# Where NSS has another name for the structure than the standard (or than us), and where a field is called otherwise.
STRUCTURES = {
    "CK_GCM_PARAMS": "CK_GCM_PARAMS_V3",
    "CK_GCM_PARAMS_2_40": "CK_NSS_GCM_PARAMS",
    "CK_NSS_C_INITIALIZE_ARGS": "CK_C_INITIALIZE_ARGS",
    "CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS": "CK_NSS_TLS_EXTENDED_MASTER_KEY_DERIVE_PARAMS",
    "CK_IKE_PRF_DERIVE_PARAMS": "CK_NSS_IKE_PRF_DERIVE_PARAMS",
    "CK_IKE2_PRF_PLUS_DERIVE_PARAMS": "CK_NSS_IKE_PRF_PLUS_DERIVE_PARAMS",
    "CK_IKE1_PRF_DERIVE_PARAMS": "CK_NSS_IKE1_PRF_DERIVE_PARAMS",
    "CK_IKE1_EXTENDED_DERIVE_PARAMS": "CK_NSS_IKE1_APP_B_PRF_DERIVE_PARAMS",
}
NOT_THERE = {"CK_FUNCTION_LIST", "CK_C_INITIALIZE_ARGS"}  # of our own shape; the standard's four mutexes, flags, reserved

OURS = sorted(name for name in ffi.list_types()[0] if ffi.typeof(name).kind == "struct" and name not in NOT_THERE)


def compiled(folder: Path, body: str) -> list[str]:
    """What a C program with this body prints."""
    if not all(path.is_dir() for path in INCLUDES):
        pytest.fail("NSS's headers are missing: apt-get install libnss3-dev", pytrace=False)
    source, program = folder / "layout.c", folder / "layout"
    source.write_text(
        "#include <stddef.h>\n#include <stdio.h>\n#include <prtypes.h>\n#include <pkcs11.h>\n#include <pkcs11n.h>\n"
        f"int main(void) {{ {body} return 0; }}\n"
    )
    compiler = shutil.which("gcc") or "cc"
    subprocess.run([compiler, *(f"-I{path}" for path in INCLUDES), "-o", program, source], check=True)
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()


def test_every_structure_and_field_lies_where_the_compiler_puts_it(tmp_path: Path) -> None:
    ours, questions = [], []
    for name in OURS:
        theirs, structure = STRUCTURES.get(name, name), ffi.typeof(name)
        ours.append(f"{name} {ffi.sizeof(name)}")
        questions.append(f'printf("{name} %zu\\n", sizeof({theirs}));')
        for field, facts in structure.fields:
            ours.append(f"{name}.{field} {facts.offset} {ffi.sizeof(facts.type)}")
            place = f"offsetof({theirs}, {field}), sizeof((({theirs} *)0)->{field})"
            questions.append(f'printf("{name}.{field} %zu %zu\\n", {place});')
    assert compiled(tmp_path, "\n".join(questions)) == ours
    assert len(OURS) > 40


def test_the_function_list_of_3_0_is_in_the_headers_order() -> None:
    header = (INCLUDES[0] / "pkcs11f.h").read_text()
    names = re.findall(r"CK_PKCS11_FUNCTION_INFO\((C_\w+)\)", header)
    assert len(names) == length_of_list((3, 0)) == length_of_list((3, 1))
    assert [POSITIONS[name] for name in names] == list(range(len(names)))


def test_the_function_list_of_2_40_ends_where_3_0_begins() -> None:
    assert length_of_list((2, 40)) == POSITIONS["C_GetInterfaceList"]
    assert length_of_list((3, 2)) == POSITIONS["C_DecapsulateKey"] + 1
