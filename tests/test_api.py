"""The library as its users import it."""

import subprocess
import sys

import pytest

import keyfence


@pytest.mark.parametrize("name", keyfence.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    assert getattr(keyfence, name) is not None


def test_the_promise_is_kept_by_name() -> None:
    assert keyfence.__all__ == [
        *("TECHNIQUES", "Audit", "CannotAudit", "Cryptoki", "Finding", "IsolatedModule", "KeyfenceError", "NativeModule"),
        *("Opened", "Options", "Quirks", "Report", "SoftToken", "Target", "Verdict", "__version__", "native"),
    ]


def test_other_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        keyfence.nonsense  # noqa: B018 - the access is the test


def test_an_audit_in_four_lines() -> None:
    opened = keyfence.Opened(keyfence.Target("embedded", keyfence.SoftToken))
    report = keyfence.Audit(opened, keyfence.Options(techniques=("iv-window",))).run()
    opened.close()
    assert report.exposed


def test_importing_keyfence_loads_none_of_its_rooms() -> None:
    program = "import sys, keyfence; print([name for name in sys.modules if name.startswith(('keyfence.', 'z3'))])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_exported_names_are_the_ones_the_rooms_have() -> None:
    from keyfence.audit import Audit
    from keyfence.token import SoftToken

    assert (keyfence.Audit, keyfence.SoftToken) == (Audit, SoftToken)
