"""The call trace: a `Cryptoki` that writes down each call it passes on, without a secret, a PIN or a key's bytes in it."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from keyfence.cryptoki import Cryptoki, CryptokiError, Derived, Mechanism, ModuleFailure, Pin
from keyfence.cryptoki.constants import CKA, CKK, CKM, CKO, describe
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.functions import function_name
from keyfence.cryptoki.params import Parameters

from .findings import CallRecord

Listener = Callable[[CallRecord], None]

_MAX_SHOWN = 40  # characters of label or text before a value is given by its length only
_CONSTANTS = {CKA.CLASS: CKO, CKA.KEY_TYPE: CKK}
_MECHANISM_FIELDS = frozenset({"prf_hash", "prf", "digest", "hash"})


class CallBudgetSpent(ModuleFailure):
    """The audit's --max-calls is used up."""


_Call = tuple[str, tuple[Any, ...], str]  # method, arguments, answer


class TracedModule(Dispatched):
    """Passes every call on to `module`, and records it. `total` counts all calls, `count` those since `clear()`.

    Most traces are thrown away (probing's are), so that calls are kept as they came and put into words by `records` alone.
    """

    def __init__(self, module: Cryptoki, max_calls: int | None = None, listener: Listener | None = None) -> None:
        self.module = module
        self.total = 0
        self.count = 0
        self._calls: list[_Call] = []
        self._max_calls = max_calls
        self._listener = listener
        self._held = False

    def clear(self) -> None:
        """Begins a new trace."""
        self.count = 0
        self._calls = []
        self._held = False

    @property
    def records(self) -> list[CallRecord]:
        """The trace since `clear()`, calls in a row that say the same folded into one."""
        records: list[CallRecord] = []
        for call in self._calls:
            records.append(_worded(call))
            _fold(records, 1) or _fold(records, 2)
        return records

    def hold(self) -> None:
        """Ends the trace: what follows (cleaning up) is counted in `total` alone, and no budget stops it."""
        self._held = True

    def _call(self, name: str, *arguments: Any) -> Any:
        if not self._held and self._max_calls is not None and self.total >= self._max_calls:
            raise CallBudgetSpent(f"the budget of {self._max_calls} calls is spent")
        self.total += 1
        self.count += not self._held
        try:
            result = getattr(self.module, name)(*arguments)
        except CryptokiError as error:
            self._record(name, arguments, error.ckr_name)
            raise
        except ModuleFailure as failure:
            self._record(name, arguments, str(failure).partition(": ")[2])
            raise
        self._record(name, arguments, "CKR_OK" + _answer(result))
        return result

    def _record(self, name: str, arguments: tuple[Any, ...], answer: str) -> None:
        call = (name, arguments, answer)
        if self._listener:
            self._listener(_worded(call))
        if not self._held:
            self._calls.append(call)


def _worded(call: _Call) -> CallRecord:
    name, arguments, answer = call
    return CallRecord(function_name(name), tuple(_show(argument) for argument in arguments), answer)


def _fold(records: list[CallRecord], length: int) -> bool:
    """Fold the last `length` records into equal ones before them: a call again, or an Init with its operation."""
    before, last = records[-2 * length : -length], records[-length:]
    if len(before) < length or any(one.repeated > 1 for one in last):
        return False
    if len({one.repeated for one in before}) > 1 or [replace(one, repeated=1) for one in before] != last:
        return False
    records[-2 * length :] = [replace(one, repeated=one.repeated + 1) for one in before]
    return True


def _show(argument: Any) -> str:
    if isinstance(argument, Pin):
        return "PIN"
    if isinstance(argument, Mechanism):
        return _mechanism(argument)
    if isinstance(argument, Mapping):
        return _template(argument)
    if isinstance(argument, bytes):
        return f"{len(argument)} bytes"
    return str(argument)


def _mechanism(mechanism: Mechanism) -> str:
    return f"{mechanism.name}{_parameters(mechanism.parameters)}" if mechanism.parameters else mechanism.name


def _parameters(parameters: Parameters) -> str:
    return "{" + _fields(parameters) + "}"


def _fields(value: Any) -> str:
    shown = []
    for field in fields(value):
        content = getattr(value, field.name)
        if content not in (None, b"", (), False):
            shown.append(f"{field.name}={_field(field.name, content)}")
    return ", ".join(shown)


def _field(name: str, value: Any) -> str:
    if name in _MECHANISM_FIELDS and isinstance(value, int):
        return describe(CKM, value)
    if isinstance(value, bytes):
        text = value.decode("ascii", "replace")
        readable = text.isascii() and text.isprintable() and 0 < len(text) <= _MAX_SHOWN
        return f'"{text}"' if name == "label" and readable else f"{len(value)} bytes"
    if isinstance(value, tuple):
        return "(" + ", ".join(_field(name, item) for item in value) + ")"
    if isinstance(value, Mapping):
        return _template(value)
    return f"{type(value).__name__}({_fields(value)})" if is_dataclass(value) else str(value)


def _template(template: Mapping[int, Any]) -> str:
    return "{" + ", ".join(f"{describe(CKA, kind)}={_attribute(kind, value)}" for kind, value in template.items()) + "}"


def _attribute(kind: int, value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if kind in _CONSTANTS and isinstance(value, int):
        return describe(_CONSTANTS[CKA(kind)], value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, tuple):
        return "{" + ", ".join(describe(CKM, item) for item in value) + "}"
    return str(value)


def _answer(result: Any) -> str:
    if isinstance(result, Derived):
        return _derived(result)
    if isinstance(result, bytes):
        return f", {len(result)} bytes"
    if isinstance(result, bool) or result is None:
        return ""
    if isinstance(result, int):
        return f", handle {result}"
    return ""


def _derived(derived: Derived) -> str:
    parts = []
    if derived.handles:
        parts.append("handles " + " ".join(str(handle) for handle in derived.handles))
    if derived.key_material:
        ivs = (derived.key_material.client_iv, derived.key_material.server_iv)
        parts += [f"{side} IV {len(iv)} bytes" for side, iv in zip(("client", "server"), ivs, strict=True) if iv]
    if derived.version:
        parts.append("version 2 bytes")
    if derived.output is not None:
        parts.append(f"output {len(derived.output)} bytes")
    return ", " + ", ".join(parts) if parts else ""
