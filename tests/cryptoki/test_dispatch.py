"""The protocol, its dispatching base and NativeModule are one list of methods; each is named after its C function."""

import inspect
from typing import Any

import pytest

from keyfence.cryptoki import METHODS, Cryptoki, function_name
from keyfence.cryptoki.dispatch import Dispatched
from keyfence.cryptoki.native import NativeModule
from keyfence.cryptoki.native.prototypes import POSITIONS


class Recorder(Dispatched):
    """Keeps the last call, and returns what only it can return."""

    def __init__(self) -> None:
        self.last: tuple[str, tuple[Any, ...]] | None = None
        self.answer = object()

    def _call(self, name: str, *arguments: Any) -> Any:
        self.last = name, arguments
        return self.answer


def _parameters(owner: type, method: str) -> list[str]:
    return list(inspect.signature(getattr(owner, method)).parameters)


def test_there_are_as_many_methods_as_functions_worth_calling() -> None:
    assert len(METHODS) == len(set(METHODS))
    assert {"initialize", "derive_key", "digest_key", "sign_message", "decapsulate_key"} <= set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_named_after_its_c_function(method: str) -> None:
    assert function_name(method) in POSITIONS


def test_irregular_names() -> None:
    assert [function_name(name) for name in ("init_pin", "set_pin", "get_attribute_value")] == [
        "C_InitPIN",
        "C_SetPIN",
        "C_GetAttributeValue",
    ]


@pytest.mark.parametrize("owner", [Dispatched, NativeModule])
@pytest.mark.parametrize("method", METHODS)
def test_an_implementation_takes_the_protocols_arguments(owner: type, method: str) -> None:
    assert _parameters(owner, method) == _parameters(Cryptoki, method)


@pytest.mark.parametrize("method", METHODS)
def test_a_call_is_dispatched_by_name_with_its_arguments_in_order(method: str) -> None:
    recorder, arguments = Recorder(), tuple(_parameters(Cryptoki, method)[1:])
    answer = getattr(recorder, method)(*arguments)
    assert recorder.last == (method, arguments)
    returns_nothing = inspect.signature(getattr(Cryptoki, method)).return_annotation in (None, "None")
    assert answer is (None if returns_nothing else recorder.answer)


def test_a_base_that_dispatches_nowhere_says_so() -> None:
    with pytest.raises(NotImplementedError):
        Dispatched().finalize()
