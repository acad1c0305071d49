"""Functions that no rule has judged yet: they exist, and are refused by `known-functions` unless a policy only monitors it."""

from collections.abc import Sequence
from typing import Any, Final

from keyfence.cryptoki import METHODS, function_name, refusal
from keyfence.cryptoki.constants import CKR

from ..call import Call
from ..rules import UNJUDGED
from ..state import State

UNJUDGED_METHODS: Final[Sequence[str]] = tuple(name for name in METHODS if function_name(name) in UNJUDGED)


class Unjudged:
    """One method for all of them."""

    def __init__(self, state: State) -> None:
        self._state = state

    def call(self, name: str, session: int, *arguments: Any) -> Any:
        """Objects to the call. Where that is only said, the module has no such function all the same: handles stand in it."""
        function = function_name(name)
        self._state.session(session, function)
        self._state.judge(Call(function, session))
        raise refusal(CKR.FUNCTION_NOT_SUPPORTED, function)
