"""keyfence finds, proves and closes TLS key leaks in PKCS#11 modules.

    opened = keyfence.Opened(keyfence.Target("embedded", keyfence.SoftToken))
    report = keyfence.Audit(opened).run()
    opened.close()

These names are the library; everything else is in its rooms (`keyfence.cryptoki`, `keyfence.model` …), each
of which says in its docstring what it offers. Names are loaded when they are first used, so that the command line starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .audit import Audit, CannotAudit, Finding, Opened, Options, Report, Target, Verdict
    from .cryptoki import Cryptoki, KeyfenceError
    from .cryptoki.isolation import IsolatedModule, native
    from .cryptoki.native import NativeModule
    from .techniques import TECHNIQUES
    from .token import Quirks, SoftToken

__all__ = [
    "TECHNIQUES",
    "Audit",
    "CannotAudit",
    "Cryptoki",
    "Finding",
    "IsolatedModule",
    "KeyfenceError",
    "NativeModule",
    "Opened",
    "Options",
    "Quirks",
    "Report",
    "SoftToken",
    "Target",
    "Verdict",
    "__version__",
    "native",
]

_ROOMS = {
    ".audit": ("Audit", "CannotAudit", "Finding", "Opened", "Options", "Report", "Target", "Verdict"),
    ".cryptoki": ("Cryptoki", "KeyfenceError"),
    ".cryptoki.isolation": ("IsolatedModule", "native"),
    ".cryptoki.native": ("NativeModule",),
    ".techniques": ("TECHNIQUES",),
    ".token": ("Quirks", "SoftToken"),
}


def __getattr__(name: str) -> Any:
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(room, __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
